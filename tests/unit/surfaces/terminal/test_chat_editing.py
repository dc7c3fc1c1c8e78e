"""Changing a proposal, and settling what nobody knew of, typed into a chat."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.app import App
from agent.approvals.action import Action, ActionId, State, Verdict
from agent.audit.event import Fact, FactKind
from agent.bootstrap import utc_now
from agent.surfaces.terminal.sitting import Sitting
from evals.bench.durability.stamps import PEOPLE, opened
from tests.unit.surfaces.terminal.test_chat import TypedChat

MAYA, TOM = PEOPLE.get("maya"), PEOPLE.get("tom")


@pytest.fixture
async def app(tmp_path: Path) -> App:
    return await opened(tmp_path, tmp_path / "sayso.db")


async def action(app: App, id_: str) -> Action:
    found = await app.store.action(ActionId(id_))
    assert found is not None
    return found


async def test_an_edit_takes_the_place_of_the_proposal_and_its_card_is_shown(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    await TypedChat(Sitting(app, MAYA), ["stamp one", "/edit a-1 text=two"]).run()
    assert (await action(app, "A-1")).state is State.SUPERSEDED
    edited = await action(app, "A-2")
    assert (edited.state, edited.arguments) == (State.AWAITING_APPROVAL, {"text": "two"})
    told = capsys.readouterr().out
    assert "A-2 takes the place of A-1." in told
    assert "Stamp two" in told
    await app.close()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/edit", "Type /edit A-1, with the id of an action. Waiting now: A-1."),
        ("/edit A-1", "Type /edit A-1 ARGUMENT=VALUE"),
        ("/edit A-1 text=two and more", "Type /edit A-1 ARGUMENT=VALUE"),
        ("/edit A-1 colour=red", "A-1 was left as it is: stamp: colour = 'red'"),
        ("/edit A-9 text=two", "A-9"),
        ("/settle A-1", "Type /settle A-1 succeeded"),
        ("/settle A-1 succeeded I looked", "A-1"),
    ],
)
async def test_what_cannot_be_done_is_said_and_changes_nothing(
    line: str, told: str, app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    await TypedChat(Sitting(app, MAYA), ["stamp one"]).run()
    capsys.readouterr()
    await TypedChat(Sitting(app, MAYA), [line]).run()
    assert told in " ".join(capsys.readouterr().out.split())
    assert (await action(app, "A-1")).state is State.AWAITING_APPROVAL
    assert len(await app.store.actions()) == 1
    await app.close()


async def test_what_nobody_knew_is_settled_by_somebody_who_looked(app: App) -> None:
    await TypedChat(Sitting(app, MAYA), ["stamp one"]).run()
    await app.decide(await action(app, "A-1"), TOM, Verdict.APPROVE)
    approved = await action(app, "A-1")
    now = utc_now()
    running = replace(approved.moved(State.RUNNING, at=now), worker=app.fleet.me)
    assert await app.store.apply(approved, running, Fact(FactKind.CLAIMED, "sayso", approved.id, now))
    unknown = running.moved(State.UNKNOWN, detail="its worker died while it ran")
    assert await app.store.apply(running, unknown, Fact(FactKind.UNKNOWN, "sayso", approved.id, now))
    await TypedChat(Sitting(app, TOM), ["/settle A-1 failed the witness is empty"]).run()
    settled = await action(app, "A-1")
    assert (settled.state, settled.detail) == (State.FAILED, "the witness is empty")
    await app.close()
