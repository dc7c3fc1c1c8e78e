"""Search in what is known: documents, conversations, past incidents."""
