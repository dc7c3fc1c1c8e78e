"""Which tools serve a request: all of them ranked by words and by meaning, with no call of a language model."""

import asyncio
import logging
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.models.embedded.acts import verb_forms
from agent.models.embedded.folding import as_words, fold, stem, tokens
from agent.models.embedded.lexicon import lexicon
from agent.models.embedded.phrases import family
from knowledge.glossary.glossary import glossary
from knowledge.hybrid import rise
from knowledge.port import Embedder, EmbedderUnavailable
from tools.contract import Json, Spec
from tools.slots import slots

if TYPE_CHECKING:
    from knowledge.port import Vectors

_WORDS = 0.5  # how much words count beside meaning
_KIN = 0.3  # what a tool gains whose family the request speaks of
_EARLIER = 0.3  # how much the question before counts: "and the ones of checkout?"
_NAME, _EXAMPLE, _SAID, _ARGUMENT = 3.0, 1.5, 1.0, 0.6  # what a word weighs by where a tool has it
_LONGEST = 400  # characters of a description that are embedded; what a tool is for stands at its beginning
_MOST_EXAMPLES = 12  # of one language
_QUESTION = 300  # characters of a request that are embedded
_SPEAKS_OF = {  # the families of tools by the lexicon's classes of things
    "logs": ("logs", "failures"),
    "metrics": ("metrics", "speed"),
    "report": ("report", "period"),
    "status": ("status",),
    "knowledge": ("documents", "people", "memory", "incidents"),
}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_.\-/]+")
_HOLE = re.compile(r"\{\w+\}")
_SMALL = frozenset(
    re.findall(
        r"\w+",
        "the a an of to and or is are in on at for by with from it its this that be me my i you we us our can could "
        "would will please what which who how do does did has have had was were there some any all if as s t not no so "
        "le la les l de du des d un une et ou est sont a au aux en dans sur pour par avec ce cet cette ces que qui qu "
        "moi je tu il elle on nous vous mon ma mes se sa son ses y n ne pas quel quelle quels quelles",
    )
)

log = logging.getLogger("sayso.turn")


@dataclass(frozen=True, slots=True)
class _Known:
    """A tool as it is looked up: the weight of each word it is described with."""

    name: str
    words: Mapping[str, float]
    family: str | None


class ToolRouter:
    """Implements `agent.conversation.ports.Router` with words, and with an embedding model where there is one.

    The tools are embedded at the first request, and kept in the embedder's cache for the next start. Words that are
    rare among the tools weigh more; French ones count for the English words they may stand for.
    """

    def __init__(self, specs: Sequence[Spec], embedder: Embedder | None = None) -> None:
        self._names = tuple(spec.name for spec in specs)
        self._known = tuple(_Known(spec.name, _weighed(spec), family(spec.name)) for spec in specs)
        self._rarity = _rarity(self._known)
        self._english = glossary(_stems, _stems).from_french
        passages = [(place, text) for place, spec in enumerate(specs) for text in _passages(spec)]
        self._owners = [place for place, _ in passages]
        self._passages = [text for _, text in passages]
        self._embedder = embedder
        self._vectors: Vectors | None = None
        self._embedding = asyncio.Lock()

    async def prepare(self) -> None:
        """Embeds the tools now instead of at the first request. Without a model that works, words alone decide."""
        async with self._embedding:
            if self._embedder is None or self._vectors is not None:
                return
            try:
                self._vectors = await self._embedder.embed_passages(self._passages)
            except EmbedderUnavailable:
                log.warning("router_without_meaning", exc_info=True)
                self._embedder = None

    async def rank(self, request: str, earlier: str = "") -> tuple[str, ...]:
        """All tools, those that serve the request best first; `earlier` is what was asked before it, if anything."""
        await self.prepare()
        asked = [text for text in (request, earlier) if text.strip()]
        halves = [self._by_words(text) for text in asked]
        meanings = await self._by_meaning(asked)
        score = [0.0] * len(self._names)
        for at, by_words in enumerate(halves):
            share = 1.0 if at == 0 else _EARLIER
            by_meaning = meanings[at] if meanings else None
            for place, words in enumerate(by_words):
                both = words if by_meaning is None else _WORDS * words + (1 - _WORDS) * by_meaning[place]
                score[place] += share * both
        order = sorted(range(len(self._names)), key=lambda place: (-score[place], place))
        return tuple(self._names[place] for place in order)

    def _by_words(self, request: str) -> list[float]:
        """For each tool how much of the request it is described with, from 0 to 1."""
        wanted = Counter(_content(request))
        if not wanted:
            return [0.0] * len(self._known)
        most = sum(self._rarest(word) for word in wanted) * _NAME
        kin = _families(request)
        return [
            sum(self._told(word, tool.words) for word in wanted) / most + _KIN * (tool.family in kin)
            for tool in self._known
        ]

    def _rarest(self, word: str) -> float:
        return max(self._rarity.get(each, 0.0) for each in self._meant(word)) or max(
            self._rarity.values(), default=1.0
        )

    def _told(self, word: str, words: Mapping[str, float]) -> float:
        return max(words.get(each, 0.0) * self._rarity.get(each, 0.0) for each in self._meant(word))

    def _meant(self, word: str) -> tuple[str, ...]:
        return (word, *self._english.get(word, ()))

    async def _by_meaning(self, asked: Sequence[str]) -> list[list[float]]:
        """For each text and tool how near they are in meaning, from 0 to 1; nothing where no model says it."""
        if self._embedder is None or self._vectors is None or not asked:
            return []
        try:
            vectors = await self._embedder.embed_queries([text[:_QUESTION] for text in asked])
        except EmbedderUnavailable:
            return []
        floor = self._embedder.floor
        near = []
        for row in vectors @ self._vectors.T:
            best = [0.0] * len(self._names)
            for place, cosine in zip(self._owners, row, strict=True):
                best[place] = max(best[place], rise(float(cosine), floor))
            near.append(best)
        return near


