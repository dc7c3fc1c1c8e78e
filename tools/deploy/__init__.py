"""Deploying, rolling back, restarting, scaling, and seeing what runs where."""
