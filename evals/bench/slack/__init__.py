"""Slack without Slack: a workspace on this machine, clicks that come twice to two bots, and a storm of messages."""
