"""The process that stays: surfaces, workers, and what an operator asks it from outside."""
