"""What can go wrong while a model answers.

::

    ConversationError
    ├── ModelUnavailable   nobody: it does not answer, or refuses for now; the planner stands in
    └── MalformedReply     the model: what it said cannot be read as a reply
"""


class ConversationError(Exception):
    """Something a conversation can go on after."""


class ModelUnavailable(ConversationError):
    """The model did not answer in time, or its endpoint refused."""


class MalformedReply(ConversationError):
    """The endpoint answered with something that is no reply."""
