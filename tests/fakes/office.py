"""A whole approvals office for tests: a store, a valve, people with roles, a clock that a test moves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.approvals.action import Action, Verdict
from agent.approvals.decide import Decisions
from agent.approvals.execute import Executor
from agent.approvals.glass import Glasses
from agent.approvals.policy import Policy, Rule
from agent.approvals.propose import Proposer
from agent.store.memory import MemoryStore
from agent.store.port import Store
from tests.fakes.valve import Gauge, Shed, Valve
from tools.contract import Asker, Json

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ROLES = {
    "maya": {"operator"},
    "raj": {"operator"},
    "tom": {"operator", "keeper"},
    "sam": {"operator", "keeper"},
    "lea": {"guest"},
}


@dataclass
class MovableClock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **length: float) -> None:
        self.now += timedelta(**length)


@dataclass
class Roster:
    """Roles that a test may take away."""

    by_person: dict[str, set[str]] = field(
        default_factory=lambda: {who: set(roles) for who, roles in ROLES.items()}
    )
    teams: dict[str, str] = field(default_factory=lambda: {"tom": "ledger", "sam": "till"})

    def roles(self, id_: str) -> frozenset[str]:
        return frozenset(self.by_person.get(id_, set()))

    def team(self, id_: str) -> str:
        return self.teams.get(id_, "")


@dataclass
class Crew:
    """Workers by name; those in `dead` have died."""

    me: str = "worker-1"
    dead: set[str] = field(default_factory=set)

    def alive(self, worker: str) -> bool:
        return worker not in self.dead

    def trusted(self) -> bool:
        return self.me not in self.dead


def valve_rule(**changes: object) -> Rule:
    settings: dict[str, object] = {
        "name": "valves",
        "tools": frozenset({"valve"}),
        "approvers": frozenset({"keeper"}),
        "expires_after": timedelta(minutes=30),
    }
    return Rule(**{**settings, **changes})  # type: ignore[arg-type]  # a test names the fields it changes


@dataclass
class Office:
    """Everything between a wish and its effect."""

    store: Store = field(default_factory=MemoryStore)
    valve: Valve = field(default_factory=Valve)
    clock: MovableClock = field(default_factory=MovableClock)
    roster: Roster = field(default_factory=Roster)
    crew: Crew = field(default_factory=Crew)
    rules: tuple[Rule, ...] = field(default_factory=lambda: (valve_rule(),))
    refuse_untrusted: bool = False
    lines: list[str] = field(default_factory=list)

    @property
    def policy(self) -> Policy:
        return Policy(self.rules, {"valve": frozenset({"operator"})})

    @property
    def proposer(self) -> Proposer:
        shed = Shed({"valve": self.valve, "gauge": Gauge()})
        return Proposer(self.store, shed, self.policy, self.clock, refuse_untrusted=self.refuse_untrusted)

    @property
    def decisions(self) -> Decisions:
        return Decisions(self.store, self.roster, self.clock)

    @property
    def glasses(self) -> Glasses:
        return Glasses(self.store, self.roster, self.clock)

    @property
    def executor(self) -> Executor:
        shed = Shed({"valve": self.valve})
        return Executor(self.store, shed, self.policy, self.roster, self.crew, self.clock, pauses=(0.0,))

    def asker(self, person: str) -> Asker:
        return Asker(person, self.roster.roles(person))

    async def proposed(
        self,
        position: int = 20,
        *,
        by: str = "maya",
        key: str = "T-1/0",
        provenance: str = "asker",
        tool: str = "valve",
        thread: str = "terminal:maya",
    ) -> Action:
        arguments: dict[str, Json] = {"position": position}
        return await self.proposer.propose(
            tool,
            arguments,
            self.asker(by),
            thread=thread,
            key=key,
            why=f"move it to {position}",
            provenance={"position": provenance},
        )

    async def approve(self, action: Action) -> Action:
        """Approved by somebody who may."""
        return (await self.decisions.decide(action, "tom", Verdict.APPROVE, reason="fine")).action

    async def heard(self, line: str) -> None:
        self.lines.append(line)
