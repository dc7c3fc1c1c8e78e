"""What is said first of a version that a question names and that does not run."""

from collections.abc import Sequence

from agent.models.embedded.facts import Running
from agent.models.embedded.recounting import cite
from agent.models.embedded.writing import Writer


def absent(version: str, running: Sequence[Running], asked: str, place: str, writer: Writer) -> str:
    """That a version of the service `asked` does not run where it was looked for, and what runs instead.

    `place` is the one environment that was looked at; "" when all were. Returns "" when the version runs.
    """
    mine = [entry for entry in running if entry.service == asked]
    where = [entry for entry in mine if entry.version == version]
    prod = next((entry for entry in mine if entry.environment.startswith("prod")), None)
    if not mine or (where and (prod is None or prod in where)):
        return ""
    rows = ", ".join(_row(entry, writer) for entry in mine if entry not in where)
    fields = {"service": asked, "version": version, "running": rows, "environment": place}
    if where:
        places = ", ".join(f"{entry.environment} {cite(entry)}" for entry in where)
        return writer.say("presence.elsewhere", fields, places=places)
    return writer.say("presence.nowhere_in" if place else "presence.nowhere", fields)


def _row(entry: Running, writer: Writer) -> str:
    return writer.say("presence.row", version=entry.version, environment=entry.environment, cites=cite(entry))
