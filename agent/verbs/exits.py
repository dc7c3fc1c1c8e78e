"""How a verb ends: exit codes that mean something, and the error that stops one with a sentence."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    FAILED = 1  # it was tried, and did not work
    USAGE = 2  # wrong arguments or settings
    REFUSED = 3  # policy or approval rules say no; nothing was executed
    NOT_FOUND = 4
    UNAVAILABLE = 5  # try again later: a lock, a full disk, a backend that does not answer
    INTERRUPTED = 130


class Stop(Exception):
    """Ends the verb with a sentence for the person and an exit code."""

    def __init__(self, sentence: str, code: Exit) -> None:
        super().__init__(sentence)
        self.code = code
