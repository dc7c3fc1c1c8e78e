"""Policies as operators write them: what they become, and what a start refuses with which words."""

from pathlib import Path

import pytest

from agent.approvals.conditions import Begins, Every, Matches, OneOf, Ranges
from agent.approvals.policy import PolicyGap, Rule
from agent.policies import policy_of
from agent.settings import SettingsError, load
from tests.fakes.valve import Gauge, Valve

HEAD = "people: {maya: {name: Maya, roles: [keeper]}}\naccess: {valve: [keeper]}\ntime_zone: Europe/Paris\n"
SPECS = (Valve().spec, Gauge().spec)


def rule(tmp_path: Path, text: str) -> Rule:
    """The one rule written as `text`, with the tools of the tests."""
    file = tmp_path / "sayso.yaml"
    file.write_text(f"{HEAD}policies:\n  - {{name: r, {text}}}\n", encoding="utf-8")
    return policy_of(load(file, {}), SPECS).rules[0]


def complaint(tmp_path: Path, text: str) -> str:
    with pytest.raises((PolicyGap, SettingsError)) as caught:
        rule(tmp_path, text)
    return str(caught.value)


def test_conditions_are_written_as_values_lists_expressions_and_ranges(tmp_path: Path) -> None:
    when = rule(
        tmp_path,
        "tools: [valve], approvers: [keeper], when: {position: {above: 10, at_most: 20, values: [12]}, "
        "site: {prefix: 'no', matches: '[a-z]+'}}",
    ).when
    assert when["position"] == Every((OneOf((12,)), Ranges(above=10, at_most=20)))
    assert when["site"] == Every((Matches("[a-z]+"), Begins("no")))


@pytest.mark.parametrize("written", ["north", "[north]", "{values: [north]}"])
def test_one_value_is_as_good_as_a_list(tmp_path: Path, written: str) -> None:
    when = rule(tmp_path, f"tools: [valve], approvers: [keeper], when: {{site: {written}}}").when
    assert when["site"] == OneOf(("north",))


def test_a_number_in_quotes_is_still_a_number_as_in_older_files(tmp_path: Path) -> None:
    when = rule(tmp_path, "tools: [valve], approvers: [keeper], when: {position: ['20']}").when
    assert when["position"].holds(20)


def test_hours_and_freezes_are_in_the_zone_of_the_settings(tmp_path: Path) -> None:
    made = rule(
        tmp_path,
        "tools: [valve], approvers: [keeper], hours: 'mon-fri 09:00-17:00', "
        "freezes: [{name: w, from: fri 16:00, to: mon 08:00}, "
        "{name: x, from: 2026-12-20, to: 2027-01-02 08:00, zone: UTC, override: {quorum: 2}}]",
    )
    assert made.hours is not None
    assert [made.hours.zone, *(freeze.zone for freeze in made.freezes)] == [
        "Europe/Paris",
        "Europe/Paris",
        "UTC",
    ]


VALVE = "tools: [valve], approvers: [keeper]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tools: [vavle], approvers: [keeper]", "r: tools: there is no tool 'vavle'; did you mean 'valve'?"),
        ("tools: [gauge], approvers: [keeper]", "'gauge' changes nothing"),
        (
            f"{VALVE}, when: {{sight: [x]}}",
            "r: when.sight: valve takes no argument 'sight'; did you mean 'site'?",
        ),
        (f"{VALVE}, when: {{colour: [x]}}", "it takes: position, site"),
        (
            f"{VALVE}, when: {{position: {{matches: '1.'}}}}",
            "matches: valve's position is a number, not text",
        ),
        (f"{VALVE}, when: {{site: {{above: 3}}}}", "above: valve's site is string, not a number"),
        (
            f"{VALVE}, when: {{site: [on]}}",
            "True: valve's site is string, and this is boolean; put it in quotes",
        ),
        (
            f"{VALVE}, when: {{site: {{matches: '('}}}}",
            "policies.0.when.site.matches = '(': should be a regular",
        ),
        (f"{VALVE}, when: {{site: {{match: x}}}}", "there is no such setting; did you mean 'matches'?"),
        (f"{VALVE}, when: {{site: []}}", "should name values, or one of matches"),
        ("tools: [valve]", "r: approvers is missing: name roles or people, or say `auto: true`"),
        (
            "tools: [valve], approvers: ['person:mya']",
            "approvers = 'person:mya': nobody of `people` is called so; did",
        ),
        (f"{VALVE}, distinct_teams: 2", "distinct_teams = 2 should be at most quorum = 1"),
        (f"{VALVE}, hours: 'mon 9-17'", "hours.open"),
        (
            f"{VALVE}, freezes: [{{name: w, from: fri, to: mon}}]",
            "policies.0.freezes.0: 'fri' should be a moment",
        ),
        (
            f"{VALVE}, freezes: [{{name: w, from: fri 16:00, to: mon 08:00, override: {{quorum: 1}}}}]",
            "more than the",
        ),
        (f"{VALVE}, expires_after: 30m, escalate: {{to: [keeper], after: 30m}}", "less than expires_after"),
        (f"{VALVE}, escalate: {{to: ['person:nobody'], after: 5m}}", "escalate.to"),
        (f"{VALVE}, auto: true, break_glass: {{roles: [keeper]}}", "no use in a rule with `auto: true`"),
    ],
)
def test_a_rule_that_cannot_mean_what_it_says_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in complaint(tmp_path, text)


def test_a_rule_may_speak_of_a_tool_that_is_not_enabled(tmp_path: Path) -> None:
    file = tmp_path / "sayso.yaml"
    file.write_text(f"{HEAD}policies:\n  - {{name: r, tools: [valve, silence], approvers: [keeper]}}\n")
    with pytest.raises(PolicyGap, match="there is no tool 'silence'"):
        policy_of(load(file, {}), SPECS)
    assert policy_of(load(file, {}), SPECS, off=("silence",)).rules[0].tools == {"valve", "silence"}
