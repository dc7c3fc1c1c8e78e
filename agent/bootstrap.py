"""Putting sayso together from its settings; nothing but this and `agent.making` chooses adapters."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.app import App
from agent.approvals import crowding
from agent.approvals.decide import Decisions
from agent.approvals.execute import Executor
from agent.approvals.policy import PolicyGap
from agent.approvals.propose import Proposer
from agent.audit.event import Fact
from agent.audit.notary import Notary, Rhythm
from agent.carried import Carried
from agent.conversation.discreet import discreet
from agent.conversation.redact import Redactor
from agent.home import Home, make_private
from agent.making.embedders import Embedders
from agent.making.libraries import Libraries
from agent.making.models import Models
from agent.making.people import people_of
from agent.people.person import Directory
from agent.policies import policy_of
from agent.recall import Recall
from agent.runbooks.building import RunbookRefused, built
from agent.settings import Settings, SettingsError
from agent.store.fleet import Fleet
from agent.store.keys import Seal
from agent.store.outputs import ShelvedOutputs
from agent.store.port import Store
from agent.store.scribe import Scribe
from agent.store.shelf import FolderShelf
from tools.contract import Connected
from tools.registry import NotRegistered, Registry

if TYPE_CHECKING:
    from agent.telemetry.traces import Traces


def utc_now() -> datetime:
    """The only real clock."""
    return datetime.now(UTC)  # noqa: TID251 - every other place is given this one


def store_place(settings: Settings, home: Home) -> Path | str:
    """Where the store is: a file, or the URL of a PostgreSQL database."""
    url = settings.store.url
    return home.at(settings.store.path) if url is None else url.get_secret_value()


def jobs_place(settings: Settings, home: Home) -> Path | str:
    """Where the engine keeps what it carries: a file beside the store, or the same database."""
    url = settings.store.url
    return home.at(settings.store.path).with_name("jobs.db") if url is None else url.get_secret_value()


async def build(
    settings: Settings,
    home: Home,
    note: Callable[[str], None] = lambda _line: None,
    seen: Callable[[Fact], None] = lambda _fact: None,
) -> App:
    """Opens everything these settings name; `note` hears of a migration, `seen` of every fact on its way to the trail.

    Raises `SettingsError` and `StoreError`.
    """
    from agent.store.sql.store import SqlStore
    from agent.whitelist import vocabulary_of, whitelist

    make_private(home.folder)
    directory = Directory(people_of(settings))
    recall, carried = Recall(directory), Carried()
    embedders = Embedders(settings, home)
    models = Models(settings, home, embedders, utc_now)
    libraries = Libraries(settings, home, embedders, utc_now)
    try:
        registry = whitelist(settings, home, utc_now, recall, carried)
        connected = [tool for tool in registry if isinstance(tool, Connected)]
        runbooks = built(settings, registry, vocabulary_of(settings))
        registry = discreet(runbooks.registry, Redactor(emails=settings.redaction.emails))
        settings = settings.model_copy(update={"access": {**settings.access, **runbooks.access}})
        policy = policy_of(settings, registry.specs(), directory.everybody(), registry.off)
    except (PolicyGap, NotRegistered, RunbookRefused) as error:
        raise SettingsError(f"{home.config}: {error}") from error
    for name, schedule in settings.schedules.items():
        if schedule.person not in settings.people:
            raise SettingsError(
                f"{home.config}: schedules.{name}.person = {schedule.person!r}: is nobody of `people`; name one"
            )
    _check_channels(settings, home, registry, libraries.source_names())
    scribe = Scribe(Redactor(emails=settings.redaction.emails), seen=seen)
    store = await SqlStore.open(store_place(settings, home), scribe, note=note)
    if settings.slack is not None:
        libraries.hears(store.overheard)
    fleet = Fleet(store)
    seal = Seal(home.at(settings.audit.key), _checkpoint_file(settings, home))
    notary = Notary(store, seal.signer, seal.book, utc_now, _rhythm(settings))
    scribe.on_fact = notary.noted
    traces = await _traces(settings, store)
    if traces is not None:
        registry = traces.registry(registry)
    shelf = FolderShelf(home.folder / "evidence")
    proposer = Proposer(
        store, registry, policy, utc_now, refuse_untrusted=settings.untrusted_targets == "refuse"
    )
    app = App(
        settings=settings,
        home=home,
        clock=utc_now,
        directory=directory,
        policy=policy,
        registry=registry,
        store=store,
        notary=notary,
        seal=seal,
        shelf=shelf,
        proposer=proposer,
        decisions=Decisions(store, directory, utc_now),
        executor=Executor(
            store,
            registry,
            policy,
            directory,
            fleet,
            utc_now,
            limits=_limits(settings),
            outputs=ShelvedOutputs(shelf, Redactor(emails=settings.redaction.emails)),
        ),
        turns=lambda: models.turns(store, registry, proposer, shelf, traces),
        open_library=libraries.open_library,
        sources=libraries.sources(),
        redactor=Redactor(emails=settings.redaction.emails),
        fleet=fleet,
        spans=traces,
        procedures=runbooks.procedures,
        teller=None if settings.model.provider == "none" else lambda: models.teller(traces),
        connected=connected,
    )
    recall.opens(app.knowledge.library)
    recall.heeds(store.asked)
    carried.opens(store)
    return app


def _check_channels(settings: Settings, home: Home, registry: Registry, sources: Sequence[str]) -> None:
    """What the settings say of channels must be there. Raises `SettingsError`."""
    tools = [spec.name for spec in registry.specs()]
    for id_, channel in ({} if settings.slack is None else settings.slack.channels).items():
        for key, named, known in (
            ("tools", channel.tools, tools),
            ("knowledge", channel.knowledge, sources),
        ):
            for name in sorted((named or frozenset()) - set(known)):
                why = (
                    registry.why_not(name)
                    if key == "tools" and name in registry.off
                    else f"{name!r} is not there; there is {', '.join(sorted(known)) or 'none'}"
                )
                raise SettingsError(f"{home.config}: slack.channels.{id_}.{key}: {why}")


async def _traces(settings: Settings, store: Store) -> "Traces | None":
    """Where an endpoint is set. Raises `SettingsError` where a package is missing."""
    if settings.telemetry.traces is None:
        return None
    from agent.telemetry.traces import Traces, TracesUnavailable

    try:
        return Traces.to(
            settings.telemetry.traces,
            salt=await store.store_id(),
            content=settings.telemetry.content,
            redactor=Redactor(emails=settings.redaction.emails),
        )
    except TracesUnavailable as error:
        raise SettingsError(str(error)) from error


def _limits(settings: Settings) -> crowding.Limits:
    return crowding.Limits(settings.limits.tools, settings.limits.environments)


def _checkpoint_file(settings: Settings, home: Home) -> Path:
    named = settings.audit.checkpoints
    return home.at(settings.audit.key).parent / "checkpoints.jsonl" if named is None else home.at(named)


def _rhythm(settings: Settings) -> Rhythm:
    return Rhythm(settings.audit.rows, settings.audit.every, settings.audit.keep)