def _families(request: str) -> set[str]:
    """The families of tools that a request speaks of, in the words that the planner knows for them."""
    abstract = f"{as_words(request[:_QUESTION])} "
    known = lexicon().things
    spoken = {
        kin
        for kin, things in _SPEAKS_OF.items()
        if any(compiled.search(abstract) for thing in things for compiled in known[thing])
    }
    return spoken | set(verb_forms(abstract))


def _passages(spec: Spec) -> list[str]:
    """A tool in the words that are embedded: what it is for, and what people say to get it, by language."""
    said = f"{' '.join(_parts(spec.name))}: {' '.join(spec.description.split())[:_LONGEST]}"
    languages: dict[str, list[str]] = {}
    for example in spec.examples:
        languages.setdefault(example.language, []).append(_HOLE.sub("", example.text))
    return [said, *("; ".join(texts[:_MOST_EXAMPLES])[:_LONGEST] for texts in languages.values())]


def _weighed(spec: Spec) -> dict[str, float]:
    """The words a tool is described with; one that stands in several places weighs what it weighs in the best."""
    schema: Mapping[str, Json] = spec.arguments.model_json_schema()
    places = [
        (_NAME, " ".join(_parts(spec.name))),
        (_SAID, spec.description),
        (_EXAMPLE, " ".join(_HOLE.sub(" ", example.text) for example in spec.examples)),
        (_ARGUMENT, " ".join((*_said_in(schema.get("properties")), *_choices(spec)))),
    ]
    words: dict[str, float] = {}
    for weight, text in places:
        for word in _content(text):
            words[word] = max(words.get(word, 0.0), weight)
    return words


def _said_in(schema: Json) -> Iterator[str]:
    """The names, descriptions and choices in a schema."""
    if isinstance(schema, str):
        yield schema
    elif isinstance(schema, Mapping):
        for name, value in schema.items():
            if isinstance(value, Mapping):
                yield name
            if name not in {"type", "title", "pattern", "format", "$ref"}:
                yield from _said_in(value)
    elif isinstance(schema, Sequence):
        for value in schema:
            yield from _said_in(value)


def _choices(spec: Spec) -> Iterator[str]:
    """What the arguments of a tool may be called: their choices, in any language."""
    for slot in slots(spec.arguments).values():
        if slot.role not in {"service", "environment"}:  # every tool has those
            yield from (*slot.choices, *slot.aliases)


def _rarity(known: Sequence[_Known]) -> dict[str, float]:
    """How much each word tells one tool from another (BM25's inverse document frequency)."""
    counted = Counter(word for tool in known for word in tool.words)
    return {word: math.log(1 + (len(known) - count + 0.5) / (count + 0.5)) for word, count in counted.items()}


def _content(text: str) -> list[str]:
    """The stems of a text that say what it is about; names are taken apart."""
    return [word for word in _stems(" ".join(_parts(text))) if word not in _SMALL and word.isalnum()]


def _stems(text: str) -> list[str]:
    return [_rooted(token) for token in tokens(fold(text))]


def _rooted(word: str) -> str:
    """A stem that meets the other forms of an English verb: `restarted`, `restarting` and `restart`."""
    plain = stem(word)
    for ending in ("ing", "ed"):
        if plain.endswith(ending) and len(plain) > len(ending) + 3:
            return plain.removesuffix(ending)
    return plain.removesuffix("e") if len(plain) > 4 else plain


def _parts(name: str) -> list[str]:
    return [part for part in _CAMEL.split(name) if part]
