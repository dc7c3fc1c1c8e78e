"""What a document is worth beside its words and its meaning: whether it still holds, its age, pins, and what it is.

A few words of chat are as near to a question as they are short: a stand-up line and a question about the same page
share little else than that page, and have a higher cosine than the runbook that answers. So a message with little
around it counts for less, and chat for a little less than a page, which was written to be found.
"""

from datetime import datetime

from knowledge.port import Document, Kind, Standing

_STANDING = {Standing.CURRENT: 1.0, Standing.SUPERSEDED: 0.8, Standing.OBSOLETE: 0.7}
# Among equally good ones the newer first: at most as much as a few hundredths of a score, gone after some years.
_NEW = 0.02
_HALF_LIFE_DAYS = 365.0
_PINNED = 0.02
_CHAT = 0.05
_BRIEF = 0.2  # what chat of no words at all would lose
_WORDS = 48  # from here on chat is not brief


def worth(document: Document, now: datetime) -> float:
    """What a score is multiplied with, about 1."""
    factor = _STANDING[document.standing] * (1 + _PINNED * document.pinned)
    if document.date is not None:
        age = max(0.0, (now - document.date).total_seconds() / 86_400)
        factor *= 1 + _NEW * 0.5 ** (age / _HALF_LIFE_DAYS)
    if document.kind is Kind.CHAT:
        brief = max(0.0, 1 - len(document.text.split()) / _WORDS)
        factor *= (1 - _CHAT) * (1 - _BRIEF * brief)
    return factor
