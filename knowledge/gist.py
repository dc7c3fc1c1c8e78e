"""What a question is about, whatever its small words and its language: two questions of one gist are one question."""

from functools import cache

from knowledge.analyzer import Analyzer

# Who and when of the same thing are different questions, although small words are not what a question is about.
_ASKED = {
    **dict.fromkeys(("who", "whom", "whose", "qui"), "who"),
    **dict.fromkeys(("when", "quand"), "when"),
    **dict.fromkeys(("where", "où"), "where"),
    **dict.fromkeys(("why", "pourquoi"), "why"),
    **dict.fromkeys(("how", "comment"), "how"),
    **dict.fromkeys(("many", "much", "combien"), "how many"),
}


def gist(text: str) -> str:
    """The same for "who owns catalog?" and "catalog: who owns it", and in French as far as the glossary goes."""
    return _analyzer().gist(text, _ASKED)


@cache
def _analyzer() -> Analyzer:
    return Analyzer()
