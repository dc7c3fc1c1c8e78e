"""Deployments as the platform that runs services remembers them."""

from tools.changes.port import ChangeKind, Known, Occurrence, Scope
from tools.deploy.port import Deployment, Platform


class PlatformChanges:
    """The history of a platform: deploys, rollbacks, restarts and scalings."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @property
    def name(self) -> str:
        return "platform history"

    async def changes(self, scope: Scope) -> Known:
        found = await self._platform.history(scope.service, scope.environment, scope.window.start)
        return Known(tuple(self._told(each) for each in found))

    def _told(self, entry: Deployment) -> Occurrence:
        title = f"{entry.kind.value} {entry.service} {entry.before or '-'} -> {entry.after or '-'}"
        return Occurrence(
            at=entry.at,
            kind=ChangeKind.DEPLOYMENT,
            title=title,
            by=entry.by,
            source=self.name,
            service=entry.service,
            environment=entry.environment,
            ok=entry.ok,
        )
