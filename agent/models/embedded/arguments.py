"""Fills a tool's arguments from a scanned sentence, by the slots of its schema: unsure rather than wrong."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from agent.models.embedded.folding import stem
from agent.models.embedded.phrases import family
from agent.models.embedded.scan import Mention, Scan, symptoms
from agent.models.embedded.times import DAY, MONTH, WEEK, YEAR, When, as_length, instant, short
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


_Rule = Callable[[Spec, str, Slot, Scan, Context], _Found | None]


def fill(spec: Spec, scan: Scan, context: Context) -> Filled:
    """Fills every slot of `spec` that the sentence speaks of, and checks the result against the schema."""
    values: dict[str, Json] = {}
    said: dict[str, str] = {}
    doubtful: dict[str, tuple[str, ...]] = {}
    for name, slot in slots(spec.arguments).items():
        found = _RULES[slot.kind](spec, name, slot, scan, context)
        if found is None or not found.values:
            continue
        values[name], said[name] = found.values[0], found.words
        if len(found.values) > 1:
            doubtful[name] = tuple(str(value) for value in found.values)
    required = [name for name, info in spec.arguments.model_fields.items() if info.is_required()]
    missing = tuple(name for name in required if name not in values)
    relative = "count" in missing_roles(spec, missing) and any(m.relative for m in scan.mentions)
    return Filled(values, said, missing, doubtful, None if missing else refusal(spec, values), relative)


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
    "latency",
    "latence",
    "latencies",
    "latences",
    "response time",
    "response times",
    "temps de reponse",
}
_OF = re.compile(r"(?:in|of|on|for|from|to|de|du|d'|dans|sur|pour|chez|cote)(?: (?:the|l'|la|le|our))? $")


def _choice(spec: Spec, name: str, slot: Slot, scan: Scan, context: Context) -> _Found | None:
    mentions = [
        mention for mention in scan.of(slot.role or name) if not slot.choices or mention.value in slot.choices
    ]
    if not mentions and slot.role == "period":
        return _period(slot, scan, context)
    if not mentions:
        return None
    best = _likeliest(spec, slot, mentions, scan)
    return _Found(tuple(dict.fromkeys(mention.value for mention in best)), best[0].words)


def _likeliest(spec: Spec, slot: Slot, mentions: list[Mention], scan: Scan) -> list[Mention]:
    """The mentions that remain when weaker ones give way to stronger ones."""
    if len({mention.value for mention in mentions}) == 1:
        return mentions[:1]
    if slot.role == "service":
        mentions = _heads(mentions, scan)
        if any(mention.sure >= 0.9 for mention in mentions):
            mentions = [mention for mention in mentions if mention.sure >= 0.9]
    if slot.role == "metric" and any(mention.words not in _GENERIC_LATENCY for mention in mentions):
        mentions = [mention for mention in mentions if mention.words not in _GENERIC_LATENCY]
    if (
        slot.role in {"service", "environment"}
        and spec.effect is Effect.WRITE
        and any(m.exact for m in mentions)
    ):
        exact = [mention for mention in mentions if mention.exact]
        if slot.role == "environment" and len({mention.value for mention in exact}) == 1:
            return exact
    if slot.role == "period":  # "weekly" says more of a report than "yesterday", which is also a time
        told = {word for mention in scan.of("time") for word in mention.words.split()}
        mentions = [mention for mention in mentions if mention.words not in told] or mentions
    if slot.role not in {"service", "environment", "metric"}:
        return sorted(mentions, key=lambda mention: -len(mention.words))[:1]
    return mentions


def _heads(mentions: list[Mention], scan: Scan) -> list[Mention]:
    """Of names side by side ("the payments api"), the first one only: the second says what kind of thing it is."""
    kept: list[Mention] = []
    for mention in mentions:
        if (
            kept and mention.start - kept[-1].start == 2
        ):  # one character and one space in the scanned sentence
            continue
        kept.append(mention)
    return kept


_PERIODS = ((YEAR, "year"), (90 * DAY, "quarter"), (MONTH, "month"), (WEEK, "week"), (DAY, "day"))


def _period(slot: Slot, scan: Scan, context: Context) -> _Found | None:
    """A period named by a time: "over the last seven days" is a week."""
    for mention in scan.of("time"):
        length = as_length(mention.when, context.now) if mention.when else None
        name = next((name for size, name in _PERIODS if length is not None and _near(length, size)), None)
        value = next((choice for choice in slot.choices if name and choice.startswith(name[:3])), None)
        if value:
            return _Found((value,), mention.words)
    return None


def _near(length: timedelta, size: timedelta) -> bool:
    return 0.9 <= length / size <= 1.1


# --- versions, counts ------------------------------------------------------------------------------------------


def _version(spec: Spec, name: str, slot: Slot, scan: Scan, context: Context) -> _Found | None:
    mentions = list(scan.of("version"))
    if family(spec.name) == "rollback":  # the version in "2.4.0 is bad, roll back" is the one to leave
        mentions = [mention for mention in mentions if mention.exact]
    elif len({mention.value for mention in mentions}) > 1 and any(mention.exact for mention in mentions):
        mentions = [mention for mention in mentions if mention.exact]
    if not mentions:
        return None
    values = tuple(dict.fromkeys(_known_version(mention.value, slot) for mention in mentions))
    return _Found(values, mentions[0].words)


def _known_version(value: str, slot: Slot) -> str:
    """The one known version that a short form can only mean; the value itself otherwise."""
    if value in slot.choices:
        return value
    longer = [choice for choice in slot.choices if choice.startswith(value + ".")]
    return longer[0] if len(longer) == 1 else value


def _count(spec: Spec, name: str, slot: Slot, scan: Scan, context: Context) -> _Found | None:
    mentions = [mention for mention in scan.of("count") if not mention.relative]
    if len({mention.value for mention in mentions}) > 1 and any(mention.exact for mention in mentions):
        mentions = [mention for mention in mentions if mention.exact]
    if not mentions:
        return None
    return _Found(tuple(dict.fromkeys(int(mention.value) for mention in mentions)), mentions[0].words)


# --- times -----------------------------------------------------------------------------------------------------


def _times(scan: Scan) -> list[tuple[Mention, When]]:
    return [(mention, mention.when) for mention in scan.of("time") if mention.when is not None]


def _duration(spec: Spec, name: str, slot: Slot, scan: Scan, context: Context) -> _Found | None:
    for mention, when in _times(scan):
        if (length := as_length(when, context.now)) is not None:
            return _Found((short(length),), mention.words)
    return None


def _since(spec: Spec, name: str, slot: Slot, scan: Scan, context: Context) -> _Found | None:
    for mention, when in _times(scan):
        if when.length is not None:
            return _Found((short(when.length),), mention.words)
        if when.start is not None and when.start < context.now:
            return _Found((instant(when.start, context.zone),), mention.words)
    return None


def _until(spec: Spec, name: str, slot: Slot, scan: Scan, context: Context) -> _Found | None:
    for mention, when in _times(scan):
        if when.end is not None and when.end < context.now:
            return _Found((instant(when.end, context.zone),), mention.words)
    return None


# --- texts -----------------------------------------------------------------------------------------------------

_LOOKED_FOR = re.compile(
    r"(?<!\S)(?:grep(?: for)?|containing|contains?|contenant|contient|contiennent|matching|mentioning|mentions?|mentionn\w+|saying|says?"
    r"|the (?:word|words|text|message|string|phrase)|le (?:mot|texte|message)|la (?:chaine|phrase)|occurrences? (?:of|de|d')|instances of"
    r"|look(?:ing)? for|search(?:ing)? for|filter(?:ed)? (?:on|by)|filtre\w* sur|any(?: sign| trace)?(?: of)?|signs? of|traces? d(?:e|')"
    r"|find(?: me)?|cherche\w*(?: moi)?|trouve\w*(?: moi)?|recherche\w*|there (?:any|been any)|y a t il (?:eu )?d(?:es|e|')|il y a (?:eu )?d(?:es|e|')"
    r"|how many|combien d(?:e|')|about|des|les|the|all|every|toutes? les|tous les|see|with|avec|lines with) "
    r"(?P<what>(?:(?!(?:in|on|from|for|over|since|within|during|across|at|did|do|does|has|have|was|were|are|is|dans|sur|chez|depuis|pour|en|"
    r"of|by|around|cote|today|yesterday|lately|recently|right|this|last|a|au|que|qui|and|et|or|ou|please|stp|svp|there|logged|des|du|de|ce|cette|<\w+>|[?.,!;:]) )\S+ ){1,5})"
)
_EMPTY = {
    "the", "any", "some", "a", "an", "all", "des", "les", "un", "une", "le", "la", "l'", "d'", "du", "de", "new", "recent", "recents", "latest", "last", "derniers", "dernieres",
    "error", "warning", "warn", "erreur", "avertissement", "log", "line", "ligne", "message", "anything", "something", "everything", "issue",
    "problem", "probleme", "entry", "journau", "journal", "logged", "output", "stuff", "thing", "tout", "rien", "quelque", "chose", "me", "moi", "my", "our", "info", "debug",
    "critical", "service", "kind", "of", "weird", "interesting", "wrong", "strange", "bad", "bizarre", "trouble", "failure", "trace", "tail", "past", "other", "more", "up", "out", "for", "critique", "fatal", "level", "niveau",
    "latest", "search", "it", "that", "this", "them", "you", "we", "i", "there", "time", "times", "fois", "word", "text",
}  # fmt: skip


def _quoted(spec: Spec, name: str, slot: Slot, scan: Scan, context: Context) -> _Found | None:
    if quoted := scan.of("quoted"):
        return _Found((quoted[0].value,), quoted[0].words)
    for match in _LOOKED_FOR.finditer(scan.abstract):
        if what := _looked_for(match["what"]):
            return _Found((what,), match["what"].strip())
    if found := symptoms(scan.plain):
        what = found[0] if found[0].isdigit() else stem(found[0])
        return _Found((what,), found[0])
    return None


def _looked_for(words: str) -> str | None:
    """The words that are looked for, in the singular; `None` when they only say "errors" or "anything"."""
    kept = words.split()
    while kept and (kept[0] in _EMPTY or stem(kept[0]) in _EMPTY):
        kept.pop(0)
    while kept and (kept[-1] in _EMPTY or stem(kept[-1]) in _EMPTY):
        kept.pop()
    if not kept or len(" ".join(kept)) < 3:
        return None
    return " ".join([*kept[:-1], stem(kept[-1])])


_LEAD_IN = re.compile(
    r"^(?:\s*(?:hey|hi|hello|ok|okay|so|please|pls|bonjour|salut|bonsoir|dis|euh|um|and|et|then|alors|quick question|question|question rapide)\b[\s,:!-]*)+",
    re.IGNORECASE,
)
_ONLY_ASKS = re.compile(
    r"^\s*(?:(?:can|could|would|will) (?:you|someone|anyone|somebody) (?:please |kindly )?(?:tell|show|remind|explain to|explain|give|help|let) me(?: know)?(?: about| understand)?|(?:please )?(?:tell|show|remind|give) me(?: about)?"
    r"|do (?:you|we) (?:know|remember)|does any(?:one|body) (?:know|remember)|any(?:one|body) (?:know|knows|remember)s?|i(?:'d| would) like to know|i want to know|i need to know|i was wondering|just wondering"
    r"|search (?:the )?(?:docs|documentation|wiki|knowledge base|knowledge|runbooks|slack|history|chat) for|look up|find out"
    r"|(?:peux|pourrais|pouvez|pourriez)[- ](?:tu|vous) (?:me |nous )?(?:dire|expliquer|rappeler|montrer|donner)|(?:dis|explique|rappelle|donne)[- ]moi|est[- ]ce que (?:tu sais|quelqu['’]un sait|vous savez)|(?:tu sais|sais[- ]tu|savez[- ]vous|quelqu['’]un sait)"
    r"|j['’]aimerais savoir|je voudrais savoir|je me demande|cherche dans (?:la doc|le wiki|les docs|slack|l['’]historique))\b[\s,:]*",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"[\s,]*(?:please|pls|thanks|thank you|thx|merci(?: d['’]avance)?|stp|svp|s['’]il (?:te|vous) pla[iî]t)[\s.!?]*$",
    re.IGNORECASE,
)


def question(text: str) -> str:
    """The request without the words that only ask or greet; never empty when the text is not."""
    shorter = _THANKS.sub("", _ONLY_ASKS.sub("", _LEAD_IN.sub("", text.strip()))).strip(" \n\t?!.,:;")
    return shorter or text.strip()


def _question(spec: Spec, name: str, slot: Slot, scan: Scan, context: Context) -> _Found | None:
    text = question(scan.text)
    return _Found((text,), text) if text else None


_RULES: Mapping[Kind, _Rule] = {
    Kind.CHOICE: _choice, Kind.VERSION: _version, Kind.COUNT: _count, Kind.DURATION: _duration, Kind.SINCE: _since,
    Kind.UNTIL: _until, Kind.QUOTED: _quoted, Kind.QUESTION: _question,
}  # fmt: skip
