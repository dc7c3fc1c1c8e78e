"""`sayso mcp`: what MCP servers offer, which of it is pinned, and what changed since."""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent import home, verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from tools.contract import Json
    from tools.mcp.declared import Server
    from tools.mcp.pins import Pins, Standing
    from tools.mcp.port import Offered


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "mcp",
        help="look at MCP servers, pin their tools, find what changed",
        description="MCP servers of `tools.mcp`. docs/how-to/connect-an-mcp-server.md has every step.",
    )
    sub = verb.add_subparsers(dest="what", metavar="WHAT", required=True)
    listing = sub.add_parser(
        "list",
        help="what a server offers, and what its tools seem to do",
        description="Connects to a server and shows all its tools. The server's hints are its own word; the suggested "
        "effect is a guess. What counts is `effect` in your settings.",
    )
    listing.add_argument("server", metavar="SERVER")
    pin = sub.add_parser(
        "pin",
        help="approve the listed tools as they are now",
        description="Shows the listed tools of a server as they are now and pins them (name, description, schemas) by "
        "hash in mcp.lock.json of the home folder. sayso reads that when it starts.",
    )
    pin.add_argument("server", metavar="SERVER")
    pin.add_argument("tools", metavar="TOOL", nargs="*", help="only these, by the server's names")
    check = sub.add_parser(
        "check",
        help="what differs from what was pinned",
        description="Compares servers with the pins. Ends with 1 where something differs, 5 where one does not answer.",
    )
    check.add_argument("server", metavar="SERVER", nargs="?", help="only this one")
    for verb_, run in ((listing, run_list), (pin, run_pin), (check, run_check)):
        verbs.add_json(verb_)
        verbs.add_place(verb_)
        verb_.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class _Opened:
    """The servers of the settings and the pins of the home folder."""

    servers: "tuple[Server, ...]"
    pins: "Pins"
    file: Path

    def server(self, name: str) -> "Server":
        found = next((server for server in self.servers if server.name == name), None)
        if found is None:
            known = ", ".join(server.name for server in self.servers) or "none: name some under tools.mcp"
            raise Stop(f"{name!r} is no MCP server of the settings. Servers: {known}", Exit.NOT_FOUND)
        return found


def _opened(arguments: argparse.Namespace, context: verbs.Context) -> _Opened:
    from agent.settings import SettingsError, load

    place = home.find(arguments.home, arguments.config, context.environ, context.cwd)
    try:
        from agent.whitelist.mcp import pins_file, servers_of
        from tools.mcp.declared import ServerRefused
        from tools.mcp.pins import load as load_pins

        return _Opened(
            servers_of(load(place.config, context.environ), place),
            load_pins(pins_file(place)),
            pins_file(place),
        )
    except ImportError as error:
        raise Stop(
            f"MCP needs packages: pip install 'sayso[mcp]' ({error.name} is missing)", Exit.USAGE
        ) from error
    except (SettingsError, ServerRefused, OSError) as error:
        raise Stop(str(error), Exit.USAGE) from error


async def _offered(server: "Server") -> "Sequence[Offered]":
    from tools.contract import ToolError
    from tools.mcp.kept import Kept

    connection = Kept(server)
    try:
        return await connection.offered()
    except ToolError as error:
        raise Stop(str(error), Exit.UNAVAILABLE) from error
    finally:
        await connection.close()


