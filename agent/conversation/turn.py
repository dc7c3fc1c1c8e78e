"""One turn: from what a person said to a checked answer, by way of a model and the tools it may call.

The loop is short on purpose: ask the model; run what it calls; ask again. Reads run at once, writes become actions that
wait for people, and the turn ends without waiting for them. Every model reply is stored before it is acted on, so a
turn that is started over after a crash goes the same way again and makes nothing twice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from agent.approvals.action import Action
from agent.conversation import budget, checking
from agent.conversation.evidence import Evidence, as_json
from agent.conversation.language import language_of
from agent.conversation.messages import Message, Offer, Reply, Request, Role, Usage
from agent.conversation.ports import ChatModel, Clock, Threads, TokenCounter
from agent.conversation.receipt import Receipt
from agent.conversation.redact import Redactor
from agent.conversation.thread import Line, Said, TurnId
from agent.conversation.toolbox import Bench, Toolbox
from agent.words.catalogue import say
from prompts.loader import Prompt
from tools.contract import Asker, File, Json

DIGEST_TOKENS = 700  # of one finding's digest in the context; the whole of it is on the shelf


class Audience(Protocol):
    """Who watches a turn while it runs: the surface the person sits at."""

    async def text(self, piece: str) -> None:
        """A piece of the answer as it is written; the checked whole follows at the end."""
        ...

    async def progress(self, what: str) -> None:
        """What is being looked at now."""
        ...

    async def card(self, action: Action) -> None:
        """An action was proposed."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one turn may take. Tokens are those of one model call."""

    steps: int = 6
    history: int = 20
    context_tokens: int = 16_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn came to."""

    turn: TurnId
    text: str
    evidence: tuple[Evidence, ...]
    files: tuple[File, ...]
    actions: tuple[Action, ...]
    receipt: Receipt
    locale: str


class Turns:
    """Runs turns. Everything it needs is passed in; it knows no vendor, no clock and no environment."""

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
        zone: str = "UTC",
        limits: Limits | None = None,
    ) -> None:
        self._model, self._threads, self._toolbox, self._prompt = model, threads, toolbox, prompt
        self._counter, self._redactor, self._clock, self._zone = counter, redactor, clock, zone
        self._limits = limits or Limits()

    async def answer(
        self, turn: TurnId, said: Said, asker: Asker, offered: frozenset[str], audience: Audience
    ) -> Answer:
        """Answers what was said, with the tools in `offered`. Raises only what the model adapter cannot handle."""
        began = self._clock()
        asker = replace(asker, locale=language_of(said.text, asker.locale))
        offers = self._toolbox.offers(offered)
        past = await self._threads.history(said.thread, turn, self._limits.history)
        context, cut = self._context(said, asker, offers, past)
        own_words = (*(line.text for line in past if line.speaker == said.speaker), said.text)
        bench = Bench(said.thread, turn, asker, own_words, offered)
        replies, final = await self._converse(turn, context, offers, bench, audience)
        text = self._checked(final, said, bench)
        used = tuple(dict.fromkeys(str(call["tool"]) for call in bench.calls))
        receipt = Receipt(
            turn=turn,
            seconds=(self._clock() - began).total_seconds(),
            tools=used,
            model=final.model,
            prompt=self._prompt.label,
            steps=len(replies),
            usage=sum((reply.usage for reply in replies), Usage()),
            schema_tokens=sum(self._counter.count(str(offer.schema)) for offer in offers),
            exact_tokens=self._counter.exact,
            cut=(*cut, *self._cuts(bench, turn)),
            notes=tuple(dict.fromkeys(reply.note for reply in replies if reply.note)),
        )
        answer = Answer(
            turn, text, tuple(bench.evidence), tuple(bench.files), tuple(bench.actions), receipt, asker.locale
        )
        await self._threads.finish(turn, text, record(answer, said, bench, self._clock()))
        return answer

    async def _converse(
        self,
        turn: TurnId,
        context: Sequence[Message],
        offers: tuple[Offer, ...],
        bench: Bench,
        audience: Audience,
    ) -> tuple[list[Reply], Reply]:
        """Model and tools in turn, until the model has nothing more to call or the steps are used up."""
        stored = list(await self._threads.replies(turn))
        messages, replies = list(context), list[Reply]()
        for step in range(self._limits.steps):
            last = step == self._limits.steps - 1
            if step < len(stored):
                reply = stored[step]
            else:
                request = Request(
                    tuple(messages), offers, bench.asker.locale, self._clock(), may_call=not last
                )
                reply = await self._model.complete(request, audience.text)
                await self._threads.keep_reply(turn, step, reply)
            replies.append(reply)
            if not reply.calls:
                return replies, reply
            if not last:
                results = await self._toolbox.run(reply.calls, bench, audience.progress)
                for action in bench.actions:
                    if any(result.action == action.id for result in results):
                        await audience.card(action)
                messages.append(Message(Role.AGENT, reply.text, calls=reply.calls))
                messages += [self._shown(result) for result in results]
        return replies, replace(reply, text=self._best_so_far(reply, bench), calls=())

    def _context(
        self, said: Said, asker: Asker, offers: Sequence[Offer], past: Sequence[Line]
    ) -> tuple[list[Message], tuple[str, ...]]:
        """Prompt, as much of the thread's past as fits, and the question; and what was left out, in words."""
        prompt = self._prompt.filled(
            person=asker.person,
            roles=", ".join(sorted(asker.roles)) or "none",
            now=self._clock().strftime("%A %Y-%m-%d %H:%M UTC"),
            zone=self._zone,
            language={"fr": "French"}.get(asker.locale[:2], "English"),
        )
        question = self._redactor.text(said.text)
        fixed = self._counter.count(prompt) + sum(self._counter.count(str(offer.schema)) for offer in offers)
        # Half of what is left is kept for what the tools will bring.
        room = (self._limits.context_tokens - fixed) // 2
        question = budget.shortened(question, max(room // 2, 100), self._counter)
        kept = budget.newest_that_fit(past, room - self._counter.count(question), self._counter)
        messages = [Message(Role.SYSTEM, prompt)]
        for line in kept:
            role = Role.AGENT if line.speaker == "sayso" else Role.PERSON
            messages.append(Message(role, self._redactor.text(line.text)))
        left_out = len(past) - len(kept)
        cut = (say("turn.history_cut", asker.locale, count=left_out),) if left_out else ()
        return [*messages, Message(Role.PERSON, question)], cut

    def _shown(self, result: Message) -> Message:
        """A tool's result as the model reads it: fenced and numbered, each digest within its limit."""
        if not result.evidence:
            return result
        blocks = [
            f'<evidence n="{item.number}" source="{item.finding.source}" title="{_flat(item.finding.title)}">\n'
            f"{budget.shortened(_unfenced(item.finding.text), DIGEST_TOKENS, self._counter)}\n</evidence>"
            for item in result.evidence
        ]
        return replace(result, text="\n".join([result.text, *blocks]))

    def _checked(self, reply: Reply, said: Said, bench: Bench) -> str:
        """The answer without citations that do not exist, and with a mark where a figure has no evidence."""
        text = self._redactor.text(reply.text).strip()
        numbers = {item.number for item in bench.evidence}
        if reply.by_code:
            text = checking.with_real_citations(text, numbers)
        else:
            mark = say("turn.unverified", bench.asker.locale)
            text = checking.checked(text, bench.evidence, said.text, mark)
        return text or say("turn.nothing_to_say", bench.asker.locale)

    def _best_so_far(self, reply: Reply, bench: Bench) -> str:
        """What there is when the steps are used up: the model's own words, else what was found, point by point."""
        if reply.text.strip():
            return reply.text
        lines = [say("turn.steps_used_up", bench.asker.locale, steps=self._limits.steps)]
        lines += [f"- {item.finding.title} [{item.number}]" for item in bench.evidence]
        return "\n".join(lines)

    def _cuts(self, bench: Bench, turn: TurnId) -> list[str]:
        """What the digests left out of what was found."""
        said = []
        for item in bench.evidence:
            if item.finding.cut:
                said.append(f"[{item.number}] {item.finding.cut}")
            if self._counter.count(item.finding.text) > DIGEST_TOKENS:
                said.append(say("turn.result_shortened", bench.asker.locale, number=item.number, turn=turn))
        return said


def record(answer: Answer, said: Said, bench: Bench, at: datetime) -> Mapping[str, Json]:
    """Everything `sayso show` needs to tell the story of a turn."""
    return {
        "question": said.text,
        "thread": said.thread,
        "speaker": said.speaker,
        "asked_at": said.at.isoformat(),
        "finished_at": at.isoformat(),
        "answer_sha256": hashlib.sha256(answer.text.encode()).hexdigest(),
        "calls": list(bench.calls),
        "evidence": [as_json(item) for item in answer.evidence],
        "actions": [action.id for action in answer.actions],
        "files": [file.name for file in answer.files],
        "receipt": answer.receipt.as_json(),
    }


def _flat(text: str) -> str:
    return text.replace('"', "'").replace("\n", " ")


def _unfenced(text: str) -> str:
    """The text without anything that could close its fence."""
    return text.replace("<evidence", "<\u200bevidence").replace("</evidence", "<\u200b/evidence")
