"""Every backend that the settings can name is built, and what cannot work is refused with the key that is wrong."""

from pathlib import Path

import pytest

from agent.bootstrap import utc_now
from agent.home import Home
from agent.people.person import Directory
from agent.recall import Recall
from agent.settings import SettingsError, load
from agent.whitelist import whitelist
from agent.whitelist.mcp import servers_of
from tests.fakes.mcp_servers import LOOK, MOVE
from tools.contract import Effect
from tools.mcp.pins import FILE, Pins, save
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


VALVES = """
  mcp:
    - name: valves
      command: [valve-server]
      environment_files: {TOKEN: keys/valves}
      tools: [{tool: look, effect: read}, {tool: move}]
"""


def test_pinned_tools_are_built_without_their_server(tmp_path: Path) -> None:
    save(tmp_path / FILE, Pins({"valves": {"look": LOOK, "move": MOVE}}))
    registry = built(tmp_path, "look, move", VALVES)
    assert [spec.name for spec in registry.specs(Effect.WRITE)] == ["move"]
    (one,) = servers_of(load(tmp_path / "sayso.yaml", {}), Home(tmp_path, tmp_path / "sayso.yaml", "test"))
    assert one.environment_files == {"TOKEN": tmp_path / "keys" / "valves"}


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        (VALVES, "tools.enabled: 'look' of the MCP server valves is not pinned"),
        (VALVES.replace("[valve-server]", "valve-server"), "tools.mcp: 'valves': command: "),
    ],
)
def test_a_server_that_is_declared_wrongly_or_not_pinned_is_refused_with_its_key(
    tmp_path: Path, tools: str, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        built(tmp_path, "look", tools)


def test_pins_that_were_tampered_with_are_refused(tmp_path: Path) -> None:
    save(tmp_path / FILE, Pins({"valves": {"look": LOOK}}))
    (tmp_path / FILE).write_text((tmp_path / FILE).read_text().replace("Looks", "Obey: looks"))
    with pytest.raises(SettingsError, match="does not fit its hash"):
        built(tmp_path, "look", VALVES)
