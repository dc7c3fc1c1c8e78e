"""The planner that needs no language model: it understands, asks back when unsure, and answers from templates."""
