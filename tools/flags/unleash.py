"""Flags of Unleash, by its admin API: on and off in each environment of a project."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tools.contract import BadArguments, ToolFailed
from tools.flags.port import Flag
from tools.jsonserver import JsonServer, segment

VALUES = ("on", "off")


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Strategy(_Payload):
    name: str = ""
    title: str | None = None
    disabled: bool = False
    parameters: Mapping[str, str | int | None] = Field(default_factory=dict)
    constraints: Sequence[Mapping[str, object]] = ()
    segments: Sequence[int] = ()


class _Environment(_Payload):
    name: str
    enabled: bool
    strategies: tuple[_Strategy, ...] = ()


class _Feature(_Payload):
    name: str
    description: str | None = None
    archived: bool = False
    stale: bool = False
    environments: tuple[_Environment, ...] = ()


_FEATURE = TypeAdapter(_Feature)


class Unleash:
    """One project; `environments` maps ours to Unleash's names where they differ."""

    def __init__(
        self, server: JsonServer, project: str = "default", environments: Mapping[str, str] | None = None
    ) -> None:
        self._server, self._project, self._environments = server, project, dict(environments or {})

    @property
    def name(self) -> str:
        return self._server.name

    async def get(self, flag: str, environment: str) -> Flag | None:
        said = await self._server.ask("GET", self._path(flag), missing=(404,))
        if said is None:
            return None
        try:
            feature = _FEATURE.validate_python(said)
        except ValidationError as error:
            raise ToolFailed(f"{self.name} told {flag} in another form than its API") from error
        wanted = self._environments.get(environment, environment)
        here = next((each for each in feature.environments if each.name == wanted), None)
        if here is None:
            return None
        return Flag(
            name=feature.name,
            environment=environment,
            value="on" if here.enabled else "off",
            values=VALUES,
            rules=tuple(_rule(each) for each in here.strategies),
            description=(feature.description or "") + (" (stale)" if feature.stale else ""),
            link=f"{self._server.url}/projects/{segment(self._project)}/features/{segment(flag)}",
            archived=feature.archived,
        )

    async def set(self, flag: str, environment: str, value: str) -> None:
        if value not in VALUES:
            raise BadArguments(
                f"value = {value!r}: a flag of Unleash is on or off",
                field="value",
                value=value,
                nearest=VALUES,
            )
        wanted = segment(self._environments.get(environment, environment))
        await self._server.ask("POST", f"{self._path(flag)}/environments/{wanted}/{value}")

    def _path(self, flag: str) -> str:
        return f"/api/admin/projects/{segment(self._project)}/features/{segment(flag)}"


def _rule(strategy: _Strategy) -> str:
    """A strategy in words: who gets the flag where it is on."""
    told = ", ".join(
        f"{name}={value}" for name, value in strategy.parameters.items() if value not in {None, ""}
    )
    more = [f"{len(strategy.constraints)} constraints"] if strategy.constraints else []
    more += [f"{len(strategy.segments)} segments"] if strategy.segments else []
    off = ["disabled"] if strategy.disabled else []
    return " ".join([strategy.title or strategy.name, *([f"({told})"] if told else []), *more, *off])
