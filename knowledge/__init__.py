"""What is known: documents and conversations, found by words and by meaning, with the rights of whoever asks."""
