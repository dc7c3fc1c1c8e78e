"""`sayso slack`: what to create the app from, and whether it is set up."""

import argparse
import json

from agent import home, verbs
from agent.verbs.exits import Exit, Stop


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "slack",
        help="set Slack up: print the app's manifest, check tokens and scopes",
        description="Sets Slack up. docs/how-to/talk-in-slack.md has every step.",
    )
    sub = verb.add_subparsers(dest="what", metavar="WHAT", required=True)
    manifest = sub.add_parser(
        "manifest",
        help="print what to create the app from",
        description="Prints the app's manifest as JSON, with exactly the scopes and events that are used.",
    )
    manifest.add_argument(
        "--http", metavar="URL", help="for signed HTTP at this address, in place of Socket Mode"
    )
    manifest.set_defaults(run=print_manifest)
    check = sub.add_parser(
        "check",
        help="say what is missing, and what to click",
        description="Asks Slack about tokens, scopes, clock and channels. Posts nothing.",
    )
    verbs.add_json(check)
    verbs.add_place(check)
    check.set_defaults(run=run_check)


async def print_manifest(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.surfaces.slack.manifest import manifest

    made = manifest(socket=False, url=arguments.http) if arguments.http else manifest(socket=True)
    print(json.dumps(made, indent=2))
    return Exit.DONE


async def run_check(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.bootstrap import utc_now
    from agent.settings import SettingsError, load
    from agent.verbs.opening import print_json

    place = home.find(arguments.home, arguments.config, context.environ, context.cwd)
    try:
        settings = load(place.config, context.environ).slack
    except (SettingsError, OSError) as error:
        raise Stop(str(error), Exit.USAGE) from error
    if settings is None:
        raise Stop(
            f"{place.config}: slack: is not set up. `sayso slack manifest` prints what to create the app from; then "
            "set SAYSO_SLACK__BOT_TOKEN and SAYSO_SLACK__APP_TOKEN",
            Exit.USAGE,
        )
    try:
        from agent.surfaces.slack.check import examined
    except ImportError as error:
        raise Stop("Slack needs packages: pip install 'sayso[slack]'", Exit.USAGE) from error
    found = await examined(settings, utc_now)
    if arguments.json:
        print_json({"checks": [{"what": f.what, "ok": f.ok, "said": f.said, "todo": f.todo} for f in found]})
    else:
        for one in found:
            print(f"{'ok  ' if one.ok else 'FAIL'}  {one.what:12} {one.said}")
            if one.todo:
                print(f"      {'':12} -> {one.todo}")
    return Exit.DONE if all(one.ok for one in found) else Exit.FAILED
