"""Quotations, checked: what stands in quotation marks was written so, character for character but for line breaks."""

import re
from collections.abc import Iterable, Sequence

from agent.conversation.evidence import Evidence
from tools.contract import Json

SHORTEST = 4  # words; fewer are a name or a turn of phrase
_QUOTED = re.compile(
    r"“([^“”]+)”|«[ \u00a0\u202f]?([^«»]+?)[ \u00a0\u202f]?»|(?<![\w\"])\"([^\"\n]+)\"(?!\w)"
)
_CUT = re.compile(r"\s*(?:…|\.\.\.|\[…\]|\[\.\.\.\])\s*")


def with_real_quotations(answer: str, evidence: Sequence[Evidence], question: str, mark: str) -> str:
    """The answer with `mark` behind every quotation that neither the evidence nor the question has.

    A quotation may leave something out at "…"; every piece of it is looked for.
    """
    known = " \0 ".join(_plain(text) for text in (question, *_texts(evidence)))

    def checked(found: re.Match[str]) -> str:
        said = next(group for group in found.groups() if group is not None)
        pieces = [_plain(piece) for piece in _CUT.split(said)]
        true = len(said.split()) < SHORTEST or all(piece in known for piece in pieces)
        return found[0] if true else f"{found[0]} {mark}"

    return _QUOTED.sub(checked, answer)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _texts(evidence: Sequence[Evidence]) -> Iterable[str]:
    for item in evidence:
        finding = item.finding
        yield from (finding.title, finding.text, finding.query, finding.cut or "")
        yield from _inside(finding.facts)


def _inside(facts: Json) -> Iterable[str]:
    """Every text inside a JSON value."""
    stack: list[Json] = [facts]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
