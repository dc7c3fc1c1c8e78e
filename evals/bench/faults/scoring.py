"""Scoring an answer about a recording: the place of the true cause, the herrings ruled out, and invented evidence."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.conversation.checking import checked
from agent.conversation.evidence import Evidence
from agent.conversation.quotations import with_real_quotations
from agent.conversation.turn import Answer
from agent.models.embedded.facts import rows, text, texts
from evals.bench.faults.recording import Recording
from tools.contract import Json

RULED_OUT = ("- Ruled out:", "- Écarté :")
MARK = "[not found]"
DERIVED = frozenset({"gap", "requests", "days", "earlier", "seconds"})  # worked out from what is cited
OFFERS = ("Next step", "Prochaine étape")  # what a person might say next is no statement
THREE_DIGITS = 5e-3
_CITED = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Score:
    """How one answer did. `places` are those of the true causes among the hypotheses, 0 where one is missing."""

    fault: str
    seed: int
    question: str
    places: tuple[int, ...]
    told_harmless: bool | None  # of a fault that is none; `None` for the others
    herrings: Mapping[str, bool] = field(default_factory=dict)
    invented: tuple[str, ...] = ()
    guess: str = ""

    @property
    def first(self) -> bool:
        """Whether the true cause comes first; two causes at once have to be the first two."""
        return self.told_harmless is not False and all(0 < place <= len(self.places) for place in self.places)

    @property
    def in_three(self) -> bool:
        return self.told_harmless is not False and all(0 < place <= 3 for place in self.places)


def score(recording: Recording, answer: Answer) -> Score:
    """Compares an answer with what was played."""
    report = next((each for each in answer.evidence if each.finding.kind == "investigation"), None)
    facts: Mapping[str, Json] = report.finding.facts if report is not None else {}
    ranked = [(text(each, "kind"), text(each, "subject")) for each in rows(facts, "hypotheses")]
    places = tuple(ranked.index(cause) + 1 if cause in ranked else 0 for cause in recording.causes)
    lines = [line for line in answer.text.splitlines() if line.startswith(RULED_OUT)]
    return Score(
        recording.fault,
        recording.seed,
        recording.question,
        places,
        (facts.get("broken") is False) if recording.harmless else None,
        {named: any(named in line for line in lines) for named in recording.herrings},
        tuple(invented(answer, report, recording.asked_at)),
        "; ".join(" ".join(each) for each in ranked[:3]) or "no investigation",
    )


def invented(answer: Answer, report: Evidence | None, asked_at: datetime) -> Iterator[str]:
    """Everything in the answer, and in the points it rests on, that the cited evidence does not say."""
    numbers = {each.number for each in answer.evidence}
    yield from (
        f"[{cited}] is no evidence" for cited in _CITED.findall(answer.text) if int(cited) not in numbers
    )
    said = "\n".join(line for line in answer.text.splitlines() if not line.startswith(OFFERS))
    marked = checked(with_real_quotations(said, answer.evidence, "", MARK), answer.evidence, "", MARK)
    yield from (line for line in marked.splitlines() if MARK in line)
    if report is None:
        return
    by_number = {each.number: each for each in answer.evidence}
    for point in _points(report):
        places = point.get("cites")
        cites = [each for each in places if isinstance(each, int)] if isinstance(places, Sequence) else []
        found = [by_number.get(report.number - 1 + place) for place in cites]
        if not found or None in found or report in found:
            yield f"{point.get('code')} cites nothing that was found"
            continue
        yield from _unsaid(point, [each for each in found if each is not None], asked_at)


def _points(report: Evidence) -> Iterator[Mapping[str, Json]]:
    facts = report.finding.facts
    for each in rows(facts, "hypotheses"):
        yield from rows(each, "for")
        yield from rows(each, "against")
    yield from rows(facts, "ruled_out")
    yield from rows(facts, "incidents")
    yield from rows(facts, "runbooks")
    yield from (
        {"code": "symptom", "cites": each.get("cites"), "fields": dict(each)}
        for each in rows(facts, "symptoms")
    )


def _unsaid(point: Mapping[str, Json], found: Sequence[Evidence], asked_at: datetime) -> Iterator[str]:
    """The values of a point that none of its evidence has."""
    fields = point.get("fields")
    values: Mapping[str, Json] = fields if isinstance(fields, Mapping) else {}
    said = list(_inside([dict(each.finding.facts) for each in found]))
    words = " ".join(str(each) for each in said if isinstance(each, str))
    known = [float(each) for each in said if isinstance(each, int | float)]
    for name, value in values.items():
        if name in {"before", "after", "now", "count"} and isinstance(value, int | float):
            if not any(math.isclose(value, each, rel_tol=THREE_DIGITS, abs_tol=1e-3) for each in known):
                yield f"{point.get('code')}: {name} {value} is not in what it cites"
        elif isinstance(value, str) and (
            (name == "sample" and value not in words)
            or (name in {"what", "version"} and not _words_in(value, words))
        ):
            yield f"{point.get('code')}: {value!r} is not in what it cites"
        elif name == "days" and isinstance(value, int | float):
            ends = [(each - asked_at.timestamp()) / 86_400 for each in known if each > 1e9]
            if not any(abs(value - each) <= 0.1 for each in ends):
                yield f"{point.get('code')}: {value} days do not follow from what it cites"


def _words_in(value: str, words: str) -> bool:
    """Whether every word of a name is said: `payments 2.4.0` in `deploy payments 2.3.9 -> 2.4.0`."""
    return all(word in words for word in value.split() if word != "of")


def _inside(facts: Json) -> Iterator[Json]:
    stack: list[Json] = [facts]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
        elif item is not None and not isinstance(item, bool):
            yield item


def not_checked(answer: Answer) -> tuple[str, ...]:
    """What the investigation says it could not look at."""
    report = next((each for each in answer.evidence if each.finding.kind == "investigation"), None)
    return texts(report.finding.facts, "not_checked") if report is not None else ()
