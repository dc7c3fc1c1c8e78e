"""Logs: lines found by service, level, time and text, and what they have in common."""
