"""The MCP servers of the settings, and the tools of theirs that somebody looked at and pinned."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agent.home import Home
from agent.settings import Settings, SettingsError
from tools.contract import Tool

if TYPE_CHECKING:
    from tools.mcp.declared import Server

_FILES = ("authorization_file", "cwd")


def servers_of(settings: Settings, home: Home) -> "tuple[Server, ...]":
    """The declared servers, with their files below the home folder. Raises `SettingsError`."""
    from tools.mcp.declared import ServerRefused, declared

    try:
        return declared([_at_home(server, home) for server in settings.tools.mcp])
    except ServerRefused as error:
        raise SettingsError(f"{home.config}: tools.mcp: {error}") from error


def pins_file(home: Home) -> Path:
    """Where the pins are."""
    from tools.mcp.pins import FILE

    return home.folder / FILE


def mcp_tools(settings: Settings, home: Home) -> Mapping[str, Tool]:
    """The pinned tools by name; nobody is connected to yet. Raises `SettingsError`."""
    if not settings.tools.mcp:
        return {}
    try:
        from tools.mcp.declared import ServerRefused
        from tools.mcp.kept import Kept
        from tools.mcp.mcp import missing, tools
        from tools.mcp.pins import load
    except ImportError as error:
        raise SettingsError(
            f"MCP needs packages: pip install 'sayso[mcp]' ({error.name} is missing)"
        ) from error
    servers = servers_of(settings, home)
    try:
        pins = load(pins_file(home))
        made = tools(servers, pins, Kept)
    except ServerRefused as error:
        raise SettingsError(f"{home.config}: tools.mcp: {error}") from error
    for name, server in missing(servers, pins).items():
        if name in settings.tools.enabled:
            raise SettingsError(
                f"{home.config}: tools.enabled: {name!r} of the MCP server {server.name} is not pinned; look at it "
                f"with `sayso mcp list {server.name}`, then `sayso mcp pin {server.name}`"
            )
    return {tool.spec.name: tool for tool in made}


def _at_home(server: Mapping[str, object], home: Home) -> Mapping[str, object]:
    """The declaration with its files below the home folder, where they are not absolute."""
    found = {key: str(home.at(Path(str(server[key])))) for key in _FILES if isinstance(server.get(key), str)}
    secrets = server.get("environment_files")
    if isinstance(secrets, Mapping):
        return {
            **server,
            **found,
            "environment_files": {name: str(home.at(Path(str(file)))) for name, file in secrets.items()},
        }
    return {**server, **found}
