"""Tools made of declared commands: reads that only run, writes with a plan, a check and a way back.

Exit codes: 0 is success. Of `verify`, 0 means that the change is in place, 1 that it is not, anything else that nobody
can tell. What `plan` prints is what approvers decide on: when it prints something else later, the action is stale.
"""

import shlex
from collections.abc import Mapping, Sequence

from tools.commands.arguments import CommandArguments, model, render
from tools.commands.declared import Command, declared
from tools.commands.process import Ended, Overdue, Runner
from tools.contract import (
    Arguments,
    Asker,
    Change,
    Effect,
    Example,
    Finding,
    Grant,
    Outcome,
    Plan,
    Progress,
    Spec,
    Tool,
    ToolFailed,
    Undo,
    Verdict,
    Verification,
)
from tools.vocabulary import Vocabulary

SHOWN_LINES = 20  # of an output, at its beginning and at its end


def commands(
    settings: Sequence[Mapping[str, object]], vocabulary: Vocabulary, runner: Runner | None = None
) -> tuple[Tool, ...]:
    """The tools of `tools.commands` in settings. Raises `CommandRefused` when a declaration is wrong."""
    runs = runner or Runner()
    return tuple(
        ReadCommand(command, vocabulary, runs)
        if command.effect is Effect.READ
        else WriteCommand(command, vocabulary, runs)
        for command in declared(settings)
    )


def _spec(command: Command, arguments: type[CommandArguments]) -> Spec:
    return Spec(
        name=command.name,
        description=command.description,
        arguments=arguments,
        effect=command.effect,
        timeout=command.timeout + 5,  # the program's own limit comes first, and says more
        examples=tuple(
            Example(example) if isinstance(example, str) else Example(example.text, example.language)
            for example in command.examples
        ),
    )


class _Programs:
    """The programs of one command, filled with the values of one call."""

    def __init__(self, command: Command, runner: Runner) -> None:
        self._command, self._runner = command, runner

    def filled(self, arguments: Sequence[str], given: Arguments) -> tuple[str, ...]:
        return render(arguments, CommandArguments.of(given).values())

    async def run(
        self, arguments: Sequence[str], given: Arguments, progress: Progress | None = None
    ) -> tuple[tuple[str, ...], Ended]:
        """Runs one of the command's lists and returns it as it was run."""
        filled = self.filled(arguments, given)
        ended = await self._runner.run(
            filled,
            cwd=self._command.cwd,
            environment=self._command.environment,
            timeout=self._command.timeout,
            limit=self._command.output_limit,
            progress=progress,
        )
        return filled, ended


class ReadCommand:
    """A declared command that only looks."""

    def __init__(self, command: Command, vocabulary: Vocabulary, runner: Runner) -> None:
        self._command, self._programs = command, _Programs(command, runner)
        self.spec = _spec(command, model(command, vocabulary))

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - `access` says who may run it
        filled, ended = await self._programs.run(self._command.run, arguments)
        return _outcome(self._command.name, filled, ended)


class WriteCommand:
    """A declared command that changes something."""

    def __init__(self, command: Command, vocabulary: Vocabulary, runner: Runner) -> None:
        self._command, self._programs = command, _Programs(command, runner)
        self.spec = _spec(command, model(command, vocabulary))

    async def plan(self, arguments: Arguments) -> Plan:
        """What would be run and what its plan says. Raises `ToolFailed` when the plan's program does not succeed."""
        command, undoing = self._command, _undoing(arguments)
        filled = self._programs.filled(self._wanted(arguments), arguments)
        said = ""
        if command.plan is not None:
            asked, ended = await self._programs.run(command.plan, arguments)
            if not ended.ok:
                raise ToolFailed(
                    f"the plan {shlex.join(asked)} ended with {ended.code}: {_shown(ended.output)}"
                )
            said = ended.output.strip()
        back = command.undo is not None and not undoing
        return Plan(
            title=f"{'Undo' if undoing else 'Run'} {command.name}",
            changes=(Change(shlex.join(filled), "not run", "run once"),),
            touches=tuple(
                f"{name} {value}" for name, value in arguments.canonical().items() if name != "undo"
            ),
            observed={"run": list(filled), "plan": said},
            undo=Undo(command.name, {**arguments.canonical(), "undo": True}) if back else None,
            undo_text=shlex.join(self._programs.filled(command.undo, arguments))
            if back and command.undo
            else "",
            notes=tuple(_shown(said).splitlines()),
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        grant.spend(self.spec.name, arguments.canonical())
        try:
            filled, ended = await self._programs.run(self._wanted(arguments), arguments, progress)
        except Overdue as error:
            return Outcome(ok=True, summary=str(error))  # only looking can tell: verify has the last word
        return _outcome(self._command.name, filled, ended)

    async def verify(self, arguments: Arguments) -> Verification:
        if self._command.verify is None:
            return Verification(Verdict.UNCLEAR, f"{self._command.name} declares no way to verify it")
        _, ended = await self._programs.run(self._command.verify, arguments)
        in_place = {0: True, 1: False}.get(ended.code)
        if in_place is None:
            return Verification(Verdict.UNCLEAR, f"verify ended with {ended.code}: {_shown(ended.output)}")
        wanted = not _undoing(arguments)
        return Verification(Verdict.DONE if in_place is wanted else Verdict.NOT_DONE, _shown(ended.output))

    def _wanted(self, arguments: Arguments) -> Sequence[str]:
        """The list this call runs: the command, or its way back."""
        return self._command.undo if _undoing(arguments) and self._command.undo else self._command.run


def _undoing(arguments: Arguments) -> bool:
    return arguments.canonical().get("undo") is True


def _outcome(name: str, filled: Sequence[str], ended: Ended) -> Outcome:
    lines = ended.output.splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "no output")
    finding = Finding(
        kind="output",
        title=f"Output of {name}",
        source=filled[0],
        query=shlex.join(filled),
        text=_shown(ended.output) or "no output",
        facts={"command": name, "exit_code": ended.code, "lines": len(lines)},
        raw=ended.output or None,
        cut=_cut(len(lines), ended.lost),
    )
    how = "succeeded" if ended.ok else f"ended with {ended.code}"
    return Outcome(ok=ended.ok, summary=f"{name} {how}: {last[:300]}", findings=(finding,))


def _shown(output: str) -> str:
    """The beginning and the end of an output."""
    lines = output.strip().splitlines()
    if len(lines) <= 2 * SHOWN_LINES:
        return "\n".join(lines)
    left = len(lines) - 2 * SHOWN_LINES
    return "\n".join([*lines[:SHOWN_LINES], f"... {left} lines ...", *lines[-SHOWN_LINES:]])


def _cut(lines: int, lost: int) -> str | None:
    parts = []
    if lines > 2 * SHOWN_LINES:
        parts.append(f"the first and last {SHOWN_LINES} of {lines:,} lines")
    if lost:
        parts.append(f"{lost:,} bytes in the middle were not kept")
    return "; ".join(parts) or None
