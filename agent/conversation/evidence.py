"""Evidence: what tools and searches returned, numbered, so that an answer can point at it."""

import re
from dataclasses import dataclass, replace

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


_PLACE = re.compile(r"\[#(\d{1,3})\]")
_FENCE = re.compile(r"<(?=\s*/?\s*evidence)", re.IGNORECASE)


def fenced(evidence: Evidence, digest: str) -> str:
    """A digest as a language model reads it: labelled with its number, and unable to end its own fence."""
    finding = evidence.finding
    cut = f' cut="{_attribute(finding.cut)}"' if finding.cut else ""
    return (
        f'<evidence n="{evidence.number}" tool="{evidence.tool}" source="{_attribute(finding.source)}" '
        f'title="{_attribute(finding.title)}"{cut}>\n{_FENCE.sub("‹", digest)}\n</evidence>'
    )


def anchored(finding: Finding, before: int) -> Finding:
    """The digest of an investigation with its places of evidence (`[#2]`, its own being 1) as numbers of the turn.

    `before` is how many pieces of evidence the turn had before the call that brought it.
    """
    if finding.kind != "investigation":
        return finding
    text = _PLACE.sub(lambda found: f"[{before + int(found[1])}]", finding.text)
    return replace(finding, text=text)


def fenced_text(label: str, text: str) -> str:
    """What a tool says beside its findings, fenced the same way: it may quote anybody."""
    return f'<evidence label="{label}">{_FENCE.sub("‹", text)}</evidence>'


def _attribute(text: str) -> str:
    return " ".join(text.replace('"', "'").replace("<", "‹").replace(">", "›").split())


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
        **({"private": finding.private} if finding.private else {}),
        "handle": evidence.handle,
    }
