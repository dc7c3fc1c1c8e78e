"""Short sentences that go on from the one before: "and in staging?", "yes"."""

import re

from agent.models.embedded.acts import Act
from agent.models.embedded.scan import Scan

_LEAN = re.compile(
    r"^(?:(?:and|et|same|same thing|now|what about|how about|ok|pareil|idem|meme chose|plutot|only|just|for|in"
    r"|on|since"
    r"|depuis|pour|en|sur|dans|over|the|la|le|les|l'|service|yes|yep|oui|to|a|with|avec|version|x|then|alors"
    r"|instead|please"
    r"|stp|env|environment|replicas?|instances?|<\w+>|last|past|du|de|d'|[,.?!-]) )+$"
)


def leans_back(scan: Scan, act: Act) -> bool:
    """Whether a sentence says so little that it must go on from the one before."""
    words = scan.abstract
    if len(words.split()) > 9 or act.verbs:
        return False
    loose = " ".join(
        word
        for mention in scan.mentions
        for word in mention.words.split()
        if mention.role not in {"service", "environment", "count", "version", "time"}
    )
    rest = " ".join(word for word in words.split() if word not in loose.split()) + " "
    return bool(_LEAN.match(rest)) and (bool(scan.mentions) or agrees(scan))


def agrees(scan: Scan) -> bool:
    """Whether a sentence begins with a yes."""
    return (
        re.match(
            r"(?:yes|yep|yeah|oui|ok|okay|sure|go ahead|do it|vas y|d' accord|please do|correct|exactly)\b",
            scan.plain,
        )
        is not None
    )
