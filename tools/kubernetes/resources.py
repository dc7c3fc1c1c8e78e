"""The kinds of objects that may be asked for at all. There is none for secrets, and none can be made."""

from dataclasses import dataclass
from urllib.parse import urlencode

from tools.jsonserver import segment

_NEVER = frozenset({"secrets", "serviceaccounts/token"})


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of namespaced objects, as addresses and rules of RBAC name it."""

    group: str
    version: str
    name: str

    def __post_init__(self) -> None:
        """Raises `ValueError` for secrets: sayso has no way to ask for one."""
        if self.name.casefold() in _NEVER:
            raise ValueError(f"{self.name!r} are never asked for")

    def path(self, namespace: str, name: str = "", sub: str = "") -> str:
        """The address below the server; whatever the names hold stays inside its piece."""
        start = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        pieces = [start, "namespaces", segment(namespace), self.name]
        pieces += [segment(name)] if name else []
        pieces += [sub] if sub else []
        return "/".join(pieces)

    def asked(self, namespace: str, **query: str) -> str:
        """A list as people may ask for it again: `kubectl get --raw` takes it."""
        given = {name: value for name, value in query.items() if value}
        return f"GET {self.path(namespace)}{f'?{urlencode(given)}' if given else ''}"


PODS = Resource("", "v1", "pods")
EVENTS = Resource("", "v1", "events")
CONFIG_MAPS = Resource("", "v1", "configmaps")
DEPLOYMENTS = Resource("apps", "v1", "deployments")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets")
DAEMON_SETS = Resource("apps", "v1", "daemonsets")
REPLICA_SETS = Resource("apps", "v1", "replicasets")
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers")
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods")
