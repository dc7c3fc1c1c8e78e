"""Tools made of declared commands: reads that only run, writes with a plan, a check and a way back.

Exit codes: 0 is success. Of `verify`, 0 means that the change is in place, 1 that it is not, anything else that nobody
can tell. What `plan` prints is what approvers decide on: when it prints something else later, the action is stale.
"""

import shlex
from collections.abc import Mapping, Sequence

from tools.commands.arguments import CommandArguments, model, render
from tools.commands.declared import Command, declared
from tools.commands.process import Ended, Runner, Runs, Unanswered
from tools.commands.ssh import Host, Remote
from tools.contract import (
    Arguments,
    Asker,
    Change,
    Effect,
    Finding,
    Grant,
    Json,
    Outcome,
    Plan,
    Progress,
    Spec,
    Tool,
    ToolFailed,
    ToolUnavailable,
    Undo,
    Verdict,
    Verification,
)
from tools.declared import spoken
from tools.vocabulary import Vocabulary

SHOWN_LINES = 20  # of an output, at its beginning and at its end


def commands(
    settings: Sequence[Mapping[str, object]],
    vocabulary: Vocabulary,
    runner: Runner | None = None,
    hosts: Sequence[Host] = (),
) -> tuple[Tool, ...]:
    """The tools of `tools.commands` in settings; `hosts` are the machines that commands may name.

    Raises `CommandRefused` when a declaration is wrong.
    """
    here = runner or Runner()
    known = {host.name: Remote(host, here) for host in hosts}
    made: list[Tool] = []
    for command in declared(settings, known):
        kind = ReadCommand if command.effect is Effect.READ else WriteCommand
        made.append(kind(command, vocabulary, _Programs(command, here, known)))
    return tuple(made)


def _spec(command: Command, arguments: type[CommandArguments]) -> Spec:
    return Spec(
        name=command.name,
        description=command.description,
        arguments=arguments,
        effect=command.effect,
        timeout=command.timeout + 5,  # the program's own limit comes first, and says more
        examples=spoken(command.examples),
        target=("environment", "service", *([command.machine] if command.machine else [])),
    )


class _Programs:
    """The programs of one command, filled with the values of one call, here or on the machine of that call."""

    def __init__(self, command: Command, here: Runs, machines: Mapping[str, Remote]) -> None:
        self._command, self._here, self._machines = command, here, machines

    def filled(self, arguments: Sequence[str], given: Arguments) -> tuple[str, ...]:
        return render(arguments, CommandArguments.of(given).values())

    def machine(self, given: Arguments) -> Host | None:
        """Where this call runs; None for here."""
        if self._command.host is None:
            return None
        return self._machines[render([self._command.host], CommandArguments.of(given).values())[0]].host

    def told(self, filled: Sequence[str], given: Arguments) -> str:
        """What is run, and where, for people."""
        host = self.machine(given)
        return f"{host.name}: {shlex.join(filled)}" if host else shlex.join(filled)

    async def run(
        self, arguments: Sequence[str], given: Arguments, progress: Progress | None = None
    ) -> tuple[str, Ended]:
        """Runs one of the command's lists; how it ended, and what was run for people."""
        filled, host = self.filled(arguments, given), self.machine(given)
        runs = self._machines[host.name] if host else self._here
        ended = await runs.run(
            filled,
            cwd=self._command.cwd,
            environment=self._command.environment,
            timeout=self._command.timeout,
            limit=self._command.output_limit,
            progress=progress,
        )
        return self.told(filled, given), ended


class ReadCommand:
    """A declared command that only looks."""

    def __init__(self, command: Command, vocabulary: Vocabulary, programs: _Programs) -> None:
        self._command, self._programs = command, programs
        self.spec = _spec(command, model(command, vocabulary))

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - `access` says who may run it
        told, ended = await self._programs.run(self._command.run, arguments)
        return _outcome(self._command, told, ended)


class WriteCommand:
    """A declared command that changes something."""

    def __init__(self, command: Command, vocabulary: Vocabulary, programs: _Programs) -> None:
        self._command, self._programs = command, programs
        self.spec = _spec(command, model(command, vocabulary))

    async def plan(self, arguments: Arguments) -> Plan:
        """What would be run and what its plan says. Raises `ToolFailed` when the plan's program does not succeed."""
        command, undoing, host = self._command, _undoing(arguments), self._programs.machine(arguments)
        filled = self._programs.filled(self._wanted(arguments), arguments)
        said = await self._asked(arguments)
        back = command.undo is not None and not undoing
        observed: dict[str, Json] = {"run": list(filled), "plan": said}
        return Plan(
            title=f"{'Undo' if undoing else 'Run'} {command.name}{f' on {host.name}' if host else ''}",
            changes=(Change(self._programs.told(filled, arguments), "not run", "run once"),),
            touches=tuple(
                f"{name} {value}" for name, value in arguments.canonical().items() if name != "undo"
            ),
            observed={**observed, "host": host.shown} if host else observed,
            undo=Undo(command.name, {**arguments.canonical(), "undo": True}) if back else None,
            undo_text=self._programs.told(self._programs.filled(command.undo, arguments), arguments)
            if back and command.undo
            else "",
            notes=tuple(_shown(said).splitlines()),
        )

    async def _asked(self, arguments: Arguments) -> str:
        """What the plan's program says; nothing where there is none."""
        if self._command.plan is None:
            return ""
        try:
            told, ended = await self._programs.run(self._command.plan, arguments)
        except Unanswered as error:  # nothing is known of the world, and nothing was changed
            raise ToolUnavailable(str(error)) from error
        if not ended.ok:
            raise ToolFailed(f"the plan {told} ended with {ended.code}: {_shown(ended.output)}")
        return ended.output.strip()

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        grant.spend(self.spec.name, arguments.canonical())
        wanted = self._wanted(arguments)
        try:
            told, ended = await self._programs.run(wanted, arguments, progress)
        except Unanswered as error:  # only looking can tell: verify has the last word
            told = self._programs.told(self._programs.filled(wanted, arguments), arguments)
            found = _finding(self._command, told, error.output, error.lost, None)
            return Outcome(ok=True, summary=str(error), findings=(found,))
        return _outcome(self._command, told, ended)

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


def _outcome(command: Command, told: str, ended: Ended) -> Outcome:
    last = next((line.strip() for line in reversed(ended.output.splitlines()) if line.strip()), "no output")
    how = "succeeded" if ended.ok else f"ended with {ended.code}"
    finding = _finding(command, told, ended.output, ended.lost, ended.code)
    return Outcome(ok=ended.ok, summary=f"{command.name} {how}: {last[:300]}", findings=(finding,))


def _finding(command: Command, told: str, output: str, lost: int, code: int | None) -> Finding:
    """What a program wrote; `code` is None where nobody saw its end."""
    lines = len(output.splitlines())
    return Finding(
        kind="output",
        title=f"Output of {command.name}",
        source=told.partition(" ")[0].rstrip(":"),
        query=told,
        text=_shown(output) or "no output",
        facts={"command": command.name, "exit_code": code, "lines": lines},
        raw=output or None,
        cut=_cut(lines, lost),
    )


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
