"""A small web shop of real processes, its documents and its chat: what the README's first command starts."""
