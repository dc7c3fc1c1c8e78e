"""Everything an operator decides, read once from `sayso.yaml` and `SAYSO_*` variables into one frozen value.

Errors::

    SettingsError     one or more things wrong, each with file, line, key, value and what would be right
"""

from agent.settings.answering import (
    KnowledgeSettings,
    ModelSettings,
    RedactionSettings,
    SourceSettings,
    TurnSettings,
)
from agent.settings.backends import (
    AlertsSettings,
    ForgeSettings,
    LogsSettings,
    MetricsSettings,
    PlatformSettings,
    RepositorySettings,
    ToolsSettings,
)
from agent.settings.clusters import (
    ImpersonationSettings,
    KubernetesSettings,
    NamespaceSettings,
    WorkloadSettings,
)
from agent.settings.forging import ArgoSettings, FlagsSettings, GitHubPlatformSettings, TicketsSettings
from agent.settings.operation import (
    AuditSettings,
    LimitsSettings,
    ServeSettings,
    StoreSettings,
    TelemetrySettings,
)
from agent.settings.people import EnvironmentSettings, PersonSettings, ServiceSettings
from agent.settings.procedures import RunbookSettings, ScheduleSettings, StepSettings
from agent.settings.reading import RESERVED, load
from agent.settings.rules import (
    BreakGlassSettings,
    ConditionSettings,
    EscalationSettings,
    FreezeSettings,
    HoursSettings,
    OverrideSettings,
    RuleSettings,
)
from agent.settings.section import Duration, Language, Member, Moment, Name, Section, SettingsError, TimeZone
from agent.settings.slack import ChannelSettings, ListeningSettings, SlackSettings
from agent.settings.whole import Settings

__all__ = [
    "RESERVED",
    "AlertsSettings",
    "ArgoSettings",
    "AuditSettings",
    "BreakGlassSettings",
    "ChannelSettings",
    "ConditionSettings",
    "Duration",
    "EnvironmentSettings",
    "EscalationSettings",
    "FlagsSettings",
    "ForgeSettings",
    "FreezeSettings",
    "GitHubPlatformSettings",
    "HoursSettings",
    "ImpersonationSettings",
    "KnowledgeSettings",
    "KubernetesSettings",
    "Language",
    "LimitsSettings",
    "ListeningSettings",
    "LogsSettings",
    "Member",
    "MetricsSettings",
    "ModelSettings",
    "Moment",
    "Name",
    "NamespaceSettings",
    "OverrideSettings",
    "PersonSettings",
    "PlatformSettings",
    "RedactionSettings",
    "RepositorySettings",
    "RuleSettings",
    "RunbookSettings",
    "ScheduleSettings",
    "Section",
    "ServeSettings",
    "ServiceSettings",
    "Settings",
    "SettingsError",
    "SlackSettings",
    "SourceSettings",
    "StepSettings",
    "StoreSettings",
    "TelemetrySettings",
    "TicketsSettings",
    "TimeZone",
    "ToolsSettings",
    "TurnSettings",
    "WorkloadSettings",
    "load",
]
