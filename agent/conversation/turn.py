"""One turn: from what a person said to a checked answer, by way of a model and the tools it may call.

The loop is short on purpose: ask the model; run what it calls; ask again. Reads run at once, writes become actions that
wait for people, and the turn ends without waiting for them. Every model reply is stored before it is acted on, so a
turn that starts over after a crash goes the same way again and makes nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from agent.conversation import aftermath, checking
from agent.conversation.answer import Answer, cuts, record, worded
from agent.conversation.budget import Context
from agent.conversation.choosing import Asked
from agent.conversation.errors import ConversationError
from agent.conversation.language import language_of
from agent.conversation.messages import Message, Offer, Reply, Request, ResultKind, Role, Usage
from agent.conversation.ports import Audience, ChatModel, Clock, Closing, Preparing, Threads, TokenCounter
from agent.conversation.receipt import Receipt
from agent.conversation.redact import Redactor, Stream
from agent.conversation.room import ALONE, Room
from agent.conversation.thread import Line, Said, TurnId
from agent.conversation.toolbox import Bench, Toolbox
from agent.words.catalogue import say
from prompts.loader import Prompt
from tools.contract import Asker, Outcome

__all__ = ["Answer", "Audience", "Limits", "Turns"]

MOST_CALLS = 12  # of one reply; what a model calls beyond that is not heard
LANGUAGES = {"en": "English", "fr": "French"}  # as the prompt names them


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one turn may take: model calls, lines of the thread's past, tokens of one model call."""

    steps: int = 6
    history: int = 20
    context_tokens: int = 16_000
    remembered: int = 8  # turns of the thread whose tools stay shown,
    kept_tools: int = 6  # and how many of them


