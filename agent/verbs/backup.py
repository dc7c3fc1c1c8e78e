"""`sayso backup` and `sayso restore`: everything that cannot be made again, in one file and back."""

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from agent import home, verbs
from agent.verbs.exits import Exit, Stop

if TYPE_CHECKING:
    from agent.store.backup import Place

INDEXES = "The indexes of documents are not in it: `sayso ingest` makes them again"


def add(group: verbs.Group) -> None:
    save = group.add_parser(
        "backup",
        help="write store, evidence and settings into one file",
        description="Writes the store, the evidence and the settings into one new file, while sayso runs. Keys that "
        f"stand in the settings are in it. {INDEXES}.",
    )
    save.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet")
    verbs.add_json(save)
    verbs.add_place(save)
    save.set_defaults(run=back_up)
    back = group.add_parser(
        "restore",
        help="put a backup back",
        description="Looks through a backup, its hashes and its audit trail, and then puts it into a home folder. "
        "Stop sayso first where it runs.",
    )
    back.add_argument("file", type=Path, metavar="FILE", help="what `sayso backup` wrote")
    back.add_argument("--home", type=Path, metavar="DIR", help="where to (default: ~/.sayso)")
    back.add_argument(
        "--replace", action="store_true", help="put aside what is there; a store in PostgreSQL is overwritten"
    )
    verbs.add_json(back)
    back.set_defaults(run=restore)


async def back_up(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from importlib.metadata import version

    from agent.bootstrap import store_place, utc_now
    from agent.settings import SettingsError, load
    from agent.store import backup
    from agent.verbs.opening import print_json

    place = home.find(arguments.home, arguments.config, context.environ, context.cwd)
    file = _absolute(arguments.file, context)
    try:
        store = store_place(load(place.config, context.environ), place)
        made = await asyncio.to_thread(
            backup.back_up, place, store, file, version=version("sayso"), at=utc_now()
        )
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    except backup.BackupError as error:
        raise Stop(str(error), Exit.UNAVAILABLE) from error
    size = file.stat().st_size
    if arguments.json:
        print_json({"file": str(file), "bytes": size, "files": len(made.files), "last_row": made.last_row})
    else:
        print(f"Wrote {file}: {len(made.files)} files, {size / 1e6:.1f} MB\n{INDEXES}.")
    return Exit.DONE


async def restore(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.bootstrap import store_place, utc_now
    from agent.settings import SettingsError, load
    from agent.store import backup
    from agent.verbs.opening import print_json

    folder = (arguments.home or home.default_folder()).expanduser()
    folder = _absolute(folder, context)

    def place(staged: home.Home) -> "Place":
        return store_place(load(staged.config, context.environ), staged)

    try:
        done = await asyncio.to_thread(
            backup.restore,
            _absolute(arguments.file, context),
            folder,
            replace=arguments.replace,
            at=utc_now(),
            place=place,
        )
    except SettingsError as error:
        raise Stop(f"the settings in the backup do not fit this sayso: {error}", Exit.USAGE) from error
    except backup.BackupError as error:
        raise Stop(str(error), Exit.UNAVAILABLE) from error
    if arguments.json:
        aside = None if done.aside is None else str(done.aside)
        print_json(
            {
                "home": str(folder),
                "made_at": done.manifest.made_at.isoformat(),
                "audit_rows": done.rows,
                "aside": aside,
            }
        )
    else:
        print(
            f"Restored {folder}, as of {done.manifest.made_at:%Y-%m-%d %H:%M} UTC; {done.rows} audit rows, all whole"
        )
        if done.aside is not None:
            print(f"What was there before is in {done.aside}; remove it when you are sure")
        print(f"{INDEXES}.")
    return Exit.DONE


def _absolute(path: Path, context: verbs.Context) -> Path:
    return path if path.is_absolute() else context.cwd / path
