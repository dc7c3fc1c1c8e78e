"""What an operator sees of sayso from outside: metrics, traces and logs. Nobody in the core knows of it."""
