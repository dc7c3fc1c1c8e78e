"""The tools that the settings enable, each on the backend that they name."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from agent.home import Home
from agent.recall import Recall
from agent.settings import ForgeSettings, Settings, SettingsError
from tools.contract import Clock, Tool
from tools.deploy.port import Platform, Vitals
from tools.logs.port import Budget, LogStore
from tools.metrics.port import MetricStore
from tools.registry import Registry
from tools.vocabulary import Vocabulary, nearest

_OF_DOCUMENTS = frozenset({"at", "message"})  # fields that a line of Loki does not have

if TYPE_CHECKING:
    from tools.alerts.port import AlertStore, Labels
    from tools.changes.port import ChangeSource
    from tools.jsonserver import JsonServer
    from tools.metrics.declared import DeclaredMetric
    from tools.metrics.prometheus import Prometheus


def whitelist(settings: Settings, home: Home, clock: Clock, recall: Recall) -> Registry:
    """The registry of the enabled tools and the declared commands. Raises `SettingsError`, `NotRegistered`."""
    makers = Makers(settings, home, clock, recall)
    shipped, commands = makers.by_name(), {**makers.commands(), **makers.operations()}
    unknown = [name for name in settings.tools.enabled if name not in shipped and name not in commands]
    if unknown:
        near = ", ".join(nearest(unknown[0], [*shipped, *commands]))
        raise SettingsError(f"{home.config}: tools.enabled: {unknown[0]!r} is no tool; nearest: {near}")
    return Registry(
        commands[name] if name in commands else shipped[name]() for name in settings.tools.enabled
    )


def vocabulary_of(settings: Settings) -> Vocabulary:
    """The names that tools take, with their other words."""
    return Vocabulary(
        services={name: service.aliases for name, service in settings.services.items()},
        environments={name: environment.aliases for name, environment in settings.environments.items()},
        zone=ZoneInfo(settings.time_zone),
    )


class Makers:
    """How each tool is made. A backend is made once, and only if a tool wants it."""

    def __init__(self, settings: Settings, home: Home, clock: Clock, recall: Recall) -> None:
        self._settings, self._home, self._clock, self._recall = settings, home, clock, recall
        self._words = vocabulary_of(settings)
        self._platform_made: Platform | None = None
        self._metrics_made: MetricStore | None = None

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
            "knowledge": self._knowledge,
            "deploy": self._deploy,
            "rollback": self._rollback,
            "restart": self._restart,
            "scale": self._scale,
        }

    def _status(self) -> Tool:
        from tools.deploy.status import Status

        return Status(self._platform(), self._words, self._clock, self._vitals())

    def _deploy(self) -> Tool:
        from tools.deploy.deploy import Deploy

        return Deploy(self._platform(), self._words, self._vitals())

    def _rollback(self) -> Tool:
        from tools.deploy.rollback import Rollback

        return Rollback(self._platform(), self._words, self._clock, self._vitals())

    def _restart(self) -> Tool:
        from tools.deploy.restart import Restart

        return Restart(self._platform(), self._words, self._clock, self._vitals())

    def _scale(self) -> Tool:
        from tools.deploy.scale import Scale

        return Scale(self._platform(), self._words, self._vitals())

    def _logs(self) -> Tool:
        from tools.logs.logs import Logs

        seconds = self._settings.tools.logs.read_for.total_seconds()
        return Logs(self._log_store("logs"), self._words, self._clock, Budget(seconds=seconds))

    def _metrics(self) -> Tool:
        from tools.metrics.metrics import Metrics

        return Metrics(self._metric_store("metrics"), self._words, self._clock, self._named_metrics())

    def _promql(self) -> Tool:
        from tools.metrics.free import PromQL
        from tools.metrics.promql import Limits

        settings = self._settings.tools.metrics
        if settings.backend != "prometheus":
            raise SettingsError(
                f"{self._home.config}: tools.metrics.backend = {settings.backend!r}: promql is enabled and needs "
                "'prometheus'; name it, or take promql out of tools.enabled"
            )
        return PromQL(self._prometheus(), self._words, self._clock, Limits(series=settings.most_series))

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

        return Alerts(self._alert_store(), self._words, KnownRunbooks(self._recall))

    def _changes(self) -> Tool:
        from tools.changes.changes import Changes

        sources = self._change_sources()
        if not sources:
            raise self._missing("platform", "changes")
        none = self._settings.tools.metrics.backend == "none"
        return Changes(sources, self._words, self._clock, None if none else self._metric_store("changes"))

    def _change_sources(self) -> "tuple[ChangeSource, ...]":
        from tools.changes.journal import Journal
        from tools.changes.platform import PlatformChanges
        from tools.changes.port import ChangeSource

        backends = self._settings.tools
        sources: list[ChangeSource] = []
        if backends.platform.backend != "none":
            sources.append(PlatformChanges(self._platform()))
        if backends.journal is not None:
            sources.append(Journal(self._home.at(backends.journal)))
        return (*sources, *(self._forge(each) for each in backends.forges))

    def _investigate(self) -> Tool:
        """Looks through whatever is set; what is not, it names as not checked."""
        from tools.investigate.investigate import Investigate
        from tools.investigate.port import Backends

        tools = self._settings.tools
        backends = Backends(
            metrics=None if tools.metrics.backend == "none" else self._metric_store("investigate"),
            logs=None if tools.logs.backend == "none" else self._log_store("investigate"),
            changes=self._change_sources(),
            platform=None if tools.platform.backend == "none" else self._platform(),
            alerts=None if tools.alerts.backend == "none" else self._alert_store(),
            library=self._recall,
            calls={name: service.calls for name, service in self._settings.services.items()},
        )
        return Investigate(backends, self._words, self._clock)

    def _forge(self, settings: ForgeSettings) -> "ChangeSource":
        from tools.changes.github import GitHubChanges
        from tools.changes.gitlab import GitLabChanges
        from tools.changes.port import Repository
        from tools.jsonserver import JsonServer

        headers = {"Accept": "application/json", "User-Agent": "sayso"}
        if settings.authorization_file is not None:
            file = self._home.at(settings.authorization_file)
            try:
                headers["Authorization"] = file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{self._home.config}: tools.forges: {file}: {error.strerror}") from error
        repositories = {
            name: Repository(each.path, each.config) for name, each in settings.repositories.items()
        }
        if settings.kind == "gitlab":
            return GitLabChanges(
                JsonServer(f"GitLab {settings.url}", settings.url, headers=headers), repositories
            )
        headers |= {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        return GitHubChanges(
            JsonServer(f"GitHub {settings.url}", settings.url, headers=headers), repositories
        )

    def _silence(self) -> Tool:
        from tools.alerts.silence import SilenceAlert

        longest = self._settings.tools.alerts.longest_silence
        return SilenceAlert(self._alert_store(), self._words, self._clock, self._alert_labels(), longest)

    def _unsilence(self) -> Tool:
        from tools.alerts.silence import Unsilence

        return Unsilence(self._alert_store(), self._words, self._clock, self._alert_labels())

    def _report(self) -> Tool:
        from tools.report.figures import Sources
        from tools.report.report import Report

        # matplotlib keeps a font list where this variable says; everything of ours stays below the home folder.
        if self._home.folder.is_dir():
            os.environ.setdefault("MPLCONFIGDIR", str(self._home.folder / "cache" / "matplotlib"))  # noqa: TID251
        backends = self._settings.tools
        sources = Sources(
            metrics=None if backends.metrics.backend == "none" else self._metric_store("report"),
            logs=None if backends.logs.backend == "none" else self._log_store("report"),
            platform=None if backends.platform.backend == "none" else self._platform(),
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
            made = commands(self._settings.tools.commands, self._words)
        except CommandRefused as error:
            raise SettingsError(f"{self._home.config}: tools.commands: {error}") from error
        return {tool.spec.name: tool for tool in made}

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

    # --- backends ----------------------------------------------------------------------------------------------------

    def _platform(self) -> Platform:
        settings = self._settings.tools.platform
        if settings.backend == "none":
            raise self._missing("platform", "status, deploy, rollback, restart and scale")
        if self._platform_made is None:
            from tools.deploy.supervisor import Supervisor

            self._platform_made = Supervisor(self._home.at(settings.file))
        return self._platform_made

    def _log_store(self, tool: str) -> LogStore:
        settings = self._settings.tools.logs
        if settings.backend == "none":
            raise self._missing("logs", tool)
        match settings.backend:
            case "files":
                from tools.logs.files import LogFiles

                return LogFiles(self._home.at(settings.path))
            case "journald":
                from tools.logs.journald import Journald

                return Journald(settings.units, settings.environment or self._words.default_environment)
            case "loki":
                from tools.logs.loki import Loki, Streams

                streams = {
                    name: value for name, value in settings.fields.items() if name not in _OF_DOCUMENTS
                }
                return Loki(self._log_server(), Streams(**streams))
            case "elasticsearch":
                from tools.logs.elastic import Elastic, Fields

                return Elastic(self._log_server(), settings.index, Fields(**settings.fields))

    def _log_server(self) -> "JsonServer":
        from tools.jsonserver import JsonServer

        settings = self._settings.tools.logs
        headers = (
            {"Authorization": settings.authorization.get_secret_value()} if settings.authorization else None
        )
        return JsonServer(f"{settings.backend} {settings.url}", settings.url, headers=headers)

    def _metric_store(self, tool: str) -> MetricStore:
        settings = self._settings.tools.metrics
        if self._metrics_made is None:
            match settings.backend:
                case "none":
                    raise self._missing("metrics", tool)
                case "recorder":
                    from tools.metrics.recorder import RecorderStore

                    self._metrics_made = RecorderStore(self._home.at(settings.path))
                case "prometheus":
                    self._metrics_made = self._prometheus()
        return self._metrics_made

    def _prometheus(self) -> "Prometheus":
        from tools.metrics.prometheus import Grafana, Prometheus

        settings = self._settings.tools.metrics
        grafana = Grafana(settings.grafana, settings.grafana_source) if settings.grafana else None
        return Prometheus(settings.url, finest=4 * settings.scraped_every, grafana=grafana)

    def _alert_store(self) -> "AlertStore":
        settings = self._settings.tools.alerts
        if settings.backend == "none":
            raise self._missing("alerts", "alerts, silence and unsilence")
        from tools.alerts.alertmanager import Alertmanager
        from tools.jsonserver import JsonServer

        return Alertmanager(JsonServer(f"Alertmanager {settings.url}", settings.url), self._alert_labels())

    def _alert_labels(self) -> "Labels":
        from tools.alerts.port import Labels

        settings = self._settings.tools.alerts
        return Labels(settings.service_label, settings.environment_label)

    def _vitals(self) -> Vitals | None:
        """How services feel now, for the cards; without a metrics store the cards do without."""
        if self._settings.tools.metrics.backend == "none":
            return None
        from tools.metrics.vitals import ErrorRates

        return ErrorRates(self._metric_store("status"), self._clock)

    def _missing(self, section: str, tool: str) -> SettingsError:
        return SettingsError(
            f"{self._home.config}: tools.{section}.backend = 'none': {tool} is enabled and needs one; "
            "name a backend, or take the tool out of tools.enabled"
        )
