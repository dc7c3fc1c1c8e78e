"""Hypothesis walks the whole life of actions, on every store, beside a simple model of what must hold."""

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
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from agent.approvals.action import NEXT, ActionId, State, Verdict
from agent.approvals.refusal import ActionRefused
from agent.approvals.rule import BreakGlass
from agent.approvals.windows import Freeze, Override, span
from agent.audit.chain import verify
from agent.audit.event import Fact, FactKind
from agent.store.memory import MemoryStore
from agent.store.sql.store import SqlStore
from tests.fakes.office import Office, valve_rule
from tests.fakes.postgres import PostgresServer

T = TypeVar("T")
PEOPLE = st.sampled_from(["maya", "raj", "tom", "sam", "lea"])
EMERGENCY = BreakGlass(frozenset({"operator"}), timedelta(hours=1))


def freeze(override: Override | None) -> Freeze:
    """Twenty minutes on the Monday the walks begin on."""
    return Freeze("freeze", span("mon 09:20", "mon 09:40"), "UTC", override)


class Life(RuleBasedStateMachine):
    """Proposals, decisions, edits, time, claims, crashes, recoveries and policy changes, in any order."""

    actions = Bundle("actions")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.office = Office(store=MemoryStore())
        self.keys = 0
        self.seen: dict[ActionId, State] = {}
        self.yeses: dict[ActionId, set[str]] = {}
        self.glass: dict[ActionId, str] = {}
        self.signed: set[ActionId] = set()

    def run(self, work: Coroutine[object, object, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.office.store.close())
        self.runner.close()

    @initialize(quorum=st.integers(1, 2))
    def set_up_rules(self, quorum: int) -> None:
        self.office.rules = (valve_rule(quorum=quorum),)

    @rule(target=actions, position=st.integers(0, 100), by=PEOPLE)
    def propose(self, position: int, by: str) -> ActionId:
        self.keys += 1
        try:
            action = self.run(self.office.proposed(position, by=by, key=f"k{self.keys}"))
        except ActionRefused:
            return ActionId("A-0")
        return action.id

    @rule(id_=actions, who=PEOPLE, verdict=st.sampled_from(Verdict), reason=st.sampled_from(["", "because"]))
    def decide(self, id_: ActionId, who: str, verdict: Verdict, reason: str) -> None:
        action = self.run(self.office.store.action(id_))
        if action is not None:
            answer = self.run(self.office.decisions.decide(action, who, verdict, reason=reason))
            if answer.refusal is None and verdict is Verdict.APPROVE:
                assert who != action.requester
                assert "keeper" in self.office.roster.by_person[who]
                self.yeses.setdefault(id_, set()).add(who)

    @rule(target=actions, id_=actions, position=st.integers(0, 100), who=PEOPLE)
    def edit(self, id_: ActionId, position: int, who: str) -> ActionId:
        action = self.run(self.office.store.action(id_))
        if action is None:
            return id_
        try:
            return self.run(
                self.office.proposer.edit(action, self.office.asker(who), {"position": position})
            ).id
        except ActionRefused:
            return id_

    @rule(id_=consumes(actions), who=PEOPLE)
    def withdraw(self, id_: ActionId, who: str) -> None:
        action = self.run(self.office.store.action(id_))
        if action is not None:
            self.run(self.office.decisions.withdraw(action, who))

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.office.clock.pass_(minutes=minutes)

    @rule()
    def expire(self) -> None:
        self.run(self.office.decisions.expire())

    @rule(id_=actions, broken=st.booleans())
    def execute(self, id_: ActionId, broken: bool) -> None:
        action = self.run(self.office.store.action(id_))
        if action is None:
            return
        self.office.valve.broken = broken
        effects = len(self.office.valve.witness)
        shut = any(one.override is None for one in self.office.rules[0].shut(self.office.clock()))
        self.run(self.office.executor.run(action, self.office.heard))
        if len(self.office.valve.witness) > effects:
            assert not shut
            assert action.requirement.auto <= self.office.rules[0].auto
            assert action.glass is None or self.office.rules[0].break_glass is not None

    @rule(id_=actions, who=PEOPLE, reason=st.sampled_from(["", "it burns"]))
    def break_the_glass(self, id_: ActionId, who: str, reason: str) -> None:
        action = self.run(self.office.store.action(id_))
        if action is not None:
            answer = self.run(self.office.glasses.break_(action, who, reason))
            if answer.refusal is None:
                assert reason
                assert "operator" in self.office.roster.by_person[who]
                self.glass[id_] = who

    @rule(id_=actions, who=PEOPLE)
    def countersign(self, id_: ActionId, who: str) -> None:
        action = self.run(self.office.store.action(id_))
        if action is not None:
            answer = self.run(self.office.glasses.countersign(action, who, ""))
            if answer.refusal is None:
                assert self.glass[id_] not in (who, "")
                assert who != action.requester
                assert "keeper" in self.office.roster.by_person[who]
                assert id_ not in self.signed
                self.signed.add(id_)

    @rule(id_=actions, effect=st.booleans())
    def die_while_running(self, id_: ActionId, effect: bool) -> None:
        """A worker claims and dies, before or after its effect."""
        action = self.run(self.office.store.action(id_))
        if action is None or action.state is not State.APPROVED:
            return
        running = replace(action.moved(State.RUNNING, at=self.office.clock()), worker="worker-0")
        fact = Fact(FactKind.CLAIMED, "sayso", id_, self.office.clock())
        self.office.crew.dead.add("worker-0")
        if self.run(self.office.store.apply(action, running, fact)) and effect:
            self.office.valve.witness.append(id_)
            self.office.valve.position = int(str(action.arguments["position"]))

    @rule(unclear=st.booleans())
    def recover(self, unclear: bool) -> None:
        self.office.valve.unclear = unclear
        self.run(self.office.executor.recover())
        self.office.valve.unclear = False

    @rule(id_=actions, who=PEOPLE, succeeded=st.booleans())
    def settle(self, id_: ActionId, who: str, succeeded: bool) -> None:
        action = self.run(self.office.store.action(id_))
        if action is not None:
            self.run(self.office.executor.settle(action, who, succeeded=succeeded, reason="looked"))

    @rule(
        quorum=st.integers(1, 3),
        auto=st.booleans(),
        glass=st.sampled_from([None, EMERGENCY]),
        freezes=st.sampled_from([(), (freeze(None),), (freeze(Override(2)),)]),
    )
    def change_policy(
        self, quorum: int, auto: bool, glass: BreakGlass | None, freezes: tuple[Freeze, ...]
    ) -> None:
        self.office.rules = (valve_rule(quorum=quorum, auto=auto, break_glass=glass, freezes=freezes),)

    @invariant()
    def nothing_runs_twice(self) -> None:
        assert len(self.office.valve.witness) == len(set(self.office.valve.witness))

    @invariant()
    def nothing_ran_without_its_quorum_of_others(self) -> None:
        for id_ in self.office.valve.witness:
            action = self.run(self.office.store.action(ActionId(id_)))
            assert action is not None
            if action.glass is None:
                assert len(self.yeses.get(action.id, set())) >= action.requirement.quorum
            else:
                assert self.glass[action.id] == action.glass.person

    @invariant()
    def what_ran_without_approval_owes_a_signature_until_it_has_one(self) -> None:
        for action in self.run(self.office.store.actions(limit=1000)):
            assert action.owed is (action.id in self.glass and action.id not in self.signed)

    @invariant()
    def only_what_a_rule_allowed_is_approved_by_nobody(self) -> None:
        for action in self.run(self.office.store.actions(state=State.APPROVED, limit=1000)):
            assert action.approvals or action.glass or action.requirement.auto

    @invariant()
    def every_step_is_one_of_the_diagram(self) -> None:
        for action in self.run(self.office.store.actions(limit=1000)):
            before = self.seen.get(action.id, State.AWAITING_APPROVAL)
            assert action.state is before or action.state in reachable(before)
            self.seen[action.id] = action.state

    @invariant()
    def the_trail_is_whole(self) -> None:
        async def trail() -> bool:
            return verify([event async for event in self.office.store.events()]).whole

        assert self.run(trail())


def reachable(state: State) -> set[State]:
    """Every state that can follow, over any number of steps."""
    found: set[State] = set()
    open_ = list(NEXT.get(state, ()))
    while open_:
        following = open_.pop()
        if following not in found:
            found.add(following)
            open_ += NEXT.get(following, ())
    return found


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
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=QUIET
)
TestLifeInSqlite = LifeInSqlite.TestCase
TestLifeInSqlite.settings = settings(
    max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=QUIET
)


def test_life_in_postgres(postgres: PostgresServer) -> None:
    """The same walk on PostgreSQL."""

    class LifeInPostgres(Life):
        def __init__(self) -> None:
            super().__init__()
            self.office.store = self.run(SqlStore.open(postgres.database()))

    run_state_machine_as_test(LifeInPostgres, settings=TestLifeInSqlite.settings)
