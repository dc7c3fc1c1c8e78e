"""The releases of the shop's services and what differs in how they behave, from `releases.yaml`."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

from demo.shop.behaviour import Behaviour

DRILLS = "faults/releases.yaml"


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


@lru_cache(maxsize=2)
def releases(file: str = "releases.yaml") -> dict[str, tuple[Release, ...]]:
    """The releases of each service, newest first."""
    text = resources.files("demo").joinpath(file).read_text(encoding="utf-8")
    return {
        service: tuple(
            sorted(map(Release.model_validate, entries), key=lambda r: r.released_at, reverse=True)
        )
        for service, entries in yaml.safe_load(text).items()
    }


def release(service: str, version: str) -> Release:
    """One release; those of the fault drills are not listed, and can be deployed. Raises `UnknownRelease`."""
    for known in (*releases().get(service, ()), *releases(DRILLS).get(service, ())):
        if known.version == version:
            return known
    raise UnknownRelease(service, version)
