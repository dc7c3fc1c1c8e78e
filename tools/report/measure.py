"""What a report can count, what it is called in both languages, and how people ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tools.metrics.named import ERRORS, FAILED_PAYMENTS, METRICS, PAYMENTS, REQUESTS, Formula


class Basis(StrEnum):
    """Where the figures come from."""

    METRICS = "metrics"
    LOGS = "logs"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Measure:
    """Something to report on. `additive` figures have a total; the others are levels."""

    name: str
    words: Mapping[str, str]  # language -> what it is called
    unit: Mapping[str, str]
    basis: Basis
    formula: Formula | None = None
    scale: float = 1.0
    additive: bool = True


def _counted(
    name: str, en: str, fr: str, unit_en: str, unit_fr: str, basis: Basis, formula: Formula | None
) -> Measure:
    return Measure(name, {"en": en, "fr": fr}, {"en": unit_en, "fr": unit_fr}, basis, formula)


def _level(name: str, en: str, fr: str) -> Measure:
    metric = METRICS[name]
    unit = {"en": metric.unit, "fr": metric.unit}
    return Measure(
        name, {"en": en, "fr": fr}, unit, Basis.METRICS, metric.formula, metric.scale, additive=False
    )


MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        _counted("errors", "Failed requests", "Requêtes en échec", "requests", "requêtes", Basis.METRICS, ERRORS),
        _counted("requests", "Requests", "Requêtes", "requests", "requêtes", Basis.METRICS, REQUESTS),
        _counted(
            "failed_payments", "Failed payments", "Paiements échoués", "payments", "paiements",
            Basis.METRICS, FAILED_PAYMENTS,
        ),
        _counted("payments", "Payments", "Paiements", "payments", "paiements", Basis.METRICS, PAYMENTS),
        _counted("log_errors", "Error lines in the logs", "Lignes d'erreur des journaux", "lines", "lignes",
                 Basis.LOGS, None),
        _counted("deployments", "Deployments and rollbacks", "Déploiements et retours arrière", "changes",
                 "changements", Basis.PLATFORM, None),
        _level("error_rate", "Error rate", "Taux d'erreur"),
        _level("latency_p50", "Median latency", "Latence médiane"),
        _level("latency_p95", "p95 latency", "Latence p95"),
        _level("latency_p99", "p99 latency", "Latence p99"),
    )
}  # fmt: skip

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "hour": "hour", "day": "day", "week": "week of", "service": "service", "per_hour": "per hour",
        "per_day": "per day", "per_week": "per week", "per_service": "per service", "total": "total",
        "no_data": "no data", "everything": "all services", "overall": "over the whole time",
        "each_hour": "each hour in {zone}", "each_day": "each day in {zone}", "each_week": "each week in {zone}",
        "each_service": "each service", "how": "How this was computed",
        "computed": "{query} for {rows}, {span}, from {source}",
        "origin": "includes {value} data (origin={value})", "failed": "{value} of them failed",
        "gaps": "{value} of {count} rows have no data", "stopped": "stopped because {why}: nothing before {at} counts",
        "no_chart": "no chart: matplotlib is not installed (pip install 'sayso[charts]')",
    },
    "fr": {
        "hour": "heure", "day": "jour", "week": "semaine du", "service": "service", "per_hour": "par heure",
        "per_day": "par jour", "per_week": "par semaine", "per_service": "par service", "total": "total",
        "no_data": "pas de données", "everything": "tous les services", "overall": "sur toute la période",
        "each_hour": "chaque heure ({zone})", "each_day": "chaque jour ({zone})",
        "each_week": "chaque semaine ({zone})", "each_service": "chaque service", "how": "Mode de calcul",
        "computed": "{query} pour {rows}, {span}, d'après {source}",
        "origin": "comprend des données « {value} » (origin={value})", "failed": "dont {value} en échec",
        "gaps": "{value} lignes sur {count} sans données", "stopped": "arrêté ({why}) : rien avant {at} ne compte",
        "no_chart": "pas de graphique : matplotlib n'est pas installé (pip install 'sayso[charts]')",
    },
}  # fmt: skip


def language(locale: str) -> str:
    """The language a report is written in; English where there are no words for the one asked for."""
    return locale[:2] if locale[:2] in WORDS else "en"
