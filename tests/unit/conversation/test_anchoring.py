"""The places in the digest of an investigation become numbers of the turn, and nobody else's text does."""

from agent.conversation.evidence import anchored
from tools.contract import Finding


def digest(kind: str, text: str) -> Finding:
    return Finding(kind, "Why: payments", "investigate", "payments", text)


def test_places_of_an_investigation_are_counted_from_its_own_number() -> None:
    assert anchored(digest("investigation", "rose [#2], new [#3][#2]"), 4).text == "rose [6], new [7][6]"


def test_text_of_any_other_finding_stays_as_it_is() -> None:
    assert anchored(digest("log_lines", "boom [#2]"), 4).text == "boom [#2]"
