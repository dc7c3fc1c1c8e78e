"""GitHub, Argo CD, Jira and Unleash, as the settings name them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agent.home import Home
from agent.settings import Settings, SettingsError
from agent.settings.forging import GitHubServiceSettings
from tools.contract import Clock
from tools.deploy.port import Platform
from tools.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tools.deploy.github.service import Service
    from tools.flags.port import FlagStore
    from tools.forgeserver import GitHubServer
    from tools.tickets.port import Places, TicketStore


class Forging:
    """Makes what deploys, keeps tickets and sets flags somewhere else. Raises `SettingsError`."""

    def __init__(self, settings: Settings, home: Home, clock: Clock, words: Vocabulary) -> None:
        self._settings, self._home, self._clock, self._words = settings, home, clock, words

    def github_platform(self) -> Platform:
        from tools.deploy.github.platform import GitHubPlatform
        from tools.deploy.github.service import Misdeclared

        settings = self._settings.tools.platform.github
        if settings is None:
            raise self._wrong("platform.github", "is missing: the backend is 'github'; name its services")
        self._known("platform.github.services", settings.services)
        try:
            services = {name: _service(name, each) for name, each in settings.services.items()}
        except Misdeclared as error:
            raise self._wrong("platform.github.services", str(error)) from error
        server = self._github("platform.github", settings.url, settings.authorization_file)
        return GitHubPlatform(server, services, tuple(self._words.environments), self._clock, settings.mark)

    def argo_platform(self) -> Platform:
        from tools.deploy.argocd.declared import By, Declared, Misdeclared
        from tools.deploy.argocd.platform import ArgoCD
        from tools.jsonserver import JsonServer

        settings = self._settings.tools.platform.argocd
        if settings is None:
            raise self._wrong(
                "platform.argocd", "is missing: the backend is 'argocd'; name its url and services"
            )
        self._known("platform.argocd.services", settings.services)
        try:
            services = {
                name: Declared(
                    name=name,
                    applications=each.applications,
                    by=By(each.by),
                    target=each.target,
                    tag=each.tag,
                    image_tag=each.image_tag,
                    tags_of=each.tags_of,
                    prune=each.prune,
                    project=each.project,
                    namespace=each.namespace,
                )
                for name, each in settings.services.items()
            }
        except Misdeclared as error:
            raise self._wrong("platform.argocd.services", str(error)) from error
        headers = self._headers("platform.argocd", settings.authorization_file)
        server = JsonServer(f"Argo CD {settings.url}", settings.url, headers=headers)
        return ArgoCD(server, services, self._clock, settings.mark)

    def tickets(self) -> "tuple[TicketStore, Places]":
        from tools.tickets.port import Place

        settings = self._settings.tools.tickets
        if settings.backend == "none":
            raise self._wrong("tickets.backend = 'none'", "the ticket tools need one: 'github' or 'jira'")
        if not settings.services:
            raise self._wrong("tickets.services", "is empty: name the place of each service's tickets")
        self._known("tickets.services", settings.services)
        for name, each in settings.services.items():
            if ("/" in each.project) is not (settings.backend == "github"):
                wanted = "owner/name" if settings.backend == "github" else "the key of a project, such as OPS"
                raise self._wrong(
                    f"tickets.services.{name}.project = {each.project!r}", f"should be {wanted}"
                )
        places = {
            name: Place(each.project, each.labels, each.may_add) for name, each in settings.services.items()
        }
        return self._ticket_store(), places

    def _ticket_store(self) -> "TicketStore":
        from tools.jsonserver import JsonServer
        from tools.tickets.github import GitHubTickets
        from tools.tickets.jira import JiraTickets

        settings = self._settings.tools.tickets
        if settings.backend == "github":
            return GitHubTickets(self._github("tickets", settings.url, settings.authorization_file))
        headers = self._headers("tickets", settings.authorization_file)
        server = JsonServer(f"Jira {settings.url}", settings.url, headers=headers)
        return JiraTickets(server, settings.issue_type, settings.api)

    def flags(self) -> "FlagStore":
        from tools.flags.flagd import FlagdFiles
        from tools.flags.unleash import Unleash
        from tools.jsonserver import JsonServer

        settings = self._settings.tools.flags
        if settings.backend == "none":
            raise self._wrong("flags.backend = 'none'", "flag and flag_set need one: 'unleash' or 'flagd'")
        if not settings.flags:
            raise self._wrong("flags.flags", "is empty: name the flags that may be used")
        if settings.backend == "flagd":
            if not settings.files:
                raise self._wrong("flags.files", "is empty: name the file of each environment")
            return FlagdFiles({name: self._home.at(file) for name, file in settings.files.items()})
        if strays := sorted(set(settings.values) - {"on", "off"}):
            raise self._wrong(f"flags.values = {strays[0]!r}", "a flag of Unleash is on or off")
        headers = self._headers("flags", settings.authorization_file)
        server = JsonServer(f"Unleash {settings.url}", settings.url, headers=headers)
        return Unleash(server, settings.project, settings.environments)

    def _github(self, section: str, url: str, file: Path | None) -> "GitHubServer":
        from tools.forgeserver import GitHubServer

        return GitHubServer(url, self._headers(section, file).get("Authorization", ""), self._clock)

    def _headers(self, section: str, file: Path | None) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "sayso"}
        if file is not None:
            where = self._home.at(file)
            try:
                headers["Authorization"] = where.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise self._wrong(f"{section}.authorization_file", f"{where}: {error.strerror}") from error
        return headers

    def _known(self, section: str, services: Mapping[str, object]) -> None:
        """A service that nobody can name here is a slip of the pen."""
        known = self._settings.services
        if known and (strays := sorted(set(services) - set(known))):
            raise self._wrong(section, f"{strays[0]!r} is no service; known: {', '.join(sorted(known))}")

    def _wrong(self, key: str, why: str) -> SettingsError:
        return SettingsError(f"{self._home.config}: tools.{key}: {why}")


def _service(name: str, settings: GitHubServiceSettings) -> "Service":
    from tools.deploy.github.service import Failing, Service, Workflow

    workflow = None
    if (given := settings.workflow) is not None:
        usual = Workflow(given.file).inputs
        workflow = Workflow(
            file=given.file,
            ref=given.ref,
            inputs=usual if given.inputs is None else given.inputs,
            run_name=given.run_name,
            answers_run=given.answers_run,
        )
    return Service(
        name=name,
        repository=settings.repository,
        tag=settings.tag,
        environments=settings.environments,
        workflow=workflow,
        checks=settings.required_checks,
        failing=Failing(settings.failing_checks),
        task=settings.task,
    )
