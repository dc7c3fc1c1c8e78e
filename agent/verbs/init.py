"""`sayso init`: writes a commented `sayso.yaml` to start from."""

import argparse
from importlib import resources

from agent import home, verbs
from agent.verbs.exits import Exit, Stop


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "init",
        help="write a commented sayso.yaml to start from",
        description="Writes a commented sayso.yaml and closes its folder to everybody but you. Overwrites nothing.",
    )
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    if arguments.config:
        file = arguments.config.expanduser().absolute()
    else:
        file = (arguments.home or home.default_folder()).expanduser().absolute() / home.CONFIG
    if file.exists():
        raise Stop(
            f"{file} is there already, and was left as it is; remove it first, or name another", Exit.REFUSED
        )
    try:
        if not arguments.config:
            home.make_private(file.parent)
        text = resources.files("agent.verbs").joinpath("template.yaml").read_text(encoding="utf-8")
        with file.open("x", encoding="utf-8") as out:
            file.chmod(0o600)
            out.write(text)
    except OSError as error:
        raise Stop(f"{file} cannot be written: {error.strerror}", Exit.UNAVAILABLE) from error
    print(
        f"Wrote {file}\n\nNext: name your people, services and tools in it, then\n  sayso doctor --config {file}"
    )
    return Exit.DONE
