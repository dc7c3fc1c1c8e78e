"""Past incidents: their symptom, cause and fix are quoted from what was written, and left out where nobody wrote it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.knowledge import DOCS
from demo.knowledge.history import write_export
from knowledge.incidents import Rules, incident_of
from knowledge.incidents.extents import excerpt, sentences
from knowledge.port import Document, Extent, Incident, Kind, Part
from knowledge.sources.markdown import front_matter, page
from knowledge.sources.slack_export import SlackExport

AT = datetime(2026, 6, 18, 14, tzinfo=UTC)


def report(body: str, title: str = "INC-7: payments failed") -> Document:
    return page("docs:reports/one.md", source="docs", place="docs:", body=body, title=title)


def thread(*said: str | tuple[str, int], channel: str = "incidents") -> Document:
    """A conversation of one speaker; a number beside a message is how strongly it was marked as solving."""
    text, parts = "", []
    for minute, one in enumerate(said):
        words, solves = one if isinstance(one, tuple) else (one, 0)
        line = f"Raj Iyer: {words}\n"
        date = AT.replace(minute=minute)
        parts.append(Part(len(text), len(text) + len(line), author="Raj Iyer", date=date, solves=solves))
        text += line
    opening = text.split(": ", 1)[1].split("\n")[0]
    return Document(
        "slack:C1/1.0", "slack", Kind.CHAT, f"#{channel}: {opening}", text, "slack:C1", tuple(parts)
    )


def quoted(document: Document, services: Sequence[str] = ()) -> tuple[str | None, str | None, str | None]:
    incident = incident_of(document, services)
    assert incident is not None
    return quote(document, incident.symptom), quote(document, incident.cause), quote(document, incident.fix)


def quote(document: Document, extent: Extent | None) -> str | None:
    return None if extent is None else document.text[extent[0] : extent[1]]


REPORT = """# INC-7

18 June 2026, 13:44 to 14:21 UTC. Severity 1.

## {symptom}

Payments failed.

## {cause}

A retry kept its connection.

## {fix}

Rolled back to 2.1.7.
"""


@pytest.mark.parametrize(
    ("symptom", "cause", "fix"),
    [
        ("Impact", "Cause", "Fix"),
        ("Symptoms", "Root cause", "Resolution"),
        ("What it looked like", "1. Root Cause Analysis", "What fixed it"),
        ("Customer impact", "Trigger", "Mitigation and recovery"),
        ("Symptômes", "Cause racine", "Correction"),
        ("Ce qu'on a vu", "Pourquoi ?", "Rétablissement"),
        ("**Impact:**", "Why it happened", "How we fixed it"),
    ],
)
def test_a_report_is_read_by_its_headings_in_both_languages(symptom: str, cause: str, fix: str) -> None:
    assert quoted(report(REPORT.format(symptom=symptom, cause=cause, fix=fix))) == (
        "Payments failed.",
        "A retry kept its connection.",
        "Rolled back to 2.1.7.",
    )


def test_a_report_says_its_name_its_severity_and_from_when_to_when() -> None:
    found = incident_of(report(REPORT.format(symptom="Impact", cause="Cause", fix="Fix")))
    assert found is not None
    assert (found.key, found.severity) == ("INC-7", "1")
    assert found.began == datetime(2026, 6, 18, 13, 44, tzinfo=UTC)
    assert found.ended == datetime(2026, 6, 18, 14, 21, tzinfo=UTC)


def test_an_incident_over_midnight_ends_on_the_next_day() -> None:
    found = incident_of(report("18 June 2026, 23:50 to 00:10 UTC.\n\n## Cause\n\nA full disk.\n"))
    assert found is not None
    assert found.ended == datetime(2026, 6, 19, 0, 10, tzinfo=UTC)


def test_a_time_without_a_zone_is_no_moment() -> None:
    found = incident_of(report("18 June 2026, 13:44 to 14:21.\n\n## Cause\n\nA full disk.\n"))
    assert found is not None
    assert (found.began, found.ended) == (None, None)


@pytest.mark.parametrize(
    "nothing", ["TBD", "Unknown.", "n/a", "We could not find the root cause.", "à compléter"]
)
def test_a_section_that_says_nothing_is_not_quoted(nothing: str) -> None:
    assert quoted(report(f"## Impact\n\nPayments failed.\n\n## Root cause\n\n{nothing}\n")) == (
        "Payments failed.",
        None,
        None,
    )


def test_labels_in_the_text_are_as_good_as_headings() -> None:
    body = (
        "**Impact**: payments failed\n- **Root cause:** a retry kept\n  its connection\n- Fix: rolled back\n"
    )
    assert quoted(report(body + "\n## Timeline\n\n- 13:40 deployed\n")) == (
        "payments failed",
        "a retry kept\n  its connection",
        "rolled back",
    )


def test_a_report_of_labels_alone_is_one_when_it_bears_a_name() -> None:
    document = report("Impact: payments failed\nRoot cause: a retry kept its connection\n")
    assert quoted(document) == ("payments failed", "a retry kept its connection", None)


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("INC-112: pool", "INC-112"),
        ("PM2021-005 all services", "PM2021-005"),
        ("Search (incident #465)", "incident #465"),
        ("Outage of PINC-12", None),
    ],
)
def test_an_incident_is_named_as_its_house_names_it(title: str, key: str | None) -> None:
    found = incident_of(report("## Cause\n\nA full disk.\n", title=title))
    assert found is not None
    assert found.key == key


SUMMED = """# Checkout down

