"""What is known: the sources of the settings, and the library that is made of them."""

from agent.conversation.overheard import Overheard
from agent.conversation.ports import Clock
from agent.conversation.redact import Redactor
from agent.home import Home
from agent.making.embedders import Embedders
from agent.making.models import language_model
from agent.making.people import keys_of
from agent.settings import Settings, SettingsError, SourceSettings
from knowledge.port import Library, Source, Structurer
from prompts.loader import load as load_prompt


class Libraries:
    """Makes the sources, and opens the library."""

    def __init__(self, settings: Settings, home: Home, embedders: Embedders, clock: Clock) -> None:
        self._settings, self._home, self._embedders, self._clock = settings, home, embedders, clock
        self._overheard: Overheard | None = None

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

        return over(named, Overhearing(self._overheard), self._clock)

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
                members=None if source.members is None else keys_of(source.members),
                restricted={folder: keys_of(names) for folder, names in source.restricted.items()},
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

        local, knowledge = self._embedders.chosen(), self._settings.knowledge
        return await open_library(
            self._home.folder / "knowledge",
            embedder=local.embedder,
            clock=self._clock,
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
            lambda: language_model(self._settings.model),
            rules,
            load_prompt("incident"),
            Redactor(emails=self._settings.redaction.emails),
            self._clock,
            calls=knowledge.structure_calls,
            longest=min(LONGEST, 2 * self._settings.model.context_tokens),  # two characters a token are few
        )
