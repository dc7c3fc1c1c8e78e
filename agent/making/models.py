"""What answers: the language model of the settings, the planner behind it, and the turns around them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from agent.approvals.propose import Proposer
from agent.conversation.choosing import Choosing
from agent.conversation.ports import ChatModel, Clock, Shelf, Threads, TokenCounter
from agent.conversation.redact import Redactor
from agent.conversation.toolbox import Toolbox
from agent.conversation.turn import Limits, Turns
from agent.home import Home
from agent.making.embedders import Embedders
from agent.settings import ModelSettings, Settings
from prompts.loader import load as load_prompt
from tools.contract import Spec
from tools.registry import Registry

if TYPE_CHECKING:
    from agent.models.openai import Prices
    from agent.telemetry.traces import Traces


class Models:
    """Makes chat models, and the turns that ask them."""

    def __init__(self, settings: Settings, home: Home, embedders: Embedders, clock: Clock) -> None:
        self._settings, self._home, self._embedders, self._clock = settings, home, embedders, clock

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
            clock=self._clock,
            zone=ZoneInfo(self._settings.time_zone),
            language=self._settings.language,
            limits=Limits(turn.steps, turn.history, self._settings.model.context_tokens),
        )

    def _choosing(self, specs: Sequence[Spec]) -> Choosing | None:
        """How tools are chosen where a language model reads their descriptions; the planner reads none."""
        if self._settings.model.provider == "none":
            return None
        from agent.models.router import ToolRouter

        router = ToolRouter(specs, self._embedders.local().embedder)
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
        return FallbackModel(language_model(self._settings.model), self._planner(specs, model_down=True))

    def teller(self, traces: "Traces | None") -> ChatModel:
        """The language model as it tells what came of a change: alone, for the planner answers people."""
        model = language_model(self._settings.model)
        return model if traces is None else traces.model(model)

    def _planner(self, specs: Sequence[Spec], *, model_down: bool) -> ChatModel:
        from agent.models.embedded.planner import EmbeddedPlanner

        return EmbeddedPlanner(
            specs,
            embedder=self._embedders.local().embedder,
            zone=ZoneInfo(self._settings.time_zone),
            cache=self._home.folder / "cache",
            model_down=model_down,
        )


def language_model(settings: ModelSettings) -> ChatModel:
    """The language model alone. Only where a provider is set."""
    return _langchain(settings) if settings.provider == "langchain" else _openai(settings)


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
