"""Hypothesis walks the whole life of actions on every store, and each step ends as an independent model foretold it."""

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agent.approvals.action import Action, ActionId, State, Verdict
from agent.approvals.refusal import ActionRefused
from agent.approvals.rule import BreakGlass, Rule
from agent.approvals.windows import Freeze, Override, span
from agent.audit.chain import verify
from agent.audit.event import Event, Fact, FactKind
from agent.store.memory import MemoryStore
from agent.store.sql.store import SqlStore
from tests.fakes.foretold import Foresight, Foretold, Terms
from tests.fakes.office import Office, valve_rule
from tests.fakes.postgres import PostgresServer

T = TypeVar("T")
PEOPLE = st.sampled_from(["maya", "raj", "tom", "sam", "lea"])
ASKERS = st.sampled_from(["maya", "maya", "maya", "raj", "tom", "lea"])
POSITIONS = st.integers(10, 14)  # few, so that what is wished for is often there already
REASONS = st.sampled_from(["", "because"])
CHANGES = st.sampled_from(
    [
        *(
            {"quorum": 1},
            {"quorum": 2},
            {"teams": 1},
            {"teams": 2},
            {"minutes": 15},
            {"minutes": 15},
            {"minutes": 30},
        ),
        *({"reasons": True}, {"reasons": False}, {"auto": True}, {"auto": False}, {"auto": False}),
        *({"glass": True}, {"glass": True}, {"glass": False}),
        *({"freeze": ""}, {"freeze": "hard"}, {"freeze": "soft"}),
    ]
)
ENDS = {  # the state that a row of the trail tells of; those that a decision leads to stand in the row
    FactKind.PROPOSED: State.AWAITING_APPROVAL,
    FactKind.WITHDRAWN: State.WITHDRAWN,
    FactKind.SUPERSEDED: State.SUPERSEDED,
    FactKind.EXPIRED: State.EXPIRED,
    FactKind.CLAIMED: State.RUNNING,
    FactKind.STALE: State.STALE,
    FactKind.SUCCEEDED: State.SUCCEEDED,
    FactKind.FAILED: State.FAILED,
    FactKind.UNKNOWN: State.UNKNOWN,
}


def rule_of(terms: Terms) -> Rule:
    """The same terms as the program has them; the clock of an office starts on a Monday at nine."""
    overrides = {"": (), "hard": (None,), "soft": (Override(2),)}
    return valve_rule(
        quorum=terms.quorum,
        distinct_teams=terms.teams,
        expires_after=timedelta(minutes=terms.minutes),
        reason_required=terms.reasons,
        auto=terms.auto,
        break_glass=BreakGlass(frozenset({"operator"}), timedelta(hours=1)) if terms.glass else None,
        freezes=tuple(
            Freeze("freeze", span("mon 09:20", "mon 09:40"), "UTC", one) for one in overrides[terms.freeze]
        ),
    )


