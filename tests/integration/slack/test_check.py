"""`sayso slack check` says what is missing, and what to click."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from agent.settings import SlackSettings
from agent.surfaces.slack.check import Finding, examined
from agent.surfaces.slack.manifest import scopes
from evals.bench.slack.workspace import Workspace, workspace


@pytest.fixture
async def slack() -> AsyncIterator[Workspace]:
    async with workspace() as made:
        made.scopes = scopes()
        yield made


async def found(
    slack: Workspace, *, later: timedelta = timedelta(), **settings: object
) -> dict[str, Finding]:
    chosen = SlackSettings.model_validate(
        {"bot_token": "xoxb-1", "app_token": "xapp-1", "api": slack.api, **settings}
    )
    return {one.what: one for one in await examined(chosen, lambda: datetime.now(UTC) + later)}


async def test_all_is_well_where_nothing_is_missing(slack: Workspace) -> None:
    slack.rooms["C1"].members.append("UMAYA")
    seen = await found(slack, approvals_channel="C1")
    assert set(seen) == {"bot token", "scopes", "clock", "Socket Mode", "C1"}
    assert all(one.ok for one in seen.values())


async def test_a_token_that_is_not_taken_is_said_first(slack: Workspace) -> None:
    slack.revoked = "token_revoked"
    (token,) = (await found(slack)).values()
    assert (token.ok, token.said) == (False, "token_revoked")
    assert "Install App" in token.todo


async def test_scopes_that_are_missing_are_named(slack: Workspace) -> None:
    slack.scopes = [scope for scope in scopes() if scope != "files:write"]
    seen = (await found(slack))["scopes"]
    assert (seen.ok, seen.said) == (False, "missing: files:write")
    assert "reinstall" in seen.todo


async def test_a_clock_that_is_wrong_is_noticed(slack: Workspace) -> None:
    assert not (await found(slack, later=timedelta(minutes=10)))["clock"].ok


async def test_a_channel_it_was_not_invited_to_is_named_with_what_to_write(slack: Workspace) -> None:
    slack.outside = {"C7"}
    seen = (await found(slack, channels={"C7": {"answer": "all"}}))["C7"]
    assert (seen.ok, seen.todo) == (False, "write /invite @sayso in C7")


async def test_a_way_in_without_its_secret_is_no_way_in(slack: Workspace) -> None:
    socket = (await found(slack, app_token=None))["Socket Mode"]
    http = (await found(slack, mode="http"))["signed HTTP"]
    assert (socket.ok, http.ok) == (False, False)
    assert "Basic Information" in socket.todo
    assert "Basic Information" in http.todo
