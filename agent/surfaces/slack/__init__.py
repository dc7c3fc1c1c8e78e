"""Slack: where people already talk. Listeners of a few lines, pure translation both ways, one sender."""
