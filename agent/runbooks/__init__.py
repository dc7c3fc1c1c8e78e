"""Runbooks: named procedures whose steps are turns and actions like any others, one after the other."""
