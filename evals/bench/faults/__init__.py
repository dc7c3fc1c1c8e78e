"""The bench of causes: ten faults played on real processes, recorded, and asked about."""
