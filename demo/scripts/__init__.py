"""Small programs that the demo's declared commands run."""
