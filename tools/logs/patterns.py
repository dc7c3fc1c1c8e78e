"""What log lines have in common: templates with counts, first and last, mined as lines arrive.

Numbers, identifiers, addresses and lengths of time are masked, then drain3 (the Drain algorithm: He et al., "Drain: An
Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017) groups what is left. A masked word that was the same in
every line of a group is shown as it stands: "answered 503" says more than "answered <NUM>".
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tools.logs.port import Level, Line

if TYPE_CHECKING:
    from drain3.drain import Drain
    from drain3.masking import LogMasker

# None of them may swallow a space: a masked line has the words of the line.
_MASKS = (
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "UUID"),
    (r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])", "IP"),
    (r"\b\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b", "TIME"),
    (r"\b(?=[a-z_-]*\d)[a-zA-Z]+[_-][0-9a-zA-Z]*\d[0-9a-zA-Z_-]*\b", "ID"),
    (r"\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{8,}\b", "HEX"),
    (r"(?<![\w.])\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|min|h)\b", "DURATION"),
    (r"(?<![A-Za-z0-9_.])[-+]?\d+(?:[.,]\d+)*(?![A-Za-z0-9_])", "NUM"),
)
SIMILARITY = 0.5  # the share of equal words from which two lines are one pattern
SHORT = 2  # words of which one says what it is about: "cache hit" and "cache miss" are no one pattern
SIMILARITY_SHORT = 0.51
MOST = 2_000  # patterns kept of one service and level; beyond that drain3 forgets the ones seen longest ago
_REMEMBERED = 20_000  # exact messages whose pattern is known without asking again


@dataclass(slots=True)
class Pattern:
    """Lines of one service and level that say the same. `words` are `None` where they differed."""

    service: str
    level: Level
    sample: str
    words: list[str | None]
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    versions: set[str] = field(default_factory=set)
    masked: tuple[str, ...] = ()

    @property
    def template(self) -> str:
        """The masked words, and the words themselves where they never changed."""
        if len(self.masked) != len(self.words):
            return " ".join(self.masked)
        return " ".join(
            mask if word is None else word for word, mask in zip(self.words, self.masked, strict=True)
        )

    def add(self, line: Line) -> None:
        self.count += 1
        self.first = line.at if self.first is None else min(self.first, line.at)
        self.last = line.at if self.last is None else max(self.last, line.at)
        if line.version:
            self.versions.add(line.version)

    def compare(self, words: list[str]) -> None:
        """Forgets the words in which another line of the pattern differs."""
        if len(words) == len(self.words):
            pairs = zip(self.words, words, strict=True)
            self.words = [mine if mine == theirs else None for mine, theirs in pairs]


class Patterns:
    """The patterns of a stream of lines. Memory is bounded, whatever the lines are."""

    def __init__(self) -> None:
        self._masker = _masker()
        self._drains: dict[tuple[str, Level, bool], Drain] = {}
        self._patterns: dict[tuple[str, Level, bool, int], Pattern] = {}
        self._known: dict[tuple[str, Level, str], Pattern] = {}

    def add(self, line: Line) -> Pattern:
        """Counts the line in its pattern, and returns that."""
        key = (line.service, line.level, line.message)
        pattern = self._known.get(key)
        if pattern is None:
            pattern = self._find(line)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = pattern
        pattern.add(line)
        return pattern

    def top(self, count: int) -> list[Pattern]:
        """The patterns with the most lines, the worse level first among equals."""
        order = list(Level)
        ranked = sorted(
            self._patterns.values(), key=lambda each: (-each.count, -order.index(each.level), each.sample)
        )
        return ranked[:count]

    def __len__(self) -> int:
        return len(self._patterns)

    def _find(self, line: Line) -> Pattern:
        words = line.message[:2_000].split()
        group = (line.service, line.level, len(words) <= SHORT)
        if group not in self._drains:
            self._drains[group] = _drain(SIMILARITY_SHORT if group[2] else SIMILARITY)
        masked = self._masker.mask(line.message[:2_000])
        cluster, _ = self._drains[group].add_log_message(masked)
        pattern = self._patterns.setdefault(
            (*group, int(cluster.cluster_id)), Pattern(line.service, line.level, line.message, list(words))
        )
        pattern.compare(words)
        pattern.masked = tuple(cluster.log_template_tokens)
        return pattern


def _masker() -> "LogMasker":
    from drain3.masking import LogMasker, MaskingInstruction

    return LogMasker([MaskingInstruction(mask, name) for mask, name in _MASKS], "<", ">")


def _drain(similarity: float) -> "Drain":
    from drain3.drain import Drain

    return Drain(depth=4, sim_th=similarity, max_children=100, max_clusters=MOST, param_str="<*>")
