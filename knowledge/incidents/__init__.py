"""What a document tells of a past incident: how it looked, what it was, what fixed it."""

from knowledge.incidents.rules import Rules, incident_of

__all__ = ["Rules", "incident_of"]
