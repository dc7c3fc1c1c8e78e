"""A conversation typed into a terminal: words for sayso, and a few commands that begin with a slash."""

import logging
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

from agent.approvals.action import State, Verdict
from agent.conversation.thread import ThreadId
from agent.people.person import UnknownPerson
from agent.surfaces.terminal import cards, record
from agent.surfaces.terminal.keyboard import stoppable, typed
from agent.surfaces.terminal.screen import paper
from agent.surfaces.terminal.sitting import Sitting
from agent.words.catalogue import say

LOG = logging.getLogger("sayso.terminal")

Command = Callable[[list[str]], Awaitable[None]]

# "show A-1", "approve a-1": a command about one action without its slash. Any other word makes it a question.
_ABOUT_ONE = re.compile(
    r"\s*(?:(show)\s+([at]-\d+)|(approve|reject|withdraw|break-glass|countersign)\s+(a-\d+))\s*",
    re.IGNORECASE,
)


class Chat:
    """Reads lines until the person leaves. The thread is one, whoever speaks in it."""

    def __init__(self, sitting: Sitting) -> None:
        self._sitting = sitting
        sitting.thread = sitting.thread or ThreadId(f"terminal:{uuid4().hex[:8]}")
        self._commands: dict[str, Command] = {
            "/help": self._help,
            "/as": self._as,
            "/people": self._people,
            "/actions": self._actions,
            "/approve": self._approve,
            "/reject": self._reject,
            "/withdraw": self._withdraw,
            "/edit": self._edit,
            "/settle": self._settle,
            "/break-glass": self._break_glass,
            "/countersign": self._countersign,
            "/show": self._show,
            "/tools": self._tools,
            "/helpful": self._helpful,
            "/wrong": self._wrong,
        }

    async def run(self) -> None:
        """The conversation, until /quit, Ctrl-D or the end of the input."""
        paper().print(self._say("welcome", name=self._sitting.person.name), style="bold")
        await self._sitting.catch_up()
        async for line in self._lines():
            words = with_slash(line).split()
            if not words:
                continue
            if words[0] in ("/quit", "/exit") or line.strip().lower() in ("quit", "exit"):
                break
            if words[0].startswith("/"):
                command = self._commands.get(words[0])
                if command is None:
                    paper().print(self._say("unknown_command", command=words[0]))
                else:
                    await command(words[1:])
            else:
                await self._ask(line)
        paper().print(self._say("bye"))

    async def _ask(self, line: str) -> None:
        try:
            ended = await stoppable(self._answered(line))
        except Exception as error:
            # The edge of a conversation: one question that cannot be answered must not end it.
            LOG.exception("a question could not be answered")
            paper().print(self._say("broke", error=f"{type(error).__name__}: {error}"), style="red")
            return
        if not ended:
            paper().print(self._say("stopped"), style="yellow")

    async def _answered(self, line: str) -> None:
        document = await self._sitting.ask(line)
        actions = document.get("actions")
        for action in actions if isinstance(actions, list) else []:
            if isinstance(action, dict):
                paper().print(self._say("decide_hint_chat", action=action["id"]), style="dim")
        paper().print()

    async def _lines(self) -> AsyncIterator[str]:
        """Lines from a keyboard, with a history and editing; from a pipe, as they come."""
        if not sys.stdin.isatty():
            for line in sys.stdin:
                paper().print(f"{self._sitting.person.id}> {line.strip()}", style="bold")
                yield line.strip()
            return
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import FileHistory

        history = FileHistory(str(self._sitting.app.home.folder / "chat-history"))
        prompt: PromptSession[str] = PromptSession(history=history)
        async for line in typed(prompt, lambda: f"{self._sitting.person.id}> "):
            yield line

    async def _help(self, _words: list[str]) -> None:
        paper().print(self._say("help"))

    async def _as(self, words: list[str]) -> None:
        people = ", ".join(person.id for person in self._sitting.app.directory.everybody())
        if not words:
            paper().print(self._say("type_as", people=people))
            return
        try:
            self._sitting.person = self._sitting.app.directory.get(words[0])
        except UnknownPerson:
            paper().print(self._say("no_such_person", person=words[0], people=people))
            return
        person = self._sitting.person
        paper().print(self._say("now_you_are", name=person.name, roles=", ".join(sorted(person.roles))))

    async def _people(self, _words: list[str]) -> None:
        for person in self._sitting.app.directory.everybody():
            paper().print(f"{person.id:8} {person.name:20} {', '.join(sorted(person.roles))}")

    async def _actions(self, _words: list[str]) -> None:
        sitting = self._sitting
        found = await sitting.app.actions.latest(reader=sitting.person)
        waiting = [action for action in found if action.state is State.AWAITING_APPROVAL]
        cards.show_list(found, sitting.app.now(), sitting.locale)
        if found and not waiting:
            paper().print(self._say("no_waiting"))

    async def _approve(self, words: list[str]) -> None:
        if await self._names_action("/approve", words):
            await self._sitting.decide(words[0], Verdict.APPROVE, " ".join(words[1:]))

    async def _reject(self, words: list[str]) -> None:
        if await self._names_action("/reject", words):
            await self._sitting.decide(words[0], Verdict.REJECT, " ".join(words[1:]))

    async def _withdraw(self, words: list[str]) -> None:
        if not await self._names_action("/withdraw", words):
            return
        sitting = self._sitting
        action = await sitting.app.actions.find(words[0], sitting.person)
        if action is None:
            paper().print(self._say("no_such_action", action=words[0]))
        else:
            sitting.tell(await sitting.app.withdraw(action, sitting.person))

    async def _edit(self, words: list[str]) -> None:
        changes = dict(word.split("=", 1) for word in words[1:] if "=" in word)
        if await self._names_action("/edit", words):
            if not changes or len(changes) < len(words) - 1:
                paper().print(self._say("type_edit", action=words[0]))
            else:
                await self._sitting.edit(words[0], changes)

    async def _settle(self, words: list[str]) -> None:
        outcome = words[1].lower() if len(words) > 1 else ""
        if outcome not in ("succeeded", "failed"):
            paper().print(self._say("type_settle"))
        else:
            await self._sitting.settle(words[0], succeeded=outcome == "succeeded", reason=" ".join(words[2:]))

    async def _break_glass(self, words: list[str]) -> None:
        if await self._names_action("/break-glass", words):
            await self._sitting.break_glass(words[0], " ".join(words[1:]))

    async def _countersign(self, words: list[str]) -> None:
        if await self._names_action("/countersign", words):
            await self._sitting.countersign(words[0], " ".join(words[1:]))

    async def _names_action(self, command: str, words: list[str]) -> bool:
        """Whether an action was named; says what to type, and which ones wait, when none was."""
        if not words:
            found = await self._sitting.app.actions.latest(reader=self._sitting.person)
            waiting = [action.id for action in found if action.state is State.AWAITING_APPROVAL]
            paper().print(self._say("type_decide", command=command, waiting=", ".join(waiting) or "–"))
        return bool(words)

    async def _show(self, words: list[str]) -> None:
        if not words:
            paper().print(self._say("type_show"))
            return
        sitting, name = self._sitting, words[0].upper()
        action = await sitting.app.actions.find(name, sitting.person) if name.startswith("A-") else None
        story = await sitting.app.requests.record(name, sitting.person) if action is None else None
        if action is not None:
            cards.show(sitting.app.actions.card(action, sitting.locale, sitting.person))
            events = [event async for event in sitting.app.trail.events(action.id, reader=sitting.person)]
            cards.show_story(events, sitting.app.name)
        elif story is not None:
            record.show(story, sitting.app.name(story.speaker))
        else:
            paper().print(self._say("no_such_action", action=name))

    async def _helpful(self, words: list[str]) -> None:
        await self._mark(words, helpful=True)

    async def _wrong(self, words: list[str]) -> None:
        await self._mark(words, helpful=False)

    async def _mark(self, words: list[str], *, helpful: bool) -> None:
        """Marks the last answer's passage: the one of a number, else the first it cites."""
        first = words[0].strip("[]") if words else ""
        number = int(first) if first.isdecimal() else None
        reason = " ".join(words if number is None else words[1:])
        await self._sitting.mark(helpful=helpful, number=number, reason=reason)

    async def _tools(self, _words: list[str]) -> None:
        sitting = self._sitting
        for spec in sitting.app.registry.specs():
            if sitting.app.may_use(sitting.person, spec.name):
                paper().print(f"{spec.name:14} {spec.effect.value:6} {spec.description.splitlines()[0]}")

    def _say(self, key: str, **fields: object) -> str:
        return say(f"terminal.{key}", self._sitting.locale, **fields)


def with_slash(line: str) -> str:
    """The line, with the slash that was left out where it is nothing but a command and the id of an action."""
    found = _ABOUT_ONE.fullmatch(line)
    if found is None:
        return line
    command, id_ = (part for part in found.groups() if part is not None)
    return f"/{command.lower()} {id_.upper()}"
