"""What must become of actions, told once more in the simplest words: the model that every store is held against.

It shares no line with the program. It knows one tool (a valve with a position), five people and one rule that changes;
time is minutes since the start. What it refuses leaves no trace in it.
"""

from dataclasses import dataclass, field

OPERATORS = {"maya", "raj", "tom", "sam"}
KEEPERS = {"tom": "ledger", "sam": "till"}  # with their teams
FROZEN = range(20, 40)  # minutes
TRIES = 3  # failures of the tool after which nobody may ask any more, until it worked once


@dataclass(frozen=True)
class Terms:
    """The rule of a moment. `freeze` is "", "hard" (nobody) or "soft" (two people, with reasons)."""

    quorum: int = 1
    teams: int = 1
    minutes: int = 30
    reasons: bool = False
    auto: bool = False
    glass: bool = False
    freeze: str = ""

    def shut(self, now: int) -> bool:
        return self.freeze == "hard" and now in FROZEN

    def asks(self, now: int) -> "Asks":
        """What it asks of somebody at this minute."""
        frozen = bool(self.freeze) and now in FROZEN
        if self.auto and not frozen:
            return Asks(0, 1, False, False, auto=True)
        quorum = max(self.quorum, 2) if frozen else self.quorum
        return Asks(quorum, self.teams, self.reasons or frozen, self.glass, auto=False)


@dataclass(frozen=True)
class Asks:
    """How many yeses, from how many teams, with reasons or not, and whether there is a glass to break."""

    people: int
    teams: int
    reasons: bool
    glass: bool
    auto: bool


@dataclass
class Foretold:
    """One action."""

    asker: str
    position: int
    seen: int  # where the valve stood when it was planned
    asks: Asks
    ends: int  # minute of its expiry
    born: int
    state: str
    yeses: dict[str, str] = field(default_factory=dict)  # with their reasons
    glass: str = ""
    signed: bool = False

    @property
    def enough(self) -> bool:
        teams = {KEEPERS[who] for who in self.yeses}
        return len(self.yeses) >= self.asks.people and len(teams) >= self.asks.teams


@dataclass
class Foresight:
    """All actions by id, the valve, the clock, and the rule. Each method is one thing that somebody does."""

    terms: Terms = Terms()
    now: int = 0
    position: int = 10
    actions: dict[str, Foretold] = field(default_factory=dict)
    witness: list[str] = field(default_factory=list)
    edits: dict[tuple[str, str, int], str] = field(default_factory=dict)

    # --- asking ------------------------------------------------------------------------------------------------------

    def propose(self, who: str, position: int) -> str:
        """The id of a new action; empty where there is none."""
        if who not in OPERATORS or self.terms.shut(self.now) or position == self.position or self._tired():
            return ""
        asks = self.terms.asks(self.now)
        id_ = f"A-{len(self.actions) + 1}"
        ends = self.now + self.terms.minutes
        state = "approved" if asks.auto else "awaiting_approval"
        self.actions[id_] = Foretold(who, position, self.position, asks, ends, self.now, state)
        return id_

    def edit(self, old: str, who: str, position: int) -> str:
        """The same for an action with another position; an edit that was made already is that one."""
        one = self.actions[old]
        before = one.state
        if before not in ("awaiting_approval", "stale", "expired"):
            return ""
        votes = ",".join(one.yeses)
        made = self.edits.get((old, f"{before}{votes}", position))
        refused = who not in OPERATORS or self.terms.shut(self.now) or position == self.position
        if refused or self._tired():
            return ""
        if made is not None:
            return made
        new = self.propose(who, position)
        self.edits[(old, f"{before}{votes}", position)] = new
        if before == "awaiting_approval":
            one.state = "superseded"
        return new

    def _tired(self) -> bool:
        failed = 0
        for one in reversed(self.actions.values()):
            if one.state == "succeeded":
                break
            failed += one.state == "failed"
        return failed >= TRIES

    # --- deciding ----------------------------------------------------------------------------------------------------

    def decide(self, id_: str, who: str, *, yes: bool, reason: str) -> bool:
        """Whether it counts."""
        one = self.actions[id_]
        if one.state != "awaiting_approval":
            return False
        if self.now >= one.ends:
            one.state = "expired"
            return False
        mute = not reason and (one.asks.reasons or not yes)
        if who not in KEEPERS or who in one.yeses or mute or (yes and who == one.asker):
            return False
        if not yes:
            one.state = "rejected"
            return True
        one.yeses[who] = reason
        if one.enough:
            one.state = "approved"
        return True

    def break_glass(self, id_: str, who: str, reason: str) -> bool:
        one = self.actions[id_]
        waits = one.state == "awaiting_approval" and self.now < one.ends
        if not (waits and one.asks.glass and who in OPERATORS and reason):
            return False
        one.state, one.glass = "approved", who
        return True

    def countersign(self, id_: str, who: str) -> bool:
        one = self.actions[id_]
        if not one.glass or one.signed or who in (one.asker, one.glass) or who not in KEEPERS:
            return False
        one.signed = True
        return True

    def withdraw(self, id_: str, who: str) -> None:
        one = self.actions[id_]
        if who == one.asker and one.state in ("awaiting_approval", "approved"):
            one.state = "withdrawn"

    def expire(self) -> None:
        for one in self.actions.values():
            if one.state in ("awaiting_approval", "approved") and self.now >= one.ends:
                one.state = "expired"

    # --- running -----------------------------------------------------------------------------------------------------

    def execute(self, id_: str, *, broken: bool) -> None:
        one = self.actions[id_]
        if one.state != "approved" or self.now >= one.ends or not self._still_allowed(one):
            return
        if one.seen != self.position:
            one.state = "stale"
        elif any(other.state == "running" for other in self.actions.values()):
            return  # there is one valve
        elif broken:
            one.state = "failed"
        else:
            one.state = "succeeded"
            self._move(id_)

    def _still_allowed(self, one: Foretold) -> bool:
        """The stricter of then and now."""
        if self.terms.shut(self.now) or self.now >= one.born + self.terms.minutes:
            return False
        today = self.terms.asks(self.now)
        if one.glass:
            return today.glass
        counting = [who for who, reason in one.yeses.items() if reason or not today.reasons]
        people, teams = max(today.people, one.asks.people), max(today.teams, one.asks.teams)
        return len(counting) >= people and (teams == 1 or len({KEEPERS[who] for who in counting}) >= teams)

    def die(self, id_: str, *, effect: bool) -> bool:
        """A worker begins and dies; whether it began."""
        one = self.actions[id_]
        if one.state != "approved" or self.now >= one.ends:
            return False
        one.state = "running"
        if effect:
            self._move(id_)
        return True

    def recover(self, *, unclear: bool) -> None:
        for one in self.actions.values():
            if one.state == "running":
                found = "succeeded" if one.position == self.position else "failed"
                one.state = "unknown" if unclear else found

    def settle(self, id_: str, who: str, *, succeeded: bool) -> None:
        one = self.actions[id_]
        may = who in OPERATORS if one.asks.auto else who in KEEPERS
        if one.state == "unknown" and may:
            one.state = "succeeded" if succeeded else "failed"

    def _move(self, id_: str) -> None:
        self.witness.append(id_)
        self.position = self.actions[id_].position
