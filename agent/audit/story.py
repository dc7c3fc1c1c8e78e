"""The story of one action or turn in plain words, told from its rows alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from agent.audit.event import Event, FactKind
from agent.words.catalogue import UnknownPhrase, say
from tools.contract import Json

TRUSTED = ("asker", "settings")  # origins of arguments that need no word
REQUEST = "the change itself"  # where a change came from that its asker did not ask for
WITHOUT_APPROVAL = ("auto", "break_glass", "countersign")  # verdicts that are no answer to a question
ENDS = frozenset({FactKind.SUCCEEDED, FactKind.FAILED})
MINUTE, HOUR, DAY = 60, 3600, 86400  # seconds


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What happened at one moment: a sentence, and what else belongs to it. `at` is None for what sums up."""

    at: datetime | None
    said: str
    more: tuple[str, ...] = ()


class Teller:
    """Tells rows in one language. `name` gives a person's display name; `zone` is where the readers are."""

    def __init__(self, locale: str, name: Callable[[str], str], zone: tzinfo) -> None:
        self._locale, self._name, self._zone = locale, name, zone

    def story(self, events: Sequence[Event]) -> list[Paragraph]:
        """All of it, oldest first, and at the end how long it took."""
        told = [self.told(event) for event in events]
        summed = self._timings(events)
        return [*told, *([Paragraph(None, summed)] if summed else [])]

    def told(self, event: Event) -> Paragraph:
        """One row."""
        fact = event.fact
        said = _Body(fact.data)
        who = self._name(fact.actor)
        if event.pruned:
            return Paragraph(fact.at, self._say("pruned", kind=fact.kind.value, name=who))
        if fact.data.get("withheld"):
            key = "withheld" if fact.kind is FactKind.ANSWERED else "withheld_row"
            return Paragraph(fact.at, self._say(key, name=who))
        sentences = [text for text in self._sentences(fact.kind, who, said) if text]
        sentences += self._outputs(fact.subject, said)
        if (platform := said.inner("through").text("platform")) and fact.actor != "sayso":
            identity = said.inner("through").text("identity")
            sentences.append(self._say("through", platform=platform, identity=identity))
        return Paragraph(fact.at, sentences[0], tuple(sentences[1:]))

    def _sentences(self, kind: FactKind, who: str, said: "_Body") -> Iterator[str]:
        match kind:
            case FactKind.PROPOSED:
                yield from self._proposal(who, said)
            case FactKind.ANSWERED:
                yield from self._answer(who, said)
            case FactKind.DECIDED:
                yield from self._decision(who, said)
            case FactKind.DECISION_REFUSED | FactKind.PROPOSAL_REFUSED | FactKind.RUN_REFUSED:
                yield from self._refusal(kind, who, said)
            case FactKind.SUCCEEDED | FactKind.FAILED | FactKind.UNKNOWN:
                yield from self._outcome(kind, said)
            case _:
                yield self._step(kind, who, said)

    def _proposal(self, who: str, said: "_Body") -> Iterator[str]:
        yield self._say("asked", name=who, place=self._place(said), why=said.text("why"))
        if turn := said.text("turn"):
            if model := said.text("model"):
                yield self._say("model", model=model, prompt=said.text("prompt") or "-", turn=turn)
            if found := said.texts("evidence"):
                yield self._say("evidence", evidence=", ".join(found))
        for key in ("undo_of", "renews", "supersedes"):
            if old := said.text(key):
                yield self._say(key, action=old)
        changes = [
            self._say("change", what=one.text("what"), before=one.text("before"), after=one.text("after"))
            for one in said.each("changes")
        ]
        yield " ".join([self._say("plan", title=said.text("title")), *changes])
        yield self._say("exactly", tool=said.text("tool"), arguments=said.inner("arguments").listed())
        arguments = said.inner("arguments")
        for argument, origin in said.inner("provenance").data.items():
            if origin not in TRUSTED:
                fields = {"argument": argument, "value": arguments.text(argument), "origin": origin}
                key = "card.unasked" if argument == REQUEST else "card.untrusted"
                yield say(key, self._locale, **fields)
        if undo := said.text("undo"):
            yield self._say("way_back", undo=undo)
        asked = said.whole("quorum", 1)
        yield self._say(
            "rule" if asked else "rule_auto",
            count=asked,
            rule=said.text("rule"),
            policy=said.text("policy_version") or "-",
            roles=", ".join(said.texts("approver_roles")) or "-",
            until=self._moment(said.text("expires_at")),
        )
        if override := said.text("override"):
            yield self._say("override", freeze=override)
        yield self._say("digest", digest=said.text("digest"))

    def _decision(self, who: str, said: "_Body") -> Iterator[str]:
        reason = said.text("reason")
        if (verdict := said.text("verdict")) in WITHOUT_APPROVAL:
            due = self._moment(said.text("signature_due_at")) if said.text("signature_due_at") else "-"
            key = "countersign_because" if verdict == "countersign" and reason else verdict
            yield self._say(key, name=who, rule=said.text("rule"), reason=reason, due=due)
            return
        key = "no" if said.text("verdict") == "reject" else "yes_because" if reason else "yes"
        yield self._say(key, name=who, waited=self._took(said, "since_proposed"), reason=reason)
        if said.text("state") == "approved":
            yield self._say("now_approved")
        elif said.text("state") == "awaiting_approval":
            yield self._say("more_needed", count=said.whole("votes_missing", 1))

    def _refusal(self, kind: FactKind, who: str, said: "_Body") -> Iterator[str]:
        why = self._reason(said)
        attempt = said.text("attempt")
        if kind is FactKind.PROPOSAL_REFUSED:
            yield self._say("proposal_refused", name=who, tool=said.text("tool"), why=why)
            if arguments := said.inner("arguments").listed():
                yield self._say("exactly", tool=said.text("tool"), arguments=arguments)
        elif kind is FactKind.RUN_REFUSED:
            yield self._say("run_refused", why=why)
        else:
            known = attempt if attempt in ("approve", "reject", "withdraw") else "other"
            yield self._say(f"refused_{known}", name=who, attempt=attempt, why=why)
            if reason := said.text("said"):
                yield self._say("said_with_it", reason=reason)

    def _outcome(self, kind: FactKind, said: "_Body") -> Iterator[str]:
        detail = said.text("detail") or said.text("worker") or "-"
        yield self._say(kind.value, ran=self._took(said, "since_started"), detail=detail)
        if verdict := said.text("verified"):
            yield self._say("verified", verdict=self._phrase("story_verdict", verdict))

    def _outputs(self, action: str, said: "_Body") -> Iterator[str]:
        for place, one in enumerate(said.each("output"), 1):
            if handle := one.text("handle"):
                fields = {"lines": one.text("lines"), "title": one.text("title"), "handle": handle}
                yield self._say("output", action=action, number=place, **fields)

    def _answer(self, who: str, said: "_Body") -> Iterator[str]:
        yield self._say("question", name=who, place=self._place(said), question=said.text("question"))
        for call in said.each("calls"):
            found = "".join(f" [{number}]" for number in call.texts("evidence"))
            yield self._say(
                "call",
                tool=call.text("tool"),
                arguments=call.text("arguments"),
                result=self._phrase("story_result", call.text("result")),
                evidence=found,
                action=f" {call.text('action')}" if call.text("action") else "",
            )
        for item in said.each("evidence"):
            fields = {name: item.text(name) for name in ("id", "tool", "source", "query")}
            yield self._say("evidence_item", **fields)
        prompt = said.inner("prompt")
        label = f"{prompt.text('name')}/v{prompt.text('version')}, SHA-256 {prompt.text('sha256')}"
        yield self._say(
            "answered",
            model=said.text("model") or said.inner("receipt").text("model"),
            took=duration(said.inner("receipt").number("seconds"), self._locale),
            prompt=label if prompt.text("name") else said.inner("receipt").text("prompt") or "-",
            hash=said.text("answer_sha256"),
        )
        if actions := said.texts("actions"):
            yield self._say("proposed_actions", actions=", ".join(actions))

    def _step(self, kind: FactKind, who: str, said: "_Body") -> str:
        """What one sentence tells."""
        match kind:
            case FactKind.CLAIMED:
                waited = self._took(said, "since_proposed")
                return self._say("claimed", worker=said.text("worker"), waited=waited)
            case FactKind.SETTLED:
                key = "settled_by_looking" if who == "sayso" else "settled"
                state = self._phrase("state", said.text("state"))
                return self._say(key, name=who, state=state, reason=said.text("reason"))
            case FactKind.PRUNED:
                return self._say("bodies_gone", name=who, count=said.whole("rows", 1), last=said.text("last"))
            case FactKind.WITHDRAWN | FactKind.SUPERSEDED | FactKind.EXPIRED | FactKind.STALE:
                return self._say(kind.value, name=who, by=said.text("by"), why=said.text("why"))
            case _:
                return self._say("other", kind=kind.value, name=who)

    def _timings(self, events: Sequence[Event]) -> str:
        """From the times of the rows: from the proposal to the last decision, and from the start to the end."""
        at = {event.fact.kind: event.fact.at for event in events}  # the latest of each kind
        if FactKind.PROPOSED not in at or FactKind.DECIDED not in at:
            return ""
        waited = self._between(at[FactKind.PROPOSED], at[FactKind.DECIDED])
        ended = next((at[kind] for kind in ENDS if kind in at), None)
        if ended is None or FactKind.CLAIMED not in at:
            return self._say("timings_wait", waited=waited)
        return self._say("timings_run", waited=waited, ran=self._between(at[FactKind.CLAIMED], ended))

    def _between(self, start: datetime, end: datetime) -> str:
        return duration((end - start).total_seconds(), self._locale)

    def _took(self, said: "_Body", name: str) -> str:
        return duration(said.inner("timings").number(name), self._locale)

    def _place(self, said: "_Body") -> str:
        thread = said.text("thread")
        key = "place_terminal" if thread.startswith("terminal:") else "place_other"
        return self._say(key, thread=thread or "?")

    def _moment(self, written: str) -> str:
        try:
            return datetime.fromisoformat(written).astimezone(self._zone).strftime("%Y-%m-%d %H:%M %Z")
        except ValueError:
            return written or "-"

    def _reason(self, said: "_Body") -> str:
        fields = said.inner("fields")
        reason = said.text("reason")
        try:
            roles = fields.text("roles") or said.text("roles") or "-"
            told = say(f"story_reason.{reason}", self._locale, roles=roles, **_shut(fields, said))
        except UnknownPhrase:
            told = reason.replace("_", " ")
        if because := said.text("because"):
            told += f": {self._reason(_Body({**said.data, 'reason': because, 'because': ''}))}"
        why = fields.text("why")
        return f"{told} ({why})" if why else told

    def _phrase(self, room: str, key: str) -> str:
        try:
            return say(f"{room}.{key}", self._locale)
        except UnknownPhrase:
            return key

    def _say(self, key: str, **fields: object) -> str:
        return say(f"story.{key}", self._locale, **fields)


