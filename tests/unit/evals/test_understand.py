"""The measure of understanding: what counts as right, and what as a wrong write."""

import json
from pathlib import Path

import pytest

from agent.models.embedded.reading import AskBack, Call, Doubt, Talk
from evals.understand import Case, Expected, figures, judge, load, main, matches
from evals.understand_tools import names, toolset
from tools.slots import slots

WRITES = frozenset({"restart"})
RESTART = Case(id=1, text="restart mailer", expect=[Expected(tool="restart", args={"service": "mailer"})])
NOTHING = Case(id=2, text="thanks", expect=[Expected(tool="none")])


def test_a_call_with_the_expected_arguments_is_right() -> None:
    verdict = judge(RESTART, (Call("restart", {"service": "mailer", "environment": "prod"}),), 1.0, WRITES)
    assert (verdict.tool, verdict.arguments, verdict.wrong_write) == (True, True, False)


def test_a_write_with_another_argument_is_a_wrong_write() -> None:
    verdict = judge(RESTART, (Call("restart", {"service": "ledger"}),), 1.0, WRITES)
    assert (verdict.tool, verdict.arguments, verdict.wrong_write) == (True, False, True)


def test_a_write_where_none_is_expected_is_a_wrong_write() -> None:
    assert judge(NOTHING, (Call("restart", {"service": "ledger"}),), 1.0, WRITES).wrong_write


def test_asking_back_is_the_wrong_tool_where_a_call_is_expected() -> None:
    assert not judge(RESTART, AskBack(Doubt.MISSING), 1.0, WRITES).tool


def test_talk_and_asking_back_are_right_where_no_call_is_expected() -> None:
    assert judge(NOTHING, Talk("thanks"), 1.0, WRITES).tool
    assert judge(NOTHING, AskBack(Doubt.UNSURE), 1.0, WRITES).tool


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        ({"query": ["failover", "Redis"]}, {"query": "redis failover steps"}, True),
        ({"query": ["failover"]}, {"query": "restart"}, False),
        ({"version": "v2.1"}, {"version": "2.1"}, True),
        ({"replicas": 3}, {"replicas": 3}, True),
        ({"replicas": 3}, {"replicas": 4}, False),
        ({"contains": "Time-Out"}, {"contains": "time-out"}, True),
        ({"level": "error"}, {}, False),
    ],
)
def test_arguments_match_by_value(
    expected: dict[str, object], got: dict[str, str | int], *, same: bool
) -> None:
    assert matches(expected, got) is same


def test_the_toolset_takes_the_names_of_the_cases() -> None:
    deploy = toolset(names([{"service": "zebra", "environment": "production"}]))[0]
    assert "zebra" in slots(deploy.arguments)["service"].choices
    assert "prod" not in slots(deploy.arguments)["environment"].choices


def test_an_environment_the_cases_always_name_is_required() -> None:
    deploy, rollback, *_ = toolset(names([]), frozenset({"deploy"}))
    assert deploy.arguments.model_fields["environment"].is_required()
    assert not rollback.arguments.model_fields["environment"].is_required()


def test_figures_are_shares_of_the_cases_they_are_about() -> None:
    verdicts = [
        judge(RESTART, (Call("restart", {"service": "mailer"}),), 2.0, WRITES),
        judge(RESTART, AskBack(Doubt.MISSING), 4.0, WRITES),
        judge(NOTHING, Talk("thanks"), 6.0, WRITES),
    ]
    measured = figures(verdicts)
    assert (measured["tool_right"], measured["none_right"], measured["asked_back"]) == (0.5, 1.0, 1)


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": 1, "text": "hi", "expect": []}\n{"id": 2}\n')
    with pytest.raises(ValueError, match="line 2"):
        load(file)


def test_the_command_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(RESTART.model_dump_json() + "\n" + NOTHING.model_dump_json() + "\n")
    assert main(["--json", str(file)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {"tool_right", "args_right", "none_right", "wrong_writes", "ms_median", "ms_p90"} <= set(printed)


def test_a_missing_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl" in capsys.readouterr().err
