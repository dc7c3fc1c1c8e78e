"""What the enabled tools stand on: platforms, stores and forges, as the settings name them."""

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import SecretStr

from agent.carried import Carried
from agent.home import Home
from agent.settings import ForgeSettings, Settings, SettingsError
from agent.whitelist.forging import Forging
from tools.contract import Clock
from tools.deploy.port import Platform, Vitals
from tools.logs.port import LogStore
from tools.metrics.port import MetricStore
from tools.vocabulary import Vocabulary

_OF_DOCUMENTS = frozenset({"at", "message"})  # fields that a line of Loki does not have

if TYPE_CHECKING:
    from agent.whitelist.clusters import Clusters
    from tools.alerts.port import AlertStore, Labels
    from tools.changes.port import ChangeSource
    from tools.jsonserver import JsonServer
    from tools.metrics.prometheus import Prometheus


class Backends:
    """Each is made when a tool first wants it, and once. Raises `SettingsError` for one that is not set."""

    def __init__(
        self, settings: Settings, home: Home, clock: Clock, words: Vocabulary, carried: Carried | None = None
    ) -> None:
        self._settings, self._home, self._clock, self._words = settings, home, clock, words
        self._carried = carried
        self.forging = Forging(settings, home, clock, words)
        self._platform_made: Platform | None = None
        self._metrics_made: MetricStore | None = None
        self._clusters_made: Clusters | None = None

    def platform(self) -> Platform:
        settings = self._settings.tools.platform
        if settings.backend == "none":
            raise self.missing("platform", "status, deploy, rollback, restart and scale")
        if self._platform_made is None:
            match settings.backend:
                case "supervisor":
                    from tools.deploy.supervisor import Supervisor

                    self._platform_made = Supervisor(self._home.at(settings.file))
                case "kubernetes":
                    self._platform_made = self.clusters("tools.platform.backend").platform()
                case "github":
                    self._platform_made = self.forging.github_platform()
                case "argocd":
                    self._platform_made = self.forging.argo_platform()
        return self._platform_made

    def order_seconds(self) -> float:
        """How long one change may take: as the platform that makes it is given time for."""
        if self._settings.tools.platform.backend == "kubernetes":
            return self.clusters("tools.platform.backend").order_seconds
        given: timedelta = self._settings.tools.platform.timeout
        return given.total_seconds()

    def clusters(self, wanted_by: str) -> "Clusters":
        """The clusters of the settings. Raises `SettingsError` where there are none, or one cannot be reached so."""
        if self._clusters_made is None:
            from agent.whitelist.clusters import Clusters

            self._clusters_made = Clusters(self._settings, self._home, self._clock, wanted_by)
        return self._clusters_made

    def log_store(self, tool: str) -> LogStore:
        settings = self._settings.tools.logs
        if settings.backend == "none":
            raise self.missing("logs", tool)
        match settings.backend:
            case "files":
                from tools.logs.files import LogFiles

                return LogFiles(self._home.at(settings.path))
            case "kubernetes":
                from tools.logs.kubernetes import KubernetesLogs

                return KubernetesLogs(self.clusters("tools.logs.backend").places)
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

    def metric_store(self, tool: str) -> MetricStore:
        settings = self._settings.tools.metrics
        if self._metrics_made is None:
            match settings.backend:
                case "none":
                    raise self.missing("metrics", tool)
                case "recorder":
                    from tools.metrics.recorder import RecorderStore

                    self._metrics_made = RecorderStore(self._home.at(settings.path))
                case "prometheus":
                    self._metrics_made = self.prometheus()
        return self._metrics_made

    def prometheus(self) -> "Prometheus":
        from tools.metrics.prometheus import Grafana, Prometheus

        settings = self._settings.tools.metrics
        grafana = Grafana(settings.grafana, settings.grafana_source) if settings.grafana else None
        headers = _headers(settings.authorization, settings.tenant)
        return Prometheus(settings.url, finest=4 * settings.scraped_every, grafana=grafana, headers=headers)

    def alert_store(self) -> "AlertStore":
        settings = self._settings.tools.alerts
        if settings.backend == "none":
            raise self.missing("alerts", "alerts, silence and unsilence")
        from tools.alerts.alertmanager import Alertmanager
        from tools.jsonserver import JsonServer

        headers = _headers(settings.authorization, settings.tenant)
        server = JsonServer(f"Alertmanager {settings.url}", settings.url, headers=headers)
        return Alertmanager(server, self.alert_labels())

    def alert_labels(self) -> "Labels":
        from tools.alerts.port import Labels

        settings = self._settings.tools.alerts
        return Labels(settings.service_label, settings.environment_label)

    def vitals(self) -> Vitals | None:
        """How services feel now, for the cards; without a metrics store the cards do without."""
        if self._settings.tools.metrics.backend == "none":
            return None
        from tools.metrics.vitals import ErrorRates

        return ErrorRates(self.metric_store("status"), self._clock)

    def missing(self, section: str, tool: str) -> SettingsError:
        return SettingsError(
            f"{self._home.config}: tools.{section}.backend = 'none': {tool} is enabled and needs one; "
            "name a backend, or take the tool out of tools.enabled"
        )

    def change_sources(self) -> "tuple[ChangeSource, ...]":
        from tools.changes.journal import Journal
        from tools.changes.platform import PlatformChanges
        from tools.changes.port import ChangeSource

        backends = self._settings.tools
        sources: list[ChangeSource] = []
        if backends.platform.backend != "none":
            sources.append(PlatformChanges(self.platform()))
        if backends.journal is not None:
            sources.append(Journal(self._home.at(backends.journal)))
        sources += [self._forge(each) for each in backends.forges]
        return (*sources, self._carried) if sources and self._carried is not None else tuple(sources)

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


def _headers(authorization: SecretStr | None, tenant: str | None) -> dict[str, str]:
    """What a server is told of who asks."""
    secret = {"Authorization": authorization.get_secret_value()} if authorization else {}
    return {**secret, **({"X-Scope-OrgID": tenant} if tenant else {})}
