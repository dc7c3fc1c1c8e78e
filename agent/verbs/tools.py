"""`sayso tools`: what the person asking may use, and what needs whose approval."""

import argparse
from typing import Any

from agent import verbs
from agent.verbs.exits import Exit


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "tools",
        help="what you may use, and which of it needs approval",
        description="Lists the tools the person may use, what they read or change, and examples of asking for them.",
    )
    verb.add_argument("--all", action="store_true", help="also those that this person may not use")
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened, print_json

    async with opened(arguments, context) as session:
        app = session.app
        rows: list[dict[str, Any]] = [
            {
                "name": spec.name,
                "effect": spec.effect.value,
                "allowed": app.may_use(session.person, spec.name),
                "description": spec.description,
                "examples": [
                    example.text for example in spec.examples if example.language == session.locale[:2]
                ][:2],
                "arguments": spec.arguments.model_json_schema(),
            }
            for spec in app.registry.specs()
        ]
        rows = [row for row in rows if arguments.all or row["allowed"]]
        if arguments.json:
            print_json({"person": session.person.id, "tools": rows})
            return Exit.DONE
        if not rows:
            print(
                f"{session.person.name} may use no tool; `access` in {app.home.config} says who may use what."
            )
        for row in rows:
            mark = "" if row["allowed"] else "  (not for you)"
            kind = "reads" if row["effect"] == "read" else "changes, after approval"
            print(f"{row['name']:12} {kind}{mark}\n             {row['description']}")
            for example in row["examples"]:
                print(f"             e.g. {example}")
    return Exit.DONE
