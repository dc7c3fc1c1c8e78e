"""Putting sayso together from its settings: the only place that chooses adapters."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from agent.app import App
from agent.approvals import crowding
from agent.approvals.decide import Decisions
from agent.approvals.execute import Executor
from agent.approvals.policy import PolicyGap
from agent.approvals.propose import Proposer
from agent.audit.event import Fact
from agent.audit.notary import Notary, Rhythm
from agent.carried import Carried
from agent.conversation.choosing import Choosing
from agent.conversation.discreet import discreet
from agent.conversation.overheard import Overheard
from agent.conversation.ports import ChatModel, Shelf, Threads, TokenCounter
from agent.conversation.redact import Redactor
from agent.conversation.toolbox import Toolbox
from agent.conversation.turn import Limits, Turns
from agent.home import Home, make_private
from agent.people.person import Directory, Person
from agent.policies import policy_of
from agent.recall import Recall
from agent.runbooks.building import RunbookRefused, built
from agent.settings import ModelSettings, Settings, SettingsError, SourceSettings
from agent.store.fleet import Fleet
from agent.store.keys import Seal
from agent.store.outputs import ShelvedOutputs
from agent.store.port import Store
from agent.store.scribe import Scribe
from agent.store.shelf import FolderShelf
from knowledge.embed import LocalEmbedder, OpenAIEmbedder, local_embedder
from knowledge.port import Library, Source, Structurer
from prompts.loader import load as load_prompt
from tools.contract import Connected, Spec
from tools.registry import NotRegistered, Registry
from tools.vocabulary import Vocabulary

if TYPE_CHECKING:
    from agent.models.openai import Prices
    from agent.telemetry.traces import Traces

T = TypeVar("T")


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

    make_private(home.folder)
    directory = Directory(people_of(settings))
    parts = Parts(settings, home, directory)
    try:
        registry = parts.registry()
        connected = [tool for tool in registry if isinstance(tool, Connected)]
        runbooks = built(settings, registry, parts.vocabulary())
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
    _check_channels(settings, home, registry, parts.source_names())
    scribe = Scribe(Redactor(emails=settings.redaction.emails), seen=seen)
    store = await SqlStore.open(store_place(settings, home), scribe, note=note)
    if settings.slack is not None:
        parts.hears(store.overheard)
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
        turns=lambda: parts.turns(store, registry, proposer, shelf, traces),
        open_library=parts.open_library,
        sources=parts.sources(),
        redactor=Redactor(emails=settings.redaction.emails),
        fleet=fleet,
        spans=traces,
        procedures=runbooks.procedures,
        teller=None if settings.model.provider == "none" else lambda: parts.teller(traces),
        connected=connected,
    )
    parts.recall.opens(app.library)
    parts.recall.heeds(store.asked)
    parts.carried.opens(store)
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


def people_of(settings: Settings) -> tuple[Person, ...]:
    """Everybody in the settings."""
    return tuple(_person(id_, settings) for id_ in settings.people)


def _person(id_: str, settings: Settings) -> Person:
    person = settings.people[id_]
    return Person(
        id_,
        person.name,
        frozenset(person.roles),
        person.email.lower() if person.email else None,
        person.language,
        {"slack": person.slack} if person.slack else {},
        person.team or "",
    )


def _keys(members: Sequence[str]) -> frozenset[str]:
    """The identity keys of people (`maya`) and roles (`role:sre`) that may read something."""
    return frozenset(name if name.startswith("role:") else f"person:{name}" for name in members)


class Parts:
    """Adapters, each made when it is first needed: their packages take a while to load."""

    def __init__(self, settings: Settings, home: Home, directory: Directory) -> None:
        self._settings, self._home, self._directory = settings, home, directory
        self._embedder: LocalEmbedder | None = None
        self._local: LocalEmbedder | None = None
        self._overheard: Overheard | None = None
        self.recall, self.carried = Recall(directory), Carried()

    # --- tools -------------------------------------------------------------------------------------------------------

    def vocabulary(self) -> Vocabulary:
        """The names that tools take."""
        from agent.whitelist import vocabulary_of

        return vocabulary_of(self._settings)

    def registry(self) -> Registry:
        """The enabled tools. Raises `SettingsError` for a name that is no tool."""
        from agent.whitelist import whitelist

        return whitelist(self._settings, self._home, utc_now, self.recall, self.carried)

    # --- knowledge ---------------------------------------------------------------------------------------------------

    def hears(self, overheard: Overheard) -> None:
        """Says where what is said in Slack is kept."""
        self._overheard = overheard

    def source_names(self) -> list[str]:
        """What the sources are called, with what is heard in Slack."""
        sources = self._settings.knowledge.sources
        names = [source.name for source in sources]
        if any(source.kind == "slack-export" for source in sources):
            return names
        from knowledge.sources.slack_live import name_beside

        return [*names, name_beside(names)]

    def sources(self) -> tuple[Source, ...]:
        """The sources of the settings, and what is heard, as the knowledge room reads them. Raises `SettingsError`."""
        named = tuple(self._source(source) for source in self._settings.knowledge.sources)
        if self._overheard is None:
            return named
        from agent.overhearing import Overhearing
        from knowledge.sources.slack_live import over

        return over(named, Overhearing(self._overheard), utc_now)

    def _source(self, source: SourceSettings) -> Source:
        from knowledge.sources.folder import DocumentFolder
        from knowledge.sources.git import GitCheckout
        from knowledge.sources.slack_export import SlackExport

        path = self._home.at(source.path)
        named = (*(source.members or ()), *(name for names in source.restricted.values() for name in names))
        for name in named:
            if not name.startswith("role:") and name not in self._settings.people:
                raise SettingsError(
                    f"{self._home.config}: knowledge.sources: {source.name!r}: {name!r} is nobody of `people`; "
                    "name one, or a role as `role:NAME`"
                )
        if source.kind == "slack-export":
            return SlackExport(
                path,
                workspace_url=source.workspace or "https://slack.com",
                name=source.name,
                direct_messages=source.direct_messages,
                channels=source.channels,
                exclude=source.exclude,
            )
        reads = GitCheckout if source.kind == "git" else DocumentFolder
        try:
            return reads(
                path,
                name=source.name,
                permalink=source.link,
                members=None if source.members is None else _keys(source.members),
                restricted={folder: _keys(names) for folder, names in source.restricted.items()},
                include=source.include or (("*.md",) if source.kind == "markdown" else ()),
                exclude=source.exclude,
            )
        except ValueError as error:
            raise SettingsError(
                f"{self._home.config}: knowledge.sources: {source.name!r}: {error}"
            ) from error

    async def open_library(self, rebuild: bool) -> Library:
        """The library below the home folder. Raises `KnowledgeError`."""
        from knowledge.library import Server, open_library

        local, knowledge = self.embedder(), self._settings.knowledge
        return await open_library(
            self._home.folder / "knowledge",
            embedder=local.embedder,
            clock=utc_now,
            why_not=local.why_not,
            rebuild=rebuild,
            roll=self.sources(),
            server=None if knowledge.chroma is None else Server(knowledge.chroma),
            structurer=self._structurer(),
            database=None if knowledge.database is None else knowledge.database.get_secret_value(),
        )

    def _structurer(self) -> Structurer:
        from knowledge.incidents import Rules

        rules, knowledge = Rules(tuple(self._settings.services)), self._settings.knowledge
        if knowledge.structure == "rules" or self._settings.model.provider == "none":
            return rules
        from agent.structuring import LONGEST, ModelStructurer

        return ModelStructurer(
            self.language_model,
            rules,
            load_prompt("incident"),
            Redactor(emails=self._settings.redaction.emails),
            utc_now,
            calls=knowledge.structure_calls,
            longest=min(LONGEST, 2 * self._settings.model.context_tokens),  # two characters a token are few
        )

    def embedder(self) -> LocalEmbedder:
        """The embedder of the settings; the planner listens with the local one whatever they say."""
        if self._embedder is None:
            knowledge, model = self._settings.knowledge, self._settings.model
            match knowledge.embedder:
                case "none":
                    self._embedder = LocalEmbedder(None, "keyword search only, as the settings say")
                case "openai":
                    remote = OpenAIEmbedder(
                        base_url=model.base_url or "https://api.openai.com/v1",
                        api_key=model.api_key.get_secret_value() if model.api_key else "none",
                        model=knowledge.embedding_model,
                        dims=knowledge.embedding_dimensions,
                        retry=Tries(model.attempts),
                    )
                    self._embedder = LocalEmbedder(remote, None)
                case "local":
                    self._embedder = self.local_embedder()
        return self._embedder

    def local_embedder(self) -> LocalEmbedder:
        """The model on this machine, behind the cache in the home folder; one for library and planner."""
        if self._local is None:
            shipped = (self._home.at(path) for path in self._settings.knowledge.shipped_vectors)
            warm = tuple(path for path in shipped if path.is_file())  # without them texts are embedded anew
            self._local = local_embedder(self._home.folder / "cache" / "vectors.db", warm)
        return self._local

    # --- models ------------------------------------------------------------------------------------------------------

    async def turns(
        self, threads: Threads, registry: Registry, proposer: Proposer, shelf: Shelf, traces: "Traces | None"
    ) -> Turns:
        """What answers: the model of the settings with the planner behind it, or the planner alone."""
        from agent.models.embedded.wishes import SpokenWishes

        redactor = Redactor(emails=self._settings.redaction.emails)
        turn = self._settings.turn
        model = self.model(registry.specs())
        return Turns(
            model=model if traces is None else traces.model(model),
            threads=threads,
            toolbox=Toolbox(
                registry,
                proposer,
                shelf,
                redactor,
                self._choosing(registry.specs()),
                SpokenWishes(registry.specs()),
            ),
            prompt=load_prompt("system"),
            counter=self.counter(),
            redactor=redactor,
            clock=utc_now,
            zone=ZoneInfo(self._settings.time_zone),
            language=self._settings.language,
            limits=Limits(turn.steps, turn.history, self._settings.model.context_tokens),
        )

    def _choosing(self, specs: Sequence[Spec]) -> Choosing | None:
        """How tools are chosen where a language model reads their descriptions; the planner reads none."""
        if self._settings.model.provider == "none":
            return None
        from agent.models.router import ToolRouter

        router = ToolRouter(specs, self.local_embedder().embedder)
        return Choosing(router, self.counter(), self._settings.turn.tool_tokens)

    def counter(self) -> TokenCounter:
        """Exact where a model is paid by the token; the planner costs none, so an estimate does."""
        from agent.models import tokens

        if self._settings.model.provider == "none":
            return tokens.EstimatingCounter()
        return tokens.counter(self._home.folder / "cache")

    def model(self, specs: Sequence[Spec]) -> ChatModel:
        """The chat model of the settings."""
        from agent.models.fallback import FallbackModel

        if self._settings.model.provider == "none":
            return self._planner(specs, model_down=False)
        return FallbackModel(self.language_model(), self._planner(specs, model_down=True))

    def teller(self, traces: "Traces | None") -> ChatModel:
        """The language model as it tells what came of a change: alone, for the planner answers people."""
        model = self.language_model()
        return model if traces is None else traces.model(model)

    def language_model(self) -> ChatModel:
        """The language model alone. Only where a provider is set."""
        settings = self._settings.model
        return _langchain(settings) if settings.provider == "langchain" else _openai(settings)

    def _planner(self, specs: Sequence[Spec], *, model_down: bool) -> ChatModel:
        from agent.models.embedded.planner import EmbeddedPlanner

        return EmbeddedPlanner(
            specs,
            embedder=self.local_embedder().embedder,
            zone=ZoneInfo(self._settings.time_zone),
            cache=self._home.folder / "cache",
            model_down=model_down,
        )


class Tries:
    """Implements `knowledge.embed.Retry` with the one retry rule there is."""

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T:
        import openai

        from agent.models.retry import Passing, retried

        async def once() -> T:
            try:
                return await attempt()
            except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
                raise Passing(error) from error

        return await retried(once, attempts=self._attempts)


def _prices(settings: ModelSettings) -> "Prices | None":
    from agent.models.openai import Prices

    if settings.input_price is None or settings.output_price is None:
        return None
    return Prices(settings.input_price, settings.output_price)


def _openai(settings: ModelSettings) -> ChatModel:
    from agent.models.openai import OpenAIModel

    return OpenAIModel(
        model=settings.name,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        base_url=settings.base_url,
        timeout=settings.timeout.total_seconds(),
        attempts=settings.attempts,
        prices=_prices(settings),
    )


def _langchain(settings: ModelSettings) -> ChatModel:
    from agent.models.langchain import LangChainModel

    return LangChainModel(
        settings.name,
        timeout=settings.timeout.total_seconds(),
        attempts=settings.attempts,
        prices=_prices(settings),
    )
