"""Tells what people have written: quotations with where they stand, past incidents as cards, and what is not known."""

from collections.abc import Sequence
from typing import Protocol

from agent.models.embedded import quoting
from agent.models.embedded.facts import Nothing, Passage, Past
from agent.models.embedded.wording import figure, quoted
from agent.words.catalogue import say
from knowledge.sentences import sentences

_OTHERS = 2  # sources beside the best one
_SHARED = 4  # words of the question named on a card
_NO_LONGER = frozenset({"obsolete", "superseded"})


class Numbered(Protocol):
    """Evidence, by its number."""

    @property
    def number(self) -> int: ...


def told(locale: str, passages: Sequence[Passage], nothing: Sequence[Nothing], question: str) -> list[str]:
    """The paragraphs of an answer from knowledge: what is written, or that it is not and who may know."""
    telling = [one for one in passages if sentences(one.text, one.heading)] or list(passages)
    if any(passage.sure for passage in telling):
        return [_answer(locale, [passage for passage in telling if passage.sure], question)]
    parts = [_nothing(locale, one) for one in nothing[:1]]
    if telling:
        parts.append(_listed(locale, say("planner.passage.weak", locale), telling, question))
    knows = list(dict.fromkeys(name for one in nothing for name in one.knows))
    if knows:
        parts.append(say("planner.passage.knows", locale, names=", ".join(knows)))
    return parts


def passage(locale: str, one: Passage, quote: str) -> str:
    """A quotation with where it stands, and when it was written."""
    fields = {"quote": quoted(quote, locale), "cites": cite(one), "date": one.date[:10]}
    if one.kind == "thread" and one.author:
        line = say("planner.passage.said", locale, author=one.author, place=one.place.lstrip("#"), **fields)
    else:
        heading = one.heading if one.heading and one.heading not in one.document else ""
        key = f"planner.passage.best{'_in' if heading else ''}{'' if one.date else '_undated'}"
        line = say(key, locale, title=one.document, heading=heading, **fields)
    notes = [line]
    if one.status in _NO_LONGER:
        by = one.superseded_by
        key = "planner.passage.superseded_by" if by else "planner.passage.superseded"
        notes.append(say(key, locale, by=by))
    if one.marked > 0:
        notes.append(say("planner.passage.marked", locale, count=one.marked))
    if one.copies:
        notes.append(say("planner.passage.copies", locale, titles=", ".join(one.copies)))
    return " ".join(notes)


def card(locale: str, one: Passage, past: Past) -> str:
    """A past incident: what it looked like, what it was, what fixed it, and why it is shown."""
    title = past.title if past.key in past.title else f"{past.key}: {past.title}"
    about = [past.began[:10], ", ".join(past.services)]
    if past.severity:
        about.append(say("planner.past.severity", locale, severity=past.severity))
    head = say(
        "planner.past.head",
        locale,
        title=title,
        about=", ".join(piece for piece in about if piece),
        cites=cite(one),
    )
    lines = [head]
    for part, said in (("symptom", past.symptom), ("cause", past.cause), ("fix", past.fix)):
        if said:
            lines.append(say(f"planner.past.{part}", locale, quote=quoted(quoting.opening(said), locale)))
        else:
            lines.append(say(f"planner.past.no_{part}", locale))
    if one.shared:
        words = ", ".join(one.shared[:_SHARED])
        lines.append(say("planner.past.shared", locale, share=round(100 * one.confidence), words=words))
    return "\n  - ".join(lines)


def cite(*pieces: Numbered) -> str:
    """The numbers of the evidence, each once."""
    return "".join(f"[{number}]" for number in dict.fromkeys(piece.number for piece in pieces))


def _answer(locale: str, sure: Sequence[Passage], question: str) -> str:
    best = sure[0]
    if best.past is not None and best.kind == "incident":
        seen = [one for one in sure if one.past is not None and one.past.key != best.past.key]
        cards = [
            f"- {card(locale, one, one.past)}" for one in (best, *seen[:_OTHERS]) if one.past is not None
        ]
        return "\n".join([say("planner.passage.yes_seen", locale), *cards])
    return _listed(locale, say("planner.passage.answer", locale), sure, question)


def _listed(locale: str, head: str, ranked: Sequence[Passage], question: str) -> str:
    best = ranked[0]
    shown = [best, *(one for one in ranked[1:] if one.document != best.document)][: 1 + _OTHERS]
    quotes = [one.answer or quoting.best(one.text, question, one.heading) for one in shown]
    lines = [head, *(f"- {passage(locale, one, quote)}" for one, quote in zip(shown, quotes, strict=True))]
    if any(quoting.differing(quotes[0], other) for other in quotes[1:]):
        lines.append(say("planner.passage.differ", locale))
    return "\n".join(lines)


def _nothing(locale: str, nothing: Nothing) -> str:
    return say(
        "planner.nothing",
        locale,
        count=nothing.documents,
        count_text=figure(nothing.documents, locale),
        where=", ".join(nothing.sources) or "–",
        cites=cite(nothing),
    )
