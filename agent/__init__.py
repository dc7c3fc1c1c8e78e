"""Hears a request, answers it with evidence, proposes actions and sees them through."""