async def run_list(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import print_json

    opened = _opened(arguments, context)
    server = opened.server(arguments.server)
    rows = [_row(tool, server, opened.pins) for tool in await _offered(server)]
    if arguments.json:
        print_json({"server": server.name, "tools": rows})
        return Exit.DONE
    for row in rows:
        print(f"{row['tool']}  [{row['status']}]")
        print(f"    suggested effect: {row['suggested']} ({row['why']}); the server's hint: {row['hint']}")
        print(f"    {row['description']}")
        for key in ("refused", "hidden"):
            if row[key]:
                print(f"    {row[key]}")
    print(f"\n{len(rows)} tools. None is offered before you list it under tools.mcp and pin it.")
    return Exit.DONE


def _row(tool: "Offered", server: "Server", pins: "Pins") -> "dict[str, Json]":
    """One tool as it is listed."""
    from tools.mcp.declared import ListedTool
    from tools.mcp.effects import suggested
    from tools.mcp.pins import refused
    from tools.mcp.wording import LONGEST, cleaned, shortened

    names = {each.tool: each for each in server.tools}
    pinned, guess = (
        pins.of(server.name).get(tool.name),
        suggested(tool.name, tool.description, tool.input, tool.hints),
    )
    status = "not listed"
    if tool.name in names:
        same = pinned is not None and pinned.hash == tool.hash
        how = "pinned" if same else "changed" if pinned else "not pinned"
        status = f"listed as {names[tool.name].effect.value}, {how}"
    hidden = cleaned(tool.description).hidden
    return {
        "tool": shortened(tool.name, 128),
        "status": status,
        "description": shortened(tool.description, LONGEST),
        "hint": _hint(tool.hints),
        "suggested": guess.effect.value,
        "why": guess.why,
        "refused": refused(tool, names.get(tool.name, ListedTool(tool="x", name="x"))),
        "hidden": f"hidden characters in its description: {hidden}" if hidden else None,
        "hash": tool.hash,
    }


def _hint(hints: "Mapping[str, Json]") -> str:
    if hints.get("readOnlyHint") is True:
        return "read-only"
    return {"True": "destructive", "False": "not destructive"}.get(str(hints.get("destructiveHint")), "none")


async def run_pin(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import print_json
    from tools.mcp.pins import save, standing

    opened = _opened(arguments, context)
    server = opened.server(arguments.server)
    if strays := sorted(set(arguments.tools) - {each.tool for each in server.tools}):
        raise Stop(f"{strays[0]!r} is not listed under tools.mcp for {server.name}", Exit.NOT_FOUND)
    standings = standing(server, opened.pins, await _offered(server))
    chosen = [one for one in standings if not arguments.tools or one.listed.tool in arguments.tools]
    problems = {one.listed.tool: why for one in chosen if (why := _problem(one)) is not None}
    kept = {one.listed.tool: one.pinned for one in standings if one.pinned is not None}
    taken = {
        one.listed.tool: one.now for one in chosen if one.now is not None and one.listed.tool not in problems
    }
    await asyncio.to_thread(save, opened.file, opened.pins.with_(server.name, {**kept, **taken}))
    if arguments.json:
        print_json(
            {
                "server": server.name,
                "pinned": {name: tool.hash for name, tool in taken.items()},
                "refused": problems,
            }
        )
    else:
        for one in chosen:
            _print_pinned(one, problems.get(one.listed.tool))
        print(f"{len(taken)} pinned in {opened.file}. A sayso that runs reads this when it starts again.")
    return Exit.FAILED if problems else Exit.DONE


def _problem(one: "Standing") -> str | None:
    from tools.mcp.pins import refused

    if one.now is None:
        return "the server does not offer it"
    return refused(one.now, one.listed)


def _print_pinned(one: "Standing", problem: str | None) -> None:
    from tools.mcp.schema import plain, properties_of
    from tools.mcp.wording import cleaned

    if problem is not None or one.now is None:
        print(f"REFUSED  {one.listed.tool}: {problem}")
        return
    was, words = (
        "new" if one.pinned is None else "; ".join(one.what) or "as it was",
        cleaned(one.now.description),
    )
    was += f"; hidden characters: {words.hidden}" if words.hidden else ""
    print(f"pinned   {one.listed.tool} as {one.listed.known_as}, effect {one.listed.effect.value}  ({was})")
    if one.what:
        for line in words.text.splitlines():
            print(f"         | {line}")
        for name, part in properties_of(plain(one.now.input)).items():
            said = part.get("description") if isinstance(part, Mapping) else None
            print(f"         - {name}: {said or 'the server says nothing of it'}")


async def run_check(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import print_json
    from tools.mcp.pins import standing

    opened = _opened(arguments, context)
    servers = [opened.server(arguments.server)] if arguments.server else opened.servers
    rows: list[dict[str, Json]] = []
    away = False
    for server in servers:
        try:
            now = await _offered(server)
        except Stop as stop:
            away = True
            rows.append({"server": server.name, "tool": None, "what": [str(stop)]})
            continue
        rows += [
            {"server": server.name, "tool": one.listed.tool, "what": list(one.what)}
            for one in standing(server, opened.pins, now)
        ]
    if arguments.json:
        print_json({"checks": [*rows]})
    else:
        for row in rows:
            what = row["what"]
            said = "; ".join(map(str, what)) if isinstance(what, list) else ""
            print(f"{'FAIL' if said else 'ok  '}  {row['server']}  {row['tool'] or ''}  {said}".rstrip())
    if away:
        return Exit.UNAVAILABLE
    return Exit.FAILED if any(row["what"] for row in rows) else Exit.DONE
