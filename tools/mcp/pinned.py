"""One pinned tool of one server: what it declares, what a call sends, and the reads that plan and check it."""

import json
from collections.abc import Mapping, Sequence

from tools.contract import Arguments, Example, Json, Progress, Spec, ToolUnavailable
from tools.mcp.arguments import model
from tools.mcp.declared import PLACEHOLDER, RESERVED, ListedTool, Server, ServerRefused, Step
from tools.mcp.port import Answered, Connection, Offered, differences
from tools.mcp.results import Told, error_in
from tools.mcp.schema import plain
from tools.mcp.wording import quoted


class Pinned:
    """One pinned tool of one server, and the way to it."""

    def __init__(
        self, server: Server, listed: ListedTool, pins: Mapping[str, Offered], connection: Connection
    ) -> None:
        self.server, self.listed, self.connection, self._pins = server, listed, connection, pins
        self.pin = pins[listed.tool]
        try:
            arguments = model(
                listed.known_as, plain(self.pin.input), listed.arguments, undo=listed.undo is not None
            )
        except ServerRefused as error:
            raise ServerRefused(f"{server.name!r}: {listed.tool}: {error}") from error
        self._check_placeholders(set(arguments.model_fields))
        self.spec = Spec(
            name=listed.known_as,
            description=listed.description or quoted(server.name, self.pin.description),
            arguments=arguments,
            effect=listed.effect,
            version=self.pin.hash[:12],
            timeout=server.timeout
            + server.start_timeout
            + 5,  # the connection's own limits come first, and say more
            examples=tuple(
                Example(each) if isinstance(each, str) else Example(each.text, each.language)
                for each in listed.examples
            ),
            target=(),  # of the runs of one tool, one at a time: nobody knows what they have in common
        )

    def _check_placeholders(self, known: set[str]) -> None:
        for key, step in (
            ("plan", self.listed.plan),
            ("verify", self.listed.verify),
            ("undo", self.listed.undo),
        ):
            if step is None:
                continue
            if step.tool not in self._pins:
                raise ServerRefused(
                    f"{self.server.name!r}: {self.listed.tool}: {key}: {step.tool!r} is not pinned: "
                    f"`sayso mcp pin {self.server.name}`"
                )
            if strays := sorted(set(PLACEHOLDER.findall(json.dumps(step.arguments))) - known):
                raise ServerRefused(
                    f"{self.server.name!r}: {self.listed.tool}: {key}: {strays[0]!r} is none of its arguments"
                )

    def sent(self, arguments: Arguments) -> dict[str, Json]:
        """What a call sends: what was given, and what the operator fixed."""
        values = {name: value for name, value in arguments.canonical().items() if name != RESERVED}
        fixed = {name: limit.fixed for name, limit in self.listed.arguments.items() if limit.is_fixed}
        return {**values, **fixed}

    def query(self, tool: str, values: Mapping[str, Json]) -> str:
        return f"{self.server.name}: {tool} {json.dumps(values, ensure_ascii=False)}"

    async def ask(self, values: Mapping[str, Json]) -> Answered:
        return await self.connection.call(self.pin, values, once=False)

    async def step(self, step: Step, values: Mapping[str, Json]) -> Told:
        """What a read of the same server says. Raises `ToolUnavailable` where that is only its trouble."""
        filled = filled_in(step.arguments, values)
        answered = await self.connection.call(
            self._pins[step.tool], filled if isinstance(filled, Mapping) else {}, once=False
        )
        told = Told.of(answered)
        if (trouble := error_in(told)) is not None:
            raise ToolUnavailable(f"{self.query(step.tool, values)} was answered with an error: {trouble}")
        return told

    async def send(self, step: Step | None, values: Mapping[str, Json], progress: Progress) -> Answered:
        """The one call of a write."""
        if step is None:
            return await self.connection.call(self.pin, values, once=True, progress=progress)
        filled = filled_in(step.arguments, values)
        return await self.connection.call(
            self._pins[step.tool], filled if isinstance(filled, Mapping) else {}, once=True, progress=progress
        )

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
