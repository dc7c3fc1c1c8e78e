"""A write tool whose world is one number, with a witness that counts its effects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from tools.contract import (
    Arguments,
    Asker,
    BadArguments,
    Change,
    Effect,
    Grant,
    Json,
    Outcome,
    Plan,
    Progress,
    ReadTool,
    Spec,
    ToolFailed,
    ToolUnavailable,
    Undo,
    Verdict,
    Verification,
    WriteTool,
)


class ValveArguments(Arguments):
    position: Annotated[int, Field(ge=0, le=100)]
    site: str = "north"


@dataclass
class Valve:
    """Opens to a position; `witness` lists what moved it, `broken` makes runs fail, `puzzled` breaks plans."""

    position: int = 10
    broken: bool = False
    unclear: bool = False
    away: bool = False
    puzzled: bool = False
    pressure: int = 3
    matters: tuple[str, ...] | None = None
    witness: list[str] = field(default_factory=list)
    spec: Spec = field(
        default_factory=lambda: Spec("valve", "Moves the valve", ValveArguments, Effect.WRITE, timeout=5)
    )

    async def plan(self, arguments: Arguments) -> Plan:
        wanted = self._typed(arguments).position
        if self.away:
            raise ToolUnavailable("the valve does not answer")
        if self.puzzled:
            raise KeyError("a mistake of whoever wrote the tool")
        return Plan(
            title=f"Move the valve to {wanted}",
            changes=(Change("position", str(self.position), str(wanted)),),
            touches=("valve",),
            observed={"position": self.position}
            if self.matters is None
            else {"position": self.position, "pressure": self.pressure},
            matters=self.matters,
            undo=Undo("valve", {"position": self.position}),
            undo_text=f"move it back to {self.position}",
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        grant.spend(self.spec.name, arguments.canonical())
        if self.broken:
            raise ToolFailed("the valve is stuck")
        await progress("moving")
        self.witness.append(grant.action)
        self.position = self._typed(arguments).position
        return Outcome(ok=True, summary=f"moved to {self.position}")

    async def verify(self, arguments: Arguments) -> Verification:
        if self.unclear:
            return Verification(Verdict.UNCLEAR, "the gauge does not answer")
        done = self.position == self._typed(arguments).position
        return Verification(Verdict.DONE if done else Verdict.NOT_DONE, f"it stands at {self.position}")

    def _typed(self, arguments: Arguments) -> ValveArguments:
        assert isinstance(arguments, ValveArguments)
        return arguments


class GaugeArguments(Arguments):
    pass


@dataclass
class Gauge:
    """A read tool beside the valve."""

    spec: Spec = field(default_factory=lambda: Spec("gauge", "Reads the gauge", GaugeArguments, Effect.READ))

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:
        return Outcome(ok=True, summary=f"read for {asker.person}")


@dataclass
class Shed:
    """The whitelist of a test."""

    tools: Mapping[str, ReadTool | WriteTool]

    def get(self, name: str) -> ReadTool | WriteTool:
        if name not in self.tools:
            raise BadArguments(f"{name!r} is not a tool here", field="tool", value=name)
        return self.tools[name]


def arguments(position: int) -> dict[str, Json]:
    return {"position": position}
