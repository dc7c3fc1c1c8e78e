"""The demo's documents: complete front matter, links that lead somewhere, facts that agree with the chat history."""

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from demo.knowledge import DOCS
from demo.knowledge.cast import LAST_DAY, MEMBERS
from demo.knowledge.releases import releases
from demo.knowledge.stories import load_stories

PAGES = sorted(DOCS.rglob("*.md"))
FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


def name(path: Path) -> str:
    return path.relative_to(DOCS).as_posix()


def front_matter(path: Path) -> dict[str, object]:
    match = FRONT.match(path.read_text(encoding="utf-8"))
    assert match, f"{path} has no front matter"
    fields: dict[str, object] = yaml.safe_load(match[1])
    return fields


def body(path: Path) -> str:
    return FRONT.sub("", path.read_text(encoding="utf-8"))


def test_there_are_pages_of_each_kind() -> None:
    kinds = {path.parent.name for path in PAGES}
    assert kinds == {"runbooks", "services", "incidents", "howto"}
    assert len(PAGES) >= 25


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_front_matter_is_complete(path: Path) -> None:
    fields = front_matter(path)
    assert {"title", "owner", "date", "service", "status"} <= set(fields)
    assert set(fields) <= {"title", "owner", "date", "service", "status", "superseded_by"}
    assert fields["status"] in {"current", "obsolete"}
    service = fields["service"]
    services = {service} if isinstance(service, str) else set(service) if isinstance(service, list) else set()
    assert services
    assert services <= {"checkout", "payments", "catalog", "payments-database"}
    assert isinstance(fields["date"], date)
    assert fields["date"] <= LAST_DAY
    assert any(member.name in str(fields["owner"]) for member in MEMBERS)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_has_one_title_and_sections(path: Path) -> None:
    headings = re.findall(r"^(#+) ", re.sub(r"```.*?```", "", body(path), flags=re.DOTALL), re.MULTILINE)
    assert headings.count("#") == 1
    assert headings[0] == "#"
    assert headings.count("##") >= 2


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_between_pages_lead_to_a_page(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+\.md)\)", body(path))
    assert [link for link in links if not (path.parent / link).is_file()] == []


def test_the_obsolete_runbook_says_so_and_names_its_successor() -> None:
    obsolete = [path for path in PAGES if front_matter(path)["status"] == "obsolete"]
    assert [name(path) for path in obsolete] == ["runbooks/database-failover-old.md"]
    successor = front_matter(obsolete[0])["superseded_by"]
    assert isinstance(successor, str)
    assert front_matter(DOCS / successor)["status"] == "current"
    assert "Obsolete" in body(obsolete[0])


def test_some_pages_are_french() -> None:
    little_words = re.compile(r"\b(le|la|les|de|du|des|une|est|qui|pas)\b")
    french = [path for path in PAGES if len(little_words.findall(body(path))) >= 8]
    assert len(french) >= 3


def test_every_numbered_incident_has_its_post_mortem_on_the_right_day() -> None:
    threads = {told.id.upper() for told in load_stories() if told.id.startswith("inc-")}
    pages = {path.stem[:7] for path in (DOCS / "incidents").iterdir()}
    assert threads == pages
    first_lines = {path.stem[:7]: body(path) for path in (DOCS / "incidents").iterdir()}
    for number, day in {
        "INC-112": "18 June 2026",
        "INC-118": "5 August 2026",
        "INC-123": "22 September 2026",
        "INC-127": "14 October 2026",
    }.items():
        assert day in first_lines[number]


def test_every_version_on_a_page_was_released_or_is_to_come() -> None:
    known = {(release.service, release.version) for release in releases()}
    known |= {("payments", "2.4.0"), ("checkout", "1.9.0"), ("catalog", "3.3.0")}
    named = re.compile(r"\b(checkout|payments|catalog) (\d+\.\d+\.\d+)\b")
    for path in PAGES:
        assert set(named.findall(body(path))) <= known, path


@pytest.mark.parametrize(
    ("page", "team", "owner"),
    [
        ("checkout", "Till", "Maya Lindqvist"),
        ("payments", "Ledger", "Raj Iyer"),
        ("catalog", "Shelf", "Priya Nair"),
    ],
)
def test_service_pages_name_the_team_and_its_owner(page: str, team: str, owner: str) -> None:
    assert f"Team {team} owns {page}: {owner} (owner)" in body(DOCS / "services" / f"{page}.md")


def test_the_pool_runbook_quotes_the_log_lines_and_names_the_known_good_version() -> None:
    text = body(DOCS / "runbooks" / "payments-pool.md")
    assert "connection pool exhausted: 8 of 8 connections in use, waited 750 ms" in text
    assert "payment failed: payments answered 503" in text
    assert "2.3.9" in text
