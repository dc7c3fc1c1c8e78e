"""Where knowledge comes from: one module a source."""
