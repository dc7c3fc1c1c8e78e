"""The whitelist, and where its tools look and act."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from agent.settings.clusters import KubernetesSettings
from agent.settings.forging import ArgoSettings, FlagsSettings, GitHubPlatformSettings, TicketsSettings
from agent.settings.section import Duration, Name, Section


class PlatformSettings(Section):
    """What deploys, rolls back, restarts and scales."""

    backend: Literal["none", "supervisor", "kubernetes", "github", "argocd"] = Field(
        default="none", description="The platform that runs services; kubernetes: as `tools.kubernetes` says"
    )
    file: Path = Field(default=Path("supervisor.json"), description="Address and token of a local supervisor")
    github: GitHubPlatformSettings | None = Field(default=None, description="For `github`: what it deploys")
    argocd: ArgoSettings | None = Field(default=None, description="For `argocd`: its applications")
    timeout: Duration = Field(
        default=timedelta(minutes=3),
        description="How long one order is followed; one that takes longer is looked for afterwards",
    )


class LogsSettings(Section):
    """Where logs are."""

    backend: Literal["none", "files", "journald", "loki", "elasticsearch", "kubernetes"] = Field(
        default="none",
        description="The kind of log store; elasticsearch: OpenSearch too; kubernetes: as `tools.kubernetes` says",
    )
    path: Path = Field(default=Path("logs"), description="Folder of <environment>/<service>.log JSON lines")
    url: str = Field(
        default="http://127.0.0.1:3100",
        pattern=r"^https?://",
        description="Address of a Loki, or of an Elasticsearch or OpenSearch",
    )
    authorization: SecretStr | None = Field(
        default=None,
        description="The header Authorization for that server, such as `Bearer ...`; better set as "
        "SAYSO_TOOLS__LOGS__AUTHORIZATION",
    )
    index: str = Field(default="logs-*", description="Index pattern of Elasticsearch")
    fields: Mapping[str, str] = Field(
        default_factory=dict,
        description="What labels or fields are called, where not so: service, environment, level, version; for "
        "Elasticsearch also at, message: `level: log.level`",
    )
    units: Mapping[Name, tuple[str, ...]] = Field(
        default_factory=dict, description="For journald: the units of each service"
    )
    environment: Name | None = Field(
        default=None, description="For journald: the environment this machine is in; the first if unset"
    )
    read_for: Duration = Field(
        default=timedelta(seconds=8),
        description="How long one answer may read; what it did not reach it says",
    )

    @field_validator("fields")
    @classmethod
    def _known(cls, fields: Mapping[str, str]) -> Mapping[str, str]:
        known = {"service", "environment", "level", "version", "at", "message"}
        if strays := set(fields) - known:
            raise ValueError(f"{sorted(strays)!r} should be among {', '.join(sorted(known))}")
        return fields


class MetricsSettings(Section):
    """Where metrics are."""

    backend: Literal["none", "recorder", "prometheus"] = Field(
        default="none", description="The metrics store"
    )
    path: Path = Field(default=Path("metrics.db"), description="File of the embedded recorder")
    url: str = Field(default="http://127.0.0.1:9090", description="Address of a Prometheus server")
    scraped_every: Duration = Field(
        default=timedelta(seconds=30),
        description="How often that server scrapes; rates look at four times as long or more",
    )
    grafana: str | None = Field(
        default=None, pattern=r"^https?://", description="Address of a Grafana that links should open instead"
    )
    grafana_source: str = Field(default="prometheus", description="Uid of the data source in that Grafana")
    named: tuple[Mapping[str, object], ...] = Field(
        default=(),
        description="Metrics of your own: PromQL templates with typed parameters, for `prometheus`",
    )
    most_series: int = Field(
        default=2_000, ge=1, description="Series that one free query of the tool `promql` may read"
    )


class AlertsSettings(Section):
    """Where alerts are."""

    backend: Literal["none", "alertmanager"] = Field(default="none", description="The kind of alert store")
    url: str = Field(
        default="http://127.0.0.1:9093", pattern=r"^https?://", description="Address of the Alertmanager"
    )
    service_label: str = Field(default="service", description="The label that names an alert's service")
    environment_label: str = Field(default="environment", description="The label that names where it is")
    longest_silence: Duration = Field(
        default=timedelta(hours=24), description="No silence may be longer than this"
    )


class RepositorySettings(Section):
    """Where the source of a service is."""

    path: str = Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)+$", description="`owner/name`")
    config: tuple[str, ...] = Field(
        default=(), description="Folders or files whose changes are configuration"
    )


class ForgeSettings(Section):
    """A GitHub or GitLab that knows releases and merged changes."""

    kind: Literal["github", "gitlab"] = Field(default="github", description="Whose API it speaks")
    url: str = Field(
        default="https://api.github.com",
        pattern=r"^https?://",
        description="Address of the API; GitLab: of the server, such as https://gitlab.com",
    )
    authorization_file: Path | None = Field(
        default=None,
        description="File with the header Authorization, such as `Bearer ...`; read rights are enough",
    )
    repositories: Mapping[Name, RepositorySettings] = Field(
        default_factory=dict, description="The repository of each service: `payments: {path: owner/payments}`"
    )


class ToolsSettings(Section):
    """The whitelist: what is not listed in `enabled` does not exist for the agent."""

    enabled: tuple[Name, ...] = Field(
        default=("knowledge",), description="Names of the tools people may be offered"
    )
    platform: PlatformSettings = PlatformSettings()
    logs: LogsSettings = LogsSettings()
    metrics: MetricsSettings = MetricsSettings()
    alerts: AlertsSettings = AlertsSettings()
    tickets: TicketsSettings = TicketsSettings()
    flags: FlagsSettings = FlagsSettings()
    kubernetes: KubernetesSettings | None = Field(default=None, description="The clusters; none if unset")
    forges: tuple[ForgeSettings, ...] = Field(
        default=(), description="Where the tool `changes` looks, beside the platform's history"
    )
    journal: Path | None = Field(
        default=None,
        description="File of JSON lines that note changes of configuration: at, title, by, service, environment",
    )
    commands: tuple[Mapping[str, object], ...] = Field(
        default=(), description="Operations declared here: typed arguments, argument lists, no shell"
    )
    http: tuple[Mapping[str, object], ...] = Field(
        default=(), description="REST APIs declared here, with the only operations that may be asked of them"
    )
