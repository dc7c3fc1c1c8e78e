"""The command line on a home of its own: init, doctor, ask, actions, audit; exit codes and bad input."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SETTINGS = """
people:
  maya: {name: Maya, roles: [viewer, operator]}
  tom: {name: Tom, roles: [viewer, keeper]}
  lea: {name: Lea, roles: []}
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
knowledge:
  embedder: none
  sources: [{name: docs, kind: markdown, path: docs}]
"""


@dataclass(frozen=True)
class Shell:
    """Runs `sayso` as a process, on one home."""

    home: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agent.cli", *words]
        environment = {**os.environ, "HOME": str(self.home.parent), "SAYSO_HOME": str(self.home)}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)

    def json(self, *words: str) -> dict[str, object]:
        done = self.run(*words, "--json")
        document: dict[str, object] = json.loads(done.stdout)
        return document


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    home = tmp_path / "home"
    (home / "docs").mkdir(parents=True)
    (home / "docs" / "lamp.md").write_text(
        "# The lamp\n\n## Fuse\n\nThe fuse of the hall lamp is number seven.\n"
    )
    for state in ("on", "off"):
        (home / state).write_text(state)
    (home / "lamp").write_text("off")
    (home / "sayso.yaml").write_text(SETTINGS.replace("HOME", str(home)))
    return Shell(home)


def test_init_writes_a_private_file_that_doctor_accepts_and_never_overwrites(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "new")
    assert shell.run("init", "--home", str(shell.home)).returncode == 0
    assert (shell.home / "sayso.yaml").stat().st_mode & 0o777 == 0o600
    assert shell.run("init", "--home", str(shell.home)).returncode == 3
    assert shell.run("doctor").returncode == 0


def test_the_doctor_warns_of_what_comes_to_nothing(shell: Shell) -> None:
    assert warned(shell) == [
        "person: lea may use nothing: has no role, and `access` gives that no enabled tool"
    ]
    file = shell.home / "sayso.yaml"
    poor = file.read_text().replace("lamp: [operator]}", "lamp: [operator], logs: [viewer], lgos: [viewer]}")
    poor = poor.replace("roles: [viewer, keeper]", "roles: [viewer]").replace("roles: []", "roles: [viewer]")
    file.write_text(
        poor.replace("  sources: [{name: docs, kind: markdown, path: docs}]\n", "model: {name: gpt}\n")
    )
    said = warned(shell)
    for part in (
        "knowledge: no sources",
        "model: `model.name` is 'gpt', and the provider is none",
        "access: logs: 'logs' is a tool, but it is not enabled",
        "access: lgos: there is no tool 'lgos'; nearest: logs (not enabled)",
        "policy: lamps: lamp can never be approved: it needs one person of keeper",
    ):
        assert any(one.startswith(part) for one in said), (part, said)
    assert len(said) == 5
    assert "warn  policy     lamps: " in shell.run("doctor").stdout


def warned(shell: Shell) -> list[str]:
    checks = listed(shell.json("doctor")["checks"])
    return [f"{one['what']}: {one['said']}" for one in checks if one["warning"]]


def test_a_command_goes_from_words_to_an_approved_effect(shell: Shell) -> None:
    proposed = shell.json("ask", "turn the lamp on", "--as", "maya")
    assert isinstance(proposed["actions"], list)
    assert [action["arguments"] for action in proposed["actions"]] == [{"state": "on"}]
    assert (shell.home / "lamp").read_text() == "off"
    assert shell.run("actions", "approve", "A-1", "--as", "maya").returncode == 3
    assert shell.run("actions", "approve", "A-1", "--as", "tom").returncode == 0
    assert (shell.home / "lamp").read_text() == "on"
    assert shell.json("audit", "verify", "--as", "tom")["whole"] is True


def test_what_a_command_wrote_is_streamed_kept_whole_and_read_page_by_page(shell: Shell) -> None:
    script = 'cp "$1" "$2"; seq 1 500; printf "\\033[31mpassword=mellon-1954\\033[0m\\n"'
    (shell.home / "switch").write_text(script)
    settings = shell.home / "sayso.yaml"
    home = str(shell.home)
    told = settings.read_text().replace(
        f'run: [cp, "{home}/{{state}}", {home}/lamp]',
        f'run: [sh, "{home}/switch", "{home}/{{state}}", {home}/lamp]',
    )
    settings.write_text(told)
    shell.run("ask", "turn the lamp on", "--as", "maya")
    approved = shell.run("actions", "approve", "A-1", "--as", "tom")
    assert "  1\n  2\n  3\n" in approved.stderr
    assert "password=[redacted]" in approved.stderr
    assert "mellon" not in approved.stderr + approved.stdout
    assert "It wrote 501 lines; all of them: sayso show A-1 --raw 1" in approved.stdout.replace("\n", " ")
    whole = shell.run("show", "A-1", "--raw", "1", "--as", "maya").stdout.splitlines()
    assert (whole[0], whole[499], len(whole)) == ("1", "500", 501)
    assert whole[500] == "[31mpassword=[redacted]"
    page = shell.run("show", "A-1", "--raw", "1", "--lines", "100-199", "--as", "maya")
    assert page.stdout.split() == [str(number) for number in range(100, 200)]
    assert "lines 100-199 of 501; go on with --lines 200-299" in page.stderr
    assert shell.json("show", "A-1", "--raw", "1", "--lines", "499-", "--as", "maya")["from"] == 499
    assert "--raw 1" in shell.run("show", "A-1", "--as", "maya").stdout
    assert shell.run("show", "A-1", "--raw", "1", "--as", "lea").returncode == 4
    assert shell.run("show", "A-1", "--raw", "2", "--as", "maya").returncode == 4
    assert shell.run("show", "A-1", "--raw", "1", "--lines", "0-3", "--as", "maya").returncode == 2


def test_an_edit_makes_a_new_action_and_a_wrong_one_leaves_the_old(shell: Shell) -> None:
    shell.run("ask", "turn the lamp on", "--as", "maya")
    (shell.home / "lamp").write_text("dim")
    wrong = shell.run("actions", "edit", "A-1", "colour=red", "--as", "maya")
    assert (wrong.returncode, "A-1 was left as it is" in wrong.stderr) == (2, True), wrong.stderr
    edited = shell.json("actions", "edit", "A-1", "state=off", "--as", "maya")
    assert isinstance(edited["action"], dict)
    assert (edited["action"]["id"], edited["action"]["supersedes"]) == ("A-2", "A-1")
    assert shell.run("actions", "approve", "A-1", "--as", "tom").returncode == 3
    assert shell.run("actions", "withdraw", "A-2", "--as", "maya").returncode == 0
    assert shell.run("actions", "settle", "A-2", "failed", "--reason", "x", "--as", "tom").returncode == 3


def test_documents_are_found_after_they_were_read(shell: Shell) -> None:
    unread = shell.run("search", "fuse", "--as", "maya")
    assert (unread.returncode, "nothing of docs was read. `sayso ingest` reads" in unread.stdout) == (4, True)
    assert shell.run("ingest", "--as", "maya").returncode == 0
    found = shell.json("search", "fuse of the hall lamp", "--as", "maya")
    assert "number seven" in str(found["passages"])


def test_a_search_where_no_source_is_set_says_how_to_add_one(shell: Shell) -> None:
    file = shell.home / "sayso.yaml"
    file.write_text(file.read_text().replace("  sources: [{name: docs, kind: markdown, path: docs}]\n", ""))
    done = shell.run("search", "fuse", "--as", "maya")
    assert done.returncode == 4
    assert "no source of knowledge is set" in done.stdout
    assert f"`knowledge.sources` in {file}" in done.stdout
    assert "sayso ingest" in done.stdout
    said = shell.json("search", "fuse", "--as", "maya")
    assert (said["passages"], "knowledge.sources" in str(said["nothing_to_search"])) == ([], True)


def test_somebody_without_a_role_may_use_nothing(shell: Shell) -> None:
    assert shell.json("tools", "--as", "lea")["tools"] == []


@pytest.mark.parametrize(
    "words",
    [["doctor"], ["policy", "show"], ["audit", "verify"], ["audit", "key"], ["ingest"], ["sources", "list"]],
)
def test_what_shows_nobodys_questions_needs_no_name(shell: Shell, words: list[str]) -> None:
    done = shell.run(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert shell.run(*words, "--as", "nobody").returncode == 2


@pytest.mark.parametrize("words", [["ask", "hello"], ["actions", "list"], ["audit", "show"]])
def test_what_depends_on_rights_asks_who_it_is(shell: Shell, words: list[str]) -> None:
    done = shell.run(*words)
    assert (done.returncode, "who is asking?" in done.stderr) == (2, True), done.stderr


def test_a_turn_is_told_to_its_speaker_and_to_nobody_else(shell: Shell) -> None:
    shell.run("ask", "hello", "--as", "maya")
    assert shell.json("show", "T-1", "--as", "maya")["question"] == "hello"
    assert shell.run("show", "T-1", "--as", "tom").returncode == 4


def test_everything_that_is_kept_is_closed_to_others(shell: Shell) -> None:
    shell.run("ask", "turn the lamp on", "--as", "maya")
    assert shell.home.stat().st_mode & 0o777 == 0o700
    assert (shell.home / "sayso.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ask", "hello", "--as", "nobody"], 2, "'nobody' is not among the people"),
        (["ask", " ", "--as", "maya"], 2, "nothing was asked"),
        (["actions", "show", "A-99", "--as", "maya"], 4, "there is no action 'A-99'"),
        (["show", "nonsense", "--as", "maya"], 4, "there is no 'nonsense'"),
        (["audit", "show", "A-9", "--as", "maya"], 4, "nothing about"),
        (["doctor", "--home", "/nonexistent/home"], 2, "sayso init"),
        (["frobnicate"], 2, "there is no verb 'frobnicate'. `sayso --help` lists them"),
        (["actoins"], 2, "there is no verb 'actoins'. Did you mean `sayso actions`? `sayso --help`"),
        (["actions", "aprove", "A-1"], 2, "Did you mean `sayso actions approve`? `sayso actions --help`"),
        (["actions", "list", "--state", "open"], 2, "invalid choice: 'open'"),
    ],
)
def test_bad_input_gets_a_sentence_and_its_code(shell: Shell, words: list[str], code: int, said: str) -> None:
    done = shell.run(*words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("enabled: [knowledge, lamp]|enabled: [knowlege, lamp]", "'knowlege' is no tool; nearest: knowledge"),
        ("policies:|policies: []\nunused:", "there is no such setting"),
        ("tools: [lamp], approvers|tools: [other], approvers", "lamp: no policy says who must approve"),
        ("enabled: [knowledge, lamp]|enabled: [knowledge, lamp, logs]", "logs is enabled and needs one"),
    ],
)
def test_broken_settings_stop_the_start_and_say_what_is_right(shell: Shell, broken: str, said: str) -> None:
    old, new = broken.split("|", 1)
    file = shell.home / "sayso.yaml"
    file.write_text(file.read_text().replace(old, new))
    done = shell.run("tools", "--as", "maya")
    assert done.returncode == 2
    assert said in done.stderr


def test_a_damaged_store_is_named(shell: Shell) -> None:
    (shell.home / "sayso.db").write_text("this is no database, and long enough to be read as one" * 100)
    done = shell.run("actions", "list", "--as", "maya")
    assert (done.returncode, "is damaged" in done.stderr) == (5, True), done.stderr


def test_a_store_of_a_newer_version_is_left_alone(shell: Shell) -> None:
    shell.run("actions", "list", "--as", "maya")
    change = "update alembic_version set version_num=9999"
    script = f"import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('{change}'); c.commit()"
    subprocess.run([sys.executable, "-c", script, str(shell.home / "sayso.db")], check=True)
    done = shell.run("actions", "list", "--as", "maya")
    assert (done.returncode, "newer sayso" in done.stderr) == (5, True)


def test_a_locked_store_is_waited_for_and_then_named(shell: Shell) -> None:
    shell.run("actions", "list", "--as", "maya")
    holder = sqlite3.connect(shell.home / "sayso.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    done = shell.run("ask", "what runs?", "--as", "maya")
    holder.close()
    assert (done.returncode, "is locked by another process" in done.stderr) == (5, True), done.stderr


def test_a_dry_run_writes_nothing_and_sources_say_what_is_known(shell: Shell) -> None:
    dry = shell.run("ingest", "--dry-run", "--as", "maya")
    assert "docs: 1 new, 0 changed, 0 removed, 0 unchanged" in dry.stdout
    assert "nothing was written" in dry.stdout
    assert (
        "docs (markdown): never read; `sayso ingest` reads it"
        in shell.run("sources", "list", "--as", "maya").stdout
    )
    assert shell.run("ingest", "--source", "slack", "--as", "maya").returncode == 2
    assert shell.run("ingest", "--as", "maya").returncode == 0
    (source,) = listed(shell.json("sources", "list", "--as", "maya")["sources"])
    assert (source["documents"], source["not_read"]) == (1, 0)


def test_a_check_finds_what_changed_since_and_an_ingestion_settles_it(shell: Shell) -> None:
    shell.run("ingest", "--as", "maya")
    assert shell.run("sources", "verify", "--as", "maya").returncode == 0
    (shell.home / "docs" / "lamp.md").write_text("# The lamp\n\nIt was taken away.\n")
    found = shell.run("sources", "verify", "--as", "maya")
    assert (found.returncode, "docs:lamp.md differs" in found.stdout) == (1, True)
    shell.run("ingest", "--as", "maya")
    assert shell.run("sources", "verify", "--as", "maya").returncode == 0


def test_a_watch_indexes_what_changes_while_it_stays(shell: Shell) -> None:
    environment = {**os.environ, "HOME": str(shell.home.parent), "SAYSO_HOME": str(shell.home)}
    command = [sys.executable, "-u", "-m", "agent.cli", "sources", "watch", "--every", "0.1", "--as", "maya"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as watch:
        assert watch.stdout is not None
        assert watch.stdout.readline().startswith("watching docs")
        assert "docs: 1 new" in watch.stdout.readline()
        (shell.home / "docs" / "stairs.md").write_text("# The stairs\n\nThe third step creaks.\n")
        assert "docs: 1 new" in watch.stdout.readline()
        watch.terminate()
    assert "third step" in str(shell.json("search", "which step creaks", "--as", "maya")["passages"])


def test_a_member_that_nobody_is_is_refused_by_name(shell: Shell) -> None:
    file = shell.home / "sayso.yaml"
    file.write_text(file.read_text().replace("kind: markdown,", "kind: markdown, members: [raij],"))
    refused = shell.run("sources", "list", "--as", "maya")
    assert (refused.returncode, "'raij' is nobody of `people`" in refused.stderr) == (2, True)


def test_what_is_heard_in_slack_is_a_source_beside_those_of_the_settings(shell: Shell) -> None:
    file = shell.home / "sayso.yaml"
    file.write_text(f"{file.read_text()}\nslack: {{bot_token: xoxb-1}}\n")
    assert "slack: 0 new" in shell.run("ingest", "--as", "maya").stdout
    listed = shell.run("sources", "list", "--as", "maya").stdout
    assert "slack (what is heard in Slack): 0 documents" in listed
    assert shell.run("sources", "verify", "--as", "maya").returncode == 0


def test_a_tool_or_a_source_of_a_channel_that_is_not_there_is_refused_by_name(shell: Shell) -> None:
    file = shell.home / "sayso.yaml"
    before = file.read_text()
    for wrong, said in (
        ("tools: [lgos]", "slack.channels.C1.tools: 'lgos' is not there"),
        (
            "tools: [logs]",
            "slack.channels.C1.tools: 'logs' is a tool, but it is not enabled; `tools.enabled`",
        ),
        (
            "knowledge: [slack, dcos]",
            "slack.channels.C1.knowledge: 'dcos' is not there; there is docs, slack",
        ),
    ):
        file.write_text(f"{before}\nslack: {{bot_token: xoxb-1, channels: {{C1: {{{wrong}}}}}}}\n")
        refused = shell.run("sources", "list", "--as", "maya")
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


def test_what_nobody_could_answer_is_listed_until_somebody_writes_it(shell: Shell) -> None:
    shell.run("ingest", "--as", "maya")
    asked = shell.json("ask", "who repairs the elevator?", "--as", "maya")
    assert "Nothing" in str(asked["answer"])
    (gap,) = listed(shell.json("knowledge", "gaps", "--as", "maya")["gaps"])
    assert (gap["question"], gap["times"]) == ("who repairs the elevator?", 1)
    assert listed(shell.json("knowledge", "gaps", "--as", "tom")["gaps"]) == []  # asked in private
    assert shell.run("knowledge", "gaps", "--close", str(gap["id"]), "--as", "maya").returncode == 2
    denied = shell.run("knowledge", "gaps", "--close", str(gap["id"]), "--reason", "x", "--as", "tom")
    assert denied.returncode == 4
    (shell.home / "docs" / "elevator.md").write_text("# The elevator\n\nAda Lund repairs the elevator.\n")
    shell.run("ingest", "--as", "maya")
    assert "without an answer" in shell.run("knowledge", "gaps", "--as", "maya").stdout
    told = shell.run("knowledge", "gaps", "--all", "--as", "maya").stdout
    assert "who repairs the elevator?" in told
    assert "it is answered now" in told


def test_a_gap_that_needs_no_answer_is_closed_with_a_reason(shell: Shell) -> None:
    shell.run("ingest", "--as", "maya")
    assert "Nothing" in str(shell.json("ask", "who repairs the elevator?", "--as", "maya")["answer"])
    closed = shell.run("knowledge", "gaps", "--close", "q-1", "--reason", "we have none", "--as", "maya")
    assert closed.returncode == 0, closed.stderr
    assert "Q-1 is closed" in closed.stdout
    listed_now = shell.json("knowledge", "gaps", "--all", "--as", "maya")
    (told,) = listed(listed_now["closed"])
    assert (listed_now["gaps"], listed_now["more"]) == ([], 0)
    assert (told["by"], told["reason"]) == ("maya", "we have none")
    assert shell.json("knowledge", "gaps", "--all", "--as", "tom")["closed"] == []
    again = shell.run("knowledge", "gaps", "--close", "q-1", "--reason", "twice", "--as", "maya")
    assert again.returncode == 4


def test_an_answer_that_is_marked_goes_first_the_next_time(shell: Shell) -> None:
    (shell.home / "docs" / "hall.md").write_text("# The hall\n\nThe fuse is behind the mirror in the hall.\n")
    shell.run("ingest", "--as", "maya")
    question = "where is the fuse of the hall lamp?"
    answer = shell.json("ask", question, "--as", "maya")
    passages = [one for one in listed(answer["evidence"]) if one["kind"] == "passage"]
    last = passages[-1]["number"]
    assert shell.run("knowledge", "mark", "T-1", "helpful", "--passage", "99", "--as", "maya").returncode == 4
    done = shell.run("knowledge", "mark", "T-1", "helpful", "--passage", str(last), "--as", "maya")
    assert done.returncode == 0, done.stderr
    assert shell.run("knowledge", "mark", "T-1", "helpful", "--as", "tom").returncode == 4  # not told to him
    (mark,) = listed(shell.json("knowledge", "marks", "--as", "maya")["marks"])
    assert shell.json("knowledge", "marks", "--as", "tom")["marks"] == []  # one's own, unless a role sees all
    first = listed(shell.json("search", question, "--as", "tom")["passages"])[0]
    assert (first["document"], first["marked"]) == (mark["document"], 1)


def listed(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value
