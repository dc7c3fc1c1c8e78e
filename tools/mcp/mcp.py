"""Tools made of the pinned tools of MCP servers: reads that only ask, writes with the plan and check declared."""

import json
from collections.abc import Callable, Mapping, Sequence

from tools.contract import (
    Arguments,
    Asker,
    Change,
    Effect,
    Grant,
    Json,
    Outcome,
    Plan,
    Progress,
    Tool,
    ToolFailed,
    ToolUnavailable,
    Undo,
    Verdict,
    Verification,
    digest,
)
from tools.declared import judged
from tools.mcp.declared import RESERVED, Server
from tools.mcp.pinned import Pinned
from tools.mcp.pins import Pins
from tools.mcp.port import Connection, NoAnswer, Offered, Unreadable
from tools.mcp.results import Told, outcome, reads
from tools.mcp.wording import shortened

NO_PLAN = "The server cannot show beforehand what would change: what is sent is all that is known"
NO_CHECK = "Nothing can look afterwards whether it worked: a person has to say how it ended"
BY_RESULT = "Nothing can look afterwards whether it worked: the server's own word counts"


def tools(servers: Sequence[Server], pins: Pins, connect: Callable[[Server], Connection]) -> tuple[Tool, ...]:
    """The tools of all servers that are listed and pinned. Raises `ServerRefused` for a pin that does not fit."""
    made: list[Tool] = []
    for server in servers:
        connection = connect(server)
        for listed in server.tools:
            if listed.tool in pins.of(server.name):
                maker = ReadMcp if listed.effect is Effect.READ else WriteMcp
                made.append(maker(Pinned(server, listed, pins.of(server.name), connection)))
    return tuple(made)


class _Held:
    """What reads and writes have in common: a connection that is kept, and a pin that the server must keep to."""

    def __init__(self, pinned: Pinned) -> None:
        self._pinned = pinned
        self.spec = pinned.spec

    async def standing(self) -> str | None:
        return await self._pinned.standing()

    async def close(self) -> None:
        await self._pinned.connection.close()


class ReadMcp(_Held):
    """A tool of a server that only looks, as the operator says."""

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - `access` says who may run it
        pinned = self._pinned
        values = pinned.main.sent(arguments)
        answered = await pinned.ask(values)
        told = Told.of(answered)
        name = self.spec.name
        if answered.failed:
            raise ToolFailed(
                f"{name} of {pinned.server.name} failed: {shortened(told.text, 400) or 'it says no more'}"
            )
        if (trouble := pinned.main.trouble(told)) is not None:
            raise ToolUnavailable(f"{name} of {pinned.server.name} answered with an error: {trouble}")
        return outcome(pinned.server.name, name, pinned.main.query(values), answered)


class WriteMcp(_Held):
    """A tool of a server that changes something, or that nobody vouches for."""

    def __init__(self, pinned: Pinned) -> None:
        super().__init__(pinned)
        self._heard: dict[str, str] = {}  # what the server said of a run that it calls done, by arguments

    async def plan(self, arguments: Arguments) -> Plan:
        """What would be sent, and what the server shows beforehand. Raises `ToolFailed` when that is refused."""
        pinned, listed = self._pinned, self._pinned.listed
        undoing, values = _undoing(arguments), self._pinned.main.sent(arguments)
        if (differs := await pinned.standing()) is not None:
            raise ToolUnavailable(
                f"{self.spec.name} of the MCP server {pinned.server.name} is not as it was pinned ({differs}); look at "
                f"it with `sayso mcp check {pinned.server.name}`"
            )
        seen: Json = None
        if listed.plan is not None:
            told = await pinned.look(listed.plan, values)
            if told.failed:
                raise ToolFailed(f"the plan was refused: {shortened(told.text, 300)}")
            seen = told.picked(listed.plan.project)
        call = self._order(arguments, values)[2]
        back = listed.undo is not None and not undoing
        return Plan(
            title=f"{'Undo' if undoing else 'Run'} {self.spec.name} on {pinned.server.name}",
            changes=(Change(call, "not sent", "sent once"),),
            touches=(f"{pinned.server.name} at {pinned.connection.place}",),
            observed={"call": call, "pinned": pinned.pin.hash, "plan": seen},
            undo=Undo(self.spec.name, {**arguments.canonical(), RESERVED: True}) if back else None,
            undo_text=pinned.order(listed.undo, values)[2] if back else "",
            notes=self._notes(seen),
        )

    def _notes(self, seen: Json) -> tuple[str, ...]:
        listed = self._pinned.listed
        notes = [] if listed.plan is not None else [NO_PLAN]
        if seen is not None:
            text = seen if isinstance(seen, str) else json.dumps(seen, ensure_ascii=False, indent=1)
            notes += [shortened(line, 200) for line in text.splitlines()[:20]]
        if listed.verify is None:
            notes.append(BY_RESULT if listed.settled_by == "result" else NO_CHECK)
        return tuple(notes)

    def _order(
        self, arguments: Arguments, values: Mapping[str, Json]
    ) -> tuple[Offered, Mapping[str, Json], str]:
        return self._pinned.order(self._pinned.listed.undo if _undoing(arguments) else None, values)

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        key, pinned = digest(arguments.canonical()), self._pinned
        grant.spend(self.spec.name, arguments.canonical())
        self._heard.pop(key, None)
        pin, sent, call = self._order(arguments, pinned.main.sent(arguments))
        await progress(call[:300])
        try:
            answered = await pinned.connection.call(pin, sent, once=True, progress=progress)
        except (NoAnswer, Unreadable) as error:
            return Outcome(
                ok=True, summary=f"{error}; only looking can tell"
            )  # verify or a person has the last word
        told = Told.of(answered)
        if (trouble := pinned.main.trouble(told)) is not None:
            return Outcome(
                ok=True, summary=f"its answer reads like an error ({trouble}); only looking can tell"
            )
        done = outcome(pinned.server.name, self.spec.name, call, answered)
        if done.ok:
            self._heard[key] = done.summary
        return done

    async def verify(self, arguments: Arguments) -> Verification:
        listed, values = self._pinned.listed, self._pinned.main.sent(arguments)
        check = listed.verify
        if check is None:
            heard = self._heard.get(digest(arguments.canonical()))
            if listed.settled_by == "result" and heard is not None:
                return Verification(Verdict.DONE, "the server says so; nothing looked whether it is true")
            return Verification(Verdict.UNCLEAR, NO_CHECK)
        told = await self._pinned.look(check, values)
        if told.failed and not reads(check.holds or "@", "failed"):
            return Verification(Verdict.UNCLEAR, f"the check failed: {shortened(told.text, 300)}")
        try:
            holds = told.asked(check.holds or "@", values)
        except ToolFailed as error:
            return Verification(Verdict.UNCLEAR, str(error))
        return judged(check.holds, holds, wanted=not _undoing(arguments))


def _undoing(arguments: Arguments) -> bool:
    return arguments.canonical().get(RESERVED) is True


def missing(servers: Sequence[Server], pins: Pins) -> Mapping[str, Server]:
    """The listed tools that are not pinned, by what they are called here."""
    return {
        listed.known_as: server
        for server in servers
        for listed in server.tools
        if listed.tool not in pins.of(server.name)
    }
