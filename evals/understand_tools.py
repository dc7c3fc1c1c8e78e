"""A set of tools to measure understanding with: shaped like the shop's, with the names that the cases use."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, create_model

from tools.contract import Arguments, Effect, Example, Json, Spec
from tools.slots import Kind, Slot

WRITES = ("deploy", "rollback", "restart", "scale")
_SERVICES = ("checkout", "payments", "catalog", "api", "search", "orders", "worker")
_ENVIRONMENTS = ("prod", "staging", "dev")
_METRICS = ("error_rate", "latency_p95", "latency_p99", "latency_p50", "request_rate", "cpu", "memory")
_LEVELS = ("error", "warning", "info", "debug")
_REPORTS = ("errors", "deployments", "incidents")
_PERIODS = ("day", "week", "month")
_SAME = (
    {"prod", "production", "prd", "live"}, {"staging", "stage", "stg"}, {"dev", "development"},
    {"error", "errors", "err"}, {"warning", "warn"}, {"error_rate", "errors_rate"},
    {"latency_p95", "p95", "p95_latency"}, {"latency_p99", "p99", "p99_latency"}, {"latency_p50", "p50", "p50_latency"},
    {"request_rate", "rps", "qps", "throughput", "requests"}, {"cpu", "cpu_usage"}, {"memory", "memory_usage", "ram"},
    {"deployments", "deploys"}, {"day", "daily"}, {"week", "weekly"}, {"month", "monthly"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """What the cases call things, by the role of an argument."""

    services: tuple[str, ...]
    environments: tuple[str, ...]
    metrics: tuple[str, ...]
    levels: tuple[str, ...]
    reports: tuple[str, ...]
    periods: tuple[str, ...]


def names(expected: Iterable[Mapping[str, Json]]) -> Names:
    """The names in the expected arguments, and the usual ones that no name of the cases stands for already."""
    used: dict[str, list[str]] = {}
    for arguments in expected:
        for name, value in arguments.items():
            if isinstance(value, str) and value not in used.setdefault(name, []):
                used[name].append(value)
    return Names(
        *(
            _with_usual(used.get(name, []), usual)
            for name, usual in (
                ("service", _SERVICES), ("environment", _ENVIRONMENTS), ("metric", _METRICS), ("level", _LEVELS),
                ("kind", _REPORTS), ("period", _PERIODS),
            )
        )
    )  # fmt: skip


def _with_usual(used: Sequence[str], usual: Sequence[str]) -> tuple[str, ...]:
    covered = {same for name in used for group in _SAME if name in group for same in group}
    return (*used, *(name for name in usual if name not in used and name not in covered))


def toolset(known: Names, where_required: frozenset[str] = frozenset()) -> tuple[Spec, ...]:
    """Four writes and four reads, declared as a team would declare its own.

    The writes in `where_required` have no default environment: the cases always name one for them.
    """
    service = Annotated[str, Slot(Kind.CHOICE, role="service", choices=known.services)]
    environment = Annotated[str, Slot(Kind.CHOICE, role="environment", choices=known.environments)]
    version = Annotated[str, Slot(Kind.VERSION, role="version")]
    count = Annotated[int, Slot(Kind.COUNT, role="count"), Field(ge=0, le=500)]
    level = Annotated[str, Slot(Kind.CHOICE, role="level", choices=known.levels)]
    metric = Annotated[str, Slot(Kind.CHOICE, role="metric", choices=known.metrics)]
    kind = Annotated[str, Slot(Kind.CHOICE, role="kind", choices=known.reports)]
    period = Annotated[str, Slot(Kind.CHOICE, role="period", choices=known.periods)]
    length, quoted = Annotated[str, Slot(Kind.DURATION, role="since")], Annotated[str, Slot(Kind.QUOTED)]
    question = Annotated[str, Slot(Kind.QUESTION)]

    def place(tool: str) -> tuple[object, object]:
        return environment, ... if tool in where_required else known.environments[0]

    tools = {
        "deploy": _model(service=(service, ...), version=(version, ...), environment=place("deploy")),
        "rollback": _model(service=(service, ...), environment=place("rollback"), version=(version, "")),
        "restart": _model(service=(service, ...), environment=place("restart")),
        "scale": _model(service=(service, ...), replicas=(count, ...), environment=place("scale")),
        "query_logs": _model(
            service=(service, ""), environment=(environment, ""), level=(level, ""), contains=(quoted, ""),
            since=(length, "1h"),
        ),
        "query_metrics": _model(
            service=(service, ""), environment=(environment, ""), metric=(metric, ...), window=(length, "1h")
        ),
        "search_knowledge": _model(query=(question, ...)),
        "report": _model(kind=(kind, known.reports[0]), period=(period, known.periods[0]), service=(service, "")),
    }  # fmt: skip
    return tuple(
        Spec(
            name, _DESCRIPTIONS[name], arguments, Effect.WRITE if name in WRITES else Effect.READ,
            examples=tuple(Example(text) for text in _EXAMPLES[name]),
        )
        for name, arguments in tools.items()
    )  # fmt: skip


def _model(**fields: tuple[object, object]) -> type[Arguments]:
    made: type[Arguments] = create_model("Arguments", __base__=Arguments, **fields)  # type: ignore[call-overload]  # the overloads know no computed fields
    return made


_DESCRIPTIONS = {
    "deploy": "Puts a version of a service live",
    "rollback": "Takes a service back to an earlier version",
    "restart": "Restarts a service",
    "scale": "Sets the number of replicas",
    "query_logs": "Searches the logs of a service",
    "query_metrics": "Reads a metric of a service",
    "search_knowledge": "Searches runbooks, decisions and incidents",
    "report": "Sums up a period",
}

_EXAMPLES = {
    "deploy": (
        "deploy {service} {version}",
        "release {version} of {service} on {environment}",
        "livre {service} {version}",
    ),
    "rollback": (
        "roll back {service}",
        "go back to the earlier {service}",
        "annule la livraison de {service}",
    ),
    "restart": ("restart {service} on {environment}", "reboot {service}", "relance {service}"),
    "scale": (
        "scale {service} to {replicas}",
        "run {replicas} {service} pods",
        "passe {service} à {replicas}",
    ),
    "query_logs": ("logs of {service}", "errors {service} logged since {since}", "les logs de {service}"),
    "query_metrics": ("{metric} of {service}", "how is the {metric} of {service}", "{metric} de {service}"),
    "search_knowledge": ("who knows about {service}", "runbook for {service}", "où est la procédure ?"),
    "report": (
        "{period} report of {kind}",
        "summary of {kind} for the {period}",
        "rapport des {kind}",
        "which releases went out this month",
        "everything we shipped this week",
        "what has been put live since monday",
        "list what broke this month",
        "qu'a-t-on livré cette semaine ?",
        "tout ce qui est sorti en prod ce mois-ci",
        "ce qui a cassé cette semaine",
    ),
}
