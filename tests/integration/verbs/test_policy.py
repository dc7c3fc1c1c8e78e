"""`sayso policy` as a process: what would happen, whether it was meant, and what another policy would have done."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SETTINGS = """
people:
  maya: {name: Maya, roles: [viewer, operator], team: hall}
  tom: {name: Tom, roles: [viewer, keeper], team: hall}
  sam: {name: Sam, roles: [viewer, keeper, chief], team: roof, language: fr}
  lea: {name: Lea, roles: []}
tools:
  enabled: [knowledge, lamp]
  commands:
    - name: lamp
      description: Switches the lamps of a house
      arguments:
        state: {type: choice, choices: ["on", "off"], description: On or off}
        lamps: {type: integer, minimum: 1, maximum: 50, default: 1, description: How many}
        room: {type: string, pattern: "^[a-z0-9-]+$", default: hall, description: Where}
      plan: [cat, HOME/lamp]
      run: [cp, "HOME/{state}", HOME/lamp]
      verify: [cmp, -s, "HOME/{state}", HOME/lamp]
      examples: ["switch the lamp {state}", "turn the lamp {state}", "lamp {state} please", "put the lamp {state}",
                 "set the lamp to {state}", "make the lamp {state}", "the lamp should be {state}", "lamp: {state}"]
access: {knowledge: [viewer], lamp: [operator]}
policies:
  - name: lamps
    tools: [lamp]
    when: {room: {matches: "hall|kitchen"}}
    approvers: [keeper]
    freezes:
      - {name: weekend, from: fri 16:00, to: mon 08:00, override: {quorum: 2, approvers: [keeper, "person:maya"]}}
      - {name: christmas, from: 2026-12-24, to: 2026-12-27}
  - name: many
    tools: [lamp]
    when: {lamps: {above: 10}}
    approvers: [keeper]
    quorum: 2
    distinct_teams: 2
  - {name: cellar, tools: [lamp], when: {room: {prefix: cellar-}}, auto: true}
