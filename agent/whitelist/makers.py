"""How each shipped or declared tool is made from the settings."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agent.carried import Carried
from agent.home import Home
from agent.recall import Recall
from agent.settings import Settings, SettingsError
from agent.whitelist.backends import Backends
from agent.whitelist.beside import beside
from agent.whitelist.words import vocabulary_of
from tools.contract import Clock, Tool
from tools.logs.port import Budget

if TYPE_CHECKING:
    from tools.commands.ssh import Host
    from tools.metrics.declared import DeclaredMetric


class Makers:
    """How each tool is made. A backend is made once, and only if a tool wants it."""

    def __init__(
        self, settings: Settings, home: Home, clock: Clock, recall: Recall, carried: Carried | None = None
    ) -> None:
        self._settings, self._home, self._clock, self._recall = settings, home, clock, recall
        self._words = vocabulary_of(settings)
        self._backends = Backends(settings, home, clock, self._words, carried)

    def by_name(self) -> Mapping[str, Callable[[], Tool]]:
        """Every tool that is shipped."""
        return {
            "status": self._status,
            "logs": self._logs,
            "metrics": self._metrics,
            "promql": self._promql,
            "alerts": self._alerts,
            "silence": self._silence,
            "unsilence": self._unsilence,
            "changes": self._changes,
            "investigate": self._investigate,
            "report": self._report,
            "kubernetes": self._kubernetes,
            "knowledge": self._knowledge,
            "deploy": self._deploy,
            "rollback": self._rollback,
            "restart": self._restart,
            "scale": self._scale,
            **beside(self._backends.forging, self._settings, self._words),
        }

    def _status(self) -> Tool:
        from tools.deploy.status import Status

        return Status(self._backends.platform(), self._words, self._clock, self._backends.vitals())

    def _deploy(self) -> Tool:
        from tools.deploy.deploy import Deploy

        platform, vitals = self._backends.platform(), self._backends.vitals()
        return Deploy(platform, self._words, vitals, seconds=self._backends.order_seconds())

    def _rollback(self) -> Tool:
        from tools.deploy.rollback import Rollback

        platform, vitals = self._backends.platform(), self._backends.vitals()
        return Rollback(platform, self._words, self._clock, vitals, seconds=self._backends.order_seconds())

    def _restart(self) -> Tool:
        from tools.deploy.restart import Restart

        platform, vitals = self._backends.platform(), self._backends.vitals()
        return Restart(platform, self._words, self._clock, vitals, seconds=self._backends.order_seconds())

    def _scale(self) -> Tool:
        from tools.deploy.scale import Scale

        platform, vitals = self._backends.platform(), self._backends.vitals()
        return Scale(platform, self._words, vitals, seconds=self._backends.order_seconds())

    def _kubernetes(self) -> Tool:
        return self._backends.clusters("the tool kubernetes").tool(self._words)

    def _logs(self) -> Tool:
        from tools.logs.logs import Logs

        seconds = self._settings.tools.logs.read_for.total_seconds()
        return Logs(self._backends.log_store("logs"), self._words, self._clock, Budget(seconds=seconds))

    def _metrics(self) -> Tool:
        from tools.metrics.metrics import Metrics

        return Metrics(
            self._backends.metric_store("metrics"), self._words, self._clock, self._named_metrics()
        )

    def _promql(self) -> Tool:
        from tools.metrics.free import PromQL
        from tools.metrics.promql import Limits

        settings = self._settings.tools.metrics
        if settings.backend != "prometheus":
            raise SettingsError(
                f"{self._home.config}: tools.metrics.backend = {settings.backend!r}: promql is enabled and needs "
                "'prometheus'; name it, or take promql out of tools.enabled"
            )
        return PromQL(
            self._backends.prometheus(), self._words, self._clock, Limits(series=settings.most_series)
        )

    def _named_metrics(self) -> "tuple[DeclaredMetric, ...]":
        """The metrics of `tools.metrics.named`. Raises `SettingsError` naming what is wrong with a declaration."""
        settings = self._settings.tools.metrics
        if not settings.named:
            return ()
        from tools.metrics.declared import MetricRefused, declared

        if settings.backend != "prometheus":
            raise SettingsError(
                f"{self._home.config}: tools.metrics.named: these are PromQL, and the backend is "
                f"{settings.backend!r}; it should be 'prometheus'"
            )
        try:
            return declared(settings.named)
        except MetricRefused as error:
            raise SettingsError(f"{self._home.config}: tools.metrics.named: {error}") from error

    def _alerts(self) -> Tool:
        from tools.alerts.alerts import Alerts
        from tools.alerts.runbooks import KnownRunbooks

        return Alerts(self._backends.alert_store(), self._words, KnownRunbooks(self._recall))

    def _changes(self) -> Tool:
        from tools.changes.changes import Changes

        sources = self._backends.change_sources()
        if not sources:
            raise self._backends.missing("platform", "changes")
        none = self._settings.tools.metrics.backend == "none"
        return Changes(
            sources, self._words, self._clock, None if none else self._backends.metric_store("changes")
        )

    def _investigate(self) -> Tool:
        """Looks through whatever is set; what is not, it names as not checked."""
        from tools.investigate.investigate import Investigate
        from tools.investigate.port import Backends

        tools = self._settings.tools
        backends = Backends(
            metrics=None if tools.metrics.backend == "none" else self._backends.metric_store("investigate"),
            logs=None if tools.logs.backend == "none" else self._backends.log_store("investigate"),
            changes=self._backends.change_sources(),
            platform=None if tools.platform.backend == "none" else self._backends.platform(),
            alerts=None if tools.alerts.backend == "none" else self._backends.alert_store(),
            library=self._recall,
            calls={name: service.calls for name, service in self._settings.services.items()},
        )
        return Investigate(backends, self._words, self._clock)

    def _silence(self) -> Tool:
        from tools.alerts.silence import SilenceAlert

        longest = self._settings.tools.alerts.longest_silence
        return SilenceAlert(
            self._backends.alert_store(), self._words, self._clock, self._backends.alert_labels(), longest
        )

    def _unsilence(self) -> Tool:
        from tools.alerts.silence import Unsilence

        return Unsilence(
            self._backends.alert_store(), self._words, self._clock, self._backends.alert_labels()
        )

    def _report(self) -> Tool:
        from tools.report.figures import Sources
        from tools.report.report import Report

        # matplotlib keeps a font list where this variable says; everything of ours stays below the home folder.
        if self._home.folder.is_dir():
            os.environ.setdefault("MPLCONFIGDIR", str(self._home.folder / "cache" / "matplotlib"))  # noqa: TID251
        backends = self._settings.tools
        sources = Sources(
            metrics=None if backends.metrics.backend == "none" else self._backends.metric_store("report"),
            logs=None if backends.logs.backend == "none" else self._backends.log_store("report"),
            platform=None if backends.platform.backend == "none" else self._backends.platform(),
        )
        return Report(sources, self._words, self._clock)

    def _knowledge(self) -> Tool:
        from tools.knowledge.knowledge import Knowledge

        return Knowledge(self._recall, self._words, self._clock)

    def commands(self) -> Mapping[str, Tool]:
        """The declared commands by name. Raises `SettingsError` naming what is wrong with a declaration."""
        if not self._settings.tools.commands:
            return {}
        from tools.commands.commands import commands
        from tools.commands.declared import CommandRefused

        try:
            made = commands(self._settings.tools.commands, self._words, hosts=self._hosts())
        except CommandRefused as error:
            raise SettingsError(f"{self._home.config}: tools.commands: {error}") from error
        return {tool.spec.name: tool for tool in made}

    def _hosts(self) -> "tuple[Host, ...]":
        """The machines that declared commands may run on."""
        from tools.commands.ssh import Host

        ssh = self._settings.tools.ssh
        return tuple(
            Host(
                name,
                each.address,
                each.user,
                self._home.at(each.identity),
                self._home.at(ssh.known_hosts),
                each.port,
                each.connect_timeout.total_seconds(),
            )
            for name, each in ssh.hosts.items()
        )

    def operations(self) -> Mapping[str, Tool]:
        """The declared operations of HTTP APIs by name. Raises `SettingsError` naming what is wrong."""
        if not self._settings.tools.http:
            return {}
        from tools.http.declared import ApiRefused
        from tools.http.http import operations

        given = [self._with_home(api) for api in self._settings.tools.http]
        try:
            made = operations(given, self._words)
        except ApiRefused as error:
            raise SettingsError(f"{self._home.config}: tools.http: {error}") from error
        return {tool.spec.name: tool for tool in made}

    def _with_home(self, api: Mapping[str, object]) -> Mapping[str, object]:
        """The declaration with its file of secrets below the home folder, where it is not absolute."""
        file = api.get("authorization_file")
        return {**api, "authorization_file": str(self._home.at(Path(file)))} if isinstance(file, str) else api
