"""What containers use, as metrics.k8s.io measures it, beside what they asked for and may use."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from tools.contract import Json
from tools.kubernetes.quantity import cores, octets, quantity
from tools.kubernetes.survey import Survey


@dataclass(frozen=True, slots=True)
class Use:
    """One container: cores and bytes; `None` where nobody measured, asked or limited."""

    pod: str
    container: str
    cpu: float | None
    cpu_request: float | None
    cpu_limit: float | None
    memory: float | None
    memory_request: float | None
    memory_limit: float | None

    @property
    def fullest(self) -> float:
        """The largest share of a limit, 0 to 1 and above."""
        shares = [
            value / limit
            for value, limit in ((self.cpu, self.cpu_limit), (self.memory, self.memory_limit))
            if value is not None and limit
        ]
        return max(shares, default=0.0)

    def facts(self) -> dict[str, Json]:
        return dict(asdict(self))

    def told(self) -> str:
        cpu = _told(self.cpu, self.cpu_limit, self.cpu_request, cores)
        memory = _told(self.memory, self.memory_limit, self.memory_request, octets)
        return f"{self.pod} {self.container}: {cpu}; memory {memory}"


def used(survey: Survey) -> list[Use]:
    """The use of every container that was measured, those nearest to a limit first."""
    specs = {each.state.name: each.pod.spec for each in survey.pods}
    found = []
    for pod in survey.metrics or ():
        spec = specs.get(pod.metadata.name)
        if spec is None:
            continue
        resources = {each.name: each.resources for each in spec.containers}
        for one in pod.containers:
            asked = resources[one.name].requests if one.name in resources else {}
            limit = resources[one.name].limits if one.name in resources else {}
            found.append(
                Use(
                    pod.metadata.name,
                    one.name,
                    _of(one.usage, "cpu"),
                    _of(asked, "cpu"),
                    _of(limit, "cpu"),
                    _of(one.usage, "memory"),
                    _of(asked, "memory"),
                    _of(limit, "memory"),
                )
            )
    return sorted(found, key=lambda each: -each.fullest)


def _of(amounts: Mapping[str, str | int | float] | Mapping[str, str], name: str) -> float | None:
    value = amounts.get(name)
    return quantity(value) if value is not None else None


def _told(
    value: float | None, limit: float | None, request: float | None, told: Callable[[float], str]
) -> str:
    """An amount, and what it is of: its limit, or what was asked for where there is no limit."""
    if value is None:
        return "not measured"
    if limit:
        return f"{told(value)} of at most {told(limit)} ({value / limit:.0%})"
    return f"{told(value)}, {f'{told(request)} asked for, ' if request else ''}no limit"
