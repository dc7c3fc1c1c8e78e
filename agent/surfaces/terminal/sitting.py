"""One person at one terminal: asks, watches the turn, and gets the answer, its cards and its files."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.status import Status

from agent.approvals.action import Action, State, Verdict
from agent.conversation.messages import Step
from agent.conversation.outbox import attended
from agent.conversation.thread import Said, ThreadId, TurnId
from agent.conversation.turn import Answer
from agent.feedback import NothingToMark
from agent.policies import typed
from agent.runbooks.following import Notice
from agent.surfaces.terminal import answers, cards
from agent.surfaces.terminal.screen import margin, paper, plain
from agent.words.catalogue import say
from tools.contract import File, Json, ToolError

if TYPE_CHECKING:
    from agent.app import App, Told
    from agent.people.person import Person

_SILENCE = 1.0  # seconds without an answer after which a program that reads along is told that work goes on
FILES = "files"  # folder in the home where charts and tables are written


class Sitting:
    """Implements `agent.conversation.turn.Audience`. `quiet` prints nothing: the caller prints JSON."""

    def __init__(
        self,
        app: "App",
        person: "Person",
        *,
        thread: str | None = None,
        quiet: bool = False,
        silence: float = _SILENCE,
    ) -> None:
        self.app, self.person, self._quiet = app, person, quiet
        self.thread = ThreadId(f"terminal:{thread}") if thread else None
        self._status: Status | None = None
        self._shown: list[Action] = []
        self._last: TurnId | None = None
        self._silence = silence

    @property
    def locale(self) -> str:
        return self.person.language or self.app.settings.language

    async def ask(self, text: str) -> dict[str, Json]:
        """Asks, prints the answer with its cards, and returns it as a document."""
        document = await self._watched(self.app.ask(self.person, text, self, self.thread))
        await self.go_on()
        return document

    async def catch_up(self) -> None:
        """Answers what a process that died left unanswered."""
        for turn in await self.app.requests.left_unanswered(self.person):
            paper().print(
                say("terminal.catching_up", self.locale, question=plain(turn.question)), style="dim"
            )
            said = Said(turn.event_id, turn.thread, turn.speaker, turn.question, turn.asked_at)
            await self._watched(self.app.take_up(turn.turn, said, self))
            await self.go_on()

    async def go_on(self, ended: Action | None = None) -> None:
        """Does the steps of a runbook that follow, until one waits for somebody; those of another place go on there."""
        after = ended or self._last
        follows = None if after is None else await self.app.next_step(after)
        while isinstance(follows, tuple) and attended(follows[1].thread):
            turn, said = follows
            if not self._quiet:
                paper().print(f"\n{plain(said.text)}", style="bold")
            await self._watched(self.app.take_up(turn, said, self))
            follows = await self.app.next_step(turn)
        if isinstance(follows, Notice) and not self._quiet:
            paper().print(plain(follows.text), style="bold")

    async def _watched(self, answering: Awaitable[Answer]) -> dict[str, Json]:
        self._shown = []
        late: asyncio.TimerHandle | None = None
        working = say("terminal.working", self.locale)
        if not self._quiet and margin().is_terminal:
            self._status = margin().status(working)
            self._status.start()
        elif not self._quiet:  # no place for a spinner: one line, so that a slow first answer is no silence
            late = asyncio.get_running_loop().call_later(self._silence, margin().print, working)
        try:
            answer = await answering
        finally:
            if late is not None:
                late.cancel()
            if self._status is not None:
                self._status.stop()
                self._status = None
        self._last = answer.turn
        files = self._written(answer.files, answer.turn)
        if not self._quiet:
            for action in self._shown:
                cards.show(self.app.actions.card(action, answer.locale))
            answers.show(answer, files)
        ready = [action for action in answer.actions if action.requirement.auto]
        done = await self.app.running.run_allowed(ready, self._line, answer.locale) if ready else ()
        for told in () if self._quiet else done:
            self.tell(told)
        for told in done:
            await self.go_on(told.action)
        ended = {told.action.id: told.action for told in done}
        actions = tuple(ended.get(action.id, action) for action in answer.actions)
        return answers.document(replace(answer, actions=actions), files)

    async def text(self, piece: str) -> None:
        """Words as they come: shown beside the answer, which follows checked and whole."""
        if self._status is not None:
            self._status.update(plain(piece.strip().splitlines()[-1])[:100] if piece.strip() else None)

    async def progress(self, step: Step) -> None:
        if self._status is not None:
            self._status.update(f"{say('terminal.working', self.locale)} {plain(step.call.name)}")

    async def card(self, action: Action) -> None:
        self._shown.append(action)

    async def decide(self, name: str, verdict: Verdict, reason: str) -> None:
        """A decision typed into the chat; an approved action runs at once."""
        if (action := await self._named(name)) is not None:
            await self._carried_out(await self.app.decide(action, self.person, verdict, reason=reason))

    async def break_glass(self, name: str, reason: str) -> None:
        """An emergency typed into the chat: it runs at once, or it is said why not."""
        if (action := await self._named(name)) is not None:
            await self._carried_out(await self.app.break_glass(action, self.person, reason=reason))

    async def countersign(self, name: str, reason: str) -> None:
        """The second signature for what ran without approval."""
        if (action := await self._named(name)) is not None:
            self.tell(await self.app.countersign(action, self.person, reason=reason))

    async def edit(self, name: str, changes: Mapping[str, str]) -> None:
        """Proposes it again with other arguments, typed as text; what is wrong with them is said."""
        action = await self._named(name)
        if action is None:
            return
        try:
            spec = self.app.registry.get(action.tool).spec
            wanted = {argument: typed(spec, argument, text) for argument, text in changes.items()}
            told = await self.app.edit(action, self.person, wanted)
        except ToolError as error:
            why = plain(str(error))
            paper().print(say("terminal.not_edited", self.locale, action=action.id, why=why), style="yellow")
            return
        await self._carried_out(told)
        if told.refusal is None and told.action.state is State.AWAITING_APPROVAL:
            cards.show(self.app.actions.card(told.action, self.locale, self.person))

    async def settle(self, name: str, *, succeeded: bool, reason: str) -> None:
        """How an action ended of which nobody knew."""
        if (action := await self._named(name)) is not None:
            self.tell(await self.app.settle(action, self.person, succeeded=succeeded, reason=reason))

    async def _named(self, name: str) -> Action | None:
        """The action of this id; where there is none, that is said."""
        action = await self.app.actions.find(name, self.person)
        if action is None:
            paper().print(say("terminal.no_such_action", self.locale, action=name))
        return action

    async def _carried_out(self, told: "Told") -> None:
        """An approved action runs here and now; what became of it is printed."""
        if told.refusal is None and told.action.state is State.APPROVED:
            margin().print(say("terminal.executing", self.locale, action=told.action.id))
            told = await self.app.run(told.action, self._line, self.locale)
        self.tell(told)
        await self.go_on(told.action)

    async def mark(self, *, helpful: bool, number: int | None, reason: str) -> None:
        """The person's word on the last answer in this sitting."""
        if self._last is None:
            paper().print(say("terminal.no_answer_yet", self.locale))
            return
        record = await self.app.requests.record(self._last, self.person)
        if record is None:
            paper().print(say("terminal.not_your_answer", self.locale))
            return
        try:
            title = await self.app.feedback.mark(
                self.person, record, helpful=helpful, number=number, reason=reason
            )
        except NothingToMark as error:
            paper().print(say("terminal.nothing_to_mark", self.locale, turn=self._last, numbers=str(error)))
            return
        key = "terminal.marked_helpful" if helpful else "terminal.marked_wrong"
        paper().print(say(key, self.locale, title=plain(title)))

    def tell(self, told: "Told") -> None:
        """Prints what became of an attempt; the card of the way back follows a failure."""
        paper().print(plain(told.said), style="yellow" if told.refusal else None)
        if told.action.drifted:
            cards.show(self.app.actions.card(told.action, self.locale))
        if told.follow_up is not None:
            cards.show(self.app.actions.card(told.follow_up, self.locale))

    async def _line(self, line: str) -> None:
        margin().print(f"  {plain(line)}", style="dim")

    def _written(self, files: Sequence[File], turn: str) -> list[Path]:
        """Puts an answer's files into the home folder, readable by its owner alone."""
        if not files:
            return []
        folder = self.app.home.folder / FILES
        folder.mkdir(exist_ok=True, mode=0o700)
        paths = []
        for file in files:
            # A tool names its file; only the last part of the name is taken, so that none can leave the folder.
            path = folder / f"{turn}-{Path(file.name).name}"
            path.write_bytes(file.content)
            path.chmod(0o600)
            paths.append(path)
        return paths
