"""The answer, checked: citations that do not exist are removed, numbers that no evidence has are marked.

A number counts as found when some number in the evidence, the question or the answer's own citations equals it, rounds
to it at the precision it is written with, or is it as a share (0.12 for 12 %). Small counts up to ten, versions,
identifiers, dates and times are not numbers in this sense.
"""

import re
from collections.abc import Iterable, Sequence

from agent.conversation.evidence import Evidence
from tools.contract import Json

CITATION = re.compile(r" ?\[(\d+(?:\s*,\s*\d+)*)\]")
SMALL = 10
# What holds digits and is no figure: `code`, links, versions, 2026-11-23, 14:05, A-17, INC-112, payments-2, p95.
_NO_FIGURE = re.compile(
    r"`[^`]*`|https?://\S+|\bv?\d+(?:\.\d+){2,}[\w.-]*|"
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}\S*)?|\b\d{1,2}[:h]\d{2}(?::\d{2})?\b|"
    r"\[\d+(?:\s*,\s*\d+)*\]|[A-Za-z_]+[-_#]?\d[\w-]*|#\d+"
)
_FIGURE = re.compile(
    r"(?<![\w.])(\d{1,3}(?:[, \u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?)\s?(%|percent|pour cent)?"
)


def checked(answer: str, evidence: Sequence[Evidence], question: str, mark: str) -> str:
    """The answer with nonexistent citations removed, and `mark` behind every figure that nothing bears out."""
    return marked(with_real_citations(answer, {item.number for item in evidence}), evidence, question, mark)


def with_real_citations(answer: str, numbers: set[int]) -> str:
    """`[3]` stays where evidence 3 exists; `[2, 9]` keeps what exists of it."""

    def keep(found: re.Match[str]) -> str:
        real = [number for number in re.findall(r"\d+", found[1]) if int(number) in numbers]
        lead = " " if found[0].startswith(" ") else ""
        return f"{lead}[{', '.join(real)}]" if real else ""

    return CITATION.sub(keep, answer)


def marked(answer: str, evidence: Sequence[Evidence], question: str, mark: str) -> str:
    """`mark` behind every figure that neither the evidence nor the question has."""
    hidden = _NO_FIGURE.sub(lambda found: "\0" * len(found[0]), answer)
    figures = [found for found in _FIGURE.finditer(hidden) if "\0" not in found[0]]
    suspects = [found for found in figures if value(found[1]) > SMALL or "." in found[1] or found[2]]
    if not suspects:
        return answer
    known = set(figures_in(question))
    for item in evidence:
        finding = item.finding
        known.update(figures_in(finding.title), figures_in(finding.text), figures_in(finding.query))
        known.update(_numbers(finding.facts))
    for found in reversed(suspects):
        if not borne_out(found[1], share=bool(found[2]), known=known):
            answer = f"{answer[: found.end()].rstrip()} {mark}{answer[found.end() :]}"
    return answer


def figures_in(text: str) -> Iterable[float]:
    return [value(found[1]) for found in _FIGURE.finditer(text)]


def value(figure: str) -> float:
    """`12,400`, `12 400` and `12400` are the same; a comma before one or two last digits is a decimal one."""
    plain = re.sub(r"[ \u00a0\u202f]", "", figure)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain):
        plain = plain.replace(",", "")
    return float(plain.replace(",", "."))


def borne_out(figure: str, *, share: bool, known: set[float]) -> bool:
    """Whether some known number is this figure, to the precision it is written with."""
    wanted = value(figure)
    decimals = len(re.split(r"[.,]", figure)[1]) if re.fullmatch(r"\d+[.,]\d{1,2}", figure) else 0
    allowed = 0.5 * 10**-decimals + 1e-9
    scales = (1.0, 100.0) if share else (1.0,)
    return any(abs(number * scale - wanted) <= allowed for number in known for scale in scales)


def _numbers(facts: Json) -> Iterable[float]:
    """Every number inside a JSON value."""
    stack: list[Json] = [facts]
    while stack:
        item = stack.pop()
        if isinstance(item, bool) or item is None:
            continue
        if isinstance(item, int | float):
            yield float(item)
        elif isinstance(item, str):
            yield from figures_in(item)
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
