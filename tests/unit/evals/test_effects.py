"""The bench of suggested effects: servers are held out whole, figures are counted right, absent data are no verdict."""

import json
from pathlib import Path

import pytest

from evals.effects import RECALL, Labelled, Score, learned, main, out_of_fold, read, scored, write
from tools.mcp.effects import _weights, features

WORDS = {
    True: ("frobnicate the pump", "frobnicate a valve", "frobnicate all doors"),
    False: ("quaff the pump", "quaff a valve", "quaff all doors"),
}


def tool(server: str, name: str, description: str, *, changes: bool) -> Labelled:
    return Labelled(server, name, description, changes, {})


UNRULED = [  # no rule knows these verbs: the weights alone decide
    tool(server, f"thing_{number}", text, changes=changes)
    for server in ("north", "south", "east")
    for changes, texts in WORDS.items()
    for number, text in enumerate(texts)
]


def test_weights_learn_what_tells_changes_from_reads_and_carry_it_to_servers_held_out() -> None:
    found = scored(out_of_fold(UNRULED), 0.5)
    assert (found.caught, found.alarms) == (9, 0)


def test_a_server_is_judged_by_weights_that_never_saw_it() -> None:
    alone = [*UNRULED, tool("west", "thing_9", "zorble", changes=True)]
    (judged,) = [one for one in out_of_fold(alone) if one.tool.server == "west"]
    assert judged.rule is None
    assert judged.probability == pytest.approx(
        learned(UNRULED).probability(features("thing_9", "zorble")), abs=1e-6
    )


def test_a_score_counts_changes_and_reads_apart() -> None:
    score = Score(changes=100, caught=98, reads=20, alarms=1)
    assert (score.recall, score.alarm_rate) == (0.98, 0.05)
    assert not score.holds
    assert Score(100, 99, 20, 1).holds
    assert not Score(100, 100, 20, 2).holds
    assert RECALL == 0.99


def test_a_file_without_labels_counts_for_nothing_and_a_missed_change_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, object]] = [
        {"server": "a", "name": "list_pods", "description": "List pods", "readOnly": True},
        {"server": "b", "name": "delete_pod", "description": "Delete a pod", "readOnly": False},
        {"server": "b", "name": "mystery", "description": "", "readOnly": None},
    ]
    file = tmp_path / "tools.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    assert len(read(file)) == 2
    assert main([str(file)]) == 0
    rows[0]["readOnly"] = False  # its makers say that this listing changes something: no rule can know
    file.write_text("\n".join(json.dumps(row) for row in rows))
    assert main([str(file)]) == 1
    assert "a list_pods: called read by rule" in capsys.readouterr().out


def test_data_that_are_not_there_are_skipped_with_a_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.jsonl")]) == 0
    assert "skipped" in capsys.readouterr().out


def test_written_weights_are_what_was_learned(tmp_path: Path) -> None:
    weights = learned(UNRULED)
    write(weights, tmp_path / "effects.json")
    held = json.loads((tmp_path / "effects.json").read_text())
    assert held["weights"] == dict(weights.by_feature)
    assert held["bias"] == weights.bias


def test_the_shipped_weights_were_learned_from_something() -> None:
    assert len(_weights().by_feature) > 100
