"""Durable work: turns, executions and what is to be told, carried on by whoever is alive.

The store is the truth about what is to be done; DBOS Transact carries it: queues in order, each thing in one pair of
hands, taken over when a worker dies. Whatever the engine forgets, the worker's rounds find in the store again.
"""
