"""Where services are in clusters: the namespace of each environment, and the workload of each service."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.kubernetes.client import Cluster
from tools.vocabulary import unknown


@dataclass(frozen=True, slots=True)
class Place:
    """One environment: a namespace in a cluster."""

    cluster: Cluster
    namespace: str


@dataclass(frozen=True, slots=True)
class Target:
    """The workload of a service; `container` and `image` are empty where they need no naming."""

    workload: str
    container: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Everything the settings say about where things are.

    Without any service every workload of a namespace is one, by its own name; with them only those are.
    """

    environments: Mapping[str, Place]
    services: Mapping[str, Target] = field(default_factory=dict)

    def place(self, environment: str) -> Place:
        """Raises `BadArguments` for an environment that has no namespace."""
        if environment not in self.environments:
            raise unknown(
                "environment",
                environment,
                self.environments,
                f"environment = {environment!r} has no namespace in tools.kubernetes.environments",
                none="none is named",
            )
        return self.environments[environment]

    def target(self, service: str) -> Target:
        """The workload of a service. Raises `BadArguments` for one that the settings do not know."""
        if not self.services:
            return Target(service)
        if service not in self.services:
            raise unknown("service", service, self.services, f"there is no service {service!r}")
        return self.services[service]

    def service(self, workload: str) -> str | None:
        """The service whose workload has this name; `None` for a workload that is nobody's."""
        if not self.services:
            return workload
        return next((name for name, each in self.services.items() if each.workload == workload), None)
