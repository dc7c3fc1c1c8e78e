"""Writes let no secret out: not in a plan, an outcome, a check or an error."""

from dataclasses import dataclass, field

import pytest

from agent.conversation.discreet import WHOLE, DiscreetWrite, Unforeseen, discreet
from agent.conversation.redact import Redactor
from tests.fakes.shop import OneGrant
from tests.fakes.valve import Gauge, Valve, ValveArguments
from tools.contract import (
    Arguments,
    Change,
    Grant,
    Json,
    Outcome,
    Plan,
    Progress,
    ToolFailed,
    Undo,
    Verdict,
    Verification,
)
from tools.registry import Registry

SECRET = "mellon-1954"
WORDS = f"password={SECRET}"
TWENTY = ValveArguments(position=20)


@dataclass
class Chatty(Valve):
    """A valve that says a secret wherever it says something."""

    secret: str = SECRET
    matters: tuple[str, ...] | None = None
    arguments: dict[str, Json] = field(default_factory=lambda: {"position": 10})

    async def plan(self, arguments: Arguments) -> Plan:
        words = f"password={self.secret}"
        return Plan(
            title=words,
            changes=(Change(words, words, words),),
            touches=(words,),
            observed={"run": ["set", words], "position": self.position},
            undo=Undo("valve", self.arguments),
            undo_text=words,
            health=words,
            notes=(words,),
            matters=self.matters,
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        if self.broken:
            raise ToolFailed(f"stuck: {WORDS}", field="position", value="20")
        return Outcome(ok=True, summary=WORDS)

    async def verify(self, arguments: Arguments) -> Verification:
        return Verification(Verdict.DONE, WORDS)


async def nobody(_line: str) -> None:
    """Nobody listens."""


async def test_no_part_of_a_plan_holds_a_secret_and_its_way_back_stays_as_it_is() -> None:
    plan = await DiscreetWrite(Chatty(), Redactor()).plan(TWENTY)
    assert SECRET not in str(plan)
    assert plan.undo == Undo("valve", {"position": 10})
    assert plan.observed["position"] == 10


@pytest.mark.parametrize("matters", [None, ("run",)])
async def test_a_world_that_changed_only_where_it_was_blacked_out_is_another_world(
    matters: tuple[str, ...] | None,
) -> None:
    before = await DiscreetWrite(Chatty(matters=matters), Redactor()).plan(TWENTY)
    same = await DiscreetWrite(Chatty(matters=matters), Redactor()).plan(TWENTY)
    other = await DiscreetWrite(Chatty(secret="another-1955", matters=matters), Redactor()).plan(TWENTY)
    assert before.drifted(same) == ()
    assert [one.what for one in before.drifted(other)] == [WHOLE]


async def test_a_plan_without_secrets_is_as_the_tool_made_it() -> None:
    assert await DiscreetWrite(Valve(), Redactor()).plan(TWENTY) == await Valve().plan(TWENTY)


async def test_what_a_run_and_a_check_say_holds_no_secret() -> None:
    tool = DiscreetWrite(Chatty(), Redactor())
    assert (await tool.run(TWENTY, OneGrant(), nobody)).summary == "password=[redacted]"
    assert (await tool.verify(TWENTY)).detail == "password=[redacted]"


async def test_an_error_keeps_its_kind_and_its_field_and_loses_its_secret() -> None:
    with pytest.raises(ToolFailed) as caught:
        await DiscreetWrite(Chatty(broken=True), Redactor()).run(TWENTY, OneGrant(), nobody)
    assert str(caught.value) == "stuck: password=[redacted]"
    assert (caught.value.field, caught.value.value) == ("position", "20")


async def test_what_nobody_foresaw_keeps_its_name_and_loses_its_secret() -> None:
    tool = DiscreetWrite(Bursting(), Redactor())
    for attempt in (tool.plan(TWENTY), tool.run(TWENTY, OneGrant(), nobody), tool.verify(TWENTY)):
        with pytest.raises(Unforeseen) as caught:
            await attempt
        assert str(caught.value) == "RuntimeError: at password=[redacted] cut  short"


async def test_what_does_not_show_is_written_out_for_those_who_decide() -> None:
    plan = await DiscreetWrite(Chatty(secret="pay\u200bments\u202e"), Redactor()).plan(TWENTY)
    assert "\u200b" not in str(plan.changes)
    plain = DiscreetWrite(Hidden(), Redactor())
    assert (await plain.plan(TWENTY)).title == "Move pay\\u200bments \\u202e back"
    assert (await plain.verify(TWENTY)).detail == "ready"


class Bursting(Valve):
    """A valve of somebody who did not think of everything."""

    async def plan(self, arguments: Arguments) -> Plan:
        raise RuntimeError(f"at {WORDS} cut \ud83d short")

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        raise RuntimeError(f"at {WORDS} cut \ud83d short")

    async def verify(self, arguments: Arguments) -> Verification:
        raise RuntimeError(f"at {WORDS} cut \ud83d short")


@dataclass
class Hidden(Valve):
    """A valve that writes what does not show."""

    async def plan(self, arguments: Arguments) -> Plan:
        return Plan("Move pay\u200bments \u202e back", (), (), {})

    async def verify(self, arguments: Arguments) -> Verification:
        return Verification(Verdict.DONE, "\x1b[32mready\x1b[0m")


def test_every_write_of_a_registry_is_discreet_and_reads_stay_what_they_are() -> None:
    made = discreet(Registry([Valve(), Gauge()]), Redactor())
    assert isinstance(made.get("valve"), DiscreetWrite)
    assert isinstance(made.get("gauge"), Gauge)
