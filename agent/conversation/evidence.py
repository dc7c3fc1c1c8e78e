"""Evidence: what tools and searches returned, numbered, so that an answer can point at it."""

from dataclasses import dataclass

from tools.contract import Finding, Json


@dataclass(frozen=True, slots=True)
class Evidence:
    """One finding with the number an answer cites it by (`[3]`), unique within its turn.

    `handle` finds the whole raw result on disk; `tool` and `call` say which call brought it.
    """

    number: int
    finding: Finding
    tool: str
    call: str
    handle: str | None = None


def as_json(evidence: Evidence) -> dict[str, Json]:
    """One piece of evidence as plain values, for records and for `--json`."""
    finding = evidence.finding
    window = finding.window
    return {
        "number": evidence.number,
        "tool": evidence.tool,
        "kind": finding.kind,
        "title": finding.title,
        "source": finding.source,
        "query": finding.query,
        "window": [window.start.isoformat(), window.end.isoformat()] if window else None,
        "link": finding.link,
        "text": finding.text,
        "facts": dict(finding.facts),
        "cut": finding.cut,
        "handle": evidence.handle,
    }
