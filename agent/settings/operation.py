"""The process that stays: store, limits, telemetry, audit."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from agent.settings.section import Address, Duration, Name, Section, postgres_url


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

    listen: Address = Field(
        default="127.0.0.1:8470", description="Where /healthz, /readyz and /metrics are answered"
    )
    log_style: Literal["auto", "json", "text"] = Field(
        default="auto", description="How it logs: lines for people on a terminal, else JSON"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="From which level on"
    )
    hearing: Literal["apart", "together"] = Field(
        default="apart",
        description="Whether a process that hears and works hears people in a process of its own, so that whoever "
        "speaks waits for no answer (apart; about 100 MB), or in the same one (together)",
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
