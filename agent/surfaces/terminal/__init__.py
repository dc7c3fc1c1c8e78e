"""The terminal: answers and cards on a screen, and a conversation typed into it."""
