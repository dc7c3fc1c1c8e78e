"""Where people talk to sayso."""
