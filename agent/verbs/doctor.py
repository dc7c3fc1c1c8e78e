"""`sayso doctor`: is everything there that the settings ask for, and what to do where it is not."""

import argparse
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent import verbs
from agent.verbs.exits import Exit

if TYPE_CHECKING:
    from agent.verbs.opening import Session

# Reads that cost little are tried: what they answer says whether their backend does.
_OF_A_SERVICE = frozenset({"metrics", "logs"})
_TRIED = frozenset({"status", "kubernetes", "tickets"}) | _OF_A_SERVICE


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: `ok` is None where it is worth a word and no fault; a `warning` is likely no intention."""

    what: str
    ok: bool | None
    said: str
    warning: bool = False

    @property
    def mark(self) -> str:
        return {True: "ok", False: "FAIL", None: "warn" if self.warning else "note"}[self.ok]


def add(group: verbs.Group) -> None:
    verb = group.add_parser(
        "doctor",
        help="check settings, store, knowledge, model and backends",
        description="Looks at everything the settings ask for, and says what to do where something is missing.",
    )
    verbs.add_asker(verb)
    verbs.add_json(verb)
    verbs.add_place(verb)
    verb.set_defaults(run=run)


async def run(arguments: argparse.Namespace, context: verbs.Context) -> Exit:
    from agent.verbs.opening import opened, print_json

    async with opened(arguments, context, anybody=True) as session:
        checks = [check async for check in examined(session, context.environ)]
    if arguments.json:
        print_json(
            {
                "checks": [
                    {"what": one.what, "ok": one.ok, "warning": one.warning, "said": one.said}
                    for one in checks
                ]
            }
        )
    else:
        for one in checks:
            print(f"{one.mark:4}  {one.what:10} {one.said}")
    return Exit.FAILED if any(one.ok is False for one in checks) else Exit.DONE


async def examined(session: "Session", environ: Mapping[str, str]) -> AsyncIterator[Check]:
    """Every check, in the order people read them."""
    from agent.verbs.rights import loose

    app = session.app
    yield Check(
        "settings", True, f"{app.home.config} ({app.home.chosen_by}); {len(app.settings.people)} people"
    )
    mode = app.home.folder.stat().st_mode & 0o777
    yield Check("home", mode == 0o700, f"{app.home.folder}, mode {mode:o}")
    yield await trail(session)
    yield await seal(session)
    async for check in signatures(session):
        yield check
    async for check in knowledge(session):
        yield check
    async for check in model(session, environ):
        yield check
    for what, said in loose(app):
        yield Check(what, None, said, warning=True)
    async for check in backends(session):
        yield check
    async for check in servers(session):
        yield check


async def trail(session: "Session") -> Check:
    """The audit trail, and what was left unfinished."""
    from agent.store.keys import KeyMissing

    try:
        report = await session.app.trail.verify()
    except (KeyMissing, OSError) as error:
        return Check("audit", False, str(error))
    left = len(await session.app.store.unfinished())
    said = (
        f"{report.checked} rows, signed up to row {report.signed}"
        if report.whole
        else f"row {report.broken}: {report.problem}"
    )
    return Check("audit", report.whole, said + (f"; {left} questions without an answer" if left else ""))


async def seal(session: "Session") -> Check:
    """The key that signs the trail: where it is, and whether that is a good place."""
    home, key = session.app.home, session.app.seal.key
    if not key.exists():
        signed = await session.app.store.last_checkpoint() is not None
        said = (
            f"{key} is gone, and the trail was signed with it: bring it back, or set `audit.key`"
            if signed
            else f"{key} is made when the trail is first signed"
        )
        return Check("audit key", False if signed else None, said)
    mode = key.stat().st_mode & 0o777
    if mode & 0o077:
        return Check("audit key", False, f"{key} can be read by others (mode {mode:o}): chmod 600 {key}")
    if key.is_relative_to(home.folder):
        return Check(
            "audit key",
            None,
            f"{key} lies beside the store it vouches for: move it elsewhere and name the place as `audit.key`, or "
            "keep copies of it, of `sayso audit key` and of the checkpoints on another machine",
        )
    return Check("audit key", True, f"{key}, apart from the store")


async def signatures(session: "Session") -> AsyncIterator[Check]:
    """Actions that ran without approval and lack the second signature; one that is overdue is a fault."""
    from agent.approvals.card import owing

    now = session.app.now()
    for action in await session.app.actions.owed():
        overdue = action.glass is not None and now > action.glass.due_at
        said = f"{action.id} {action.plan.title}: {owing(action, session.locale, now)}"
        yield Check("signature", False if overdue else None, said)


async def knowledge(session: "Session") -> AsyncIterator[Check]:
    """The indexes, and what they were made from."""
    from knowledge.port import KnowledgeError

    if not session.app.sources:
        said = "no sources, so nothing is found in documents or chats: name some under `knowledge.sources`"
        yield Check("knowledge", None, said, warning="knowledge" in session.app.registry)
        return
    try:
        status = await (await session.app.knowledge.library()).status()
    except KnowledgeError as error:
        yield Check("knowledge", False, str(error))
        return
    said = (
        f"{status.documents} documents, {status.chunks} passages, embedded by {status.embedder or 'nothing'}"
    )
    hint = "" if status.documents else "; `sayso ingest` reads the sources"
    yield Check("knowledge", True if status.documents else None, said + hint)
    for note in status.notes:
        yield Check("knowledge", None, note)


async def model(session: "Session", environ: Mapping[str, str]) -> AsyncIterator[Check]:
    """What is missing of the model, and whether it answers one short request."""
    from agent.conversation.errors import ConversationError
    from agent.conversation.messages import Message, Request, Role
    from agent.making.models import language_model
    from agent.models.lacking import lacking

    settings = session.app.settings.model
    if (missing := lacking(settings, environ)) is not None:
        yield Check("model", None, missing, warning=True)
    if settings.provider == "none":
        yield Check("model", None, "none is configured: the embedded planner answers")
        return
    chosen = language_model(settings)
    request = Request((Message(Role.PERSON, "Say: ready"),), (), "en", session.app.now())
    try:
        reply = await chosen.complete(request, _unheard)
    except ConversationError as error:
        yield Check("model", False, f"{error}; until it answers, the embedded planner does")
    else:
        yield Check("model", True, f"{reply.model} answers")


async def _unheard(_piece: str) -> None:
    """Nobody listens to a check."""


async def backends(session: "Session") -> AsyncIterator[Check]:
    """Each read tool that can be asked without arguments, and each tool nobody may use."""
    import asyncio

    from agent.members import asker_of
    from tools.contract import BadArguments, ToolError, WriteTool

    for tool in session.app.registry:
        spec = tool.spec
        if not session.app.policy.roles_for(spec.name):
            yield Check(spec.name, None, "nobody may use it: it is not in `access`", warning=True)
        if isinstance(tool, WriteTool) or spec.name not in _TRIED:
            continue
        service = next(iter(session.app.settings.services), None)
        try:
            arguments = spec.validate(
                {} if spec.name not in _OF_A_SERVICE or service is None else {"service": service}
            )
            outcome = await asyncio.wait_for(tool.run(arguments, asker_of(session.person)), spec.timeout)
            yield Check(spec.name, True, outcome.summary)
        except BadArguments as error:
            yield Check(spec.name, None, f"not tried: {error}")
        except (ToolError, TimeoutError) as error:
            yield Check(spec.name, False, str(error) or "no answer in time")


async def servers(session: "Session") -> AsyncIterator[Check]:
    """Each tool of an MCP server: whether the server is there, and says of the tool what was pinned."""
    from tools.contract import ReadTool, ToolError, WriteTool

    for tool in session.app.connected:
        name = tool.spec.name if isinstance(tool, ReadTool | WriteTool) else "server"
        try:
            differs = await tool.standing()
        except ToolError as error:
            yield Check(name, False, str(error))
            continue
        said = "as pinned" if differs is None else f"not offered until it is pinned again: {differs}"
        yield Check(name, differs is None, said)
