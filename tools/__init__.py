"""What the agent can do to the world: one folder a capability, one contract for all of them."""
