"""PromQL that people wrote, parsed before it is sent: what it selects, how far it looks back, what it may cost."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tools.contract import BadArguments
from tools.times import written

if TYPE_CHECKING:
    from promql_parser import Expr, VectorSelector

SUBQUERY_STEP = timedelta(minutes=1)  # Prometheus' own default
SCRAPED = timedelta(seconds=15)  # how often a series is taken to have a sample, for the estimate


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one free query may cost."""

    reach: timedelta = timedelta(
        days=32
    )  # the oldest sample it may look at, before the instant it is computed for
    points: int = 500  # instants it may be computed for
    series: int = 2_000  # series it may read
    samples: int = 20_000_000  # samples it may read, estimated; Prometheus itself stops at 50 million
    characters: int = 2_000  # of the query


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query that is PromQL. `reach`: how far before an instant it looks; `each`: samples of a series read then."""

    query: str
    selectors: tuple[str, ...]
    reach: timedelta
    each: float

    def samples(self, series: int, points: int) -> float:
        """About how many samples it reads when its selectors name this many series."""
        return series * points * self.each


def parse(query: str, limits: Limits | None = None, field: str = "query") -> Parsed:
    """The query, understood. Raises `BadArguments` when it is no PromQL, selects everything, or looks too far back."""
    limits = limits or Limits()
    if len(query) > limits.characters:
        raise _bad(field, query[:40], f"is longer than {limits.characters:,} characters")
    from promql_parser import parse as parsed
    from promql_parser import walk

    try:
        tree = parsed(query)
    except ValueError as error:
        raise _bad(field, query, f"is no PromQL: {error}") from error
    walker = _Walker()
    walk(tree, walker.enter, walker.leave)
    for selector in walker.found:
        if selector.at is not None:
            raise _bad(field, query, "looks at a fixed instant with `@`; say since and until instead")
        if not _narrow(selector):
            raise _bad(
                field, query, f"selects every series with {selector}; name a metric or a label's value"
            )
    if not walker.found:
        raise _bad(field, query, "selects no series; name a metric")
    if walker.reach > limits.reach:
        raise _bad(field, query, f"looks {written(walker.reach)} back; the limit is {written(limits.reach)}")
    names = tuple(dict.fromkeys(str(selector) for selector in walker.found))
    return Parsed(query.strip(), names, walker.reach, max(walker.each, 1.0))


class _Walker:
    """Collects selectors on the way through a query, and how far and how often they are read."""

    def __init__(self) -> None:
        self.found: list[VectorSelector] = []
        self.reach, self.each = timedelta(0), 0.0
        self._around = [(timedelta(0), 1.0)]  # the ranges around: how far back, how many times

    def enter(self, node: "Expr") -> None:
        from promql_parser import MatrixSelector, SubqueryExpr, VectorSelector

        back, times = self._around[-1]
        match node:
            case SubqueryExpr():
                length, step = node.range or timedelta(0), node.step or SUBQUERY_STEP
                self._around.append(
                    (back + length + abs(node.offset or timedelta(0)), times * max(length / step, 1))
                )
            case MatrixSelector():  # the selector in it is visited next
                self._around.append((back + node.range, times * max(node.range / SCRAPED, 1)))
            case VectorSelector():
                self._note(node, back, times)
            case _:
                pass

    def leave(self, node: "Expr") -> None:
        from promql_parser import MatrixSelector, SubqueryExpr

        if isinstance(node, SubqueryExpr | MatrixSelector):
            self._around.pop()

    def _note(self, selector: "VectorSelector", back: timedelta, times: float) -> None:
        self.found.append(selector)
        self.reach = max(self.reach, back + abs(selector.offset or timedelta(0)))
        self.each += times


def _narrow(selector: "VectorSelector") -> bool:
    """Whether it names a metric, or a value that some label must have, in each of its alternatives."""
    from promql_parser import MatchOp

    groups = selector.matchers.or_matchers or [selector.matchers.matchers]
    return bool(selector.name) or all(
        any(each.op == MatchOp.Equal and each.value for each in group) for group in groups
    )


def _bad(field: str, query: str, why: str) -> BadArguments:
    return BadArguments(f"{field} = {query!r} {why}", field=field, value=query)
