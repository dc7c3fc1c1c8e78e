"""An answer from knowledge, sentence by sentence: what states something says where it stands, or is left out.

Kept without a citation are sentences that state nothing of the world: questions to the person, lead-ins that end with a
colon, headings, code, that something is not known or was not found, and words about a proposed action (`A-17`). A point
of a list is kept when its lead-in is cited, a row of a table when the table or its lead-in is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CITED = re.compile(r"\[\d+(?:\s*,\s*\d+)*\]")
_END = re.compile(r"[.!?…]+[\"”»)*_`]*(?:\s?\[\d+(?:\s*,\s*\d+)*\])*(?=\s|$)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|approx|vs|cf|resp|no|fig|p|pp|st|mr|mrs|ms|dr|ex|env|art|mme|mlle|min|max)|\b[A-ZÀ-Þ])\.$",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"[\s\"“«(*_`\[]*[A-ZÀ-Þ\d]")
_POINT = re.compile(r"\s*(?:[-*•]|\d+[.)])\s+")
_HEADING = re.compile(r"\s*(?:#{1,6}(?:\s+[^\s.!?]+){1,6}|\*\*[^\s*.!?]+(?:\s+[^\s*.!?]+){0,5}\*\*:?)\s*$")
_BELOW = re.compile(r"\s*(?:[-*•|>]|\d+[.)]\s|```)")  # what a lead-in leads to
_ACTION = re.compile(r"\bA-\d+\b")
_UNKNOWN = re.compile(
    r"\b(?:not (?:found|known|written|documented|recorded|checked|mentioned|stated|clear)|"
    r"nothing (?:is|was|in|that|clearly|says|about|else is)|is unknown|no (?:record|mention|document|page|clear answer|"
    r"evidence|information)|(?:do|does|did|could|can)(?: not|n't|not) (?:know|find|tell|say|see|answer|mention)|"
    r"rien (?:de|ne|n'|dans|sur)|est inconnue?|introuvable|aucun(?:e)? (?:document|page|réponse|trace|mention|"
    r"information)|ne sais pas|ne (?:dit|disent|précise|précisent|mentionne|mentionnent) pas|"
    r"pas (?:trouvé|vérifié|écrit|documenté|précisé|mentionné|connu))\b",
    re.IGNORECASE,
)
_YES = re.compile(r"(?:yes|no|oui|non|sure|ok|bien sûr|certainly)[,.!]*", re.IGNORECASE)  # nothing by itself


@dataclass(frozen=True, slots=True)
class Supported:
    """An answer without its unsupported statements, and these."""

    text: str
    left_out: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing cited is left."""
        return not _CITED.search(self.text)


def supported(answer: str) -> Supported:
    """The answer with every statement that cites nothing left out; what stays is unchanged."""
    left_out: list[str] = []
    kept: list[str] = []
    in_code, lead_cited, table_cited = False, False, False
    lines = answer.split("\n")
    for number, line in enumerate(lines):
        if line.lstrip().startswith("```"):
            in_code = not in_code
            kept.append(line)
            continue
        if not line.strip() or in_code or _HEADING.match(line):
            kept.append(line)
            continue
        if line.lstrip().startswith("|"):
            if number == 0 or not lines[number - 1].lstrip().startswith("|"):
                table_cited = lead_cited or any(_CITED.search(row) for row in _table(lines[number:]))
            (kept if table_cited else left_out).append(line)
            continue
        point = _POINT.match(line)
        if point and lead_cited:
            kept.append(line)
            continue
        said = "".join(_kept(line, point.end() if point else 0, left_out))
        if said.strip() and said.strip() != (point[0].strip() if point else ""):
            kept.append(said.rstrip())
        if not point:
            lead_cited = line.rstrip().endswith(":") and bool(_CITED.search(line))
    text = "\n".join(_with_what_they_lead_to(kept, left_out))
    return Supported(re.sub(r"\n{3,}", "\n\n", text).strip(), tuple(left_out))


def _with_what_they_lead_to(kept: list[str], left_out: list[str]) -> list[str]:
    """Without lead-ins that cite nothing and have nothing below them any more."""
    found: list[str] = []
    below = False
    for line in reversed(kept):
        if line.rstrip().endswith(":") and not _CITED.search(line) and not below and not _POINT.match(line):
            left_out.append(line.strip())
            continue
        found.append(line)
        below = bool(_BELOW.match(line)) if line.strip() else below
    return found[::-1]


def sentences(line: str) -> Iterator[str]:
    """The sentences of one line, each with the space behind it: together they are the line."""
    start = 0
    for end in _END.finditer(line):
        rest = line[end.end() :]
        if _ABBREVIATED.search(line[start : end.end()]) or (rest.strip() and not _BEGINS.match(rest)):
            continue
        gap = len(rest) - len(rest.lstrip())
        yield line[start : end.end() + gap]
        start = end.end() + gap
    if start < len(line):
        yield line[start:]


def _kept(line: str, start: int, left_out: list[str]) -> Iterator[str]:
    yield line[:start]
    for sentence in sentences(line[start:]):
        if _stays(sentence.strip()):
            yield sentence
        else:
            left_out.append(sentence.strip())


def _stays(sentence: str) -> bool:
    return bool(
        _CITED.search(sentence)
        or sentence.endswith(("?", ":", "? »", "?”"))
        or _ACTION.search(sentence)
        or _UNKNOWN.search(sentence)
        or _YES.fullmatch(sentence)
    )


def _table(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.lstrip().startswith("|"):
            return
        yield line