## Summary

On 3. March the certificate of the proxy expired. As nobody could log in, orders failed for an hour.
{more}

## Timeline

All times in CET.

| Time             | Event                                |
| ---------------- | ------------------------------------ |
| 2026-03-03 09:00 | First alert                          |
| 2026-03-03 09:40 | Tried a restart, which did not help  |
| 2026-03-03 10:00 | New certificate installed, service restored |

## Contributing factors

- Nobody watched the date.
"""


def test_where_headings_are_silent_the_sentences_tell() -> None:
    document = report(SUMMED.format(more=""), title="Checkout down")
    assert quoted(document) == (
        "As nobody could log in, orders failed for an hour.",
        "On 3. March the certificate of the proxy expired.",
        "New certificate installed, service restored",
    )


def test_the_timeline_is_read_in_the_zone_it_names() -> None:
    found = incident_of(report(SUMMED.format(more=""), title="Checkout down"))
    assert found is not None
    assert (found.began, found.ended) == (
        datetime(2026, 3, 3, 8, tzinfo=UTC),
        datetime(2026, 3, 3, 9, tzinfo=UTC),
    )


def test_a_sentence_that_leans_on_the_one_before_is_quoted_with_it() -> None:
    body = "# Outage\n\n## Summary\n\nThe index was moved. This caused every query to fail.\n\n## Timeline\n\n- x\n"
    assert quoted(report(body, title="Outage of search"))[1] == (
        "The index was moved. This caused every query to fail."
    )


@pytest.mark.parametrize(
    "guess",
    [
        "It may be caused by the proxy.",
        "Was it caused by the proxy?",
        "Investigations of the root cause go on.",
        "We were not affected because of the proxy.",
    ],
)
def test_a_guess_is_no_cause(guess: str) -> None:
    body = f"# Outage\n\n## Summary\n\nSearch was down. {guess}\n\n## Timeline\n\n- x\n"
    assert quoted(report(body, title="Outage of search"))[1] is None


@pytest.mark.parametrize(
    ("title", "body"),
    [
        (
            "Payments pool exhausted",
            "## Symptoms\n\nErrors.\n\n## Cause\n\nA leak.\n\n## Fix\n\nRoll back.\n",
        ),
        ("Post-mortem template", REPORT.format(symptom="Impact", cause="Cause", fix="Fix")),
        (
            "Move to the new cluster",
            "## Summary\n\nThe old one is slow.\n\n## Timeline\n\n- March\n\n## Next steps\n\n- go\n",
        ),
        ("Incident roles", "## Lead\n\nOne leads, whatever fails.\n"),
        ("INC-8", "Nothing written yet.\n"),
    ],
)
def test_a_runbook_a_template_and_a_plan_are_no_incidents(title: str, body: str) -> None:
    assert incident_of(replace(report(body, title=title), title=title)) is None


def test_a_long_section_is_quoted_up_to_the_end_of_a_sentence() -> None:
    document = report("## Cause\n\n" + "The disk of the node was full again. " * 60)
    cause = quoted(document)[1]
    assert cause is not None
    assert len(cause) <= 700
    assert cause.endswith("full again.")


def test_a_thread_tells_how_it_opened_what_it_was_and_what_helped() -> None:
    document = thread(
        "INC-7, severity 1: payments fail.",
        "Would a restart help?",
        "We could roll back to 2.1.7.",
        ("2.1.7 is live since 14:21, no more 503.", 2),
        "Root cause: a retry kept its connection. It never came back. Fix: release it in a `finally`.",
    )
    assert quoted(document) == (
        "INC-7, severity 1: payments fail.",
        "Root cause: a retry kept its connection. It never came back.",
        "Fix: release it in a `finally`.",
    )


def test_what_readers_ticked_goes_before_what_they_did_not() -> None:
    document = thread("Checkout is down.", "Restarted node 1.", ("Removed the old images, works again.", 2))
    assert quoted(document)[2] == "Removed the old images, works again."


def test_a_tick_alone_fixes_nothing() -> None:
    assert incident_of(thread("Checkout is down.", ("Anybody may declare it.", 2))) is None


def test_a_thread_in_french_is_read_too() -> None:
    document = thread(
        "INC-9, gravité 2 : le paiement ne répond plus, panne générale.",
        "C'était à cause du certificat expiré.",
        ("Certificat renouvelé, service rétabli.", 2),
    )
    assert quoted(document)[1:] == (
        "C'était à cause du certificat expiré.",
        "Certificat renouvelé, service rétabli.",
    )


@pytest.mark.parametrize(
    "said",
    [
        ("Lunch?", "Yes, because I am hungry."),
        ("Have we seen INC-7 before, was that an outage?", "Yes, it was caused by the pool."),
        ("Thanks for the post-mortem of INC-7!", "It was due to Raj, who fixed it by hand."),
        ("The alert of INC-7 is wrong.", "That was caused by a wrong label."),
    ],
)
def test_a_thread_that_only_speaks_of_an_incident_is_none(said: tuple[str, str]) -> None:
    assert incident_of(thread(*said, channel="random")) is None


def test_an_incident_is_recognised_outside_its_channel_by_its_name() -> None:
    document = thread("INC-7: payments fail.", "That was caused by the pool.", channel="payments")
    assert quoted(document)[1] == "That was caused by the pool."


def test_a_thread_ends_when_somebody_closes_it() -> None:
    document = thread("INC-7: payments fail.", "Rolled back to 2.1.7.", "Closed.", "Thanks")
    found = incident_of(document)
    assert found is not None
    assert (found.began, found.ended) == (AT, AT.replace(minute=2))


def test_services_are_the_documents_own_or_known_ones_it_names() -> None:
    document = thread("INC-7: payments fail, payments-v2 does not.", "Rolled back checkout.")
    known = ("payments", "catalog", "checkout", "v2")
    found = incident_of(document, known)
    own = incident_of(replace(document, services=("search",)), known)
    assert found is not None
    assert own is not None
    assert (found.services, own.services) == (("payments", "checkout"), ("search",))


async def test_the_rules_are_a_structurer() -> None:
    document = thread("INC-7: payments fail.", "Rolled back to 2.1.7.")
    assert await Rules(["payments"]).structure(document) == incident_of(document, ["payments"])


def test_every_report_of_the_demo_has_symptom_and_cause_and_no_other_page_is_one() -> None:
    found: dict[str, Incident] = {}
    for file in sorted(DOCS.rglob("*.md")):
        text = file.read_text(encoding="utf-8")
        front, start = front_matter(text)
        name = file.relative_to(DOCS).as_posix()
        made = page(f"docs:{name}", source="docs", place="", body=text[start:], title=str(front["title"]))
        incident = incident_of(made)
        if incident is not None:
            found[name] = incident
    assert {name.split("/")[0] for name in found} == {"incidents"}
    assert len(found) == len(list((DOCS / "incidents").glob("*.md")))
    assert all(one.symptom and one.cause and one.severity for one in found.values())
    assert sum(one.fix is None for one in found.values()) <= 1


async def test_the_incident_threads_of_the_demo_are_found_and_small_talk_is_not(tmp_path: Path) -> None:
    source = SlackExport(
        write_export(tmp_path / "e.zip").target, workspace_url="https://harbourlane.slack.com"
    )
    documents = [found async for found in source.documents() if isinstance(found, Document)]
    found = {document.title: incident for document in documents if (incident := incident_of(document))}
    assert {title.split(":")[0] for title in found} == {"#incidents"}
    keys = {one.key for one in found.values()} - {None}
    assert keys == {f"INC-{number}" for number in (109, 112, 115, 118, 121, 123, 125, 127, 129)}


WORDS = st.lists(
    st.sampled_from(
        [
            "caused by",
            "Root cause:",
            "Fix:",
            "rolled back",
            "INC-7",
            "down",
            ".",
            "\n",
            "\n\n",
            "## Cause",
            "|",
            "- ",
            "x",
            "e.g.",
            "**",
        ]
    ),
    max_size=60,
).map(" ".join)


@given(st.text() | WORDS, st.sampled_from(["INC-7", "notes"]))
def test_whatever_a_page_holds_its_quotes_lie_within_it(body: str, title: str) -> None:
    document = report(body, title=title)
    found = incident_of(document)
    extents = () if found is None else (found.symptom, found.cause, found.fix)
    for start, end in filter(None, extents):
        assert 0 <= start < end <= len(body)
        assert document.text[start:end].strip() == document.text[start:end]


@given(st.lists(st.text() | WORDS, min_size=1, max_size=5))
def test_whatever_a_thread_holds_its_quotes_are_of_one_message_without_its_author(said: list[str]) -> None:
    document = thread("INC-7, severity 1: down", *said)
    found = incident_of(document)
    for start, end in filter(None, () if found is None else (found.symptom, found.cause, found.fix)):
        assert any(part.start + len("Raj Iyer: ") <= start < end <= part.end for part in document.parts)


@given(st.text() | WORDS)
def test_sentences_are_in_order_and_leave_out_no_word(text: str) -> None:
    found = list(sentences(text, (0, len(text))))
    assert all(start < end for start, end in found)
    assert all(one[1] <= other[0] for one, other in zip(found, found[1:], strict=False))
    if "|" not in text:
        left = "".join(text[start:end] for start, end in found)
        assert [c for c in left if c.isalpha()] == [c for c in text if c.isalpha()]


@given(st.text() | WORDS, st.integers(1, 50))
def test_an_excerpt_is_no_longer_than_asked(text: str, most: int) -> None:
    start, end = excerpt(text, (0, len(text)), most)
    assert end - start <= most
