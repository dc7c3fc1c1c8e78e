"""The alerts of a Prometheus Alertmanager, by version 2 of its API."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tools.alerts.port import Alert, Labels, Silence
from tools.contract import Json, ToolFailed
from tools.jsonserver import JsonServer, segment
from tools.times import iso

Said = TypeVar("Said")


class _Payload(BaseModel):
    """What the server says; newer servers say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Status(_Payload):
    state: str
    silencedBy: tuple[str, ...] = ()  # noqa: N815 - the API's word
    inhibitedBy: tuple[str, ...] = ()  # noqa: N815 - the API's word


class _Alert(_Payload):
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = Field(default_factory=dict)
    startsAt: datetime  # noqa: N815 - the API's word
    generatorURL: str = ""  # noqa: N815 - the API's word
    status: _Status


class _Matcher(_Payload):
    name: str
    value: str
    isRegex: bool = False  # noqa: N815 - the API's word
    isEqual: bool = True  # noqa: N815 - the API's word


class _Silence(_Payload):
    id: str
    matchers: tuple[_Matcher, ...]
    startsAt: datetime  # noqa: N815 - the API's word
    endsAt: datetime  # noqa: N815 - the API's word
    createdBy: str  # noqa: N815 - the API's word
    comment: str
    status: _Status


class _Made(_Payload):
    silenceID: str  # noqa: N815 - the API's word


_ALERTS, _SILENCES, _MADE = (
    TypeAdapter(tuple[_Alert, ...]),
    TypeAdapter(tuple[_Silence, ...]),
    TypeAdapter(_Made),
)


class Alertmanager:
    """Asks the Alertmanager behind `server`; `page` is where people open it."""

    def __init__(self, server: JsonServer, labels: Labels | None = None) -> None:
        self._server, self._labels = server, labels or Labels()

    @property
    def name(self) -> str:
        return self._server.name

    async def alerts(self) -> tuple[Alert, ...]:
        said = await self._server.ask("GET", "/api/v2/alerts", {"active": "true"})
        return tuple(self._alert(each) for each in _read(_ALERTS, said, self.name))

    async def silences(self) -> tuple[Silence, ...]:
        said = await self._server.ask("GET", "/api/v2/silences")
        return tuple(
            Silence(each.id, _labels(each.matchers), each.startsAt, each.endsAt, each.createdBy, each.comment)
            for each in _read(_SILENCES, said, self.name)
            if each.status.state != "expired"
        )

    async def silence(self, silence: Silence) -> str:
        matchers: list[Json] = [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in sorted(silence.labels.items())
        ]
        body: Json = {
            "matchers": matchers,
            "startsAt": iso(silence.start),
            "endsAt": iso(silence.end),
            "createdBy": silence.by,
            "comment": silence.comment,
        }
        return _read(
            _MADE, await self._server.ask("POST", "/api/v2/silences", body=body), self.name
        ).silenceID

    async def lift(self, id_: str) -> None:
        await self._server.ask("DELETE", f"/api/v2/silence/{segment(id_)}", missing=(404,))

    def _alert(self, said: _Alert) -> Alert:
        labels = said.labels
        own = "{" + ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(labels.items())) + "}"
        return Alert(
            name=labels.get(self._labels.name, "unnamed"),
            labels=labels,
            annotations=said.annotations,
            since=said.startsAt,
            silenced_by=said.status.silencedBy,
            inhibited=bool(said.status.inhibitedBy),
            link=f"{self._server.url}/#/alerts?{urlencode({'filter': own})}",
            service=labels.get(self._labels.service),
            environment=labels.get(self._labels.environment),
        )


def _labels(matchers: tuple[_Matcher, ...]) -> dict[str, str]:
    """The matchers as labels and values; one that is no plain equality keeps its operator, so that it equals none."""
    return {
        each.name: each.value
        if each.isEqual and not each.isRegex
        else f"{'=' if each.isEqual else '!'}{'~' if each.isRegex else '='}{each.value}"
        for each in matchers
    }


def _read(adapter: TypeAdapter[Said], said: Json, name: str) -> Said:
    try:
        return adapter.validate_python(said)
    except ValidationError as error:
        raise ToolFailed(
            f"{name} answered in another form than its API: {error.errors()[0]['msg']}"
        ) from error
