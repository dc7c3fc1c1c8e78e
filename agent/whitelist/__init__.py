"""The tools that the settings enable, each on the backend that they name."""

from agent.carried import Carried
from agent.home import Home
from agent.recall import Recall
from agent.settings import Settings, SettingsError
from agent.whitelist.makers import Makers
from agent.whitelist.mcp import mcp_tools
from agent.whitelist.words import vocabulary_of
from tools.contract import Clock
from tools.registry import Registry
from tools.vocabulary import nearest

__all__ = ["vocabulary_of", "whitelist"]


def whitelist(
    settings: Settings, home: Home, clock: Clock, recall: Recall, carried: Carried | None = None
) -> Registry:
    """The registry of the enabled tools and the declared commands. Raises `SettingsError`, `NotRegistered`."""
    makers = Makers(settings, home, clock, recall, carried)
    shipped, commands = (
        makers.by_name(),
        {
            **makers.commands(),
            **makers.operations(),
            **mcp_tools(settings, home),
        },
    )
    unknown = [name for name in settings.tools.enabled if name not in shipped and name not in commands]
    if unknown:
        near = ", ".join(nearest(unknown[0], [*shipped, *commands]))
        raise SettingsError(f"{home.config}: tools.enabled: {unknown[0]!r} is no tool; nearest: {near}")
    return Registry(
        (commands[name] if name in commands else shipped[name]() for name in settings.tools.enabled),
        off=[*shipped, *commands],
    )
