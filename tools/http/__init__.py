"""HTTP: operations of any REST API that an operator declares, and nothing of it that is not declared."""
