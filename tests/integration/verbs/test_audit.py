"""`sayso audit` on a home of its own: stories, signatures, pruning, exports, and no secret anywhere in the trail."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

SETTINGS = """
people:
  maya: {name: Maya, roles: [viewer, operator]}
  tom: {name: Tom, roles: [viewer, keeper], language: fr}
  nora: {name: Nora, roles: [viewer, auditor]}
tools:
  enabled: [knowledge, lamp]
  commands:
    - name: lamp
      description: Switches the lamp in the hall
      arguments:
        state: {type: choice, choices: ["on", "off"], description: On or off}
      plan: [cat, HOME/lamp]
      run: [cp, "HOME/{state}", HOME/lamp]
      verify: [cmp, -s, "HOME/{state}", HOME/lamp]
      examples: ["switch the lamp {state}", "turn the lamp {state}", "lamp {state} please", "put the lamp {state}",
                 "set the lamp to {state}", "make the lamp {state}", "the lamp should be {state}", "lamp: {state}"]
access: {knowledge: [viewer], lamp: [operator]}
policies:
  - {name: lamps, tools: [lamp], approvers: [keeper]}
knowledge: {embedder: none}
"""
SECRETS = ("hunter2secret", "sk-abcdefghijklmnopqrstuvwx", "AKIAIOSFODNN7EXAMPLE", "pa55word")


@dataclass(frozen=True)
class Shell:
    """Runs `sayso` as a process, on one home."""

    home: Path

    @property
    def store(self) -> Path:
        return self.home / "sayso.db"

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agent.cli", *words]
        environment = {**os.environ, "HOME": str(self.home.parent), "SAYSO_HOME": str(self.home), **variables}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)

    def sql(self, statement: str) -> None:
        """Somebody works on the store, past sayso."""
        with closing(sqlite3.connect(self.store, isolation_level=None)) as connection:
            connection.execute(statement)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a lamp was switched on, with secrets in everything that was said."""
    home = tmp_path_factory.mktemp("audit") / "home"
    home.mkdir()
    for state in ("on", "off"):
        (home / state).write_text(state)
    (home / "lamp").write_text("password=pa55word off")
    (home / "sayso.yaml").write_text(SETTINGS.replace("HOME", str(home)))
    shell = Shell(home)
    shell.run("ask", "turn the lamp on, the password=hunter2secret", "--as", "maya")
    shell.run("actions", "approve", "A-1", "--as", "maya", "--reason", "mine is AKIAIOSFODNN7EXAMPLE")
    done = shell.run("actions", "approve", "A-1", "--as", "tom", "--reason", f"fine, {SECRETS[1]}")
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def shell(lived: Path, tmp_path: Path) -> Shell:
    """A copy of that home, to do things to."""
    home = tmp_path / "home"
    shutil.copytree(lived, home)
    return Shell(home)


def test_the_whole_story_of_an_action_is_told_in_the_language_of_who_asks(shell: Shell) -> None:
    english = shell.run("audit", "show", "A-1", "--as", "maya").stdout
    for part in (
        "Maya asked in a terminal: “turn the lamp on, the password=[redacted]”",
        "Maya tried to approve it and was refused: the requester's own yes does not count.",
        "Tom said yes,",
        "Spoke through terminal as ",
        "Looking at the world afterwards said: it is as wanted.",
        "It waited ",
    ):
        assert part in english, part
    french = shell.run("audit", "show", "a-1", "--as", "tom").stdout
    assert "Tom a dit oui," in french
    assert "Un regard sur le monde ensuite a dit : tout est comme voulu." in french


def test_what_a_turn_was_about_is_for_its_speaker_and_for_auditors(shell: Shell) -> None:
    assert "turn the lamp on" in shell.run("audit", "show", "T-1", "--as", "maya").stdout
    assert "turn the lamp on" in shell.run("audit", "show", "T-1", "--as", "nora").stdout
    other = shell.run("audit", "show", "T-1", "--as", "tom").stdout
    assert "turn the lamp on" not in other
    assert "pour Maya et les auditeurs" in other


