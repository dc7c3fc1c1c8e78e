"""Adapters of language models, the embedded planner among them."""
