"""Changes: what was deployed, released, merged and configured near a time, and which of it came before a fault."""
