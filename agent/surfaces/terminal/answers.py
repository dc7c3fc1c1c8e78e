"""An answer on a screen: the text, its sources, its receipt; and the same as JSON."""
