"""Whether a person asked for a change at all: a model that obeys a log line calls tools that nobody spoke of."""

from collections.abc import Sequence
from datetime import UTC, datetime

from agent.models.embedded.acts import Mood, judge, verb_forms
from agent.models.embedded.folding import as_words, stem
from agent.models.embedded.phrases import family
from agent.models.embedded.scan import Scanner
from tools.contract import Effect, Spec
from tools.slots import slots

_SOME_DAY = datetime(2026, 1, 7, 12, tzinfo=UTC)  # what day it is does not matter for what is asked
_LONGEST = 2_000  # characters of one message that are read


class SpokenWishes:
    """Implements `agent.conversation.ports.Wishes` with the planner's grammar, in English and French.

    A change was asked for where a message that is no mere question has a verb for it, or a word that is said to get
    this tool and no read: of its name and its examples. When in doubt it was not, and the card says so.
    """

    def __init__(self, specs: Sequence[Spec]) -> None:
        every = [(name, slot) for spec in specs for name, slot in slots(spec.arguments).items()]
        self._scanner = Scanner(every, (), UTC)
        reads = {word for spec in specs if spec.effect is Effect.READ for word in _said_for(spec)}
        writes = [spec for spec in specs if spec.effect is Effect.WRITE]
        self._families = {spec.name: family(spec.name) for spec in writes}
        self._words = {spec.name: (_said_for(spec) - reads) | _named(spec) for spec in writes}

    def asked_for(self, tool: str, said: Sequence[str]) -> bool:
        """Whether one of the messages asks for what this tool does."""
        return any(self._asks(tool, text[:_LONGEST]) for text in said)

    def _asks(self, tool: str, text: str) -> bool:
        scan = self._scanner.scan(text, _SOME_DAY)
        if judge(scan.abstract).mood in {Mood.QUESTION, Mood.NEGATED}:
            return False
        if verb_forms(f"{scan.abstract} ").get(self._families.get(tool) or "") == "order":
            return True
        return bool(self._words.get(tool, frozenset()) & _stems(text))


def _said_for(spec: Spec) -> set[str]:
    return {word for example in spec.examples for word in _stems(example.text) if len(word) > 3}


def _named(spec: Spec) -> set[str]:
    return {word for word in _stems(spec.name.replace("_", " ").replace("-", " ")) if len(word) > 2}


def _stems(text: str) -> set[str]:
    return {stem(word) for word in as_words(text).split()}
