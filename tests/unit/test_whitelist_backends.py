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
        - name: answers
          description: Tells how a flag is set
          effect: read
          run: {path: /flag}
"""
WRITES = {
    *("silence", "unsilence", "deploy", "rollback", "restart", "flag_set"),
    *("ticket_open", "ticket_comment", "ticket_close", "ticket_reopen"),
}
GITHUB = """
  platform:
    backend: github
    timeout: 30m
    github:
      services:
        payments:
          repository: acme/payments
          tag: "v{version}"
          environments: {production: prod}
          workflow:
            file: deploy.yml
            ref: main
            inputs: {version: "{version}", dry: false}
            run_name: "{version} {environment} ({key})"
          required_checks: [build]
          failing_checks: mark
"""
ARGO = """
  platform:
    backend: argocd
    argocd:
      url: https://argo.example
      services:
        payments: {applications: {production: payments-prod}, by: helm, target: image.tag}
"""
TICKETS = """
  tickets:
    backend: github
    services: {payments: {project: acme/payments, labels: [incident], may_add: [urgent]}}
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
        ("answers", FLAG),
        ("up", REMOTE.replace("HOST", "web-1")),
        ("investigate", ""),
        ("deploy, rollback, status", GITHUB),
        ("deploy, rollback, restart", ARGO),
        ("tickets, ticket_open, ticket_comment, ticket_close, ticket_reopen", TICKETS),
        (
            "tickets",
            "  tickets: {backend: jira, url: 'https://j.example', services: {payments: {project: OPS}}}",
        ),
        ("flag, flag_set", "  flags: {backend: unleash, flags: {new-checkout: [caisse]}}"),
        (
            "flag_set",
            "  flags: {backend: flagd, flags: {f: []}, files: {production: flags.json}, values: [blue, red]}",
        ),
        ("changes, investigate", "  journal: changes.jsonl"),
    ],
)
def test_what_the_settings_name_is_built(tmp_path: Path, enabled: str, tools: str) -> None:
    registry = built(tmp_path, enabled, tools)
    assert [spec.name for spec in registry.specs()] == enabled.split(", ")
    writes = {spec.name for spec in registry.specs(Effect.WRITE)}
    assert writes == WRITES & set(enabled.split(", "))


@pytest.mark.parametrize(
    ("enabled", "tools", "why"),
    [
        ("promql", "  metrics: {backend: recorder}", "needs 'prometheus'"),
        ("metrics", "  metrics: {backend: recorder, named: [{name: q, words: jobs, query: q}]}", "these are PromQL"),
        ("metrics", "  metrics: {backend: prometheus, named: [{name: q, words: jobs, query: 'sum('}]}", "is no PromQL"),
        ("alerts", "", r"tools\.alerts\.backend = 'none'"),
        ("changes", "", r"tools\.platform\.backend = 'none'"),
        ("logs", "  logs: {backend: loki, fields: {colour: x}}", "should be among"),
        ("answers", FLAG.replace("https://flags.example", "http://10.0.0.1"), "no public address"),
        ("changes", "  forges: [{authorization_file: keys/none}]", "No such file"),
        ("deploy", "  platform: {backend: github}", r"tools\.platform\.github: is missing"),
        ("deploy", GITHUB.replace("v{version}", "v1"), r"tag = 'v1' should hold \{version\}"),
        ("deploy", GITHUB.replace("({key})", ""), r"should have \{key\}"),
        ("deploy", GITHUB.replace("acme/payments", "payments"), "repository = 'payments'"),
        ("deploy", GITHUB.replace("github:\n", "github:\n      authorization_file: keys/none\n"), "No such file"),
        ("deploy", "  platform: {backend: argocd}", r"tools\.platform\.argocd: is missing"),
        ("deploy", ARGO.replace("by: helm, target: image.tag", "by: image"), "should name an image"),
        ("tickets", "", r"tools\.tickets\.backend = 'none'"),
        ("tickets", "  tickets: {backend: github}", "name the place"),
        ("tickets", TICKETS.replace("acme/payments", "OPS"), "should be owner/name"),
        ("flag", "", r"tools\.flags\.backend = 'none'"),
        ("flag", "  flags: {backend: unleash}", "name the flags"),
        ("flag", "  flags: {backend: flagd, flags: {f: []}}", "name the file"),
        ("flag", "  flags: {backend: unleash, flags: {f: []}, values: [blue]}", "is on or off"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_key(tmp_path: Path, enabled: str, tools: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        built(tmp_path, enabled, tools)


def test_a_secret_of_a_log_server_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "sayso.yaml"
    file.write_text("tools: {logs: {backend: loki, authorization: Bearer s3cret}}")
    assert "s3cret" not in repr(load(file, {}))


def test_a_service_that_is_none_is_found_where_it_is_declared(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"tools\.tickets\.services: 'payments' is no service; known: catalog"
    ):
        built(tmp_path, "tickets", TICKETS + "services: {catalog: {}}\n")


def test_an_order_to_the_platform_is_followed_as_long_as_the_settings_say(tmp_path: Path) -> None:
    assert {spec.timeout for spec in built(tmp_path, "deploy, rollback", GITHUB).specs()} == {1800.0}


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


def test_a_command_on_a_machine_that_the_settings_do_not_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="host: 'web-2' is none of tools.ssh.hosts: web-1"):
        built(tmp_path, "up", REMOTE.replace("HOST", "web-2"))
