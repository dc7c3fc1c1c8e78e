"""Feature flags: how one is set in an environment, and setting it."""
