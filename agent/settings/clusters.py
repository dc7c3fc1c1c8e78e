"""A Kubernetes cluster: how it is reached, where services are in it, and as whom it is asked."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from pydantic import Field, field_validator

from agent.settings.section import Duration, Name, Section

_LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"  # RFC 1123, as Kubernetes has it
_OBJECT = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"


class NamespaceSettings(Section):
    """Where an environment is."""

    namespace: str = Field(pattern=_LABEL, description="The namespace of its services")
    context: str | None = Field(
        default=None, description="The context of the kubeconfig; the current one if unset"
    )


class WorkloadSettings(Section):
    """What a service is called in a cluster."""

    workload: str | None = Field(
        default=None, pattern=_OBJECT, description="The name of its Deployment; the service's own if unset"
    )
    container: str = Field(
        default="",
        description="The container that a version is of; the one of the service's name, or the first",
    )
    image: str = Field(
        default="",
        pattern=r"^[^:@\s]*(:\d+/[^:@\s]+)?$",
        description="Repository of its releases, without a tag; the one that runs if unset",
    )


class ImpersonationSettings(Section):
    """Who an asker is in the cluster."""

    user: str = Field(default="{person}", description="The user that a person is, such as `sayso:{person}`")
    people: Mapping[Name, str] = Field(default_factory=dict, description="Users of single people, by person")
    groups: Mapping[Name, tuple[str, ...]] = Field(
        default_factory=dict, description="Groups that come with a role: `engineer: [shop-engineers]`"
    )

    @field_validator("user")
    @classmethod
    def _is_of_a_person(cls, user: str) -> str:
        if "{person}" not in user or user.startswith("system:"):
            raise ValueError(
                "should hold {person}, or everybody would be the same user, and be none of `system:`"
            )
        return user

    @field_validator("people")
    @classmethod
    def _is_nobody_of_the_system(cls, people: Mapping[str, str]) -> Mapping[str, str]:
        if systems := sorted(each for each in people.values() if each.startswith("system:")):
            raise ValueError(f"{systems[0]!r} is a user of the cluster's own; name a person's")
        return people

    @field_validator("groups")
    @classmethod
    def _is_no_group_of_the_system(
        cls, groups: Mapping[str, tuple[str, ...]]
    ) -> Mapping[str, tuple[str, ...]]:
        if systems := sorted(
            {each for some in groups.values() for each in some if each.startswith("system:")}
        ):
            raise ValueError(f"{systems[0]!r} is a group of the cluster's own; name one that you made")
        return groups


class KubernetesSettings(Section):
    """One cluster or several, for the tool `kubernetes`, the platform and the logs of that name."""

    kubeconfig: Path | None = Field(
        default=None,
        description="File that says how clusters are reached; the service account of the pod if unset",
    )
    exec_plugins: bool = Field(
        default=False, description="Let programs that the kubeconfig names give the credentials"
    )
    environments: Mapping[Name, NamespaceSettings] = Field(
        min_length=1, description="The namespace of each environment: `production: {namespace: shop}`"
    )
    services: Mapping[Name, WorkloadSettings] = Field(
        default_factory=dict, description="Services whose Deployment, container or image is called otherwise"
    )
    config_maps: bool = Field(
        default=False,
        description="Tell which config maps a service uses, their keys, and when they were written",
    )
    impersonate: ImpersonationSettings | None = Field(
        default=None,
        description="Ask as the asker, so that their own rights in the cluster count; off if unset",
    )
    console: str = Field(
        default="",
        pattern=r"^(https?://.*)?$",
        description="Address that answers link to, with {namespace} and {workload}; the API's own if unset",
    )
    releases: Path | None = Field(
        default=None,
        description="YAML file of versions that may be deployed, beside those that have run: "
        "`payments: [{version: 2.3.9, notes: ...}]`",
    )
    rollout_within: Duration = Field(
        default=timedelta(minutes=10),
        description="How long a rollout is followed before its end is left open",
    )
