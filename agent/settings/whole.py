"""All of `sayso.yaml`, as one frozen value."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from agent.settings.answering import KnowledgeSettings, ModelSettings, RedactionSettings, TurnSettings
from agent.settings.backends import ToolsSettings
from agent.settings.operation import (
    AuditSettings,
    LimitsSettings,
    ServeSettings,
    StoreSettings,
    TelemetrySettings,
)
from agent.settings.people import EnvironmentSettings, PersonSettings, ServiceSettings
from agent.settings.procedures import RunbookSettings, ScheduleSettings
from agent.settings.rules import RuleSettings
from agent.settings.section import Language, Name, Section, TimeZone
from agent.settings.slack import ChannelSettings, SlackSettings


class Settings(Section):
    """All of `sayso.yaml`."""

    language: Language = Field(default="en", description="For texts nobody's own language is known for")
    time_zone: TimeZone = Field(default="UTC", description="For 'today', 'since noon', and days in reports")
    people: Mapping[Name, PersonSettings] = Field(default_factory=dict, description="Who may talk to sayso")
    terminal_person: Name | None = Field(default=None, description="Who speaks in a terminal without `--as`")
    services: Mapping[Name, ServiceSettings] = Field(
        default_factory=dict, description="What can be asked about"
    )
    environments: Mapping[Name, EnvironmentSettings] = Field(
        default_factory=lambda: {"production": EnvironmentSettings()},
        description="The first one is the default",
    )
    tools: ToolsSettings = ToolsSettings()
    access: Mapping[Name, tuple[Name, ...]] = Field(
        default_factory=dict,
        description="Tool name -> roles that may use it; a tool not listed is for nobody",
    )
    policies: tuple[RuleSettings, ...] = Field(default=(), description="Who must approve which write")
    untrusted_targets: Literal["mark", "refuse"] = Field(
        default="mark",
        description="A write whose target only untrusted text named: mark it on the card, or refuse",
    )
    knowledge: KnowledgeSettings = KnowledgeSettings()
    model: ModelSettings = ModelSettings()
    turn: TurnSettings = TurnSettings()
    limits: LimitsSettings = LimitsSettings()
    serve: ServeSettings = ServeSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    schedules: Mapping[Name, ScheduleSettings] = Field(
        default_factory=dict, description="Questions that `sayso serve` asks by itself"
    )
    runbooks: Mapping[Name, RunbookSettings] = Field(
        default_factory=dict, description="Named procedures of several steps"
    )
    slack: SlackSettings | None = Field(default=None, description="Where people talk; off if unset")
    redaction: RedactionSettings = RedactionSettings()
    store: StoreSettings = StoreSettings()
    audit: AuditSettings = AuditSettings()

    def here(self, channel: str) -> ChannelSettings:
        """What the settings say of the channel that somebody asks in; nothing where it is none."""
        return ChannelSettings() if self.slack is None or not channel else self.slack.here(channel)
