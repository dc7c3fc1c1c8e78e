"""Who is speaking: platform identity, person, roles."""
