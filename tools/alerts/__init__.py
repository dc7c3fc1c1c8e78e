"""Alerts: what fires, since when, what is silenced; and a silence that has an end."""
