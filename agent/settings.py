"""Everything an operator decides, read once from `sayso.yaml` and `SAYSO_*` variables into one frozen value.

Errors::

    SettingsError     one or more things wrong, each with file, line, key, value and what would be right
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from agent.approvals.windows import opening, span

# Read by the command line before there are settings, so they are not settings themselves.
RESERVED = frozenset({"SAYSO_HOME", "SAYSO_CONFIG", "SAYSO_AS"})
DURATION = re.compile(r"^(\d+)\s*(s|m|h|d|w)$")
POSTGRES = re.compile(r"^postgresql(\+psycopg)?://[^\s]+$")
# Keys whose value is not shown, even when it is wrong.
_SECRETS = ("api_key", "database", "bot_token", "app_token", "signing_secret", "authorization")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class SettingsError(Exception):
    """`sayso.yaml` or a variable is wrong; the message has a line for each problem."""


def duration(value: object) -> object:
    """A length of time as people write it: `30s`, `15m`, `2h`, `7d`. Everything else is left to pydantic."""
    if isinstance(value, str) and (found := DURATION.match(value.strip())):
        return timedelta(**{UNITS[found[2]]: int(found[1])})
    if isinstance(value, str | int | float):
        raise ValueError("should be a length of time such as 30s, 15m, 2h or 7d")  # noqa: TRY004 - pydantic turns ValueError into its own
    return value


def time_zone(value: object) -> object:
    """A name that this machine's time zone database knows."""
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("should be a time zone such as Europe/Paris or UTC") from error
    return value


def postgres_url(value: SecretStr) -> SecretStr:
    """The address of a PostgreSQL database, as SQLAlchemy writes it."""
    if not POSTGRES.match(value.get_secret_value()):
        raise ValueError(
            "should be the URL of a PostgreSQL database: postgresql+psycopg://user@host/database"
        )
    return value


