"""Why something is slow or failing: symptoms, the first bad moment, what is new, and which cause explains it."""
