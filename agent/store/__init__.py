"""Adapters that keep threads, actions and audit events."""