knowledge: {embedder: none}
"""


@dataclass(frozen=True)
class Shell:
    """Runs `sayso` as a process, on one home."""

    home: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "agent.cli", *words]
        environment = {**os.environ, "HOME": str(self.home.parent), "SAYSO_HOME": str(self.home)}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=ROOT)

    def check(self, *words: str, code: int = 0) -> dict[str, object]:
        done = self.run("policy", "check", *words, "--json")
        assert done.returncode == code, done.stderr
        document: dict[str, object] = json.loads(done.stdout)
        return document


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    home = tmp_path / "home"
    home.mkdir()
    for state in ("on", "off"):
        (home / state).write_text(state)
    (home / "lamp").write_text("off")
    (home / "sayso.yaml").write_text(SETTINGS.replace("HOME", str(home)))
    return Shell(home)


TUESDAY, SATURDAY = "2026-11-24 10:00", "2026-11-28 10:00"


def test_a_check_says_who_may_approve_until_when_and_by_which_rule(shell: Shell) -> None:
    found = shell.check("lamp", "state=on", "--as", "maya", "--at", TUESDAY)
    assert (found["outcome"], found["rule"], found["approvers"]) == ("allowed", "lamps", ["tom", "sam"])
    assert "wait for a yes until 2026-11-24 10:30 UTC (rule lamps)" in str(found["said"])
    assert "Who may approve: Tom, Sam." in str(found["said"])


def test_a_check_tells_an_override_and_what_it_takes(shell: Shell) -> None:
    found = shell.check("lamp", "state=on", "--as", "maya", "--at", SATURDAY)
    assert (found["quorum"], found["reason_required"]) == (2, True)
    assert "It would override weekend, which is on until Mon 2026-11-30 08:00 UTC" in str(found["said"])


def test_a_check_in_a_freeze_is_refused_with_its_end(shell: Shell) -> None:
    found = shell.check("lamp", "state=on", "--as", "maya", "--at", "2026-12-25 10:00", code=3)
    assert found["outcome"] == "refused"
    assert "rule lamps: christmas until 2026-12-27 00:00 UTC" in str(found["said"])


def test_a_check_knows_what_runs_by_itself_and_when_it_does_not(shell: Shell) -> None:
    cellar = ("lamp", "state=on", "room=cellar-2", "--as", "maya", "--at", TUESDAY)
    assert shell.check(*cellar)["outcome"] == "auto"
    assert shell.check(*cellar, "--untrusted", "room", code=3)["rule"] == "cellar"
    assert shell.check("lamp", "lamps=11", *cellar[1:])["outcome"] == "allowed"


def test_a_check_counts_teams_and_says_no_where_no_rule_fits(shell: Shell) -> None:
    many = shell.check("lamp", "state=on", "lamps=11", "--as", "maya", "--at", TUESDAY)
    assert (many["quorum"], many["distinct_teams"], many["rule"]) == (2, 2, "lamps + many")
    attic = shell.check("lamp", "state=on", "room=xhall", "--as", "maya", code=3)
    assert "Rules for other values: lamps, many, cellar." in str(attic["said"])


LONELY = SETTINGS.replace("[viewer, keeper]", "[viewer]").replace(
    "[viewer, operator]", "[viewer, operator, chief]"
)


@pytest.mark.parametrize(
    ("approvers", "person", "said"),
    [
        (
            "[chief], quorum: 2",
            "maya",
            "needs 2 people's yes, of chief, and only 1 of 2 may give one: Sam. Maya could, had somebody else asked",
        ),
        (
            "['person:maya']",
            "maya",
            "nobody could approve it: rule lamps needs a yes of Maya. Maya could, had",
        ),
        (
            "[chief, viewer], quorum: 2, distinct_teams: 2",
            "sam",
            "lamps demande l'accord de 2 équipes différentes, et ceux qui peuvent le donner (Maya, Tom) sont de 1",
        ),
    ],
)
def test_a_check_says_plainly_that_too_few_could_ever_approve(
    shell: Shell, approvers: str, person: str, said: str
) -> None:
    rules = f"  - {{name: lamps, tools: [lamp], approvers: {approvers}}}\nknowledge: {{embedder: none}}\n"
    head = LONELY.split("  - name: lamps", maxsplit=1)[0].replace(
        "lamp: [operator]", "lamp: [operator, chief]"
    )
    (shell.home / "sayso.yaml").write_text((head + rules).replace("HOME", str(shell.home)))
    found = shell.check("lamp", "state=on", "--as", person, "--at", TUESDAY)
    told = " ".join(found["said"]) if isinstance(found["said"], list) else ""
    assert said in told
    assert found["enough_approvers"] is False
    assert "wait for" not in told
    assert "Who may approve" not in told


def test_a_check_answers_in_the_language_of_the_person(shell: Shell) -> None:
    found = shell.check("lamp", "state=on", "--as", "sam", code=3)
    assert "Ce serait refusé." in str(found["said"])


def test_a_check_of_a_read_says_that_no_policy_is_asked(shell: Shell) -> None:
    assert shell.check("knowledge", "--as", "maya")["outcome"] == "read"
    assert shell.check("knowledge", "--as", "lea", code=3)["outcome"] == "refused"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lamb", "state=on"], "nearest: lamp"),
        (["deploy"], "'deploy' is a tool, but it is not enabled; `tools.enabled` in the settings enables it"),
        (["lamp", "state=dim"], "state"),
        (["lamp", "colour=red", "state=on"], "colour"),
        (["lamp", "state=on", "--at", "soon"], "'soon' should be a time such as"),
    ],
)
def test_a_check_that_cannot_be_asked_says_why(shell: Shell, words: list[str], said: str) -> None:
    done = shell.run("policy", "check", *words, "--as", "maya")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_show_says_every_rule_in_plain_words_in_both_languages(shell: Shell) -> None:
    english = " ".join(shell.run("policy", "show", "--as", "maya").stdout.split())
    french = " ".join(shell.run("policy", "show", "--as", "sam").stdout.split())
    assert "For lamp where room fits hall|kitchen." in english
    assert (
        "Not in the freeze weekend: fri 16:00 - mon 08:00 (UTC). 2 of these can override it: keeper, Maya."
        in english
    )
    assert "Not in the freeze christmas: 2026-12-24 - 2026-12-27 (UTC). Nobody can override it." in english
    assert "They come from at least 2 different teams." in english
    assert "Pour lamp quand lamps plus de 10." in french


EXPECTED = """
cases:
  - {person: maya, tool: lamp, arguments: {state: "on"}, at: tue 10:00, expect: allowed, rule: lamps, quorum: 1}
  - {person: maya, tool: lamp, arguments: {state: "on", room: cellar-1}, expect: auto}
  - {name: odd, person: maya, tool: lamp, arguments: {state: "on"}, at: tue 10:00, expect: allowed, approvers: [maya]}
  - {name: lea, person: lea, tool: lamp, arguments: {state: "on"}, expect: allowed, reason: shut}
