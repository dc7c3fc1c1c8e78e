"""Proposed writes and the people who decide about them."""
