"""Tickets: which are open, opening one, commenting on it, closing it."""
