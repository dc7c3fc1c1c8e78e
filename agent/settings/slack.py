"""Slack, where people talk."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr

from agent.settings.section import Duration, Name, Section


class ListeningSettings(Section):
    """What is said in channels, as knowledge: only where somebody asked for it with `/sayso index on`."""

    roles: tuple[Name, ...] = Field(
        default=("admin",), description="Who may use `/sayso index on` and `/sayso index off`"
    )
    history: Duration | None = Field(
        default=timedelta(days=365), description="How far back a channel is read; `null` for all of it"
    )
    distributed: bool = Field(
        default=False,
        description="Whether the app is distributed outside Slack's Marketplace: then Slack gives out 15 messages a "
        "minute; apps that you made for yourself get 200 in a little more than a second",
    )


class ChannelSettings(Section):
    """What sayso does in one channel."""

    answer: Literal["mentions", "all", "nothing"] = Field(
        default="mentions", description="What it answers there: messages that name it, all of them, or none"
    )
    tools: frozenset[Name] | None = Field(
        default=None,
        description="What may be used there, of what the asker's roles allow; all of it if unset",
    )
    knowledge: frozenset[str] | None = Field(
        default=None,
        description="Names of the sources that are searched there, of what the asker may read; all of them if unset",
    )
    quiet: bool = Field(
        default=False,
        description="Nothing there but answers, cards and how they ended: no reaction, no steps, no reminders",
    )


class SlackSettings(Section):
    """Slack. `sayso slack manifest` prints what to create the app from, `sayso slack check` what is missing."""

    bot_token: SecretStr = Field(description="xoxb-...; better set as SAYSO_SLACK__BOT_TOKEN")
    app_token: SecretStr | None = Field(
        default=None, description="xapp-..., for Socket Mode; better set as SAYSO_SLACK__APP_TOKEN"
    )
    signing_secret: SecretStr | None = Field(
        default=None, description="For HTTP mode; better set as SAYSO_SLACK__SIGNING_SECRET"
    )
    mode: Literal["socket", "http"] = Field(
        default="socket", description="How Slack reaches sayso: it calls out (socket), or is called (http)"
    )
    listen: str = Field(
        default="127.0.0.1:8471",
        pattern=r"^[^\s:]+:\d{1,5}$",
        description="Where HTTP mode listens, behind a proxy that has the certificate",
    )
    api: str = Field(
        default="https://slack.com/api/",
        pattern=r"^https?://\S+/$",
        description="Slack's own, unless you test",
    )
    admit: frozenset[Literal["guest", "stranger", "bot"]] = Field(
        default=frozenset(),
        description="Who is heard beside full members, with the roles that `people` gives them: guests, people of "
        "other workspaces (Slack Connect), bots; deactivated accounts never are",
    )
    approvals_channel: str | None = Field(
        default=None, description="Id of a channel where all cards are shown as well, such as C012AB3CD"
    )
    approvers_direct: bool = Field(
        default=False, description="Whether a card also goes to each approver in a direct message"
    )
    listening: ListeningSettings = ListeningSettings()
    channels: Mapping[str, ChannelSettings] = Field(
        default_factory=dict, description="Channel id -> what it does there, where it is not the usual"
    )

    def here(self, channel: str) -> ChannelSettings:
        """What it does in a channel."""
        return self.channels.get(channel, ChannelSettings())
