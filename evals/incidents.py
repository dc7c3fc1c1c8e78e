"""What the rules find in real incident reports and threads: `python -m evals.incidents FOLDER...`.

A folder of Markdown files, or a Slack export (folder or zip). Prints what was found, to be read and judged, and for
each field the share of incidents that have it.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from knowledge.incidents import incident_of
from knowledge.port import Document, Extent, Incident
from knowledge.sources.markdown import front_matter, page
from knowledge.sources.slack_export import SlackExport

_FIELDS = ("key", "symptom", "cause", "fix", "services", "began", "ended", "severity")


async def documents(path: Path) -> AsyncIterator[Document]:
    """The pages of a folder, or the conversations of an export."""
    if path.suffix != ".zip" and not await asyncio.to_thread((path / "users.json").exists):
        for document in await asyncio.to_thread(_pages, path):
            yield document
        return
    source = SlackExport(path, workspace_url="https://example.slack.com")
    for unit in await source.units():
        async for found in source.read(unit):
            if isinstance(found, Document):
                yield found


def _pages(folder: Path) -> list[Document]:
    return [_page(file, folder) for file in sorted(folder.rglob("*.md"))]


def _page(file: Path, folder: Path) -> Document:
    text = file.read_text(encoding="utf-8")
    front, start = front_matter(text)
    made = page(
        str(file.relative_to(folder)), source=folder.name, place="", body=text[start:], stem=file.stem
    )
    named = front.get("service")
    services = tuple(map(str, named)) if isinstance(named, list) else (str(named),) if named else ()
    return replace(made, title=str(front.get("title") or made.title), services=services)


def shown(document: Document, incident: Incident) -> str:
    """One incident as it reads on a card."""
    severity, services = incident.severity or "-", ", ".join(incident.services) or "-"
    return "\n".join(
        (
            f"== {document.id}: {incident.title}",
            f"   {incident.key or '-'}, severity {severity}, {services}",
            f"   from {_moment(incident.began)} to {_moment(incident.ended)}",
            f"   symptom: {_quote(document, incident.symptom)}",
            f"   cause:   {_quote(document, incident.cause)}",
            f"   fix:     {_quote(document, incident.fix)}",
        )
    )


def _quote(document: Document, extent: Extent | None) -> str:
    return "-" if extent is None else " ".join(document.text[extent[0] : extent[1]].split())


def _moment(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def shares(incidents: Sequence[Incident]) -> str:
    """How many have each field."""
    total = len(incidents)
    return "  ".join(
        f"{name} {sum(bool(getattr(one, name)) for one in incidents)}/{total}" for name in _FIELDS
    )


async def measure(path: Path, services: Sequence[str], *, quiet: bool) -> None:
    """Prints what is found in one folder or export."""
    read = [(document, incident_of(document, services)) async for document in documents(path)]
    found = [(document, incident) for document, incident in read if incident is not None]
    if not quiet:
        for document, incident in found:
            print(shown(document, incident))
    print(f"{path}: {len(read)} documents, {len(found)} incidents; {shares([one for _, one in found])}\n")


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, help="Markdown folders or Slack exports")
    parser.add_argument(
        "--services", nargs="*", default=(), help="names that count as services where they are mentioned"
    )
    parser.add_argument("--quiet", action="store_true", help="the shares only")
    chosen = parser.parse_args()
    for folder in chosen.folders:
        await measure(folder, chosen.services, quiet=chosen.quiet)


if __name__ == "__main__":
    asyncio.run(main())