Duration = Annotated[timedelta, BeforeValidator(duration)]
TimeZone = Annotated[str, BeforeValidator(time_zone)]
Language = Literal["en", "fr"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
Member = Annotated[str, Field(pattern=r"^(person:)?[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=71)]
Moment = datetime | date | str  # a text is a moment of the week or a date


class Section(BaseModel):
    """Base of every section: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class PlatformSettings(Section):
    """What deploys, rolls back, restarts and scales."""

    backend: Literal["none", "supervisor"] = Field(
        default="none", description="The platform that runs services"
    )
    file: Path = Field(default=Path("supervisor.json"), description="Address and token of a local supervisor")


class LogsSettings(Section):
    """Where logs are."""

    backend: Literal["none", "files", "journald", "loki", "elasticsearch"] = Field(
        default="none", description="The kind of log store; elasticsearch: OpenSearch too"
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


class ConditionSettings(Section):
    """What the value of one argument must be like; a value or a list of values stands for `values`."""

    values: tuple[StrictBool | StrictInt | StrictFloat | StrictStr, ...] = Field(
        default=(), description="It is exactly one of these: `[production]` for short"
    )
    matches: str | None = Field(
        default=None, description="The whole text fits this regular expression: `2\\.[0-9]+\\.[0-9]+`"
    )
    prefix: str | None = Field(default=None, min_length=1, description="The text begins with this")
    above: float | None = Field(default=None, description="The number is more than this")
    at_least: float | None = Field(default=None, description="The number is this or more")
    below: float | None = Field(default=None, description="The number is less than this")
    at_most: float | None = Field(default=None, description="The number is this or less")

    @field_validator("matches")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"should be a regular expression, and is none: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _says_something(self) -> "ConditionSettings":
        if not self.model_fields_set or (self.values == () and self.model_fields_set == {"values"}):
            raise ValueError("should name values, or one of matches, prefix, above, at_least, below, at_most")
        return self


def condition(value: object) -> object:
    """A condition as people write it: one value, a list of them, or a mapping."""
    if isinstance(value, Mapping | ConditionSettings):
        return value
    return {"values": list(value) if isinstance(value, list | tuple) else [value]}


class OverrideSettings(Section):
    """What it takes to act in a freeze; the card and the audit trail are marked."""

    quorum: int = Field(default=2, ge=1, le=10, description="How many people must approve then")
    approvers: tuple[Member, ...] = Field(
        default=(), description="Who: roles or `person:maya`; the rule's own approvers if unset"
    )
    reason_required: bool = Field(default=True, description="Whether an approval must give a reason then")


class HoursSettings(Section):
    """When what a rule covers may happen at all; a text or a list of texts stands for `open`."""

    open: tuple[str, ...] = Field(
        min_length=1, description="`mon-fri 09:00-17:00`, `sat,sun 10:00-12:00`, `daily 06:00-22:00`"
    )
    zone: TimeZone | None = Field(default=None, description="`time_zone` if unset")
    override: OverrideSettings | None = Field(default=None, description="Without it nobody can")

    @field_validator("open")
    @classmethod
    def _readable(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            opening(text)
        return texts


def opening_hours(value: object) -> object:
    """Hours as people write them: one text, a list of them, or a mapping."""
    if isinstance(value, str):
        return {"open": [value]}
    return {"open": value} if isinstance(value, list | tuple) else value


class FreezeSettings(Section):
    """A time in which what a rule covers does not happen."""

    name: Name = Field(description="Shown on cards and in refusals")
    start: Moment = Field(alias="from", description="`fri 16:00` for every week, or `2026-12-20` once")
    end: Moment = Field(alias="to", description="`mon 08:00`, or `2027-01-02 08:00`")
    zone: TimeZone | None = Field(default=None, description="`time_zone` if unset")
    override: OverrideSettings | None = Field(default=None, description="Without it nobody can")

    @model_validator(mode="after")
    def _readable(self) -> "FreezeSettings":
        span(self.start, self.end)
        return self


class BreakGlassSettings(Section):
    """Who may run at once in an emergency, with a reason; somebody else signs afterwards."""

    roles: tuple[Member, ...] = Field(min_length=1, description="Roles, or `person:maya`")
    within: Duration = Field(
        default=timedelta(hours=24), description="Until when an approver must sign with `actions countersign`"
    )


class EscalationSettings(Section):
    """Whom to ask as well when nobody has decided for a while. It gives nobody a right to decide."""

    to: tuple[Member, ...] = Field(min_length=1, description="Roles or `person:maya`")
    after: Duration = Field(description="How long after the proposal, such as 10m")


class RuleSettings(Section):
    """One policy rule: for these tools and arguments, these people must agree."""

    name: Name = Field(description="Shown on cards and in the audit trail")
    tools: tuple[Name, ...] = Field(min_length=1, description="The write tools it covers")
    when: Mapping[str, Annotated[ConditionSettings, BeforeValidator(condition)]] = Field(
        default_factory=dict, description="Argument values it is for: `environment: [production]`"
    )
    askers: tuple[Member, ...] = Field(
        default=(), description="Who may ask: roles or `person:maya`; everybody with access if unset"
    )
    approvers: tuple[Member, ...] = Field(
        default=(), description="Roles of which an approver needs one, or `person:maya`; optional with `auto`"
    )
    quorum: int = Field(default=1, ge=1, le=10, description="How many different people must approve")
    distinct_teams: int = Field(
        default=1, ge=1, le=10, description="From how many different teams (`people.<name>.team`) they come"
    )
    self_approval: bool = Field(default=False, description="Whether the requester may be one of them")
    reason_required: bool = Field(default=False, description="Whether an approval must give a reason")
    expires_after: Duration = Field(default=timedelta(minutes=30), description="How long a proposal waits")
    hours: Annotated[HoursSettings | None, BeforeValidator(opening_hours)] = Field(
        default=None, description="The only times it may happen: `mon-fri 09:00-17:00`; always if unset"
    )
    freezes: tuple[FreezeSettings, ...] = Field(default=(), description="Times in which it may not happen")
    auto: bool = Field(
        default=False,
        description="Runs without approval, unless another rule asks for one or untrusted text named a target",
    )
    break_glass: BreakGlassSettings | None = Field(
        default=None, description="Who may run it at once, to be signed afterwards; nobody if unset"
    )

    confirm: bool = Field(
        default=False, description="Whether a yes by a button is asked for twice: what is dangerous"
    )
    escalate: EscalationSettings | None = Field(
        default=None, description="Whom to ask as well when nobody decides; nobody if unset"
    )

    @model_validator(mode="after")
    def _adds_up(self) -> "RuleSettings":
        if self.escalate and self.escalate.after >= self.expires_after:
            raise ValueError(
                f"{self.name}: escalate.after should be less than expires_after: a proposal that has expired "
                "is past asking for"
            )
        if not self.approvers and not self.auto:
            raise ValueError(f"{self.name}: approvers is missing: name roles or people, or say `auto: true`")
        if self.distinct_teams > self.quorum:
            raise ValueError(
                f"{self.name}: distinct_teams = {self.distinct_teams} should be at most quorum = {self.quorum}"
            )
        if self.auto and self.break_glass:
            raise ValueError(
                f"{self.name}: break_glass has no use in a rule with `auto: true`; leave one out"
            )
        shuts = [(one.name, one.override) for one in self.freezes]
        shuts += [("hours", self.hours.override)] if self.hours else []
        for name, override in shuts:
            if override and not override.approvers and (not self.approvers or override.quorum <= self.quorum):
                raise ValueError(
                    f"{self.name}: the override of {name} should ask for more than the rule does: a quorum over "
                    f"{self.quorum}, or approvers of its own"
                )
        return self


class SourceSettings(Section):
    """Somewhere knowledge comes from."""

    name: Name = Field(description="What the source is called in answers")
    kind: Literal["folder", "markdown", "git", "slack-export"] = Field(
        description="folder: Markdown, reStructuredText, HTML, text, PDF and Word; markdown: Markdown only; "
        "git: what a checkout tracks, with dates and authors of the last commits"
    )
    path: Path = Field(description="A folder, or an export as folder or zip; relative to the home folder")
    link: str | None = Field(
        default=None,
        description="URL template of a document: {path}, {anchor}, {line}, {page}, and {commit} for git",
    )
    include: tuple[str, ...] = Field(default=(), description="Only files like these: `*.md`, `runbooks/*`")
    exclude: tuple[str, ...] = Field(
        default=(), description="No files like these; for Slack no such channels"
    )
    members: tuple[str, ...] | None = Field(
        default=None,
        description="Who may read it: people, or `role:NAME`; everybody if unset (not for Slack)",
    )
    restricted: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Subfolders that only some may read: `security: [raj, 'role:sre']`"
    )
    workspace: str | None = Field(default=None, description="URL of the Slack workspace, for permalinks")
    channels: tuple[str, ...] | None = Field(
        default=None, description="Only these Slack channels; all if unset"
    )
    direct_messages: bool = Field(
        default=False, description="Whether direct messages of a Slack export are indexed, for those in them"
    )
    every: Duration = Field(
        default=timedelta(minutes=1), description="How often `sayso sources watch` looks for changes"
    )


class KnowledgeSettings(Section):
    """What is indexed, and with which embedding."""

    sources: tuple[SourceSettings, ...] = ()
    embedder: Literal["local", "openai", "none"] = Field(
        default="local", description="local: multilingual-e5-small on this machine; none: keyword search only"
    )
    embedding_model: str = Field(default="text-embedding-3-small", description="For `embedder: openai`")
    embedding_dimensions: int = Field(default=1536, ge=8, description="Numbers in a vector of that model")
    chroma: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="URL of a Chroma server that keeps the vectors, for more than a million chunks; "
        "without one they are kept in the home folder",
    )
    structure: Literal["rules", "model"] = Field(
        default="rules",
        description="Who tells symptom, cause and fix of past incidents: rules alone, or the language model where "
        "they leave something open (such documents go to the endpoint of `model`, private ones too, without secrets); "
        "what it quotes must stand in the document",
    )
    structure_calls: int = Field(
        default=200,
        ge=0,
        description="How often one ingestion may ask the language model about incidents; the rest is left to the rules",
    )
    gaps: tuple[Name, ...] = Field(
        default=("admin",),
        description="Roles that see all unanswered questions, also those asked in private; others see their own "
        "and those asked in public",
    )
    database: SecretStr | None = Field(
        default=None,
        description="Where the catalogue is kept, such as postgresql+psycopg://sayso@db.example.com/knowledge; "
        "a password is better set as part of SAYSO_KNOWLEDGE__DATABASE. Without one it is a file in the home folder",
    )
    shipped_vectors: tuple[Path, ...] = Field(
        default=(),
        description="Files of ready-made vectors (.npz), so that known texts are not embedded again",
    )


class ModelSettings(Section):
    """The language model. Without one the embedded planner answers."""

    provider: Literal["none", "openai", "langchain"] = Field(
        default="none", description="openai: any OpenAI-compatible endpoint; langchain: any other provider"
    )
    name: str = Field(default="", description="The model, for langchain with its provider: `anthropic:...`")
    base_url: str | None = Field(default=None, description="The endpoint, such as http://127.0.0.1:11434/v1")
    api_key: SecretStr | None = Field(default=None, description="Better set as SAYSO_MODEL__API_KEY")
    timeout: Duration = Field(default=timedelta(seconds=60), description="How long one model call may take")
    attempts: int = Field(default=3, ge=1, le=6, description="How often a failed model call is tried")
    context_tokens: int = Field(default=16_000, ge=2_000, description="Tokens one request may fill")
    input_price: float | None = Field(default=None, ge=0, description="US dollars a million input tokens")
    output_price: float | None = Field(default=None, ge=0, description="US dollars a million output tokens")


class TurnSettings(Section):
    """Limits of one turn."""

    steps: int = Field(
        default=6, ge=1, le=20, description="Model calls before the best answer so far is given"
    )
    history: int = Field(
        default=20, ge=0, le=200, description="Lines of the thread's past that are considered"
    )
    tool_tokens: int = Field(
        default=2_500,
        ge=500,
        le=100_000,
        description="Tokens the descriptions of tools may take; of more than twenty tools that take more, a language "
        "model is shown those that serve the request, and may search the others",
    )


class RedactionSettings(Section):
    """What is blacked out before anything reaches a model, a chat or a log. Secrets always are."""

    emails: bool = Field(default=False, description="Also black out e-mail addresses")


class StoreSettings(Section):
    """Where threads, actions and the audit trail are kept."""

    path: Path = Field(default=Path("sayso.db"), description="SQLite file, relative to the home folder")
    url: Annotated[SecretStr, AfterValidator(postgres_url)] | None = Field(
        default=None,
        description="A PostgreSQL database instead, for several workers, such as "
        "postgresql+psycopg://sayso@db.example.com/sayso; a password is better set as part of SAYSO_STORE__URL",
    )


class LimitsSettings(Section):
    """How much is done at once. What is over a limit waits, in fair turns, and says so."""

    turns: int = Field(default=32, ge=1, description="Questions that one worker answers at once")
    turns_each: int = Field(default=4, ge=1, description="Of these, how many of one person")
    runs: int = Field(default=16, ge=1, description="Actions that one worker runs at once")
    tools: Mapping[Name, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="Tool name -> how many of its actions run at once, over all workers"
    )
    environments: Mapping[Name, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="Environment -> how many actions run in it at once, over all workers",
    )


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


def cron(value: str) -> str:
    """A cron expression. The package that knows them is loaded where there is one to check."""
    from agent.schedules import checked

    return checked(value)


class ScheduleSettings(Section):
    """A question that is asked by itself, again and again, for somebody."""

    when: Annotated[str, AfterValidator(cron)] = Field(
        description="Cron expression of five fields in `time_zone`: `0 9 * * mon` is every Monday at nine"
    )
    ask: str = Field(min_length=1, description="The question, as the person would ask it")
    person: Name = Field(description="Who asks: the answer has what this person may see")
    place: str = Field(
        pattern=r"^[a-z]+:[A-Za-z0-9]+$",
        description="Where it is answered: a surface and a channel, `slack:C012AB3CD`",
    )


class StepSettings(Section):
    """One step of a runbook: a call of a tool."""

    tool: Name = Field(description="A tool that is enabled")
    arguments: Mapping[str, JsonValue] = Field(
        default_factory=dict, alias="with", description="Its arguments; `{name}` stands for a parameter"
    )
    on_failure: Literal["stop", "continue"] = Field(
        default="stop",
        description="Whether the runbook goes on when the step fails; a rejected one always ends it",
    )


class RunbookSettings(Section):
    """A named procedure. Each write among its steps is an action like any other, with its own approval."""

    title: str = Field(min_length=3, max_length=100, description="What people call it")
    roles: tuple[Name, ...] = Field(min_length=1, description="Who may start it")
    parameters: Mapping[str, Mapping[str, object]] = Field(
        default_factory=dict, description="Typed like the arguments of a declared command"
    )
    steps: tuple[StepSettings, ...] = Field(min_length=1, max_length=30, description="In this order")


class TelemetrySettings(Section):
    """Traces, for whoever operates sayso. Nothing is sent anywhere unless an address is set."""

    traces: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="OTLP endpoint over HTTP, such as http://127.0.0.1:4318/v1/traces; needs the extra `traces`",
    )
    content: bool = Field(
        default=False,
        description="Also what people asked and models answered; they may hold what not all may read",
    )


class ServeSettings(Section):
    """`sayso serve`: the process that stays."""

    listen: str = Field(
        default="127.0.0.1:8470",
        pattern=r"^[^\s:]+:\d{1,5}$",
        description="Where /healthz, /readyz and /metrics are answered",
    )
    log_style: Literal["auto", "json", "text"] = Field(
        default="auto", description="How it logs: lines for people on a terminal, else JSON"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="From which level on"
    )
    drain: Duration = Field(
        default=timedelta(seconds=25),
        description="How long it goes on with what it has begun when it is asked to stop",
    )


class AuditSettings(Section):
    """How the audit trail is signed, and how long it keeps what it says."""

    key: Path = Field(
        default=Path("keys/audit.pem"),
        description="Private key (Ed25519, PEM) that signs the trail; made at first use. Best where the store is not",
    )
    checkpoints: Path | None = Field(
        default=None,
        description="File the signed checkpoints are added to; `checkpoints.jsonl` beside the key if unset",
    )
    rows: int = Field(default=100, ge=1, description="A checkpoint is signed after so many rows")
    every: Duration = Field(
        default=timedelta(minutes=1), description="And so long after the first row that is not signed yet"
    )
    keep: Duration | None = Field(
        default=None,
        description="How long rows keep what they say; their hashes stay for good. For ever if unset",
    )


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


def load(file: Path, environ: Mapping[str, str]) -> Settings:
    """Reads `file`, then the variables (`SAYSO_MODEL__NAME` is `model.name`). Raises `SettingsError`."""
    try:
        text = file.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text) or {}
    except FileNotFoundError as error:
        raise SettingsError(f"{file}: there is no such file; `sayso init` writes one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
        raise SettingsError(f"{file}: {where}: not valid YAML: {error.problem}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{file}: line 1: should be a mapping of settings, got {type(values).__name__}")
    if repeated := next(_repeated_keys(tree), None):
        raise SettingsError(f"{file}: line {repeated[1]}: {repeated[0]!r} is given twice; keep one")
    overridden = _override(values, environ)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [_explain(problem, tree, file, overridden) for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def _override(values: dict[str, object], environ: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Puts the variables into `values`; returns which path came from which variable."""
    origin = {}
    for variable, text in environ.items():
        if not variable.startswith("SAYSO_") or variable in RESERVED:
            continue
        *parents, last = path = tuple(variable.removeprefix("SAYSO_").lower().split("__"))
        section = values
        for parent in parents:
            inner = section.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise SettingsError(f"{variable}: {parent!r} is not a section in the file")
            section = inner
        # A bare text stays a text: a key such as 0123 or a name such as `yes` is not YAML to its owner.
        section[last] = yaml.safe_load(text) if text[:1] in "[{" else text
        origin[path] = variable
    return origin


def _repeated_keys(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _explain(
    problem: ErrorDetails, tree: yaml.Node | None, file: Path, overridden: Mapping[tuple[str, ...], str]
) -> str:
    """One problem as a line: where, which key, which value, what would be right."""
    path = tuple(part for part in problem["loc"] if part != "[key]")
    key = ".".join(str(part) for part in path)
    variable = overridden.get(tuple(str(part) for part in path))
    where = variable or f"{file}: line {_line(tree, path)}"
    if problem["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(known))}"
        return f"{where}: {key}: there is no such setting; {hint}"
    if problem["type"] == "missing":
        return f"{where}: {key}: is missing"
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(problem["input"], Mapping):  # the message says which of its keys
        return f"{where}: {key}: {message}"
    hidden = (path[-1:] and path[-1] in _SECRETS) or path[-2:] == ("store", "url")
    shown = "(hidden)" if hidden else repr(problem["input"])
    return f"{where}: {key} = {shown}: {message[:1].lower()}{message[1:]}"


def _line(node: yaml.Node | None, path: tuple[str | int, ...]) -> int:
    """The line of the deepest node on `path` that the file has, counted from 1."""
    line = 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    """The keys of the section at `path`, found by walking the models' annotations."""
    section: type[BaseModel] | None = Settings
    for part in path:
        if section is None or part not in section.model_fields:
            continue  # a name of the operator's choosing, or a place in a list
        section = _section_in(section.model_fields[str(part)].annotation)
    return [info.alias or name for name, info in section.model_fields.items()] if section else []


def _section_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)
