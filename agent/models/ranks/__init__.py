"""Data: the ranks of tiktoken's encodings."""
