"""MCP: tools of other people's servers, listed by name, pinned by hash, with effects that the operator declares."""
