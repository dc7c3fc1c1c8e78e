"""Measures of how well sayso does its work: cases, scorers, benchmarks."""
