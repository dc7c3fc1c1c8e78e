"""What happened, in a chain of hashes."""
