"""What words of one language stand for in another, so that words find across languages."""
