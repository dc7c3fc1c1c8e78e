"""What every ticket store keeps to: the one in memory, GitHub's issues, Jira in both versions of its API."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest

from tests.fakes.forges import Waits
from tests.fakes.github import GitHubStandIn, Repository, issue
from tests.fakes.jira import JiraStandIn
from tests.fakes.logservers import served
from tests.fakes.shop import NOW, WORDS, Heard, OneGrant, now
from tools.contract import BadArguments, Verdict, WriteTool
from tools.forgeserver import GitHubServer
from tools.jsonserver import JsonServer
from tools.tickets.close import TicketClose, TicketReopen
from tools.tickets.comment import TicketComment
from tools.tickets.github import GitHubTickets
from tools.tickets.jira import JiraTickets
from tools.tickets.memory import MemoryTickets
from tools.tickets.open import TicketOpen
from tools.tickets.port import Draft, Place, TicketStore

KINDS = ("memory", "github", "jira-3", "jira-2")


def place(kind: str) -> Place:
    project = "harbour/payments" if kind == "github" else "OPS"
    return Place(project, ("incident",), ("urgent",))


@pytest.fixture(params=KINDS)
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[tuple[TicketStore, Place]]:
    kind: str = request.param
    if kind == "memory":
        yield MemoryTickets(now), place(kind)
    elif kind == "github":
        there = Repository(issues=[issue(1, "a pull request", "", ["incident"], NOW)])
        there.issues[0]["pull_request"] = {"url": "https://api.github.example/pulls/1"}
        async with served(GitHubStandIn({"harbour/payments": there}, now).add) as url:
            yield GitHubTickets(GitHubServer(url, "Bearer x", now, Waits())), place(kind)
    else:
        version: Literal["2", "3"] = "3" if kind == "jira-3" else "2"
        async with served(JiraStandIn(now, version).add) as url:
            yield JiraTickets(JsonServer("Jira", url), "Incident", version), place(kind)


def draft(title: str = "Checkout fails", mark: str = "sayso-0123456789abcdef") -> Draft:
    return Draft(title, "since 05:00\nfor guests\n\nsee the logs", ("incident",), mark)


async def test_a_ticket_that_was_opened_is_found_by_its_mark_its_key_and_its_labels(
    opened: tuple[TicketStore, Place],
) -> None:
    store, where = opened
    made = await store.open(where, draft())
    assert (made.title, made.open, made.at) == ("Checkout fails", True, NOW)
    assert await store.marked(where, "sayso-0123456789abcdef") == made
    assert await store.marked(where, "sayso-ffffffffffffffff") is None
    assert await store.get(made.key) == made
    assert (await store.search(where)).tickets == [made]
    assert (await store.search(Place(where.project, ("other",)))).tickets == []
    assert store.project(made.key) == where.project


async def test_a_closed_ticket_is_found_by_its_key_alone_until_it_is_opened_again(
    opened: tuple[TicketStore, Place],
) -> None:
    store, where = opened
    made = await store.open(where, draft())
    await store.move(made.key, open_=False)
    closed = await store.get(made.key)
    assert closed is not None
    assert not closed.open
    assert await store.marked(where, "sayso-0123456789abcdef") is None
    assert (await store.search(where)).tickets == []
    await store.move(made.key, open_=True)
    assert [each.key for each in (await store.search(where)).tickets] == [made.key]


async def test_a_comment_is_kept_as_it_was_written_until_it_is_taken_back(
    opened: tuple[TicketStore, Place],
) -> None:
    store, where = opened
    made = await store.open(where, draft())
    await store.comment(made.key, "fixed in 2.4.1\n\nsayso (sayso-0123456789abcdef)")
    (comment,) = await store.comments(made.key)
    assert comment.text.split() == ["fixed", "in", "2.4.1", "sayso", "(sayso-0123456789abcdef)"]
    await store.uncomment(made.key, comment.id)
    assert list(await store.comments(made.key)) == []


async def test_a_key_that_stands_for_nothing_is_no_ticket_and_what_is_no_key_is_refused(
    opened: tuple[TicketStore, Place],
) -> None:
    store, where = opened
    key = "harbour/payments#99" if "/" in where.project else "OPS-99"
    assert store.key(key, where) == key
    assert await store.get(key) is None
    for wrong in ("../12", "OPS", "-12", "OPS-12/transitions", "harbour/payments#1/comments"):
        with pytest.raises(BadArguments):
            store.key(wrong, where)


async def runs(tool: WriteTool, **values: object) -> str:
    """Plans, runs and checks; what the run said."""
    arguments = tool.spec.validate(values)
    await tool.plan(arguments)
    outcome = await tool.run(arguments, OneGrant(), Heard())
    assert outcome.ok, outcome.summary
    seen = await tool.verify(arguments)
    assert seen.verdict is Verdict.DONE, seen.detail
    return outcome.summary


async def test_a_ticket_lives_its_life_through_the_tools_and_their_ways_back(
    opened: tuple[TicketStore, Place],
) -> None:
    store, where = opened
    places = {"payments": where}
    opening = TicketOpen(store, WORDS, places)
    said = {
        "service": "payments",
        "title": "Checkout fails for guests",
        "text": "since 05:00",
        "labels": ("urgent",),
    }
    plan = await opening.plan(opening.spec.validate(said))
    mark = str((plan.undo.arguments if plan.undo else {})["ticket"])
    assert plan.changes[0].what.startswith(f"ticket in {where.project} (")
    assert plan.changes[0].after == (
        f"Checkout fails for guests\n\nsince 05:00\n\nOpened by sayso ({mark}).\n\nlabels: incident, urgent"
    )
    assert (await opening.verify(opening.spec.validate(said))).verdict is Verdict.NOT_DONE
    summary = await runs(opening, **said)
    key = summary.split()[0]
    with pytest.raises(BadArguments, match="is open already"):
        await opening.plan(opening.spec.validate(said))
    again = await opening.run(opening.spec.validate(said), OneGrant(), Heard())
    assert "nothing was written" in again.summary

    comment = TicketComment(store, WORDS, places)
    await runs(comment, ticket=key, text="2.4.1 is out")
    with pytest.raises(BadArguments, match="has that comment already"):
        await comment.plan(comment.spec.validate({"ticket": key, "text": "2.4.1 is out"}))
    await runs(comment, ticket=key, text="2.4.1 is out", take_back=True)
    assert list(await store.comments(key)) == []

    await runs(TicketClose(store, WORDS, places), ticket=mark, service="payments")
    closed = await store.get(key)
    assert closed is not None
    assert not closed.open
    await runs(TicketReopen(store, WORDS, places), ticket=key)
    await runs(TicketClose(store, WORDS, places), ticket=key)


async def test_no_label_and_no_project_that_is_not_declared_is_used(
    opened: tuple[TicketStore, Place],
) -> None:
    store, where = opened
    places = {"payments": where}
    opening = TicketOpen(store, WORDS, places)
    with pytest.raises(BadArguments, match="may not be added in .*; allowed: urgent"):
        await opening.plan(
            opening.spec.validate({"service": "payments", "title": "x", "labels": ("security",)})
        )
    with pytest.raises(BadArguments, match="no place for tickets of 'catalog'"):
        await opening.plan(opening.spec.validate({"service": "catalog", "title": "x"}))
    other = "harbour/secrets#1" if "/" in where.project else "HR-1"
    closing = TicketClose(store, WORDS, places)
    with pytest.raises(BadArguments, match="is not among the projects"):
        await closing.plan(closing.spec.validate({"ticket": other}))


async def test_what_others_say_with_a_quotation_of_ours_is_not_taken_back_with_it(
    opened: tuple[TicketStore, Place],
) -> None:
    store, where = opened
    made = await store.open(where, draft())
    tool = TicketComment(store, WORDS, {"payments": where})
    given = tool.spec.validate({"ticket": made.key, "text": "The pool was too small.", "service": "payments"})
    back = tool.spec.validate({**given.canonical(), "take_back": True})
    await tool.run(given, OneGrant(), Heard())
    (ours,) = await store.comments(made.key)
    await store.comment(made.key, f"> {ours.text}\n\nNo: it was the retries.")
    await tool.run(back, OneGrant(), Heard())
    (left,) = await store.comments(made.key)
    assert "it was the retries" in left.text
    assert (await tool.verify(back)).verdict is Verdict.DONE


@pytest.mark.parametrize(
    "hidden", ["\u00ad", "\u061c", "\u2028", "\U000e0041", "\ue000", "\x1b", "\u202e", "\ud800"]
)
def test_a_text_holds_nothing_that_an_approver_does_not_see(hidden: str) -> None:
    tool = TicketOpen(MemoryTickets(now), WORDS, {"payments": place("memory")})
    for name in ("title", "text"):
        with pytest.raises(BadArguments):
            tool.spec.validate({"service": "payments", "title": "Fails", name: f"all{hidden}well"})
    tool.spec.validate({"service": "payments", "title": "Échec à 5 %", "text": "a\n\tb: «c» 🔥"})


async def test_without_a_place_of_its_service_nobody_says_that_a_ticket_is_closed() -> None:
    tool = TicketClose(MemoryTickets(now), WORDS, {"checkout": place("memory")})
    given = tool.spec.validate({"ticket": "sayso-0123456789abcdef", "service": "payments"})
    with pytest.raises(BadArguments, match="no place for tickets"):
        await tool.verify(given)
