"""Every backend that the settings can name is built, and what cannot work is refused with the key that is wrong."""

from pathlib import Path

import pytest

from agent.bootstrap import utc_now
from agent.home import Home
from agent.people.person import Directory
from agent.recall import Recall
from agent.settings import SettingsError, load
from agent.whitelist import whitelist
from tools.contract import Effect
from tools.registry import Registry

FLAG = """
  http:
    - name: flags
      base: https://flags.example
      authorization_file: keys/flags
      operations:
        - name: flag
          description: Tells how a flag is set
          effect: read
          run: {path: /flag}
"""
REMOTE = """
  ssh:
    known_hosts: keys/known
    hosts: {web-1: {address: 10.0.0.5, user: sayso, identity: keys/web}}
  commands: [{name: up, description: Tells how long it is up, effect: read, host: HOST, run: [uptime]}]
"""


def built(folder: Path, enabled: str, tools: str) -> Registry:
    file = folder / "sayso.yaml"
    file.write_text(f"people: {{}}\ntools:\n  enabled: [{enabled}]\n{tools}")
    return whitelist(load(file, {}), Home(folder, file, "test"), utc_now, Recall(Directory(())))


@pytest.mark.parametrize(
    ("enabled", "tools"),
    [
        ("metrics, promql", "  metrics: {backend: prometheus, grafana: 'https://grafana.example'}"),
        (
            "metrics",
            "  metrics: {backend: prometheus, named: [{name: queue, words: jobs waiting, query: sum(q)}]}",
        ),
        ("alerts, silence, unsilence", "  alerts: {backend: alertmanager, longest_silence: 8h}"),
        ("logs", "  logs: {backend: loki, fields: {service: app}, authorization: Bearer x}"),
        ("logs", "  logs: {backend: elasticsearch, index: 'logs-*', fields: {level: log.level, at: time}}"),
        ("logs", "  logs: {backend: journald, units: {payments: [payments.service]}, read_for: 20s}"),
        (
            "changes",
            "  forges: [{repositories: {payments: {path: a/b}}}, {kind: gitlab, url: 'https://gitlab.example'}]",
        ),
        ("flag", FLAG),
        ("up", REMOTE.replace("HOST", "web-1")),
        ("investigate", ""),
        ("changes, investigate", "  journal: changes.jsonl"),
    ],
)
def test_what_the_settings_name_is_built(tmp_path: Path, enabled: str, tools: str) -> None:
    registry = built(tmp_path, enabled, tools)
    assert [spec.name for spec in registry.specs()] == enabled.split(", ")
    writes = {spec.name for spec in registry.specs(Effect.WRITE)}
    assert writes == {"silence", "unsilence"} & set(enabled.split(", "))


@pytest.mark.parametrize(
    ("enabled", "tools", "why"),
    [
        ("promql", "  metrics: {backend: recorder}", "needs 'prometheus'"),
        ("metrics", "  metrics: {backend: recorder, named: [{name: q, words: jobs, query: q}]}", "these are PromQL"),
        ("metrics", "  metrics: {backend: prometheus, named: [{name: q, words: jobs, query: 'sum('}]}", "is no PromQL"),
        ("alerts", "", r"tools\.alerts\.backend = 'none'"),
        ("changes", "", r"tools\.platform\.backend = 'none'"),
        ("logs", "  logs: {backend: loki, fields: {colour: x}}", "should be among"),
        ("flag", FLAG.replace("https://flags.example", "http://10.0.0.1"), "no public address"),
        ("changes", "  forges: [{authorization_file: keys/none}]", "No such file"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_key(tmp_path: Path, enabled: str, tools: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        built(tmp_path, enabled, tools)


def test_a_secret_of_a_log_server_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "sayso.yaml"
    file.write_text("tools: {logs: {backend: loki, authorization: Bearer s3cret}}")
    assert "s3cret" not in repr(load(file, {}))


def test_a_command_on_a_machine_that_the_settings_do_not_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="host: 'web-2' is none of tools.ssh.hosts: web-1"):
        built(tmp_path, "up", REMOTE.replace("HOST", "web-2"))
