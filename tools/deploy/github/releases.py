"""The versions of a service that GitHub can deploy: its published releases, else its tags."""

import re
from datetime import datetime

from pydantic import TypeAdapter

from tools.deploy.github.rollout import Payload, base, understood
from tools.deploy.github.service import Service
from tools.deploy.port import Release
from tools.deploy.target import order_of
from tools.forgeserver import GitHubServer

MOST = 100
_NOTES = 120  # characters of a release's notes


class _Release(Payload):
    tag_name: str
    name: str | None = None
    body: str | None = None
    draft: bool = False
    published_at: datetime | None = None


class _Tag(Payload):
    name: str


_RELEASES, _TAGS = TypeAdapter(tuple[_Release, ...]), TypeAdapter(tuple[_Tag, ...])


async def releases(server: GitHubServer, service: Service) -> tuple[Release, ...]:
    """Newest version first, of the latest hundred. Drafts are nothing that can be deployed."""
    asked = {"per_page": str(MOST)}
    said = await server.ask("GET", f"{base(service)}/releases", asked)
    found = [
        Release(version, each.published_at, _notes(each))
        for each in understood(_RELEASES, said, "releases")
        if not each.draft and (version := service.version_of(each.tag_name))
    ]
    if not found:
        said = await server.ask("GET", f"{base(service)}/tags", asked)
        tags = understood(_TAGS, said, "tags")
        found = [Release(version, None) for each in tags if (version := service.version_of(each.name))]
    return tuple(sorted(found, key=lambda each: order_of(each.version), reverse=True))


def _notes(release: _Release) -> str:
    """The release's name where it says more than its tag, else the first line of its notes."""
    if release.name and release.name != release.tag_name:
        return release.name[:_NOTES]
    lines = [line.strip("#* \t") for line in re.split(r"[\r\n]+", release.body or "")]
    return next((line[:_NOTES] for line in lines if line), "")
