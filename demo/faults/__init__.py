"""Fault drills: ten ways in which the shop's real processes go wrong, each with things that only look guilty."""
