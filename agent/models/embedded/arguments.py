"""Fills a tool's arguments from a scanned sentence, by the slots of its schema: unsure rather than wrong."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from agent.models.embedded.folding import stem
from agent.models.embedded.lengths import DAY, MONTH, WEEK, YEAR, short
from agent.models.embedded.phrases import family
from agent.models.embedded.scan import Scan
from agent.models.embedded.sentence import Mention
from agent.models.embedded.shown import worded_as_shown
from agent.models.embedded.texts import looked_for, question
from agent.models.embedded.when import When, as_length, instant
from tools.contract import BadArguments, Effect, Json, Spec
from tools.slots import Kind, Slot, slots


@dataclass(frozen=True, slots=True)
class Filled:
    """The arguments that were found. `said` has the words each one came from, `doubtful` the rival values.

    `missing` are required arguments nobody named; `refused` is why the values do not pass the schema.
    """

    values: Mapping[str, Json]
    said: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    doubtful: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: str | None = None
    relative: bool = False  # a change by an amount was asked for, and the total is not known

    @property
    def complete(self) -> bool:
        return not self.missing and not self.doubtful and self.refused is None


@dataclass(frozen=True, slots=True)
class Context:
    """What filling needs to know besides the sentence."""

    now: datetime
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class _Found:
    """One argument's candidates, best first: one is an answer, several are a doubt."""

    values: tuple[Json, ...]
    words: str = ""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One argument to fill, and what with."""

    spec: Spec
    role: str
    slot: Slot
    scan: Scan
    context: Context
    required: bool


_Rule = Callable[[_Wanted], _Found | None]


def fill(spec: Spec, scan: Scan, context: Context) -> Filled:
    """Fills every slot of `spec` that the sentence speaks of, and checks the result against the schema."""
    values: dict[str, Json] = {}
    said: dict[str, str] = {}
    doubtful: dict[str, tuple[str, ...]] = {}
    for name, slot in slots(spec.arguments).items():
        required = spec.arguments.model_fields[name].is_required()
        found = _RULES[slot.kind](_Wanted(spec, slot.role or name, slot, scan, context, required))
        if found is None or not found.values:
            continue
        values[name], said[name] = found.values[0], found.words
        if len(found.values) > 1:
            doubtful[name] = tuple(str(value) for value in found.values)
    _say_times_once(spec, values)
    needed = (name for name, info in spec.arguments.model_fields.items() if info.is_required())
    missing = tuple(name for name in needed if name not in values)
    relative = "count" in missing_roles(spec, missing) and any(m.relative for m in scan.mentions)
    return Filled(values, said, missing, doubtful, None if missing else refusal(spec, values), relative)


def _say_times_once(spec: Spec, values: dict[str, Json]) -> None:
    """Where a period was named, it says when by itself."""
    known = slots(spec.arguments)
    if any(known[name].role == "period" for name in values):
        for name in [name for name in values if known[name].kind in {Kind.SINCE, Kind.UNTIL, Kind.DURATION}]:
            del values[name]


def refusal(spec: Spec, values: Mapping[str, Json]) -> str | None:
    """Why the schema refuses these values, or `None`."""
    try:
        spec.validate(values)
    except BadArguments as error:
        return str(error)
    return None


def missing_roles(spec: Spec, missing: Sequence[str]) -> set[str]:
    """The roles (or kinds) of the arguments that are missing."""
    known = slots(spec.arguments)
    return {known[name].role or known[name].kind.value for name in missing if name in known} | {
        known[name].kind.value for name in missing if name in known
    }


# --- choices ---------------------------------------------------------------------------------------------------

_GENERIC_LATENCY = {
    "latency", "latence", "latencies", "latences", "response time", "response times", "temps de reponse",
}  # fmt: skip


def _choice(wanted: _Wanted) -> _Found | None:
    choices = wanted.slot.choices
    mentions = [
        mention
        for mention in wanted.scan.of(wanted.role)
        if (not choices or mention.value in choices) and not _belongs_elsewhere(mention, wanted)
    ]
    if not mentions:
        return _period(wanted) if wanted.role == "period" else None
    best = _likeliest(wanted, mentions)
    return _Found(tuple(dict.fromkeys(mention.value for mention in best)), best[0].words)


_ROWS = re.compile(r"(?:by|per|each|every|par|chaque|pour|for) |\w+(?:ly|aire|ien)$|\w+ (?:by|par) \w+$")


def _belongs_elsewhere(mention: Mention, wanted: _Wanted) -> bool:
    """Whether the words are part of a longer mention of something else, or are the service's name.

    "failed payments" is one figure and names no service; the "week" in "2 weeks" is no period; a service may have
    the name of a figure.
    """
    scan = wanted.scan
    if wanted.role == "by" and not _ROWS.match(mention.words):
        return True
    roles = {slot.role or name for name, slot in slots(wanted.spec.arguments).items()} | {"time"}
    once = f" {scan.plain} ".count(f" {mention.words} ") <= 1
    for other in scan.mentions:
        if other.role == wanted.role or other.role not in roles:
            continue
        if (
            once
            and other.sure >= 0.8
            and other.words != mention.words
            and f" {mention.words} " in f" {other.words} "
        ):
            return True
        if other.role == "service" and other.words == mention.words:
            rivals = [rival for rival in scan.of(wanted.role) if rival.words != mention.words]
            return bool(rivals) or not wanted.required
    return False


def _likeliest(wanted: _Wanted, mentions: list[Mention]) -> list[Mention]:
    """The mentions that remain when weaker ones give way to stronger ones."""
    if len({mention.value for mention in mentions}) == 1:
        return mentions[:1]
    if wanted.role == "service":
        mentions = _heads(mentions)
        if any(mention.sure >= 0.9 for mention in mentions):
            mentions = [mention for mention in mentions if mention.sure >= 0.9]
    if wanted.role == "metric" and any(mention.words not in _GENERIC_LATENCY for mention in mentions):
        mentions = [mention for mention in mentions if mention.words not in _GENERIC_LATENCY]
    if wanted.role == "environment" and wanted.spec.effect is Effect.WRITE:
        exact = [mention for mention in mentions if mention.exact]
        return exact or mentions
    if wanted.role == "period":  # "weekly" says more of a report than "yesterday", which is also a time
        told = {word for mention in wanted.scan.of("time") for word in mention.words.split()}
        mentions = [mention for mention in mentions if mention.words not in told] or mentions
    if wanted.role not in {"service", "environment", "metric"}:
        return sorted(mentions, key=lambda mention: -len(mention.words))[:1]
    return mentions


def _heads(mentions: list[Mention]) -> list[Mention]:
    """Of names side by side ("the payments api"), the first one only: the second says what kind of thing it is."""
    kept: list[Mention] = []
    for mention in mentions:
        # A mention is one character of the scanned sentence, so neighbours are two apart.
        if not kept or mention.start - kept[-1].start != 2:
            kept.append(mention)
    return kept


_PERIODS = ((YEAR, "year"), (90 * DAY, "quarter"), (MONTH, "month"), (WEEK, "week"), (DAY, "day"))


def _period(wanted: _Wanted) -> _Found | None:
    """A period named by a time: "over the last seven days" is a week."""
    for mention in wanted.scan.of("time"):
        length = as_length(mention.when, wanted.context.now) if mention.when else None
        name = next((name for size, name in _PERIODS if length is not None and _near(length, size)), None)
        value = next((choice for choice in wanted.slot.choices if name and choice.startswith(name[:3])), None)
        if value:
            return _Found((value,), mention.words)
    return None


def _near(length: timedelta, size: timedelta) -> bool:
    return 0.9 <= length / size <= 1.1


# --- versions, counts ------------------------------------------------------------------------------------------


def _version(wanted: _Wanted) -> _Found | None:
    mentions = list(wanted.scan.of("version"))
    if family(wanted.spec.name) == "rollback" or (
        len({mention.value for mention in mentions}) > 1 and any(mention.exact for mention in mentions)
    ):  # the version in "2.4.0 is bad, roll back" is the one to leave
        mentions = [mention for mention in mentions if mention.exact]
    if not mentions:
        return None
    values = tuple(dict.fromkeys(_known_version(mention.value, wanted.slot) for mention in mentions))
    return _Found(values, mentions[0].words)


def _known_version(value: str, slot: Slot) -> str:
    """The one known version that a short form can only mean; the value itself otherwise."""
    if value in slot.choices:
        return value
    longer = [choice for choice in slot.choices if choice.startswith(value + ".")]
    return longer[0] if len(longer) == 1 else value


def _count(wanted: _Wanted) -> _Found | None:
    mentions = [mention for mention in wanted.scan.of("count") if not mention.relative]
    if len({mention.value for mention in mentions}) > 1 and any(mention.exact for mention in mentions):
        mentions = [mention for mention in mentions if mention.exact]
    if not mentions:
        return None
    return _Found(tuple(dict.fromkeys(int(mention.value) for mention in mentions)), mentions[0].words)


# --- times -----------------------------------------------------------------------------------------------------


def _times(scan: Scan) -> list[tuple[Mention, When]]:
    return [(mention, mention.when) for mention in scan.of("time") if mention.when is not None]


def _duration(wanted: _Wanted) -> _Found | None:
    for mention, when in _times(wanted.scan):
        if (length := as_length(when, wanted.context.now)) is not None:
            return _Found((short(length),), mention.words)
    return None


def _since(wanted: _Wanted) -> _Found | None:
    for mention, when in _times(wanted.scan):
        if when.length is not None:
            return _Found((short(when.length),), mention.words)
        if when.start is not None and when.start < wanted.context.now:
            return _Found((instant(when.start, wanted.context.zone),), mention.words)
    return None


def _until(wanted: _Wanted) -> _Found | None:
    for mention, when in _times(wanted.scan):
        if when.end is not None and when.end < wanted.context.now:
            return _Found((instant(when.end, wanted.context.zone),), mention.words)
    return None


# --- texts -----------------------------------------------------------------------------------------------------


def _quoted(wanted: _Wanted) -> _Found | None:
    if quoted := wanted.scan.of("quoted"):
        return _Found((quoted[0].value,), quoted[0].words)
    if (shown := worded_as_shown(wanted.spec, wanted.role, wanted.scan.text)) is not None:
        return _Found((shown,), shown)
    if wanted.spec.effect is Effect.WRITE:
        return None  # what is written somewhere is said in quotes or as in an example, not guessed
    found = looked_for(wanted.scan.abstract, wanted.scan.plain)
    return None if found is None else _Found(found[:1], found[1])


_REFERENCE = re.compile(
    r"(?<![\w/#-])(?:[\w.-]+/[\w.-]+#[1-9]\d*|#[1-9]\d*|[A-Z][A-Z0-9_]+-[1-9]\d*|sayso-[0-9a-f]{16})(?![\w/-])",
    re.ASCII,
)


def _reference(wanted: _Wanted) -> _Found | None:
    found = tuple(dict.fromkeys(match[0] for match in _REFERENCE.finditer(wanted.scan.text)))
    return _Found(found, found[0]) if found else None


def _said(wanted: _Wanted) -> _Found | None:
    words = wanted.scan.plain.split()
    said = next(
        (word for word in words if word in wanted.slot.choices or stem(word) in wanted.slot.choices), None
    )
    return None if said is None else _Found((True,), said)


def _question(wanted: _Wanted) -> _Found | None:
    text = question(wanted.scan.text)
    return _Found((text,), text) if text else None


_RULES: Mapping[Kind, _Rule] = {
    Kind.CHOICE: _choice, Kind.VERSION: _version, Kind.COUNT: _count, Kind.DURATION: _duration, Kind.SINCE: _since,
    Kind.UNTIL: _until, Kind.QUOTED: _quoted, Kind.REFERENCE: _reference,
    Kind.QUESTION: _question, Kind.SAID: _said,
}  # fmt: skip
