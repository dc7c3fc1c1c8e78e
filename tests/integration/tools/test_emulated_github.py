"""A GitHub that others wrote (emulate, of npm): releases, checks of a commit and tickets, read and written."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fakes.shop import MAYA, WORDS, Heard, OneGrant
from tests.fakes.standins import EMULATE, absent, emulated_github
from tools.contract import BadArguments, Json, ToolFailed, Verdict, WriteTool
from tools.deploy.github.platform import GitHubPlatform
from tools.deploy.github.service import Failing, Service
from tools.deploy.port import Order, OrderKind
from tools.forgeserver import GitHubServer
from tools.tickets.close import TicketClose, TicketReopen
from tools.tickets.comment import TicketComment
from tools.tickets.github import GitHubTickets
from tools.tickets.open import TicketOpen
from tools.tickets.port import Place
from tools.tickets.tickets import Tickets

pytestmark = pytest.mark.skipif(absent(EMULATE) is not None, reason=str(absent(EMULATE)))
REPO = "/repos/maya/payments"
PLACES = {"payments": Place("maya/payments", ("incident",), ("urgent",))}


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("emulate")
    with emulated_github(folder) as url:
        yield url


@pytest.fixture
def server(address: str) -> GitHubServer:
    return GitHubServer(address, "Bearer local_token", clock)


def platform(server: GitHubServer, **changes: object) -> GitHubPlatform:
    service = Service("payments", "maya/payments", **changes)  # type: ignore[arg-type]  # the tests give what fits
    return GitHubPlatform(server, {"payments": service}, ("production",), clock)


def order(version: str) -> Order:
    return Order(OrderKind.DEPLOY, "payments", "production", key="", by="", version=version)


async def tagged(server: GitHubServer, version: str) -> str:
    """A tag and a release of this version at the head of main; the commit."""
    said = await server.ask("GET", f"{REPO}/commits/main")
    assert isinstance(said, dict)
    sha = str(said["sha"])
    await server.ask("POST", f"{REPO}/git/refs", body={"ref": f"refs/tags/v{version}", "sha": sha})
    body: Json = {"tag_name": f"v{version}", "name": f"Release {version}", "body": "notes"}
    await server.ask("POST", f"{REPO}/releases", body=body)
    return sha


async def test_releases_and_the_checks_of_their_commit_are_read(server: GitHubServer) -> None:
    sha = await tagged(server, "2.3.9")
    await tagged(server, "2.10.0")
    for name, conclusion in (("build", "success"), ("test", "failure")):
        body: Json = {"name": name, "head_sha": sha, "status": "completed", "conclusion": conclusion}
        await server.ask("POST", f"{REPO}/check-runs", body=body)
    found = await platform(server).releases("payments")
    assert [(each.version, each.notes) for each in found] == [
        ("2.10.0", "Release 2.10.0"), ("2.3.9", "Release 2.3.9"),
    ]  # fmt: skip
    with pytest.raises(ToolFailed, match=r"checks passed: build; checks FAILING: test"):
        await platform(server).rehearse(order("2.3.9"))
    shown = await platform(server, failing=Failing.MARK, checks=("build", "scan")).rehearse(order("2.3.9"))
    assert shown.notes == (
        f"commit {sha[:12]}",
        "checks passed: build",
        "checks not there or not finished: scan",
        "GitHub has no environment production, so nothing protects it there",
    )
    with pytest.raises(BadArguments, match=r"has no tag 'v9\.9\.9'"):
        await platform(server).rehearse(order("9.9.9"))


async def runs(tool: WriteTool, **values: object) -> str:
    """Plans, runs and checks; what the run said."""
    arguments = tool.spec.validate(values)
    await tool.plan(arguments)
    outcome = await tool.run(arguments, OneGrant(), Heard())
    assert outcome.ok, outcome.summary
    seen = await tool.verify(arguments)
    assert seen.verdict is Verdict.DONE, seen.detail
    return outcome.summary


async def test_a_ticket_lives_its_life_in_issues(server: GitHubServer) -> None:
    store = GitHubTickets(server)
    opening, listing = TicketOpen(store, WORDS, PLACES), Tickets(store, WORDS, PLACES)
    said = {"service": "payments", "title": "Checkout fails", "text": "since 05:00", "labels": ("urgent",)}
    key = (await runs(opening, **said)).split()[0]
    with pytest.raises(BadArguments, match="is open already"):
        await opening.plan(opening.spec.validate(said))
    found = await listing.run(listing.spec.validate({"service": "payments"}), MAYA)
    assert f"{key} Checkout fails [incident, urgent]: open" in found.findings[0].text
    comment = TicketComment(store, WORDS, PLACES)
    await runs(comment, ticket=key, text="2.4.1 is out")
    await runs(comment, ticket=key, text="2.4.1 is out", take_back=True)
    await runs(TicketClose(store, WORDS, PLACES), ticket=key)
    found = await listing.run(listing.spec.validate({"service": "payments"}), MAYA)
    assert found.summary == "0 tickets are open for payments"
    await runs(TicketReopen(store, WORDS, PLACES), ticket=key)
