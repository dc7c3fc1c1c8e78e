"""The clusters of the settings, and the tools and backends that stand on them."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent.home import Home
from agent.settings import KubernetesSettings, Settings, SettingsError
from tools.contract import Clock, Tool
from tools.vocabulary import Vocabulary, nearest

if TYPE_CHECKING:
    from tools.deploy.kubernetes.platform import KubernetesPlatform
    from tools.kubernetes.access import Access, Impersonation
    from tools.kubernetes.places import Place, Places, Target

_SECTION = "tools.kubernetes"
_REST = 60.0  # seconds of an order beside the rollouts that it may have to follow


class Clusters:
    """Made once; kubeconfigs and certificates are read then, and nothing is asked of a cluster yet."""

    def __init__(self, settings: Settings, home: Home, clock: Clock, wanted_by: str) -> None:
        """Raises `SettingsError` naming the key that is wrong."""
        if settings.tools.kubernetes is None:
            raise SettingsError(
                f"{home.config}: {_SECTION} is not set, and {wanted_by} needs it: say there how the cluster is reached"
            )
        self._settings, self._home, self._clock = settings, home, clock
        self._cluster: KubernetesSettings = settings.tools.kubernetes
        self.places = self._places()

    @property
    def order_seconds(self) -> float:
        """A rollout, and the one that puts back what ran."""
        return 2 * self._cluster.rollout_within.total_seconds() + _REST

    def platform(self) -> "KubernetesPlatform":
        from tools.deploy.kubernetes.platform import KubernetesPlatform
        from tools.deploy.kubernetes.releases import ReleasesFile

        releases = ReleasesFile(self._home.at(self._cluster.releases)) if self._cluster.releases else None
        seconds = self._cluster.rollout_within.total_seconds()
        return KubernetesPlatform(self.places, self._clock, releases, seconds=seconds)

    def tool(self, words: Vocabulary) -> Tool:
        from tools.kubernetes.kubernetes import Kubernetes

        return Kubernetes(self.places, words, self._clock, self._impersonation(), self._cluster.console)

    def _impersonation(self) -> "Impersonation | None":
        from tools.kubernetes.access import Impersonation

        said = self._cluster.impersonate
        return Impersonation(said.user, said.people, said.groups) if said else None

    def _places(self) -> "Places":
        from tools.kubernetes.places import Places

        self._known("environments", self._cluster.environments, self._settings.environments)
        if self._settings.services:
            self._known("services", self._cluster.services, self._settings.services)
        return Places(self._environments(), self._targets())

    def _known(self, key: str, given: Mapping[str, object], known: Mapping[str, object]) -> None:
        for name in given:
            if name not in known:
                near = ", ".join(nearest(name, known))
                raise SettingsError(
                    f"{self._home.config}: {_SECTION}.{key}.{name}: {name!r} is not among `{key}`; nearest: {near}"
                )

    def _targets(self) -> "dict[str, Target]":
        from tools.kubernetes.places import Target

        named = self._cluster.services
        targets = {}
        for name in self._settings.services or named:
            one = named.get(name)
            targets[name] = Target(one.workload or name, one.container, one.image) if one else Target(name)
        return targets

    def _environments(self) -> "dict[str, Place]":
        """A client for each context, shared by the environments that are in it."""
        from tools.kubernetes.access import AccessRefused
        from tools.kubernetes.client import Cluster
        from tools.kubernetes.places import Place
        from tools.kubernetes.wire import Wire

        made: dict[str | None, Cluster] = {}
        places = {}
        for name, each in self._cluster.environments.items():
            if each.context not in made:
                try:
                    wire = Wire(self._access(each.context))
                except AccessRefused as error:
                    raise SettingsError(f"{self._home.config}: {_SECTION}: {error}") from error
                made[each.context] = Cluster(wire, config_maps=self._cluster.config_maps)
            places[name] = Place(made[each.context], each.namespace)
        return places

    def _access(self, context: str | None) -> "Access":
        from tools.kubernetes.access import AccessRefused, inside
        from tools.kubernetes.execplugin import Programs
        from tools.kubernetes.kubeconfig import access

        if self._cluster.kubeconfig is None:
            if context is not None:
                raise AccessRefused(f"context {context!r} is of a kubeconfig, and none is named")
            return inside()
        file, programs = self._home.at(self._cluster.kubeconfig), None
        if self._cluster.exec_plugins:
            programs = Programs(os.environ, self._clock)  # noqa: TID251 - PATH and HOME of a program the operator allows
        return access(file, context, programs)