class Life(RuleBasedStateMachine):
    """Proposals, decisions, edits, time, claims, crashes, recoveries and changes of the policy, in any order."""

    actions = Bundle("actions")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.office = Office(store=MemoryStore())
        self.model = Foresight()

    def run(self, work: Coroutine[object, object, T]) -> T:
        return self.runner.run(work)

    def action(self, id_: str) -> Action:
        found = self.run(self.office.store.action(ActionId(id_)))
        assert found is not None
        return found

    def teardown(self) -> None:
        self.run(self.office.store.close())
        self.runner.close()

    @initialize(
        target=actions,
        changes=st.lists(CHANGES, max_size=3),
        wishes=st.lists(st.tuples(POSITIONS, ASKERS), min_size=2, max_size=4),
    )
    def begin(self, changes: list[dict[str, object]], wishes: list[tuple[int, str]]) -> object:
        self.change_policy({name: value for change in changes for name, value in change.items()})
        return multiple(*(id_ for position, by in wishes if (id_ := self._proposed(position, by))))

    def change_policy(self, change: dict[str, object]) -> None:
        self.model.terms = replace(self.model.terms, **change)  # type: ignore[arg-type]  # of its own fields
        self.office.rules = (rule_of(self.model.terms),)

    # --- asking ------------------------------------------------------------------------------------------------------

    @rule(target=actions, position=POSITIONS, by=ASKERS)
    def propose(self, position: int, by: str) -> object:
        return self._proposed(position, by) or multiple()

    def _proposed(self, position: int, by: str) -> str:
        foretold = self.model.propose(by, position)
        key = f"{foretold or 'refused'}/{len(self.model.actions)}"
        try:
            made: str = self.run(self.office.proposed(position, by=by, key=key)).id
        except ActionRefused:
            made = ""
        assert made == foretold
        return made

    @rule(target=actions, id_=actions, position=POSITIONS, who=PEOPLE)
    def edit(self, id_: str, position: int, who: str) -> object:
        before = self.action(id_)
        foretold = self.model.edit(id_, who, position)
        try:
            wanted = {"position": position}
            made: str = self.run(self.office.proposer.edit(before, self.office.asker(who), wanted)).id
        except ActionRefused:
            made = ""
        assert made == foretold
        return made or multiple()

    @rule(id_=actions, who=PEOPLE)
    def withdraw(self, id_: str, who: str) -> None:
        self.run(self.office.decisions.withdraw(self.action(id_), who))
        self.model.withdraw(id_, who)

    # --- deciding ----------------------------------------------------------------------------------------------------

    @rule(id_=actions, who=PEOPLE, verdict=st.sampled_from(Verdict), reason=REASONS)
    def decide(self, id_: str, who: str, verdict: Verdict, reason: str) -> None:
        answer = self.run(self.office.decisions.decide(self.action(id_), who, verdict, reason=reason))
        counts = self.model.decide(id_, who, yes=verdict is Verdict.APPROVE, reason=reason)
        assert (answer.refusal is None) is counts

    @rule(reason=REASONS, both=st.booleans())
    def approve_all_that_waits(self, reason: str, both: bool) -> None:
        """What a walk that draws each step at random seldom gets to."""
        for id_, one in self._model():
            for who in ("tom", "sam") if both else ("tom",):
                if one.state == "awaiting_approval":
                    self.decide(id_, who, Verdict.APPROVE, reason)

    @rule(id_=actions, who=PEOPLE, verdict=st.sampled_from(Verdict))
    def decide_on_another_content(self, id_: str, who: str, verdict: Verdict) -> None:
        action = self.action(id_)
        expired = action.state is State.AWAITING_APPROVAL and self.model.now >= self.model.actions[id_].ends
        asked = self.office.decisions.decide(action, who, verdict, reason="because", digest="0" * 64)
        assert self.run(asked).refusal is not None
        if expired:
            self.model.actions[id_].state = "expired"

    @rule(id_=actions, who=PEOPLE, reason=REASONS)
    def break_the_glass(self, id_: str, who: str, reason: str) -> None:
        answer = self.run(self.office.glasses.break_(self.action(id_), who, reason))
        assert (answer.refusal is None) is self.model.break_glass(id_, who, reason)

    @rule(id_=actions, who=PEOPLE)
    def countersign(self, id_: str, who: str) -> None:
        answer = self.run(self.office.glasses.countersign(self.action(id_), who, ""))
        assert (answer.refusal is None) is self.model.countersign(id_, who)

    @rule(who=st.sampled_from(["tom", "sam"]), signs=st.booleans())
    def emergency(self, who: str, signs: bool) -> None:
        """Somebody who could sign breaks the glass of all that waits, and then one of them signs for all that owes."""
        for id_, one in self._model():
            if one.state == "awaiting_approval":
                self.break_the_glass(id_, who, "it burns")
            if one.glass and signs:
                self.countersign(id_, who)

    # --- time and rules ----------------------------------------------------------------------------------------------

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.office.clock.pass_(minutes=minutes)
        self.model.now += minutes

    @rule()
    def expire(self) -> None:
        self.run(self.office.decisions.expire())
        self.model.expire()

    @rule(change=CHANGES)
    def another_policy(self, change: dict[str, object]) -> None:
        self.change_policy(change)

    # --- running -----------------------------------------------------------------------------------------------------

    @rule(id_=actions, broken=st.booleans())
    def execute(self, id_: str, broken: bool) -> None:
        self.office.valve.broken = broken
        self.run(self.office.executor.run(self.action(id_), self.office.heard))
        self.model.execute(id_, broken=broken)

    @rule(broken=st.booleans())
    def execute_all_that_is_approved(self, broken: bool) -> None:
        for id_, one in self._model():
            if one.state == "approved":
                self.execute(id_, broken)

    @rule(id_=actions, broken=st.booleans())
    def execute_as_it_was(self, id_: str, broken: bool) -> None:
        """Two workers that have both seen it approved: the second one comes too late."""
        seen = self.action(id_)
        self.execute(id_, broken)
        self.run(self.office.executor.run(seen, self.office.heard))
        if seen.state is State.APPROVED and self.action(id_).state is State.APPROVED:
            self.model.execute(id_, broken=broken)

    @rule(id_=actions, effect=st.booleans())
    def die_while_running(self, id_: str, effect: bool) -> None:
        """A worker claims and dies, before or after its effect."""
        action = self.action(id_)
        began = self.model.die(id_, effect=effect)
        if action.state is not State.APPROVED:
            assert not began
            return
        self.office.crew.dead.add("worker-0")
        running = replace(action.moved(State.RUNNING, at=self.office.clock()), worker="worker-0")
        fact = Fact(FactKind.CLAIMED, "sayso", ActionId(id_), self.office.clock())
        assert self.run(self.office.store.apply(action, running, fact)) is began
        if began and effect:
            self.office.valve.witness.append(id_)
            self.office.valve.position = int(str(action.arguments["position"]))

    @rule(unclear=st.booleans())
    @precondition(lambda self: any(one.state == "running" for one in self.model.actions.values()))
    def recover(self, unclear: bool) -> None:
        self.office.valve.unclear = unclear
        self.run(self.office.executor.recover())
        self.office.valve.unclear = False
        self.model.recover(unclear=unclear)

    @rule(id_=actions, who=PEOPLE, succeeded=st.booleans())
    def settle(self, id_: str, who: str, succeeded: bool) -> None:
        asked = self.office.executor.settle(self.action(id_), who, succeeded=succeeded, reason="looked")
        self.run(asked)
        self.model.settle(id_, who, succeeded=succeeded)

    # --- what must be, after each step -------------------------------------------------------------------------------

    @invariant()
    def every_action_is_as_foretold(self) -> None:
        kept = {one.id: one for one in self.run(self.office.store.actions(limit=1000))}
        told = {id_: (one.state, list(one.yeses), one.glass, one.signed) for id_, one in self._model()}
        assert {id_: _shown(one) for id_, one in kept.items()} == told

    @invariant()
    def the_world_is_as_foretold_and_nothing_ran_twice(self) -> None:
        assert self.office.valve.witness == self.model.witness
        assert self.office.valve.position == self.model.position
        assert len(self.model.witness) == len(set(self.model.witness))

    @invariant()
    def the_trail_is_whole_and_tells_the_same(self) -> None:
        async def trail() -> list[Event]:
            return [event async for event in self.office.store.events()]

        events = self.run(trail())
        assert verify(events).whole
        told: dict[str, str] = {}
        for event in events:
            said = str(event.fact.data.get("state", ""))
            if event.fact.kind in ENDS:
                told[event.fact.subject] = ENDS[event.fact.kind].value
            elif event.fact.kind in (FactKind.DECIDED, FactKind.SETTLED):
                told[event.fact.subject] = said
        assert told == {id_: one.state for id_, one in self._model()}

    def _model(self) -> list[tuple[str, Foretold]]:
        return list(self.model.actions.items())


def _shown(action: Action) -> tuple[str, list[str], str, bool]:
    glass = action.glass
    return (
        action.state.value,
        [vote.person for vote in action.approvals],
        glass.person if glass else "",
        glass is not None and glass.signed is not None,
    )


class LifeInSqlite(Life):
    """The same walk on SQLite."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.office.store = self.run(SqlStore.open(Path(self.folder.name) / "sayso.db"))

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]
TestLifeInMemory = Life.TestCase
TestLifeInMemory.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=QUIET
)
TestLifeInSqlite = LifeInSqlite.TestCase
TestLifeInSqlite.settings = settings(
    max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=QUIET
)


def test_life_in_postgres(postgres: PostgresServer) -> None:
    """The same walk on PostgreSQL."""

    class LifeInPostgres(Life):
        def __init__(self) -> None:
            super().__init__()
            self.office.store = self.run(SqlStore.open(postgres.database()))

    run_state_machine_as_test(LifeInPostgres, settings=TestLifeInSqlite.settings)