def _shut(fields: "_Body", said: "_Body") -> dict[str, str]:
    """What a refusal says of rules and freezes; a proposal's stand in the row itself, a run's in its fields."""
    names = ("rule", "freeze", "until", "needed", "counted")
    return {name: fields.text(name) or said.text(name) or "-" for name in names}


@dataclass(frozen=True, slots=True)
class _Body:
    """What a row says, whoever wrote it and with whatever version: what is not there is empty."""

    data: Mapping[str, Json]

    def text(self, name: str) -> str:
        value = self.data.get(name)
        return "" if value is None else str(value)

    def number(self, name: str) -> float | None:
        value = self.data.get(name)
        return float(value) if isinstance(value, int | float) else None

    def whole(self, name: str, otherwise: int) -> int:
        value = self.data.get(name)
        return value if isinstance(value, int) else otherwise

    def inner(self, name: str) -> "_Body":
        value = self.data.get(name)
        return _Body(value if isinstance(value, Mapping) else {})

    def each(self, name: str) -> "list[_Body]":
        return [_Body(entry) for entry in self._entries(name) if isinstance(entry, Mapping)]

    def texts(self, name: str) -> list[str]:
        return [str(entry) for entry in self._entries(name) if entry is not None]

    def listed(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.data.items())

    def _entries(self, name: str) -> Sequence[Json]:
        value = self.data.get(name)
        return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def duration(seconds: float | None, locale: str) -> str:
    """A length of time as people say it: `0.3 s`, `12 s`, `4 min`, `1 h 5 min`, `2 d 3 h` (`2 j 3 h` in French)."""
    if seconds is None:
        return "?"
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    if seconds < HOUR:
        minutes, rest = divmod(round(seconds), MINUTE)
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    if seconds < DAY:
        hours, rest = divmod(round(seconds / MINUTE), 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(round(seconds / HOUR), 24)
    day = "j" if locale.startswith("fr") else "d"
    return f"{days} {day} {rest} h" if rest else f"{days} {day}"
