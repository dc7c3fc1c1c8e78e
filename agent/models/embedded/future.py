"""What lies ahead: changes that are wanted for later, and questions about what will be."""

import re

from agent.models.embedded.acts import Act, Mood
from agent.models.embedded.scan import Scan

_WILL = re.compile(
    r"(?:^|, |\b(?:what|when|how|why|who|which|and|so) (?:\S+ ){0,6}?)"
    r"(?:will|won't) (?:<service>|<environment>|the|it|there"
    r"|they|our|be|happen|fail|break|run|change)(?!\w)"
    r"|(?<!\S)(?:sera|seront|aura|auront|tombera|tomberont|marchera|tournera|va t|vont) (?!il y a )"
)
_PLAINLY_AHEAD = re.compile(r"\b(?:tomorrow|demain|next|prochaine?s?)\b")
_DAY = re.compile(
    r"(?:on |this |ce )?(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|(?:ce )?(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)\b"
)
_CLOCK = re.compile(r"(?:at |a |vers )?(?:\d{1,2} ?(?:h|heures?|:)|\d{1,2} ?[ap]m|noon|midi|midnight|minuit)")
_LENGTH = re.compile(
    r"\d{1,3} ?(?:h|m|min|hours?|heures?|minutes?|d|days?)$"
)  # "for 2h" is how long, not when
_PLANNED = re.compile(
    r"\b(?:freezes?|plan\w*|schedul\w*|maintenance|prevu\w*|gels?|agenda|calendar|calendrier)\b"
)
_BACK_FROM = re.compile(
    r"(?<!\S)(?:since|from|of|last|until|between|depuis|de|du|before|after|avant|apres|was|were|worked)"
    r"(?: the| la| le)? $"
)
_LAST = re.compile(r"\b(?:last|past|derniere?|passee?)\b")
_NOW = re.compile(r"\b(?:now|right away|maintenant|tout de suite|immediately|immediatement)\b")


def sets_a_date(scan: Scan, act: Act) -> bool:
    """Whether a change is wanted for some other time: "tomorrow", and in an order also "on friday", "à 18h"."""
    return bool(scan.of("later")) or (act.mood is Mood.ORDER and _names_a_day(scan))


def _names_a_day(scan: Scan) -> bool:
    places = [match.start() for match in re.finditer(r"<time>", scan.abstract)]
    for place, mention in zip(places, scan.of("time"), strict=False):
        before, words = scan.abstract[:place], mention.words
        dated = _DAY.match(words) or (
            _CLOCK.match(words)
            and before.endswith((" at ", " a ", " vers ", " for "))
            and not (before.endswith(" for ") and _LENGTH.match(words))
        )
        if dated and not _LAST.search(words) and not _BACK_FROM.search(before):
            return True
    return False


def is_asked(scan: Scan) -> bool:
    """Whether a question is about what will be. "Errors in 2 hours" rather asks how many there were."""
    return foretells(scan) or any(_PLAINLY_AHEAD.search(mention.words) for mention in scan.of("later"))


def foretells(scan: Scan) -> bool:
    """Whether a sentence speaks in the future tense of what runs here."""
    return bool(_WILL.search(scan.abstract))


def is_planned(scan: Scan) -> bool:
    """Whether a question is about plans, which people may have written down: a freeze, a maintenance."""
    return bool(_PLANNED.search(scan.plain))


def is_now(scan: Scan) -> bool:
    """Whether an answer says that the change is wanted now, after all."""
    return bool(_NOW.search(scan.plain))
