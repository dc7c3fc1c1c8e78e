"""What answers rest on: sources of knowledge, the model, the turn, and what never leaves."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from agent.settings.section import Duration, Name, Section


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
    follow_up: Literal["always", "problems", "never"] = Field(
        default="always",
        description="After which outcomes of a change the language model is asked what came of it, with the rights of "
        "who asked for the change; problems: those that failed, are unknown or went stale",
    )
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
