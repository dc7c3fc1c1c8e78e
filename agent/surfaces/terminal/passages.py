"""Search results on a screen."""

from agent.surfaces.terminal.screen import paper, plain
from agent.words.catalogue import say
from knowledge.port import Passage, PastIncident, SearchResult
from tools.contract import Json

QUOTE = 480  # characters of a passage that are shown; --json has all of it


def show(result: SearchResult, text: str, locale: str) -> None:
    """Prints passages, best first; where there are none, what was searched."""
    searched = say(
        "terminal.searched",
        locale,
        count=sum(result.searched.documents.values()),
        places=", ".join(result.searched.places) or "-",
    )
    if not result.passages:
        paper().print(say("terminal.nothing_found", locale, text=repr(text), searched=searched))
    for number, passage in enumerate(result.passages, 1):
        paper().print(f"[{number}] {plain(heading(passage))}")
        quote = plain(passage.quote.strip())
        paper().print(quote[:QUOTE] + ("…" if len(quote) > QUOTE else ""), style="dim")
        if passage.marked > 0:
            paper().print(say("planner.passage.marked", locale, count=passage.marked), style="dim")
        if passage.copies:
            paper().print(plain(f"= {', '.join(copy.title for copy in passage.copies)}"), style="dim")
        if passage.link:
            paper().print(plain(passage.link), style="blue underline")
        paper().print()
    for note in result.searched.notes:
        paper().print(note, style="yellow")


def heading(passage: Passage) -> str:
    """Where a passage stands: title, headings, place, who and when."""
    parts = [passage.title, *passage.headings[1:], passage.place, passage.author or ""]
    if passage.date:
        parts.append(passage.date.strftime("%Y-%m-%d"))
    if passage.standing != "current":
        parts.append(passage.standing.value)
    return " · ".join(part for part in parts if part)


def as_json(result: SearchResult) -> dict[str, Json]:
    return {
        "confidence": result.confidence,
        "searched": {
            "documents": dict(result.searched.documents),
            "places": list(result.searched.places),
            "notes": list(result.searched.notes),
        },
        "passages": [
            {
                "document": passage.document,
                "title": passage.title,
                "headings": list(passage.headings),
                "text": passage.text,
                "quote": passage.quote,
                "answer": passage.answer,
                "source": passage.source,
                "place": passage.place,
                "author": passage.author,
                "date": passage.date.isoformat() if passage.date else None,
                "link": passage.link,
                "score": round(passage.score, 4),
                "confidence": round(passage.confidence, 3),
                "standing": passage.standing.value,
                "superseded_by": passage.superseded_by,
                "marked": passage.marked,
                "copies": [copy.title for copy in passage.copies],
                "past_incident": _past(passage.past),
            }
            for passage in result.passages
        ],
    }


def _past(past: PastIncident | None) -> dict[str, Json] | None:
    if past is None:
        return None
    return {
        "key": past.key,
        "title": past.title,
        "symptom": past.symptom,
        "cause": past.cause,
        "fix": past.fix,
        "services": list(past.services),
        "began": past.began.isoformat() if past.began else None,
        "severity": past.severity,
    }