def test_no_secret_that_was_said_anywhere_enters_the_trail(shell: Shell) -> None:
    exported = shell.run("audit", "export", "--as", "nora").stdout
    rows = [json.loads(line) for line in exported.splitlines()]
    assert {row["kind"] for row in rows} >= {
        "proposed",
        "answered",
        "decision_refused",
        "decided",
        "succeeded",
    }
    assert [secret for secret in SECRETS if secret in exported] == []
    with closing(sqlite3.connect(shell.store)) as connection:
        kept = str(connection.execute("SELECT * FROM audit").fetchall())
    assert [secret for secret in SECRETS if secret in kept] == []
    assert kept.count("[redacted]") >= 4


def test_verify_says_how_far_the_trail_is_signed(shell: Shell) -> None:
    done = shell.run("audit", "verify", "--as", "tom")
    assert (done.returncode, "6 rows, the chain is whole" in done.stdout) == (0, True)
    assert "signed up to row 6 by 3 checkpoints that fit\n" in done.stdout


@pytest.mark.parametrize(
    ("statement", "row", "said"),
    [
        ("UPDATE audit SET actor = 'raj' WHERE seq = 4", 4, "its content was changed"),
        ("UPDATE audit SET data = replace(data, 'fine', 'fire') WHERE seq = 4", 4, "its content was changed"),
        ("UPDATE audit SET data = '' WHERE seq = 3", 3, "its body is gone, and no pruning"),
        ("DELETE FROM audit WHERE seq = 3", 3, "row 3 is missing"),
        ("DELETE FROM audit WHERE seq > 4", 5, "the trail was cut off: rows 5 to 6 are missing"),
        ("DELETE FROM audit", 1, "the trail was cut off: rows 1 to 6 are missing"),
        (
            "UPDATE checkpoints SET body = replace(body, 'seq\": 2', 'seq\": 1')",
            1,
            "its signature does not fit",
        ),
        ("UPDATE meta SET value = 'another' WHERE name = 'store'", 2, "is of another store"),
    ],
)
def test_verify_names_what_was_done_behind_its_back(
    shell: Shell, statement: str, row: int, said: str
) -> None:
    shell.sql(statement)
    done = shell.run("audit", "verify", "--json", "--as", "tom")
    report = json.loads(done.stdout)
    assert (done.returncode, report["whole"], report["broken_row"]) == (1, False, row)
    assert said in report["problem"]


def test_verify_and_doctor_say_it_to_people_too(shell: Shell) -> None:
    shell.sql("UPDATE audit SET actor = 'raj' WHERE seq = 4")
    done = shell.run("audit", "verify", "--as", "tom")
    assert "row 4: its content was changed\n3 rows before that are whole" in done.stdout
    assert "FAIL  audit      row 4: its content was changed" in shell.run("doctor", "--as", "tom").stdout


def test_a_trail_that_was_cut_off_is_not_vouched_for_by_what_happens_next(shell: Shell) -> None:
    shell.sql("DELETE FROM audit WHERE seq > 4")
    shell.sql("DELETE FROM checkpoints WHERE seq > 4")
    asked = shell.run("ask", "hello", "--as", "maya")
    assert (asked.returncode, "the audit trail was not signed: row 6" in asked.stderr) == (0, True)
    assert "Traceback" not in asked.stderr
    done = shell.run("audit", "verify", "--as", "tom")
    assert (done.returncode, "row 6 was signed at" in done.stdout) == (1, True)


def test_an_auditor_verifies_with_the_public_key_and_a_copy_alone(shell: Shell, tmp_path: Path) -> None:
    public, copy = tmp_path / "audit.pub", tmp_path / "copy.jsonl"
    public.write_text(shell.run("audit", "key", "--as", "nora").stdout)
    copy.write_text(shell.run("audit", "export", "--checkpoints", "--as", "nora").stdout)
    (shell.home / "keys" / "audit.pem").unlink()
    (shell.home / "keys" / "checkpoints.jsonl").unlink()
    words = ("audit", "verify", "--as", "nora", "--key", str(public), "--checkpoints", str(copy))
    assert shell.run(*words).returncode == 0
    shell.sql("DELETE FROM checkpoints")
    shell.sql("DELETE FROM audit WHERE seq = 6")
    assert "row 6 is missing" in shell.run(*words).stdout
    assert shell.run("audit", "verify", "--as", "nora", "--key", str(copy)).returncode == 2
    assert shell.run("audit", "verify", "--as", "nora", "--checkpoints", "none").returncode == 2


