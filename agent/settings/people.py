"""Who talks to sayso, and what can be asked about."""

from pydantic import Field

from agent.settings.section import Language, Name, Section


class PersonSettings(Section):
    """Somebody who may talk to sayso, and what they are called elsewhere."""

    name: str = Field(description="How the person is called in answers and on cards")
    roles: tuple[Name, ...] = Field(default=(), description="The roles that `access` and `policies` speak of")
    email: str | None = Field(default=None, description="Ties the person to their messages in indexed chats")
    language: Language | None = Field(
        default=None, description="The language of answers; the request's if unset"
    )
    slack: str | None = Field(default=None, description="Slack user id, such as U012AB3CD")
    team: Name | None = Field(default=None, description="The team that `distinct_teams` of a policy counts")


class ServiceSettings(Section):
    """A service that tools may be asked about."""

    aliases: tuple[str, ...] = Field(default=(), description="Other words for it, in any language")
    environments: tuple[Name, ...] = Field(default=(), description="Where it runs; everywhere if unset")
    owner: str | None = Field(default=None, description="The team or person to ask")
    calls: tuple[Name, ...] = Field(
        default=(),
        description="Services and others it calls, for `investigate`; calls that are counted are seen anyway",
    )


class EnvironmentSettings(Section):
    """A place services run in."""

    aliases: tuple[str, ...] = Field(default=(), description="Other words for it, in any language")
