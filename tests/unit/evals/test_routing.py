"""The bench of tool routing, on data of its own."""

import json
from pathlib import Path

import pytest

from evals.bench.routing import WHITELISTED, cases, main

WORDS = ("apple", "brick", "cloud", "drum", "eagle", "flute", "grape", "horse", "island", "jacket")


def tool(name: str, key: str) -> dict[str, object]:
    said = f"{name.replace('_', ' ')} with care. " + "And so on. " * 40
    return {
        "name": name,
        "description": said,
        key: {"type": "dict", "properties": {"size": {"type": "float", "description": "How large"}}},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = [
        f"{verb}.{word}" for verb in ("paint", "carry", "count", "wash", "fold", "lift") for word in WORDS
    ]
    (tmp_path / "bfcl").mkdir()
    ops = {
        "id": 1,
        "text": "restart the worker",
        "expect": [{"tool": "restart", "args": {"service": "worker"}}],
    }
    quiet = {"id": 2, "text": "thanks!", "expect": [{"tool": "none", "args": {}}]}
    (tmp_path / "ops_tool_calls.jsonl").write_text(f"{json.dumps(ops)}\n{json.dumps(quiet)}\n")
    (tmp_path / "k8s_mcp_tools.json").write_text(json.dumps([tool("pods_list", "inputSchema")]))
    rows = [
        {
            "id": f"m{place}",
            "question": [[{"role": "user", "content": f"please {name.replace('.', ' the ')}"}]],
            "function": [tool(name, "parameters")],
        }
        for place, name in enumerate(names)
    ]
    answers = [{"id": f"m{place}", "ground_truth": [{name: {}}]} for place, name in enumerate(names)]
    for file, lines in (("BFCL_v4_multiple.json", rows), ("possible_answer_multiple.json", answers)):
        (tmp_path / "bfcl" / file).write_text("\n".join(json.dumps(line) for line in lines))
    return tmp_path


def test_each_case_has_sixty_tools_of_different_names_and_those_it_expects(folder: Path) -> None:
    found = cases(folder)

    assert len(found) == 62
    for case in found:
        names = {tool.name for tool in case.tools}
        assert len(names) == len(case.tools) == WHITELISTED
        assert case.expected <= names
    assert found[1].expected == frozenset()
    assert [tool.name for tool in cases(folder)[5].tools] == [tool.name for tool in found[5].tools]


def test_the_bench_tells_tokens_and_what_was_missed(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), "--json", "--words-only", "--cache", str(tmp_path / "cache")]) == 0

    whole = json.loads(capsys.readouterr().out)["all"]
    assert whole["right_tool_shown"] == 1.0
    assert whole["tokens_most"] < 4_000 < whole["all_tools_tokens_median"]
    assert whole["with_tool"] == 61


def test_the_bench_says_why_it_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 0
    assert "skipped: " in capsys.readouterr().out
