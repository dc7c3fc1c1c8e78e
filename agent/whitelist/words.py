"""The names that tools take, from the settings."""

from zoneinfo import ZoneInfo

from agent.settings import Settings
from tools.vocabulary import Vocabulary


def vocabulary_of(settings: Settings) -> Vocabulary:
    """The names that tools take, with their other words."""
    return Vocabulary(
        services={name: service.aliases for name, service in settings.services.items()},
        environments={name: environment.aliases for name, environment in settings.environments.items()},
        zone=ZoneInfo(settings.time_zone),
    )
