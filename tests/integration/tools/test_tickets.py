"""Tickets in GitHub and Jira: what is sent, what is never sent twice, and what a reader is told."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from aiohttp import web

from tests.fakes.forges import Waits
from tests.fakes.github import GitHubStandIn, Repository, issue
from tests.fakes.jira import JiraStandIn
from tests.fakes.logservers import served
from tests.fakes.shop import MAYA, NOW, WORDS, Heard, OneGrant, now
from tools.contract import BadArguments, ToolFailed, ToolUnavailable, Verdict
from tools.forgeserver import GitHubServer
from tools.jsonserver import JsonServer
from tools.tickets.adf import document, plain
from tools.tickets.close import TicketClose
from tools.tickets.github import GitHubTickets
from tools.tickets.jira import JiraTickets
from tools.tickets.open import TicketOpen
from tools.tickets.port import Draft, Place
from tools.tickets.tickets import Tickets

JIRA = {"payments": Place("OPS", ("payments",)), "checkout": Place("OPS", ("checkout",))}
GITHUB = {"payments": Place("harbour/payments", ("incident",)), "checkout": Place("harbour/checkout")}


async def test_an_issue_of_jira_is_sent_as_a_document_with_its_type_labels_and_mark() -> None:
    jira = JiraStandIn(now)
    async with served(jira.add) as url:
        tool = TicketOpen(JiraTickets(JsonServer("Jira", url), "Incident"), WORDS, JIRA)
        given = tool.spec.validate({"service": "payments", "title": 'Fails with "x\\"', "text": "one\ntwo"})
        await tool.run(given, OneGrant(), Heard())
    ((method, path, body),) = jira.sent
    assert (method, path) == ("POST", "/rest/api/3/issue")
    fields = body["fields"]
    assert (fields["project"], fields["issuetype"]) == ({"key": "OPS"}, {"name": "Incident"})
    assert fields["summary"] == 'Fails with "x\\"'
    assert fields["labels"][0] == "payments"
    assert fields["labels"][1].startswith("sayso-")
    assert fields["description"]["content"][0] == {
        "type": "paragraph",
        "content": [{"type": "text", "text": "one"}, {"type": "hardBreak"}, {"type": "text", "text": "two"}],
    }


def test_a_document_gives_back_the_text_it_was_made_of() -> None:
    text = "one\ntwo\n\n*three* {code} [link|http://evil.example]"
    assert plain(document(text)).split() == text.split()
    assert "marks" not in str(document(text))


async def test_an_opening_whose_answer_is_lost_is_settled_by_looking_and_not_sent_again() -> None:
    github = GitHubStandIn({"harbour/payments": Repository()}, now)
    async with served(github.add) as url:
        tool = TicketOpen(GitHubTickets(GitHubServer(url, "", now, Waits())), WORDS, GITHUB)
        given = tool.spec.validate({"service": "payments", "title": "Fails"})

        class OnceForWrites(list[tuple[int, Mapping[str, str], str]]):
            def __bool__(self) -> bool:
                return len(self) > 0 and github.asked[-1][0] == "POST"

        github.refusals = OnceForWrites([(502, {}, "Bad gateway")])
        outcome = await tool.run(given, OneGrant(), Heard())
        assert outcome.ok
        assert "was not heard" in outcome.summary
        assert (await tool.verify(given)).verdict is Verdict.NOT_DONE
    assert len(github.sent) == 1


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_ticket_that_was_made_and_cannot_be_looked_at_is_not_told_as_a_failure(status: int) -> None:
    jira = JiraStandIn(now)

    async def blind(request: web.Request) -> web.Response:
        return web.json_response({"errorMessages": ["no"]}, status=status)

    def add(app: web.Application) -> None:
        app.router.add_get("/rest/api/3/issue/{key}", blind)
        jira.add(app)

    async with served(add) as url:
        tool = TicketOpen(JiraTickets(JsonServer("Jira", url), "Incident"), WORDS, JIRA)
        given = tool.spec.validate({"service": "payments", "title": "Fails"})
        outcome = await tool.run(given, OneGrant(), Heard())
        assert (outcome.ok, "was not heard" in outcome.summary) == (True, True)
        assert (await tool.verify(given)).verdict is Verdict.DONE
    assert len(jira.sent) == 1


@pytest.mark.parametrize(
    ("status", "body"), [(500, "{}"), (501, "{}"), (201, "<html>"), (201, "{}"), (201, "[" * 99_999)]
)
async def test_a_write_that_is_answered_with_nonsense_is_settled_by_looking(status: int, body: str) -> None:
    async def nonsense(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async def none(_: web.Request) -> web.Response:
        return web.json_response([])

    def add(app: web.Application) -> None:
        app.router.add_get("/{path:.*}", none)
        app.router.add_post("/{path:.*}", nonsense)

    async with served(add) as url:
        tool = TicketOpen(GitHubTickets(GitHubServer(url, "", now, Waits())), WORDS, GITHUB)
        outcome = await tool.run(
            tool.spec.validate({"service": "payments", "title": "Fails"}), OneGrant(), Heard()
        )
    assert (outcome.ok, "was not heard" in outcome.summary) == (True, True)


async def test_a_secret_that_is_no_header_is_told_and_not_repeated() -> None:
    server = JsonServer("Jira", "http://127.0.0.1:1", headers={"Authorization": "Bearer two\nlines"})
    with pytest.raises(ToolFailed, match="characters that none may have") as caught:
        await server.ask("GET", "/")
    assert "lines" not in str(caught.value)


async def test_an_issue_that_was_moved_elsewhere_is_left_alone() -> None:
    jira = JiraStandIn(now)
    async with served(jira.add) as url:
        store = JiraTickets(JsonServer("Jira", url), "Incident")
        made = await store.open(
            JIRA["payments"], Draft("Fails", "since 05:00", ("payments",), "sayso-0123456789abcdef")
        )
        jira.issues[made.key]["key"] = "SECRET-5"
        tool = TicketClose(store, WORDS, JIRA)
        with pytest.raises(BadArguments, match="was moved to SECRET"):
            await tool.plan(tool.spec.validate({"ticket": made.key}))


async def test_a_refused_opening_is_told_in_the_words_of_the_tracker() -> None:
    jira = JiraStandIn(now, refusals=[(400, "Specify a valid issue type")])
    async with served(jira.add) as url:
        tool = TicketOpen(JiraTickets(JsonServer("Jira", url)), WORDS, JIRA)
        with pytest.raises(ToolFailed, match="valid issue type"):
            await tool.run(tool.spec.validate({"service": "payments", "title": "x"}), OneGrant(), Heard())


async def test_a_workflow_that_cannot_close_names_what_it_can() -> None:
    jira = JiraStandIn(now, stuck=True)
    async with served(jira.add) as url:
        store = JiraTickets(JsonServer("Jira", url))
        opening, closing = TicketOpen(store, WORDS, JIRA), TicketClose(store, WORDS, JIRA)
        await opening.run(opening.spec.validate({"service": "payments", "title": "x"}), OneGrant(), Heard())
        with pytest.raises(ToolFailed, match="no transition now that closes it; it has: none"):
            await closing.run(closing.spec.validate({"ticket": "OPS-1"}), OneGrant(), Heard())


async def test_open_tickets_are_told_newest_first_over_all_places() -> None:
    payments = Repository(
        issues=[
            issue(1, "Guests cannot pay", "x", ["incident"], NOW - timedelta(hours=3)),
            issue(2, "Add a button", "x", ["feature"], NOW - timedelta(hours=2)),
            issue(3, "Refunds fail", "x", ["incident"], NOW - timedelta(hours=1)),
        ]
    )
    checkout = Repository(issues=[issue(7, "Cart is slow", "x", [], NOW - timedelta(hours=2))])
    github = GitHubStandIn({"harbour/payments": payments, "harbour/checkout": checkout}, now)
    async with served(github.add) as url:
        tool = Tickets(GitHubTickets(GitHubServer(url, "", now, Waits())), WORDS, GITHUB)
        everything = await tool.run(tool.spec.validate({}), MAYA)
        some = await tool.run(tool.spec.validate({"service": "payments", "words": "REFUNDS"}), MAYA)
    told = everything.findings[0].facts["tickets"]
    assert isinstance(told, list)
    assert [each["key"] for each in told if isinstance(each, dict)] == [
        "harbour/payments#3", "harbour/checkout#7", "harbour/payments#1",
    ]  # fmt: skip
    assert some.summary == "1 ticket is open for payments"
    assert "Refunds fail [incident]: open since 2026-11-23 06:00:00 by sayso-bot" in some.findings[0].text


async def test_more_issues_than_are_read_are_said() -> None:
    many = Repository(issues=[issue(each + 1, f"no {each}", "", ["incident"], NOW) for each in range(620)])
    github = GitHubStandIn({"harbour/payments": many}, now)
    async with served(github.add) as url:
        tool = Tickets(GitHubTickets(GitHubServer(url, "", now, Waits())), WORDS, GITHUB)
        outcome = await tool.run(tool.spec.validate({"service": "payments"}), MAYA)
    assert outcome.findings[0].cut == "the newest 500 were looked through; 20 of 500 are shown, newest first"


async def test_a_tracker_that_is_not_there_is_not_taken_for_an_empty_one() -> None:
    tool = Tickets(JiraTickets(JsonServer("Jira", "http://127.0.0.1:9")), WORDS, JIRA)
    with pytest.raises(ToolUnavailable):
        await tool.run(tool.spec.validate({}), MAYA)
