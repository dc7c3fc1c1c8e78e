"""Benchmarks: figures for speed and quality, each printed by a module of its own."""
