"""Opening sayso for one verb: which home, which settings, who is asking, how to print."""

import argparse
import getpass
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent import home, verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.app import App
    from agent.people.person import Person
    from tools.contract import Json


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a verb: the opened application and the person it speaks for."""

    app: "App"
    person: "Person"

    @property
    def locale(self) -> str:
        return self.person.language or self.app.settings.language


@asynccontextmanager
async def opened(
    arguments: argparse.Namespace, context: verbs.Context, *, anybody: bool = False
) -> AsyncIterator[Session]:
    """The application on the home these arguments mean, closed again at the end. Raises `Stop`.

    With `anybody`, it need not be known who asks: for verbs that show nobody's questions, actions or documents.
    """
    from agent.audit.speaking import speaks_through
    from agent.bootstrap import build
    from agent.settings import SettingsError, load
    from agent.store.port import StoreError

    place = home.find(arguments.home, arguments.config, context.environ, context.cwd)
    if not place.config.is_file():
        raise Stop(
            f"{place.config}: there is no such file. `sayso demo` shows how it works, `sayso init` writes one "
            "to start from, --config FILE or --home DIR says where yours is",
            Exit.USAGE,
        )
    try:
        app = await build(load(place.config, context.environ), place, note)
    except (SettingsError, StoreError) as error:
        raise Stop(
            str(error), Exit.USAGE if isinstance(error, SettingsError) else Exit.UNAVAILABLE
        ) from error
    try:
        session = Session(app, person(app, arguments, context, anybody=anybody))
        speaks_through("terminal", _login())
        for settled in await app.running.recover(session.locale):  # what a worker that died left running
            sys.stderr.write(f"{settled.said}\n")
        yield session
    except StoreError as error:
        raise Stop(str(error), Exit.UNAVAILABLE) from error
    finally:
        await app.close()
        if app.notary.trouble:
            sys.stderr.write(f"the audit trail was not signed: {app.notary.trouble}\n")


def person(
    app: "App", arguments: argparse.Namespace, context: verbs.Context, *, anybody: bool = False
) -> "Person":
    """Who is asking: `--as`, `SAYSO_AS`, the settings' `terminal_person`, the login name, the only person there is.

    With `anybody` and no name, somebody without any role.
    """
    from agent.people.person import Person

    named = getattr(arguments, "person", None) or context.environ.get("SAYSO_AS")
    people = app.settings.people
    guesses = (
        [named] if named else [app.settings.terminal_person, _login(), *(people if len(people) == 1 else ())]
    )
    found = next((name for name in guesses if name and name in people), None)
    if found is None and named is None and anybody:
        return Person("", "")
    if found is None:
        known = ", ".join(people) or "nobody yet: name people in the settings"
        asked = (
            f"{named!r} is not among the people in the settings"
            if named
            else "who is asking? Say --as PERSON"
        )
        raise Stop(f"{asked}. People: {known}", Exit.USAGE)
    return app.directory.get(found)


def note(line: str) -> None:
    """A word about something that was done beside what was asked."""
    sys.stderr.write(f"{line}\n")


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without an entry, as in some containers
        return ""


def print_json(value: "Json | Mapping[str, Json]") -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
