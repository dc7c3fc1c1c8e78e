"""One pinned tool of one server: what it declares, what a call sends, and the reads that plan and check it."""

import json
from collections.abc import Mapping, Sequence

from tools.contract import Arguments, Json, Spec, ToolUnavailable
from tools.declared import spoken
from tools.mcp.arguments import model
from tools.mcp.declared import PLACEHOLDER, RESERVED, ListedTool, Server, ServerRefused, Step
from tools.mcp.port import Answered, Connection, Offered, differences
from tools.mcp.results import Told, error_in
from tools.mcp.schema import plain
from tools.mcp.wording import quoted

_MARGIN = 5.0  # seconds: the connection's own limits come first, and say more


class Listing:
    """One listed tool with its pin: which arguments it takes here, and what they become on their way."""

    def __init__(self, server: Server, listed: ListedTool, pins: Mapping[str, Offered]) -> None:
        if listed.tool not in pins:
            raise ServerRefused(
                f"{server.name!r}: {listed.tool!r} is not pinned: `sayso mcp pin {server.name} {listed.tool}`"
            )
        self.server, self.listed, self.pin = server, listed, pins[listed.tool]
        try:
            self.arguments = model(
                listed.known_as, plain(self.pin.input), listed.arguments, undo=listed.undo is not None
            )
        except ServerRefused as error:
            raise ServerRefused(f"{server.name!r}: {listed.tool}: {error}") from error

    def spec(self) -> Spec:
        """What the tool declares about itself."""
        server, listed = self.server, self.listed
        return Spec(
            name=listed.known_as,
            description=listed.description or quoted(server.name, self.pin.description),
            arguments=self.arguments,
            effect=listed.effect,
            version=self.pin.hash[:12],
            timeout=server.timeout + server.start_timeout + _MARGIN,
            examples=spoken(listed.examples),
            target=(),  # of the runs of one tool, one at a time: nobody knows what they have in common
        )

    def sent(self, arguments: Arguments) -> dict[str, Json]:
        """What a call sends: what was given, and what the operator fixed."""
        values = {name: value for name, value in arguments.canonical().items() if name != RESERVED}
        fixed = {name: limit.fixed for name, limit in self.listed.arguments.items() if limit.is_fixed}
        return {**values, **fixed}

    def trouble(self, told: Told) -> str | None:
        """The server's own trouble in the disguise of an answer; None where it is an answer."""
        return None if self.listed.tells_errors else error_in(told)

    def query(self, sent: Mapping[str, Json]) -> str:
        """The call as people are shown it."""
        return f"{self.server.name}: {self.pin.name} {json.dumps(sent, ensure_ascii=False)}"


class Pinned:
    """One pinned tool of one server with its steps, and the way to them."""

    def __init__(
        self, server: Server, listed: ListedTool, pins: Mapping[str, Offered], connection: Connection
    ) -> None:
        self.server, self.listed, self.connection = server, listed, connection
        self.main = Listing(server, listed, pins)
        self.pin, self.spec = self.main.pin, self.main.spec()
        self._steps: dict[str, Listing] = {}
        for key, step in (("plan", listed.plan), ("verify", listed.verify), ("undo", listed.undo)):
            if step is not None:
                self._steps[step.tool] = self._step(key, step, pins)

    def _step(self, key: str, step: Step, pins: Mapping[str, Offered]) -> Listing:
        where = f"{self.server.name!r}: {self.listed.tool}: {key}"
        try:
            listing = Listing(self.server, self.server.known(step.tool), pins)
        except ServerRefused as error:
            raise ServerRefused(f"{where}: {error}") from error
        known = set(self.main.arguments.model_fields)
        if strays := sorted(set(PLACEHOLDER.findall(json.dumps(step.arguments))) - known):
            raise ServerRefused(f"{where}: {strays[0]!r} is none of its arguments")
        if strays := sorted(set(step.arguments) - set(listing.arguments.model_fields)):
            raise ServerRefused(f"{where}: {strays[0]!r} is no argument of {step.tool}")
        return listing

    def filled(self, step: Step, values: Mapping[str, Json]) -> tuple[Listing, dict[str, Json]]:
        """A step with the values of a call, within the limits of the tool it calls. Raises `BadArguments`."""
        listing = self._steps[step.tool]
        filled = filled_in(step.arguments, values)
        given = listing.spec().validate(filled if isinstance(filled, Mapping) else {})
        return listing, listing.sent(given)

    async def ask(self, values: Mapping[str, Json]) -> Answered:
        return await self.connection.call(self.pin, values, once=False)

    async def look(self, step: Step, values: Mapping[str, Json]) -> Told:
        """What a read of the same server says. Raises `ToolUnavailable` where that is only its trouble."""
        listing, sent = self.filled(step, values)
        told = Told.of(await self.connection.call(listing.pin, sent, once=False))
        if (trouble := listing.trouble(told)) is not None:
            raise ToolUnavailable(f"{listing.query(sent)} was answered with an error: {trouble}")
        return told

    def order(self, step: Step | None, values: Mapping[str, Json]) -> tuple[Offered, Mapping[str, Json], str]:
        """The one call of a write: the tool's own or its way back, what it sends, and how people are shown it."""
        if step is None:
            return self.pin, values, self.main.query(values)
        listing, sent = self.filled(step, values)
        return listing.pin, sent, listing.query(sent)

    async def standing(self) -> str | None:
        """How the tool differs from its pin on the server now; None where it does not. Raises `ToolUnavailable`."""
        now = {tool.name: tool for tool in await self.connection.offered()}.get(self.pin.name)
        return "; ".join(differences(self.pin, now)) or None


def filled_in(template: Json, values: Mapping[str, Json]) -> Json:
    """A template with its values: a text that is just a placeholder becomes the value, or nothing where it has none."""
    if isinstance(template, str):
        if (whole := PLACEHOLDER.fullmatch(template)) is not None:
            return values.get(whole[1])
        return PLACEHOLDER.sub(lambda found: str(values.get(found[1], "")), template)
    if isinstance(template, Mapping):
        filled = {name: filled_in(each, values) for name, each in template.items()}
        return {name: value for name, value in filled.items() if value is not None}
    return [filled_in(each, values) for each in template] if isinstance(template, Sequence) else template
