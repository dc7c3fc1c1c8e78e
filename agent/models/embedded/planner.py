"""The chat model that is no model: it understands by grammar and classifier, reads, and answers by templates."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from agent.conversation.messages import Message, Reply, Request, ResultKind, ToolCall
from agent.conversation.ports import OnText
from agent.models.embedded import approvals, asking, facts, follow, investigating, presence
from agent.models.embedded.acts import says
from agent.models.embedded.cause import explain
from agent.models.embedded.explaining import explained
from agent.models.embedded.folding import as_words
from agent.models.embedded.moment import Moment, arguments, moment
from agent.models.embedded.phrases import families
from agent.models.embedded.reading import AskBack, Call, Talk
from agent.models.embedded.understanding import Understanding
from agent.models.embedded.writing import Writer, asks_for_changes
from agent.words.catalogue import say
from knowledge.port import Embedder
from tools.contract import Json, Spec

_MOST_ROUNDS = (
    3  # the first reads, those about the service an error points to, and what was written about the error
)


# Read once before anybody asks, so that what listens is loaded; what comes of it is nothing.
_ANY, _EVER = "would somebody look at how things have been going lately", datetime(2026, 1, 1, tzinfo=UTC)


class EmbeddedPlanner:
    """Implements `ChatModel` without a language model.

    `specs` are the tools that exist (their examples, slots and effects); what a request does not offer is not called.
    `zone` is where "today" and "noon" are. `cache` keeps what training made. `model_down` says that a language model
    is configured and does not answer, rather than that there is none.
    """

    name = "embedded planner"

    def __init__(
        self,
        specs: Sequence[Spec],
        *,
        embedder: Embedder | None = None,
        zone: tzinfo = UTC,
        cache: Path | None = None,
        model_down: bool = False,
    ) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._families = families(specs)
        self._zone, self._model_down = zone, model_down
        self._understanding = Understanding(specs, embedder=embedder, zone=zone, cache=cache)

    async def prepare(self) -> None:
        """Trains and loads now instead of at the first request."""
        await self._understanding.prepare()
        await self._understanding.read(_ANY, now=_EVER)

    async def complete(self, request: Request, on_text: OnText) -> Reply:
        """Calls tools, asks back, or answers from the evidence that the turn has so far."""
        now = moment(request.messages)
        calls = await self._calls(now, request) if request.may_call else ()
        if isinstance(calls, tuple) and calls:
            return Reply(
                "",
                tuple(_as_tool_call(call, now.rounds, at) for at, call in enumerate(calls)),
                model=self.name,
            )
        text = calls if isinstance(calls, str) else self._answer(now, request)
        await on_text(text)
        return Reply(text, model=self.name, by_code=True)

    async def _calls(self, now: Moment, request: Request) -> tuple[Call, ...] | str:
        """What to call next, or what to say instead of a call."""
        offered = {offer.name for offer in (*request.offers, *request.reserve)}
        if now.rounds == 0:
            reading = await self._understanding.read(
                now.asked, now=request.now, allowed=offered, earlier=now.earlier
            )
            match reading:
                case AskBack():
                    return asking.ask(reading, self._specs, request.locale)
                case Talk():
                    return self._talk(reading, offered, request.locale)
                case _:
                    return reading
        if now.rounds >= _MOST_ROUNDS or not follow.is_diagnosis(now, self._specs):
            return ()
        return follow.next_reads(
            now, {kin: spec for kin, spec in self._families.items() if spec.name in offered}
        )

    def _talk(self, talk: Talk, offered: set[str], locale: str) -> str:
        suffix = "_down" if self._model_down else ""
        if talk.label == "help":
            listed = [spec for spec in self._specs.values() if spec.name in offered]
            return say(f"planner.help{suffix}", locale, tools=asking.abilities(listed, locale)).strip()
        return say(f"planner.{talk.label}{suffix if talk.label == 'reasoning' else ''}", locale)

    # --- the answer --------------------------------------------------------------------------------------------

    def _answer(self, now: Moment, request: Request) -> str:
        writer = Writer(request.locale, request.now, self._zone)
        parts = [self._written(message, request.locale) for message in self._writes(now)]
        found = facts.sort(now.evidence)
        if not found.empty:
            parts += self._absent(now, found, writer)
            if approvals.is_asked(now.asked):
                parts.append(writer.approvals(found.deployments, now.asked))
            elif reports := [piece for piece in now.evidence if piece.finding.kind == investigating.KIND]:
                parts += [investigating.investigated(piece, writer) for piece in reports]
            elif follow.is_diagnosis(now, self._specs):
                asked = follow.asked_service(now)
                cause = explain(found, asked, follow.services(self._specs))
                parts.append(explained(cause, writer, about_speed=says("slow", as_words(now.asked) + " ")))
            else:
                parts += writer.everything(found, now.asked)
        elif now.of(ResultKind.FOUND):
            # What the tools say in English says where was looked; other languages do without.
            english = request.locale.startswith("en")
            told = " ".join(result.message.text for result in now.of(ResultKind.FOUND) if english)
            parts.append(say("planner.nothing_found", request.locale, searched=told).strip())
        parts += self._unchecked(now, request.locale)
        return "\n\n".join(part for part in parts if part) or say("planner.ask.unsure", request.locale)

    def _absent(self, now: Moment, found: facts.Found, writer: Writer) -> list[str]:
        """Of each version that was named, that it does not run, before anything is said about one that does."""
        if not found.running or asks_for_changes(now.asked):
            return []
        asked = follow.asked_service(now)
        place = follow.asked_environment(now)
        named = self._understanding.versions(now.asked, writer.now)
        lines = [presence.absent(version, found.running, asked, place, writer) for version in named]
        return [line for line in lines if line]

    def _writes(self, now: Moment) -> list[Message]:
        kinds = (ResultKind.PROPOSED, ResultKind.ALLOWED, ResultKind.REFUSED, ResultKind.FAILED)
        return [result.message for result in now.of(*kinds) if follow.is_write(result.call, self._specs)]

    @staticmethod
    def _written(message: Message, locale: str) -> str:
        if message.result is ResultKind.PROPOSED:
            return say("planner.write.proposed", locale, action=message.action or "?")
        if message.result is ResultKind.ALLOWED:
            return say("planner.write.allowed", locale, action=message.action or "?")
        key = "refused" if message.result is ResultKind.REFUSED else "failed"
        return say(f"planner.write.{key}", locale, why=message.text)

    def _unchecked(self, now: Moment, locale: str) -> list[str]:
        """What could not be looked at, by name: it is neither well nor ill, it is not known."""
        lines = []
        for result in now.of(ResultKind.FAILED, ResultKind.REFUSED):
            if not follow.is_write(result.call, self._specs):
                values = ", ".join(
                    str(value) for value in arguments(result.call).values() if len(str(value)) < 30
                )
                what = f"{result.call.name} ({values})" if values else result.call.name
                lines.append(say("planner.not_checked", locale, what=what, why=result.message.text))
        missing = (
            each
            for piece in now.evidence
            if piece.finding.kind != investigating.KIND  # which says so itself
            for each in facts.texts(piece.finding.facts, "not_checked")
        )
        lines += [say("planner.not_checked_plain", locale, what=each) for each in dict.fromkeys(missing)]
        return lines


def _as_tool_call(call: Call, round_: int, at: int) -> ToolCall:
    values: Mapping[str, Json] = call.arguments
    return ToolCall(
        f"planner-{round_ + 1}-{at + 1}", call.tool, json.dumps(values, ensure_ascii=False, sort_keys=True)
    )