"""


def test_expectations_that_are_not_met_are_listed_and_fail(shell: Shell) -> None:
    file = shell.home / "expected.yaml"
    file.write_text(EXPECTED)
    done = shell.run("policy", "test", str(file), "--as", "maya")
    assert done.returncode == 1
    assert "2 of 4 expectations are not met" in done.stdout
    said = " ".join(done.stdout.split())
    assert "odd: who may approve should be maya, and is sam, tom" in said
    assert "lea: outcome should be allowed, and is refused" in said
    assert "lea: reason should be shut, and is no_access" in said


def test_expectations_that_are_met_succeed(shell: Shell) -> None:
    file = shell.home / "expected.yaml"
    file.write_text("".join(EXPECTED.splitlines(keepends=True)[:4]))
    done = shell.run("policy", "test", str(file), "--as", "maya", "--json")
    assert (done.returncode, json.loads(done.stdout)["met"]) == (0, True)


@pytest.mark.parametrize("word", ["on", "colour=red"])
def test_a_call_with_what_is_no_argument_is_told_which_there_are(shell: Shell, word: str) -> None:
    done = shell.run("policy", "check", "lamp", word, "--as", "maya")
    assert done.returncode == 2
    assert f"lamp: {word!r} should be ARGUMENT=VALUE, with one of " in done.stderr


def test_a_file_of_expectations_that_is_not_there_is_named_once(shell: Shell) -> None:
    done = shell.run("policy", "test", "/nonexistent/cases.yaml")
    assert done.stderr == "sayso: /nonexistent/cases.yaml: cannot be read: No such file or directory\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: [{person: maya, tool: lamp, expect: perhaps}]", "cases.0.expect"),
        ("cases: [{person: mia, tool: lamp, expect: auto}]", "'mia' is not among the people"),
        ("cases: []", "cases"),
        ("cases: [", "not valid YAML"),
    ],
)
def test_expectations_that_cannot_be_read_are_named(shell: Shell, text: str, said: str) -> None:
    file = shell.home / "expected.yaml"
    file.write_text(text)
    done = shell.run("policy", "test", str(file), "--as", "maya")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_the_demos_policy_does_what_its_expectations_say(tmp_path: Path) -> None:
    text = (ROOT / "demo" / "sayso.yaml").read_text().replace("@home@", str(tmp_path))
    (tmp_path / "sayso.yaml").write_text(text.replace("@python@", sys.executable))
    done = Shell(tmp_path).run("policy", "test", str(ROOT / "demo" / "policy-tests.yaml"), "--as", "maya")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_guides_example_does_what_its_expectations_say(tmp_path: Path) -> None:
    settings, cases = (
        part.split("```")[0]
        for part in (ROOT / "docs/how-to/write-policies.md").read_text().split("```yaml\n")[1:]
    )
    (tmp_path / "sayso.yaml").write_text(settings)
    (tmp_path / "cases.yaml").write_text(cases)
    done = Shell(tmp_path).run("policy", "test", str(tmp_path / "cases.yaml"), "--as", "maya")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_diff_names_the_actions_another_policy_would_have_treated_otherwise(shell: Shell) -> None:
    relaxed = SETTINGS.replace("    freezes:", "    expires_after: 30m\n    unused:").split("    unused:")
    (shell.home / "sayso.yaml").write_text(
        (relaxed[0] + "  - name: many" + SETTINGS.split("  - name: many")[1]).replace("HOME", str(shell.home))
    )
    shell.run("ask", "turn the lamp on", "--as", "maya")
    assert shell.run("actions", "approve", "A-1", "--as", "tom").returncode == 0
    other = shell.home / "other.yaml"
    same = "policies:\n  - {name: renamed, tools: [lamp], approvers: [keeper]}\n"
    other.write_text(same)
    assert "None of the last 1 actions" in shell.run("policy", "diff", str(other), "--as", "maya").stdout
    other.write_text(same.replace("[keeper]", "[chief], quorum: 2"))
    stricter = shell.run("policy", "diff", str(other), "--as", "maya").stdout
    assert "people who must approve: 1 → 2" in stricter
    assert "who may approve: sam, tom → sam" in stricter
    assert "it ended as: done, with 0 yes that would count; 2 would have been needed" in " ".join(
        stricter.split()
    )
    other.write_text(same.replace("tools: [lamp],", "tools: [lamp], when: {state: 'off'},"))
    document = json.loads(shell.run("policy", "diff", str(other), "--as", "maya", "--json").stdout)
    assert [one["action"] for one in document["different"]] == ["A-1"]
    assert document["different"][0]["now"]["refused"]["reason"] == "no_rule"
    other.write_text("language: fr\n")
    assert shell.run("policy", "diff", str(other), "--as", "maya").returncode == 2


def test_a_write_that_a_rule_allows_runs_after_the_answer_and_is_in_the_trail(shell: Shell) -> None:
    (shell.home / "sayso.yaml").write_text(
        SETTINGS.split("  - name: lamps", maxsplit=1)[0].replace("HOME", str(shell.home))
        + "  - {name: free, tools: [lamp], auto: true}\nknowledge: {embedder: none}\n"
    )
    answer = json.loads(shell.run("ask", "turn the lamp on", "--as", "maya", "--json").stdout)
    assert [(one["id"], one["state"]) for one in answer["actions"]] == [("A-1", "succeeded")]
    assert "A-1: a rule allows this without approval" in answer["answer"]
    assert (shell.home / "lamp").read_text() == "on"
    trail = json.loads(shell.run("audit", "show", "A-1", "--as", "maya", "--json").stdout)
    assert [one["kind"] for one in trail["events"]] == ["proposed", "decided", "claimed", "succeeded"]
    printed = shell.run("ask", "turn the lamp off", "--as", "sam").stdout
    assert "Vous ne pouvez pas" in printed or "lamp" in printed
    assert "A-2 is done" in shell.run("ask", "turn the lamp off", "--as", "maya").stdout


def test_an_emergency_runs_at_once_and_is_owed_until_somebody_signs(shell: Shell) -> None:
    (shell.home / "sayso.yaml").write_text(
        SETTINGS.split("  - name: lamps", maxsplit=1)[0].replace("HOME", str(shell.home))
        + "  - {name: lamps, tools: [lamp], approvers: [keeper], break_glass: {roles: [operator], within: 1h}}\n"
        + "knowledge: {embedder: none}\n"
    )
    shell.run("ask", "turn the lamp on", "--as", "maya")
    assert shell.run("actions", "break-glass", "A-1", "--reason", "dark", "--as", "tom").returncode == 3
    assert shell.run("actions", "break-glass", "A-1", "--reason", "dark", "--as", "maya").returncode == 0
    assert (shell.home / "lamp").read_text() == "on"
    assert "a second one is due until" in " ".join(
        shell.run("actions", "list", "--owed", "--as", "tom").stdout.split()
    )
    doctor = json.loads(shell.run("doctor", "--as", "maya", "--json").stdout)
    assert [check["ok"] for check in doctor["checks"] if check["what"] == "signature"] == [None]
    assert shell.run("actions", "countersign", "A-1", "--as", "maya").returncode == 3
    assert shell.run("actions", "countersign", "A-1", "--as", "tom").returncode == 0
    assert json.loads(shell.run("actions", "list", "--owed", "--as", "tom", "--json").stdout)["actions"] == []