def test_a_key_that_is_gone_is_not_made_anew(shell: Shell) -> None:
    (shell.home / "keys" / "audit.pem").unlink()
    assert shell.run("ask", "hello", "--as", "maya").returncode == 0
    assert not (shell.home / "keys" / "audit.pem").exists()
    doctor = shell.run("doctor", "--as", "nora")
    assert (doctor.returncode, "audit.pem is gone" in doctor.stdout) == (1, True)
    assert shell.run("audit", "key", "--as", "nora").returncode == 4


def test_doctor_says_to_keep_the_key_elsewhere_until_it_is(shell: Shell, tmp_path: Path) -> None:
    assert "move it elsewhere and name the place as `audit.key`" in shell.run("doctor", "--as", "tom").stdout
    key = tmp_path / "elsewhere" / "audit.pem"
    key.parent.mkdir()
    (shell.home / "keys" / "audit.pem").rename(key)
    moved = shell.run("doctor", "--as", "tom", SAYSO_AUDIT__KEY=str(key)).stdout
    assert f"audit key  {key}, apart from the store" in moved
    key.chmod(0o644)
    assert "chmod 600" in shell.run("doctor", "--as", "tom", SAYSO_AUDIT__KEY=str(key)).stdout


def test_pruning_is_for_auditors_keeps_the_chain_and_is_told(shell: Shell) -> None:
    assert shell.run("audit", "prune", "--older-than", "0s", "--as", "tom").returncode == 3
    assert "nothing that old" in shell.run("audit", "prune", "--older-than", "400d", "--as", "nora").stdout
    done = shell.run("audit", "prune", "--older-than", "0s", "--as", "nora")
    assert (done.returncode, "6 rows up to row 6" in done.stdout) == (0, True), done.stderr
    verified = json.loads(shell.run("audit", "verify", "--json", "--as", "tom").stdout)
    assert (verified["whole"], verified["rows"], verified["pruned"], verified["signed_until"]) == (
        True,
        7,
        6,
        7,
    )
    assert "What the row said was pruned" in shell.run("audit", "show", "A-1", "--as", "nora").stdout
    assert "What 6 rows said (up to row 6) was taken away by Nora" in shell.run(
        "audit", "show", "trail", "--as", "nora"
    ).stdout.replace("\n", " ")


def test_nothing_is_pruned_from_a_trail_that_is_not_whole(shell: Shell) -> None:
    shell.sql("UPDATE audit SET data = replace(data, 'fine', 'fire') WHERE seq = 4")
    done = shell.run("audit", "prune", "--older-than", "0s", "--as", "nora")
    assert (done.returncode, "the trail is not whole" in done.stderr) == (1, True)
    assert "row 4: its content was changed" in shell.run("audit", "verify", "--as", "nora").stdout


@pytest.mark.parametrize("older", ["soon", "-3d", "2999-01-01"])
def test_a_time_that_is_none_is_refused(shell: Shell, older: str) -> None:
    assert shell.run("audit", "prune", f"--older-than={older}", "--as", "nora").returncode == 2


def test_exports_can_be_narrowed_and_are_csv_too(shell: Shell) -> None:
    table = shell.run("audit", "export", "--format", "csv", "--subject", "a-1", "--as", "nora").stdout
    assert [row["seq"] for row in csv.DictReader(table.splitlines())] == ["1", "3", "4", "5", "6"]
    assert shell.run("audit", "export", "--since", "2999-01-01", "--as", "nora").stdout == ""
    assert len(shell.run("audit", "export", "--since", "1d", "--as", "nora").stdout.splitlines()) == 6
    assert shell.run("audit", "export", "--until", "1d", "--as", "nora").stdout == ""
    assert shell.run("audit", "export", "--since", "whenever", "--as", "nora").returncode == 2
