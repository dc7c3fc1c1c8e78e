"""Queries that people write: parsed, held to limits, and templates filled so that a value stays a value."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.contract import BadArguments
from tools.metrics.declared import MetricRefused, declared
from tools.metrics.named import Scope, Written, filled, promql
from tools.metrics.promql import parse
from tools.metrics.sparkline import sparkline


def test_selectors_reach_and_cost_are_told() -> None:
    found = parse('sum(rate(a{x="1"}[5m] offset 1h)) / max_over_time(rate(b[10m])[1h:1m])')
    assert found.selectors == ('a{x="1"} offset 1h', "b{}")
    assert found.reach == timedelta(minutes=70)
    assert found.each == 20 + 60 * 40


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("sum(", "is no PromQL"),
        ("1 + 1", "selects no series"),
        ('{job=~".+"}', "selects every series"),
        ('{__name__!=""}', "selects every series"),
        ("a[40d]", "looks 40d back"),
        ("a offset 400d", "looks 400d back"),
        ("max_over_time(a[20d:1h] offset 20d)", "looks 40d back"),
        ("a @ 1609746000", "fixed instant"),
        ("a" * 3_000, "longer than"),
    ],
)
def test_what_cannot_be_asked_says_why(query: str, why: str) -> None:
    with pytest.raises(BadArguments, match=why):
        parse(query)


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(BadArguments):
        assert parse(text).selectors


@given(st.text(min_size=1, max_size=30) | st.sampled_from(["$route", "$x", '"} or b{x="', "\\"]))
def test_a_value_never_leaves_its_string(value: str) -> None:
    for operator in ("=", "=~"):
        query = filled(f'sum(a{{route{operator}"$route",code="200"}})', {"route": value})
        assert len(parse(query).selectors) == 1
        assert query.endswith('",code="200"})')


def test_a_value_that_looks_like_a_place_is_not_filled_again() -> None:
    assert (
        filled('a{route="$route",code="$code"}', {"route": "$code", "code": "200"})
        == 'a{route="$code",code="200"}'
    )


def test_a_value_is_a_literal_in_a_regular_expression() -> None:
    assert filled('a{route=~"$route.*"}', {"route": "/v1.0"}) == r'a{route=~"/v1\\.0.*"}'


def test_a_value_nobody_gave_lets_everything_pass() -> None:
    formula = Written('sum(rate(a{service="$service",environment="$environment"}[$window]))')
    query = promql(formula, Scope("staging"), timedelta(minutes=5))
    assert query == 'sum(rate(a{service=~".*",environment="staging"}[5m]))'


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "error_rate"}, "is a shipped metric"),
        ({"query": "sum("}, "is no PromQL"),
        ({"query": 'a{x="$y"}'}, "no parameter"),
        ({"query": "$service"}, "inside a string"),
        ({"parameters": {"since": {"type": "duration", "default": "1h"}}}, "a name of our own"),
        ({"parameters": {"n": {"type": "integer", "minimum": 1, "maximum": 2}}}, "default is missing"),
    ],
)
def test_a_declaration_that_cannot_work_says_why(change: dict[str, object], why: str) -> None:
    good: dict[str, object] = {"name": "queue", "words": "jobs waiting", "query": "sum(queue_length)"}
    assert declared([good])[0].metric.words == "jobs waiting"
    with pytest.raises(MetricRefused, match=why):
        declared([{**good, **change}])


def test_two_metrics_share_a_parameter_only_if_they_mean_the_same() -> None:
    one = {
        "name": "a1",
        "words": "one",
        "query": "a",
        "parameters": {"n": {"type": "duration", "default": "1h"}},
    }
    two = {**one, "name": "a2", "parameters": {"n": {"type": "duration", "default": "2h"}}}
    with pytest.raises(MetricRefused, match="declares it differently"):
        declared([one, two])


def test_a_line_of_bars_shows_low_high_and_gaps() -> None:
    assert sparkline([0, None, 7]) == "▁ █"
    assert sparkline([]) == ""
    assert len(sparkline(list(range(1000)))) == 40
