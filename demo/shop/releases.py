"""The releases of the shop's services and what differs in how they behave, from `releases.yaml`."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

from demo.shop.behaviour import Behaviour


class Release(BaseModel):
    """One version that can be deployed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    released_at: datetime
    commit: str
    notes: str
    behaviour: Behaviour = Behaviour()


@dataclass(frozen=True, slots=True)
class UnknownRelease(Exception):
    """No such version of this service."""

    service: str
    version: str


@lru_cache(maxsize=1)
def releases() -> dict[str, tuple[Release, ...]]:
    """The releases of each service, newest first."""
    text = resources.files("demo").joinpath("releases.yaml").read_text(encoding="utf-8")
    return {
        service: tuple(
            sorted(map(Release.model_validate, entries), key=lambda r: r.released_at, reverse=True)
        )
        for service, entries in yaml.safe_load(text).items()
    }


def release(service: str, version: str) -> Release:
    """One release. Raises `UnknownRelease`."""
    for known in releases().get(service, ()):
        if known.version == version:
            return known
    raise UnknownRelease(service, version)
