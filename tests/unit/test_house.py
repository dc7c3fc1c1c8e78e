"""Habits of the house that a machine can check."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("agent", "tools", "knowledge", "prompts", "evals", "demo")
MODULES = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
HEAVY = (
    "openai",
    "langchain",
    "chromadb",
    "sqlalchemy",
    "pydantic",
    "tiktoken",
    "numpy",
    "aiohttp",
    "yaml",
    "rich",
)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_module_opens_with_a_sentence_that_says_what_it_holds(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def test_help_imports_nothing_heavy() -> None:
    script = f"import sys, agent.cli; agent.cli.parser(); print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_nothing_unfinished_is_left() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "X" + "XX")
    left = [str(file) for file in MODULES for word in words if word in file.read_text(encoding="utf-8")]
    assert left == []
