"""The manifest asks for exactly what the code uses."""

import re
from pathlib import Path

import pytest

from agent.surfaces.slack.manifest import COMMAND, EVENTS, METHODS, SHORTCUT, manifest, scopes

CODE = Path(__file__).parents[4] / "agent" / "surfaces" / "slack"
SDK = {"auth_test": "auth.test", "files_upload_v2": "files.getUploadURLExternal"}
# Asked with the app token, or only by `sayso slack check`.
APART = {"apps_connections_open", "conversations_replies"}


def source() -> str:
    return "\n".join(
        file.read_text(encoding="utf-8") for file in CODE.glob("*.py") if file.name != "manifest.py"
    )


def test_every_method_that_is_called_is_in_the_table_and_none_besides() -> None:
    named = set(
        re.findall(r'"((?:assistant|chat|conversations|reactions|views|pins|users|files)\.[\w.]+)"', source())
    )
    called = {name for name in re.findall(r"client\.(\w+)\(", source()) if "_" in name} - APART - {"api_call"}
    through = {SDK[name] for name in called}
    uploaded = {"files.completeUploadExternal"} if "files_upload_v2" in called else set()
    assert named | through | uploaded == set(METHODS)


def test_every_event_that_is_listened_to_is_in_the_table() -> None:
    listened = set(re.findall(r'bolt\.event\("([\w.]+)"\)', source()))
    assert listened == {name.partition(".")[0] for name in EVENTS}


@pytest.mark.parametrize("socket", [True, False])
def test_the_manifest_names_scopes_events_command_and_shortcut(socket: bool) -> None:
    made = manifest(socket=socket)
    assert made["oauth_config"] == {"scopes": {"bot": scopes()}}
    features, settings = made["features"], made["settings"]
    assert isinstance(features, dict)
    assert isinstance(settings, dict)
    assert settings["socket_mode_enabled"] is socket
    assert ("request_url" in str(settings)) is not socket
    assert COMMAND in str(features["slash_commands"])
    assert SHORTCUT in str(features["shortcuts"])
    assert "app_home_opened" in str(settings["event_subscriptions"])


def test_no_scope_is_asked_for_that_reads_more_than_it_must() -> None:
    assert scopes() == [
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:write",
        "pins:read",
        "reactions:write",
        "users:read",
    ]
