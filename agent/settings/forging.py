"""Where deployments, tickets and flags are, when they are not on this machine: GitHub, Argo CD, Jira, Unleash."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from agent.settings.section import Name, Section

_REPOSITORY = r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"
_KEY_FILE = "File with the header Authorization, such as `Bearer ...`"


class WorkflowSettings(Section):
    """A workflow with `workflow_dispatch` that deploys."""

    file: str = Field(pattern=r"^[A-Za-z0-9._-]+\.ya?ml$", description="Its file, such as `deploy.yml`")
    ref: str = Field(default="{tag}", description="Where it runs: a branch, or the tag that is deployed")
    inputs: Mapping[Name, str | int | bool] | None = Field(
        default=None,
        description="Its inputs; texts hold {service} {version} {tag} {environment} {kind} {key}. If unset: version, "
        "environment, kind and key",
    )
    run_name: str = Field(
        default="{kind} {version} to {environment} ({key})",
        description="What `run-name:` of the workflow makes of its inputs: by it a run is found again",
    )
    answers_run: bool = Field(
        default=True, description="False for a GitHub Enterprise Server that knows no `return_run_details`"
    )


class GitHubServiceSettings(Section):
    """How one service is deployed through GitHub."""

    repository: str = Field(pattern=_REPOSITORY, description="`owner/name`")
    tag: str = Field(default="v{version}", description="How a version is tagged")
    environments: Mapping[Name, str] = Field(
        default_factory=dict, description="GitHub's name of each environment; the same, and all, if unset"
    )
    workflow: WorkflowSettings | None = Field(
        default=None,
        description="The workflow that deploys; without one a deployment is created for who listens",
    )
    required_checks: tuple[str, ...] | None = Field(
        default=None, description="Checks that have to pass; those that the default branch requires if unset"
    )
    failing_checks: Literal["refuse", "mark"] = Field(
        default="refuse",
        description="What becomes of a version whose checks did not pass; a rollback is only marked",
    )
    task: str = Field(default="deploy", description="The task of deployments that are created and read")


class GitHubPlatformSettings(Section):
    """A GitHub that deploys."""

    url: str = Field(
        default="https://api.github.com", pattern=r"^https?://", description="Address of the API"
    )
    authorization_file: Path | None = Field(default=None, description=_KEY_FILE)
    mark: Name = Field(
        default="sayso", description="Tells the orders of this installation from those of others"
    )
    services: Mapping[Name, GitHubServiceSettings] = Field(
        min_length=1, description="How each service is deployed"
    )


class ArgoServiceSettings(Section):
    """The applications of one service, and where its version stands in them."""

    applications: Mapping[Name, Name] = Field(min_length=1, description="Environment -> application")
    by: Literal["revision", "image", "helm"] = Field(
        default="revision",
        description="What names the version: the target revision, a kustomize image, a helm parameter",
    )
    target: str = Field(default="", description="The image, or the parameter")
    tag: str = Field(default="v{version}", description="How a version is tagged in Git")
    image_tag: str = Field(default="{version}", description="How it stands in the image or the parameter")
    tags_of: str = Field(
        default="",
        description="The Git repository, known to Argo CD, whose tags are the versions; its own if unset",
    )
    prune: bool = Field(default=False, description="Whether a sync deletes what Git no more has")
    project: str = Field(default="", description="Argo CD's project, where names are not unique")
    namespace: str = Field(
        default="", description="The applications' namespace, where it is not Argo CD's own"
    )


class ArgoSettings(Section):
    """An Argo CD that deploys."""

    url: str = Field(pattern=r"^https?://", description="Address of the Argo CD")
    authorization_file: Path | None = Field(default=None, description=_KEY_FILE)
    mark: Name = Field(
        default="sayso", description="Tells the orders of this installation from those of others"
    )
    services: Mapping[Name, ArgoServiceSettings] = Field(
        min_length=1, description="The applications of each service"
    )


class TicketPlaceSettings(Section):
    """Where tickets of a service are."""

    project: str = Field(
        pattern=r"^([A-Za-z0-9._-]+/[A-Za-z0-9._-]+|[A-Z][A-Z0-9_]{1,30})$",
        description="`owner/name` of a repository, or the key of a project of Jira",
    )
    labels: tuple[str, ...] = Field(
        default=(), description="On each ticket of the service, and those say which are its"
    )
    may_add: tuple[str, ...] = Field(default=(), description="Labels that people may add")


class TicketsSettings(Section):
    """Where tickets are."""

    backend: Literal["none", "github", "jira"] = Field(default="none", description="The kind of ticket store")
    url: str = Field(
        default="https://api.github.com",
        pattern=r"^https?://",
        description="Address of GitHub's API, or of Jira",
    )
    authorization_file: Path | None = Field(default=None, description=_KEY_FILE)
    services: Mapping[Name, TicketPlaceSettings] = Field(
        default_factory=dict, description="The place of each service; nowhere else is read or written"
    )
    issue_type: str = Field(default="Task", description="Jira's type of the issues that are opened")
    api: Literal["2", "3"] = Field(
        default="3", description="Version of Jira's API: 2 for Server and Data Center"
    )


class FlagsSettings(Section):
    """Where feature flags are."""

    backend: Literal["none", "unleash", "flagd"] = Field(default="none", description="The kind of flag store")
    url: str = Field(
        default="http://127.0.0.1:4242", pattern=r"^https?://", description="Address of the Unleash"
    )
    authorization_file: Path | None = Field(
        default=None,
        description="File with the header Authorization: for Unleash just an admin or personal token",
    )
    project: str = Field(default="default", description="Unleash's project")
    environments: Mapping[Name, str] = Field(
        default_factory=dict, description="Unleash's name of each environment, where it is another one"
    )
    files: Mapping[Name, Path] = Field(
        default_factory=dict, description="For flagd: the file of each environment"
    )
    flags: Mapping[Name, tuple[str, ...]] = Field(
        default_factory=dict, description="The flags that may be used, each with other words for it"
    )
    values: tuple[Name, ...] = Field(
        default=("on", "off"),
        min_length=1,
        description="What a flag may be set to; for flagd the names of variants",
    )
