"""What texts are embedded with: the embedder of the settings, and the model on this machine."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from agent.home import Home
from agent.settings import Settings
from knowledge.embed import LocalEmbedder, OpenAIEmbedder, local_embedder

T = TypeVar("T")


class Embedders:
    """Makes each embedder once."""

    def __init__(self, settings: Settings, home: Home) -> None:
        self._settings, self._home = settings, home
        self._chosen: LocalEmbedder | None = None
        self._local: LocalEmbedder | None = None

    def chosen(self) -> LocalEmbedder:
        """The embedder of the settings; the planner listens with the local one whatever they say."""
        if self._chosen is None:
            knowledge, model = self._settings.knowledge, self._settings.model
            match knowledge.embedder:
                case "none":
                    self._chosen = LocalEmbedder(None, "keyword search only, as the settings say")
                case "openai":
                    remote = OpenAIEmbedder(
                        base_url=model.base_url or "https://api.openai.com/v1",
                        api_key=model.api_key.get_secret_value() if model.api_key else "none",
                        model=knowledge.embedding_model,
                        dims=knowledge.embedding_dimensions,
                        retry=Tries(model.attempts),
                    )
                    self._chosen = LocalEmbedder(remote, None)
                case "local":
                    self._chosen = self.local()
        return self._chosen

    def local(self) -> LocalEmbedder:
        """The model on this machine, behind the cache in the home folder; one for library and planner."""
        if self._local is None:
            shipped = (self._home.at(path) for path in self._settings.knowledge.shipped_vectors)
            warm = tuple(path for path in shipped if path.is_file())  # without them texts are embedded anew
            self._local = local_embedder(self._home.folder / "cache" / "vectors.db", warm)
        return self._local


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
