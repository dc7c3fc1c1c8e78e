"""A set of tools to measure understanding with: shaped like the shop's, with the names that the cases use."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, create_model

from tools.contract import Arguments, Effect, Example, Json, Spec
from tools.slots import Kind, Slot

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

    def place(tool: str) -> object:
        return (
            Annotated[str, environment]
            if tool in where_required
            else (Annotated[str, environment], known.environments[0])
        )

    service = Slot(Kind.CHOICE, role="service", choices=known.services)
    environment = Slot(Kind.CHOICE, role="environment", choices=known.environments)
    version, count = Slot(Kind.VERSION, role="version"), Slot(Kind.COUNT, role="count")
    since, window = Slot(Kind.DURATION, role="since"), Slot(Kind.DURATION, role="window")
    level = Slot(Kind.CHOICE, role="level", choices=known.levels)
    metric = Slot(Kind.CHOICE, role="metric", choices=known.metrics)
    kind = Slot(Kind.CHOICE, role="kind", choices=known.reports)
    period = Slot(Kind.CHOICE, role="period", choices=known.periods)
    deploy = create_model(
        "Deploy", __base__=Arguments, service=Annotated[str, service], version=Annotated[str, version],
        environment=place("deploy"),
    )  # fmt: skip
    rollback = create_model(
        "Rollback", __base__=Arguments, service=Annotated[str, service], environment=place("rollback"),
        version=(Annotated[str | None, version], None),
    )  # fmt: skip
    restart = create_model(
        "Restart", __base__=Arguments, service=Annotated[str, service],
        environment=place("restart"),
    )  # fmt: skip
    scale = create_model(
        "Scale", __base__=Arguments, service=Annotated[str, service],
        replicas=Annotated[int, count, Field(ge=0, le=500)],
        environment=place("scale"),
    )  # fmt: skip
    logs = create_model(
        "Logs", __base__=Arguments, service=(Annotated[str | None, service], None),
        environment=(Annotated[str | None, environment], None), level=(Annotated[str | None, level], None),
        contains=(Annotated[str | None, Slot(Kind.QUOTED)], None), since=(Annotated[str, since], "1h"),
    )  # fmt: skip
    metrics = create_model(
        "Metrics", __base__=Arguments, service=(Annotated[str | None, service], None),
        environment=(Annotated[str | None, environment], None), metric=Annotated[str, metric],
        window=(Annotated[str, window], "1h"),
    )  # fmt: skip
    knowledge = create_model("Knowledge", __base__=Arguments, query=Annotated[str, Slot(Kind.QUESTION)])
    report = create_model(
        "Report", __base__=Arguments, kind=(Annotated[str, kind], known.reports[0]),
        period=(Annotated[str, period], known.periods[0]), service=(Annotated[str | None, service], None),
    )  # fmt: skip

    read, write = Effect.READ, Effect.WRITE
    return tuple(
        Spec(name, description, arguments, effect, examples=tuple(Example(text) for text in examples))
        for name, description, arguments, effect, examples in (
            ("deploy", "Puts a version of a service live", deploy, write, _EXAMPLES["deploy"]),
            ("rollback", "Takes a service back to an earlier version", rollback, write, _EXAMPLES["rollback"]),
            ("restart", "Restarts a service", restart, write, _EXAMPLES["restart"]),
            ("scale", "Sets the number of replicas", scale, write, _EXAMPLES["scale"]),
            ("query_logs", "Searches the logs of a service", logs, read, _EXAMPLES["query_logs"]),
            ("query_metrics", "Reads a metric of a service", metrics, read, _EXAMPLES["query_metrics"]),
            ("search_knowledge", "Searches runbooks, decisions and incidents", knowledge, read, _EXAMPLES["search_knowledge"]),
            ("report", "Sums up a period", report, read, _EXAMPLES["report"]),
        )
    )  # fmt: skip


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
