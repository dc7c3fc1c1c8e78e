"""The words that order each write tool, as the phrases show them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from agent.models.embedded.acts import judge, opening
from agent.models.embedded.folding import stem
from agent.models.embedded.lexicon import lexicon
from agent.models.embedded.phrases import Phrase, family
from agent.models.embedded.scan import Scanner
from tools.contract import Effect, Spec

_SOME_DAY = datetime.fromisoformat("2026-01-07T12:00:00+00:00")


def verb_owners(said: Iterable[Phrase], scanner: Scanner, specs: Mapping[str, Spec]) -> dict[str, str]:
    """Which write tool each class of verbs orders, as the phrases show it."""
    counts: dict[str, Counter[str]] = {verb.name: Counter() for verb in lexicon().verbs}
    for phrase in said:
        if phrase.intent in specs and specs[phrase.intent].effect is Effect.WRITE:
            for verb, plain in judge(scanner.scan(phrase.text, _SOME_DAY).abstract).verbs:
                counts[verb][phrase.intent] += 2 if plain else 1
    owners = {}
    for verb, tools in counts.items():
        named = next(
            (name for name in specs if family(name) == verb and specs[name].effect is Effect.WRITE), None
        )
        if named or tools:
            owners[verb] = named or tools.most_common(1)[0][0]
    return owners


def openings(said: Iterable[Phrase], scanner: Scanner, specs: Mapping[str, Spec]) -> dict[str, set[str]]:
    """For each write tool, the words its phrases begin an order with: the verbs of operations declared in settings."""
    words: dict[str, set[str]] = {name: set() for name, spec in specs.items() if spec.effect is Effect.WRITE}
    for phrase in said:
        if phrase.intent in words and family(phrase.intent) is None:
            words[phrase.intent].add(stem(opening(scanner.scan(phrase.text, _SOME_DAY).abstract)))
    return words
