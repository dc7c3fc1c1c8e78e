"""Understands a request with the tools at hand: intent by classifier, arguments by grammar, a guard before writes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path

from agent.models.embedded import approvals, diagnosis, future, pointing, subject, wellbeing
from agent.models.embedded.acts import Act, Mood, judge, says, takes_back
from agent.models.embedded.arguments import Context, Filled, fill, refusal
from agent.models.embedded.folding import stem
from agent.models.embedded.intents import Guess, Intents
from agent.models.embedded.leaning import agrees, leans_back
from agent.models.embedded.orders import openings, verb_owners
from agent.models.embedded.phrases import TALK, families, family, phrases
from agent.models.embedded.reading import AskBack, Call, Doubt, Reading, Talk
from agent.models.embedded.scan import Scan, Scanner
from agent.models.embedded.shown import is_shown
from agent.models.embedded.unknown import is_all_named, kind_named, unknown_name
from knowledge.port import Embedder
from tools.contract import Effect, Json, Spec
from tools.slots import Kind, slots

_WRITE_BAR = 0.05  # the least belief in a plainly ordered write
_VAGUE_WRITE_BAR = 0.2  # the same for an order in words that could mean something else,
_ANY_WRITE_BAR = 0.5  # and what all writes together must have then
_CLEARLY = 3  # how many times likelier one of two plainly ordered writes must be
_READ_BAR = 0.25
_SURE = 0.9  # from here the classifier is believed against a hint of the grammar
_MOST_CALLS = 4
_VITAL = ("error_rate", "latency_p95")
_LOOKED_BACK = 6  # earlier messages that "this" can be about


class Understanding:
    """Reads requests for one set of tools in one time zone."""

    def __init__(
        self, specs: Sequence[Spec], *, embedder: Embedder | None, zone: tzinfo, cache: Path | None = None
    ) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._families = families(specs)
        self._zone = zone
        said = list(phrases(specs))
        known = {word for phrase in said for word in re.findall(r"[a-z]{3,}", phrase.text)}
        roles = [(slot.role or name, slot) for spec in specs for name, slot in slots(spec.arguments).items()]
        self._scanner = Scanner(roles, known, zone)
        self._intents = Intents(said, self._scanner, embedder, cache)
        self._owners = verb_owners(said, self._scanner, self._specs)
        self._openings = openings(said, self._scanner, self._specs)
        self._own_verbs = frozenset(word for words in self._openings.values() for word in words)

    async def prepare(self) -> None:
        """Trains now instead of at the first request."""
        await self._intents.prepare()

    async def read(
        self, text: str, *, now: datetime, allowed: Iterable[str] | None = None, earlier: Sequence[str] = ()
    ) -> Reading:
        """What the text asks for. `earlier` are the person's messages before it, oldest first."""
        text = _asked_about(text)
        offered = set(self._specs if allowed is None else allowed)
        # Who may not have it all looked at in one go is answered by the single reads.
        whole = self._families.get("investigate")
        parted = whole is not None and whole.name not in offered
        families = {kin: spec for kin, spec in self._families.items() if not parted or kin != "investigate"}
        reading: Reading = await self._pointed_at(text, now, earlier, families)
        reading = reading or await self._read(text, now, earlier, families)
        if isinstance(reading, tuple) and any(call.tool not in offered for call in reading):
            kept = tuple(call for call in reading if call.tool in offered)
            return kept or AskBack(Doubt.NOT_OFFERED, reading[0].tool)
        return reading

    async def _read(
        self, text: str, now: datetime, earlier: Sequence[str], families: Mapping[str, Spec]
    ) -> Reading:
        text = self._about(text, now, earlier)
        scan = self._scanner.scan(text, now)
        act = judge(scan.abstract, self._own_verbs)
        guess = await self._intents.guess(scan)
        context = Context(now, self._zone)
        if approvals.is_asked(text):
            return self._decided(scan, context)
        leans = bool(earlier) and leans_back(scan, act)
        if leans and (continued := await self._continue(scan, now, earlier, families)) is not None:
            return continued
        if (later := self._later(scan, act, guess, context)) is not None:
            return later
        if (write := self._ordered(scan, act, guess, context)) is not None:
            return write
        return (
            diagnosis.reads(scan, act, families, context)
            or self._whose(scan, act, context, earlier, families)
            or wellbeing.reads(scan, act, families, self._specs, context)
            or self._shown(scan, context)
            or self._unordered(scan, act, guess, context)
        )

    def versions(self, text: str, now: datetime) -> tuple[str, ...]:
        """The versions that a text names and means."""
        return tuple(dict.fromkeys(mention.value for mention in self._scanner.scan(text, now).of("version")))

    # --- what "it" is --------------------------------------------------------------------------------------------

    def _about(self, text: str, now: datetime, earlier: Sequence[str]) -> str:
        """The text with the service that was talked about, where it asks why of something it does not name."""
        scan = self._scanner.scan(text, now)
        if not subject.is_pronoun(text) or subject.services(scan):
            return text
        if judge(scan.abstract, self._own_verbs).mood is Mood.ORDER:
            return text  # what is to be changed is named, or asked for, never made out
        spoken = subject.spoken_of(self._scanner, earlier, now)
        return subject.named(text, spoken[0]) if len(spoken) == 1 else text

    def _whose(
        self, scan: Scan, act: Act, context: Context, earlier: Sequence[str], families: Mapping[str, Spec]
    ) -> AskBack | None:
        """Asks which service a question about trouble means, where that is open."""
        if not subject.is_pronoun(scan.text) or not diagnosis.is_of_nothing(scan, act, context):
            return None
        return subject.whose(families, subject.spoken_of(self._scanner, earlier, context.now))

    # --- what only the record or the future knows ---------------------------------------------------------------

    def _decided(self, scan: Scan, context: Context) -> Reading:
        """Who approved a change stands in the history of changes; without it, the record is pointed to."""
        status = self._families.get("status")
        if status is None:
            return Talk("approvals.record")
        since = next(
            (name for name, slot in slots(status.arguments).items() if slot.kind is Kind.SINCE), None
        )
        values: dict[str, Json] = {**fill(status, scan, context).values, **({since: "30d"} if since else {})}
        return (Call(status.name, values),) if refusal(status, values) is None else Talk("approvals.record")

    def _later(self, scan: Scan, act: Act, guess: Guess, context: Context) -> Reading | None:
        """What is said to a change for later, and to a question about what will be; `None` to all else."""
        ordered = [self._owners[verb] for verb, _ in act.verbs if verb in self._owners]
        if self._is_write(guess.intent) and (guess.sure >= _READ_BAR or ordered):
            ordered.insert(0, guess.intent)
        if ordered and act.mood is not Mood.NEGATED and future.sets_a_date(scan, act):
            return AskBack(Doubt.LATER, ordered[0], known=fill(self._specs[ordered[0]], scan, context).values)
        kin = family(guess.intent) if guess.intent in self._specs else None
        if kin is None or self._is_write(guess.intent) or act.mood is Mood.ORDER or not future.is_asked(scan):
            return None
        # What is planned may stand in people's notes; what will happen does not.
        if future.is_planned(scan):
            return self._asked(scan, act, context)
        in_notes = kin == "knowledge" and not (future.foretells(scan) and scan.of("later"))
        return None if in_notes else Talk("future")

    # --- writes ------------------------------------------------------------------------------------------------

    def _ordered(self, scan: Scan, act: Act, guess: Guess, context: Context) -> Reading | None:
        """The write that was ordered, or a question back about it; `None` when none was ordered."""
        if act.mood is not Mood.ORDER:
            return None
        plain = {self._owners[verb] for verb, is_plain in act.verbs if is_plain and verb in self._owners}
        vague = {self._owners[verb] for verb, is_plain in act.verbs if not is_plain and verb in self._owners}
        own = {name for name, words in self._openings.items() if stem(act.opening) in words}
        candidates = plain | vague | own
        if not candidates:
            return None
        tool = max(candidates, key=guess.of)
        meant = tool in own and is_all_named(self._specs[tool], scan, context)
        if not meant and not self._believed(tool, guess, plain=tool in plain):
            return unknown_name(self._specs[tool], scan, context) if tool in own and not plain else None
        rivals = sorted(plain - {tool}, key=guess.of)
        if rivals and tool in plain and guess.of(rivals[-1]) > guess.of(tool) / _CLEARLY:
            return AskBack(Doubt.RIVALS, tool, options=(tool, rivals[-1]))
        filled = fill(self._specs[tool], scan, context)
        if self._drops_a_version(tool, scan):
            return AskBack(Doubt.CONFIRM, tool, known=filled.values)
        return self._checked(tool, filled)

    def _drops_a_version(self, tool: str, scan: Scan) -> bool:
        """Whether a version was named that this tool has no argument for: left out in silence, another would run."""
        takes = any(slot.kind is Kind.VERSION for slot in slots(self._specs[tool].arguments).values())
        return not takes and bool(scan.of("version"))

    def _believed(self, tool: str, guess: Guess, *, plain: bool) -> bool:
        """Whether the classifier believes enough in an ordered write: little is needed where the verb is plain."""
        if plain:
            return guess.of(tool) >= _WRITE_BAR
        writes = sum(share for name, share in guess.ranked if self._is_write(name))
        return guess.of(tool) >= _VAGUE_WRITE_BAR and (guess.intent == tool or writes >= _ANY_WRITE_BAR)

    def _checked(self, tool: str, filled: Filled) -> Reading:
        """The call when nothing is open, a question back otherwise."""
        if filled.relative:
            return AskBack(Doubt.RELATIVE, tool, filled.missing[0], known=filled.values)
        if filled.missing:
            name = filled.missing[0]
            slot = slots(self._specs[tool].arguments).get(name)
            return AskBack(Doubt.MISSING, tool, name, slot.choices if slot else (), filled.values)
        if filled.doubtful:
            name, options = next(iter(filled.doubtful.items()))
            return AskBack(Doubt.RIVALS, tool, name, options, filled.values)
        if filled.refused is not None:
            return AskBack(Doubt.REFUSED, tool, known=filled.values, detail=filled.refused)
        return (Call(tool, filled.values, filled.said),)

    def _is_write(self, intent: str) -> bool:
        return intent in self._specs and self._specs[intent].effect is Effect.WRITE

    # --- everything else ---------------------------------------------------------------------------------------

    def _unordered(self, scan: Scan, act: Act, guess: Guess, context: Context) -> Reading:
        intent = guess.intent
        if takes_back(scan.abstract) and guess.sure < _SURE:
            return Talk("dismissal")
        if self._is_write(intent):
            return self._spoken_of(intent, scan, act, guess, context)
        if guess.sure < _SURE and (intent.startswith(TALK) or guess.sure < _READ_BAR):
            for tool in self._openings:
                if (
                    family(tool) is None
                    and (unknown := kind_named(self._specs[tool], scan, context)) is not None
                ):
                    return unknown
        if guess.sure < _READ_BAR:
            return self._asked(scan, act, context) or AskBack(Doubt.UNSURE)
        if intent.startswith(TALK):
            return Talk(intent.removeprefix(TALK))
        return self._counted(intent, scan, context) or self._look(intent, scan, context)

    def _shown(self, scan: Scan, context: Context) -> Reading | None:
        """The declared read that the sentence is an example of, word for word: it may have few to learn from."""
        for name, spec in self._specs.items():
            if family(name) is None and not self._is_write(name) and is_shown(spec, scan.text):
                return self._look(name, scan, context)
        return None

    def _counted(self, intent: str, scan: Scan, context: Context) -> Reading | None:
        """A report, where a total or a picture of something was asked for that one tells of; `None` to all else."""
        report = self._families.get("report")
        kin = family(intent)
        if report is None or kin not in {"metrics", "logs"} or says("rate", scan.abstract):
            return None
        dated = scan.of("time") or scan.of("period")
        total = dated and says("total", scan.abstract) and not says("logged", scan.abstract)
        if not (total or says("picture", scan.abstract)):
            return None
        filled = fill(report, scan, context)
        named = any(
            slot.role == "kind" and name in filled.said for name, slot in slots(report.arguments).items()
        )
        if not named or filled.missing or filled.refused is not None:
            return None
        return (Call(report.name, filled.values, filled.said),)

    def _spoken_of(self, tool: str, scan: Scan, act: Act, guess: Guess, context: Context) -> Reading:
        """A sentence about a write that orders none: a question is looked up, all else is asked back."""
        if act.mood is Mood.NEGATED:
            return Talk("dismissal")
        if act.mood is Mood.QUESTION:
            reads = [name for name, _ in guess.ranked if name in self._specs and not self._is_write(name)]
            if reads:
                return self._look(reads[0], scan, context)
        if family(tool) is None and (unknown := unknown_name(self._specs[tool], scan, context)) is not None:
            return unknown
        filled = fill(self._specs[tool], scan, context)
        return AskBack(Doubt.CONFIRM, tool, known=filled.values)

    def _asked(self, scan: Scan, act: Act, context: Context) -> Reading | None:
        """A question that is nothing else is one for the notes people wrote."""
        knowledge = self._families.get("knowledge")
        if knowledge is None or act.mood is not Mood.QUESTION:
            return None
        return self._look(knowledge.name, scan, context)

    def _look(self, tool: str, scan: Scan, context: Context) -> Reading:
        """One call of a read, or one for each of several things it names."""
        filled = fill(self._specs[tool], scan, context)
        if filled.missing or filled.refused is not None:
            if vital := self._vital_signs(tool, filled):
                return vital
            if (knowledge := self._families.get("knowledge")) and knowledge.name != tool and not _names(scan):
                return self._look(knowledge.name, scan, context)
            return self._checked(tool, replace(filled, doubtful={}))
        calls = [Call(tool, filled.values, filled.said)]
        for name, options in filled.doubtful.items():
            calls = [
                replace(call, arguments={**call.arguments, name: option})
                for call in calls
                for option in options
            ]
        return tuple(calls[:_MOST_CALLS])

    def _vital_signs(self, tool: str, filled: Filled) -> tuple[Call, ...]:
        """How a service is, when no figure was named: its error rate and its response time."""
        spec = self._specs[tool]
        known = slots(spec.arguments)
        if (
            len(filled.missing) != 1
            or known[filled.missing[0]].role != "metric"
            or not filled.said.get("service")
        ):
            return ()
        names = [name for wanted in _VITAL if (name := diagnosis.measured(spec, wanted))]
        calls = [Call(tool, {**filled.values, filled.missing[0]: name}, filled.said) for name in names]
        return tuple(call for call in calls if refusal(spec, call.arguments) is None)

    # --- what came before --------------------------------------------------------------------------------------

    async def _continue(
        self, scan: Scan, now: datetime, earlier: Sequence[str], families: Mapping[str, Spec]
    ) -> Reading | None:
        """The request before, with what this sentence names put in: "and in staging?", "payments"."""
        context = Context(now, self._zone)
        if subject.is_pronoun(earlier[-1]) and len(found := subject.services(scan)) == 1:
            asked = await self._read(subject.named(earlier[-1], found[0]), now, earlier[:-1], families)
            again = self._repeated(asked, scan, context) if isinstance(asked, tuple) else None
            return again or asked
        before = await self._read(earlier[-1], now, earlier[:-1], families)
        if scan.of("later") and (tool := self._change_in(before)):
            return AskBack(Doubt.LATER, tool)
        match before:
            case AskBack():
                return self._settled(before, scan, context) if before.tool in self._specs else None
            case Talk():
                return None
            case _:
                return self._repeated(before, scan, context)

    async def _pointed_at(
        self, text: str, now: datetime, earlier: Sequence[str], families: Mapping[str, Spec]
    ) -> tuple[Call, ...]:
        """The trouble that was talked about, looked at again: "have we seen this before?", "did it help?"."""
        helped = pointing.asks_whether_it_helped(text)
        spec = families.get("metrics" if helped else "investigate")
        if spec is None or not pointing.is_pointing(text):
            return ()
        metrics = [name for wanted in _VITAL if (name := diagnosis.measured(spec, wanted))] if helped else []
        for place in range(len(earlier) - 1, max(-1, len(earlier) - 1 - _LOOKED_BACK), -1):
            if pointing.is_pointing(earlier[place]):
                continue
            before = await self._read(earlier[place], now, earlier[:place], families)
            calls = before if isinstance(before, tuple) else ()
            if again := pointing.looked_at_again(spec, calls, self._specs, metrics):
                return again
        return ()

    def _change_in(self, reading: Reading) -> str:
        """The change that a reading speaks of; "" when it speaks of none."""
        match reading:
            case AskBack():
                return reading.tool if self._is_write(reading.tool) else ""
            case Talk():
                return ""
            case _:
                return next((call.tool for call in reading if self._is_write(call.tool)), "")

    def _settled(self, back: AskBack, scan: Scan, context: Context) -> Reading | None:
        """The call that was asked back about, when the answer settles it."""
        agreed = (back.doubt is Doubt.CONFIRM and agrees(scan)) or (
            back.doubt is Doubt.LATER and future.is_now(scan)
        )
        if not agreed and back.doubt not in {Doubt.MISSING, Doubt.RIVALS, Doubt.RELATIVE}:
            return None
        spec = self._specs[back.tool]
        fresh = fill(spec, scan, context)
        values: dict[str, Json] = {**back.known, **_named(spec, fresh)}
        if not agreed and values == dict(back.known):
            return None
        required = (name for name, info in spec.arguments.model_fields.items() if info.is_required())
        missing = tuple(name for name in required if name not in values)
        why_not = None if missing else refusal(spec, values)
        return self._checked(back.tool, Filled(values, fresh.said, missing, fresh.doubtful, why_not))

    def _repeated(self, calls: Sequence[Call], scan: Scan, context: Context) -> Reading | None:
        """The reads before with other values; a change is asked for in full."""
        if any(self._is_write(call.tool) for call in calls):
            return None
        again = tuple(self._again(call, scan, context) for call in calls)
        changed = sum(
            dict(old.arguments) != dict(new.arguments) for old, new in zip(calls, again, strict=True)
        )
        # Of several reads for one question, those that take no such value stay as they are.
        return again if changed == len(calls) or (len(calls) > 1 and changed) else None

    def _again(self, call: Call, scan: Scan, context: Context) -> Call:
        """A read with the values that a short sentence names; the read itself where its tool takes none of them."""
        spec = self._specs[call.tool]
        values: dict[str, Json] = {**call.arguments, **_named(spec, fill(spec, scan, context))}
        for name, slot in slots(spec.arguments).items():
            if slot.kind is Kind.QUESTION and isinstance(asked := values.get(name), str):
                values[name] = self._renamed(asked, scan, context.now)
        return Call(call.tool, values) if refusal(spec, values) is None else call

    def _renamed(self, question: str, scan: Scan, now: datetime) -> str:
        """A question for the notes, about the service that a short sentence names instead."""
        before, after = self._scanner.scan(question, now).of("service"), scan.of("service")
        if not before or not after:
            return question
        return re.sub(rf"\b{re.escape(before[0].words)}\b", after[0].value, question, flags=re.IGNORECASE)


def _names(scan: Scan) -> bool:
    return any(mention.role in {"metric", "level", "service"} for mention in scan.mentions)


def _named(spec: Spec, filled: Filled) -> dict[str, Json]:
    """What a short sentence names, without the question it is itself."""
    kinds = slots(spec.arguments)
    return {name: value for name, value in filled.values.items() if kinds[name].kind is not Kind.QUESTION}


def _asked_about(text: str) -> str:
    """What a message is about that is nothing but a quotation (`> ...`): the words that are quoted."""
    lines = [line.lstrip() for line in text.splitlines() if line.strip()]
    quoted = bool(lines) and all(line.startswith(">") for line in lines)
    return "\n".join(line[1:].lstrip() for line in lines) if quoted else text
