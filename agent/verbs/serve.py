"""`sayso serve`: the process that stays, where people talk and work is done."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent import home, verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.app import App
    from agent.surfaces.port import Surface

ROLES = ("all", "surface", "worker")


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "serve",
        help="stay and work: chat platforms, approved actions, health and metrics",
        description="Stays until it is told to stop (Ctrl-C or SIGTERM): hears people on the chat platforms of the "
        "settings, answers, runs what was approved, and tells how it ended. Any number of processes may do it on one "
        "PostgreSQL; what one that dies leaves behind, another takes up.",
    )
    verb.add_argument(
        "--role", choices=ROLES, default="all", help="hear people (surface), work (worker), or both (default)"
    )
    verb.add_argument(
        "--listen",
        type=_address,
        metavar="HOST:PORT",
        help="where health and metrics are (default: settings)",
    )
    verb.add_argument(
        "--for-parent",
        action="store_true",
        help="only hear, for the process that started this one: what `serve` starts by itself where Slack is set",
    )
    verbs.add_place(verb)
    verb.set_defaults(run=run)


def _address(written: str) -> str:
    from agent.settings.section import address

    try:
        return address(written)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{written!r} {error}") from error


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.jobs.station import Role
    from agent.serving.ears import hear
    from agent.serving.serve import serve
    from agent.settings import SettingsError, load
    from agent.store.port import StoreError
    from agent.surfaces.port import SurfaceError
    from agent.verbs.opening import note

    place = home.find(arguments.home, arguments.config, context.environ, context.cwd)
    if not place.config.is_file():
        raise Stop(
            f"{place.config}: there is no such file. `sayso init` writes one to start from, --config FILE or "
            "--home DIR says where yours is",
            Exit.USAGE,
        )
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    changed = {"SAYSO_SERVE__LISTEN": arguments.listen} if arguments.listen else {}
    try:
        settings = load(place.config, {**context.environ, **changed})
        if arguments.for_parent:
            await hear(settings, place, stop, _surfaces)
        else:
            await serve(settings, place, Role(arguments.role), stop, note, _surfaces, _apart(place))
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    except (StoreError, SurfaceError) as error:
        raise Stop(str(error), Exit.UNAVAILABLE) from error
    except OSError as error:
        raise Stop(
            f"--listen {arguments.listen or settings.serve.listen}: {error}", Exit.UNAVAILABLE
        ) from error
    return Exit.DONE


def _apart(place: home.Home) -> tuple[str, ...]:
    """The command of a process that hears people for this one."""
    where = ("--home", str(place.folder), "--config", str(place.config))
    return (sys.executable, "-m", "agent.cli", "serve", *where, "--for-parent")


def _surfaces(app: "App") -> "Sequence[Surface]":
    """The chat platforms of the settings. Raises `SurfaceError` where a package is missing."""
    from agent.bootstrap import utc_now
    from agent.surfaces.port import SurfaceError

    if app.settings.slack is None:
        return ()
    try:
        from agent.surfaces.slack.surface import SlackSurface
    except ImportError as error:
        raise SurfaceError("Slack needs packages: pip install 'sayso[slack]'") from error
    return (SlackSurface(app, app.settings.slack, utc_now),)