class Turns:
    """Runs turns. Everything it needs is passed in; it knows no vendor, no clock and no environment.

    `zone` is where people are; `language` is answered in where neither the person's choice nor the question tells.
    """

    def __init__(
        self,
        *,
        model: ChatModel,
        threads: Threads,
        toolbox: Toolbox,
        prompt: Prompt,
        counter: TokenCounter,
        redactor: Redactor,
        clock: Clock,
        zone: tzinfo = UTC,
        language: str = "en",
        limits: Limits | None = None,
    ) -> None:
        self._model, self._threads, self._toolbox, self._prompt = model, threads, toolbox, prompt
        self._counter, self._redactor, self._clock = counter, redactor, clock
        self._zone, self._language, self._limits = zone, language, limits or Limits()

    async def answer(
        self,
        turn: TurnId,
        said: Said,
        asker: Asker,
        offered: frozenset[str],
        audience: Audience,
        room: Room = ALONE,
        model: ChatModel | None = None,
        known: Outcome | None = None,
    ) -> Answer:
        """Answers what was said with the tools in `offered`, whatever the model does, and closes the turn.

        An asker without a locale is answered in the language of the question. What rests on places that some who read
        along may not read is for the asker alone: the thread keeps a line in its place, and so does its past. What is
        `known` beforehand is its first evidence. Raises only what the store raises.
        """
        began = self._clock()
        locale = asker.locale or language_of(said.text, self._language)
        asker = replace(asker, locale=locale, reach=room.reach)
        past = await self._threads.history(said.thread, turn, self._limits.history)
        asked = await self._asked(turn, said, offered, past)
        context = self._context(said, asker, await self._toolbox.choose(offered, asked), past)
        bench = Bench(
            thread=said.thread,
            turn=turn,
            asker=asker,
            said=(*(line.text for line in past if line.speaker == said.speaker), said.text),
            offered=offered,
            shown=[offer.name for offer in context.offers],
            prompt=self._prompt.label,
            room=room,
        )
        if known is not None:
            call, result = await self._toolbox.lay(aftermath.TOOL, known, bench)
            context.add(call, [result])
        replies, trouble = await self._converse(context, bench, audience, model or self._model)
        text, left_out = worded(replies[-1] if replies else None, trouble, said.text, bench, self._redactor)
        answer = Answer(
            turn,
            text,
            tuple(bench.evidence),
            tuple(bench.files),
            tuple(bench.actions),
            self._receipt(began, context, bench, replies, trouble),
            asker.locale,
            left_out,
            private=bench.private,
        )
        story = record(answer, said, bench, self._prompt, self._redactor, self._clock())
        shown = say("turn.in_private", locale) if answer.private else answer.text
        await self._threads.finish(turn, shown, story)
        return answer

    async def prepare(self) -> None:
        """Has the model do now what it would do at the first question."""
        if isinstance(self._model, Preparing):
            await self._model.prepare()

    async def close(self) -> None:
        """Lets go of the model's connections."""
        if isinstance(self._model, Closing):
            await self._model.close()

    async def _converse(
        self, context: Context, bench: Bench, audience: Audience, model: ChatModel
    ) -> tuple[list[Reply], str]:
        """Model and tools in turn, until the model calls nothing more or the steps are used up.

        Gives all replies, and why the model gave up where it did.
        """
        stored = await self._threads.replies(bench.turn)
        replies: list[Reply] = []
        for step in range(self._limits.steps):
            may_call = step < self._limits.steps - 1
            if step < len(stored):
                reply = stored[step]
            else:
                try:
                    reply = await self._ask(context, bench, audience, model, step, may_call=may_call)
                except ConversationError as error:
                    return replies, self._redactor.text(str(error))
                await self._threads.keep_reply(bench.turn, step, reply)
            replies.append(reply)
            if not reply.calls or not may_call:
                break
            bench.model = reply.model or model.name
            results = await self._toolbox.run(reply.calls, bench, audience)
            bench.shown += context.offer_more(bench.to_show)
            context.add(Message(Role.AGENT, reply.text, calls=reply.calls), results)
        return replies, ""

    async def _ask(
        self,
        context: Context,
        bench: Bench,
        audience: Audience,
        model: ChatModel,
        step: int,
        *,
        may_call: bool,
    ) -> Reply:
        """One reply of the model, streamed to the audience, each of its calls with an id of its own."""
        stream = Stream(self._redactor, _unheard if bench.private else audience.text)
        reserve = self._toolbox.offers(bench.offered.difference(bench.shown))
        request = Request(
            context.messages(), context.offers, bench.asker.locale, self._clock(), may_call, reserve
        )
        reply = await model.complete(request, stream.take)
        await stream.rest()
        # Endpoints number calls from zero in every reply, or not at all, and one takes nine letters and digits only.
        calls = [
            replace(call, id=f"call{step:02}{place:03}")
            for place, call in enumerate(reply.calls[:MOST_CALLS])
        ]
        unheard = len(reply.calls) - len(calls)
        note = say("turn.calls_cut", bench.asker.locale, count=unheard) if unheard else reply.note
        return replace(reply, calls=tuple(calls), note=note)

    async def _asked(self, turn: TurnId, said: Said, offered: frozenset[str], past: Sequence[Line]) -> Asked:
        """What the tools are chosen by, where there are so many that some are: the rest of the thread is not read."""
        if not self._toolbox.too_many(offered):
            return Asked(said.text)
        before = [line.text for line in past if line.speaker == said.speaker]
        used = await self._threads.tools_used(said.thread, turn, self._limits.remembered)
        return Asked(said.text, before[-1] if before else "", tuple(used)[: self._limits.kept_tools])

    def _context(self, said: Said, asker: Asker, offers: Sequence[Offer], past: Sequence[Line]) -> Context:
        """Prompt, offers, the thread's past and the question, redacted."""
        prompt = self._prompt.filled(
            person=asker.person,
            roles=", ".join(sorted(asker.roles)) or "none",
            now=self._clock().astimezone(self._zone).strftime("%A %Y-%m-%d %H:%M"),
            zone=str(self._zone),
            language=LANGUAGES.get(asker.locale[:2], "English"),
        )
        return Context(
            prompt=prompt,
            offers=offers,
            past=[self._remembered(line) for line in past],
            question=self._redactor.text(said.text),
            limit=self._limits.context_tokens,
            counter=self._counter,
        )

    def _remembered(self, line: Line) -> Message:
        text = self._redactor.text(line.text)
        if line.speaker == "sayso":
            return Message(Role.AGENT, checking.without_citations(text))
        return Message(Role.PERSON, text)

    def _receipt(
        self, began: datetime, context: Context, bench: Bench, replies: Sequence[Reply], trouble: str
    ) -> Receipt:
        notes = dict.fromkeys(self._redactor.text(reply.note) for reply in replies if reply.note)
        return Receipt(
            turn=bench.turn,
            seconds=(self._clock() - began).total_seconds(),
            tools=tuple(dict.fromkeys(str(call["tool"]) for call in bench.calls)),
            model=replies[-1].model if replies else self._model.name,
            prompt=self._prompt.label,
            steps=len(replies),
            usage=sum((reply.usage for reply in replies), Usage()),
            offer_tokens=context.offer_tokens,
            shown=len(bench.shown),
            allowed=len(bench.offered),
            exact_tokens=self._counter.exact,
            refused=sum(call["result"] == ResultKind.REFUSED for call in bench.calls),
            cut=tuple(cuts(context, bench)),
            notes=(*notes, *([trouble] if trouble else [])),
        )


async def _unheard(_piece: str) -> None:
    """What not all who read along may read is not shown while it is written."""
