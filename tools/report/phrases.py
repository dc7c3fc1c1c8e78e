"""How people ask for a report, and what they call measures, rows and periods."""

from collections.abc import Mapping

from tools.contract import examples

REPORT = examples(
    en="""
    failed payments by day last week
    make me a weekly report of errors
    report of {measure} by {by}
    chart the requests of {service} per hour today
    how many payments failed each day this week?
    deployment summary for the last 30 days
    give me a table of errors per service yesterday
    monthly report of deployments
    number of {measure} per day this month
    csv of failed payments by hour yesterday
    plot p95 latency of {service} per day last week
    weekly summary of payments
    how many requests did {service} serve each hour
    breakdown of errors by service for last week
    error statistics of {service} this month
    """,
    fr="""
    paiements échoués par jour la semaine dernière
    fais-moi un rapport hebdomadaire des erreurs
    rapport des {measure} par {by}
    bilan des déploiements du mois dernier
    graphique des requêtes de {service} par heure aujourd'hui
    combien de paiements ont échoué chaque jour cette semaine ?
    tableau des erreurs par service hier
    résumé mensuel des déploiements
    évolution de la latence p95 de {service} par jour
    statistiques d'erreurs de {service} sur 30 jours
    """,
)

MEASURE_WORDS: Mapping[str, str] = {
    "error": "errors", "failures": "errors", "failed requests": "errors", "failing requests": "errors",
    "exceptions": "errors", "erreur": "errors", "erreurs": "errors", "requêtes en échec": "errors", "échecs": "errors",
    "traffic": "requests", "request": "requests", "trafic": "requests", "requêtes": "requests",
    "failed payments": "failed_payments", "payments failed": "failed_payments", "payment failures": "failed_payments",
    "failing payments": "failed_payments", "declined payments": "failed_payments",
    "payments that failed": "failed_payments",
    "paiements échoués": "failed_payments", "paiements ratés": "failed_payments",
    "échecs de paiement": "failed_payments",
    "paiements en échec": "failed_payments", "paiements ont échoué": "failed_payments",
    "payments did fail": "failed_payments", "payment": "payments", "paiement": "payments", "paiements": "payments",
    "error lines": "log_errors", "log errors": "log_errors", "errors in the logs": "log_errors",
    "logged errors": "log_errors", "lignes d'erreur": "log_errors", "erreurs dans les logs": "log_errors",
    "deployment": "deployments", "deploys": "deployments", "releases": "deployments", "rollbacks": "deployments",
    "changes": "deployments", "déploiement": "deployments", "déploiements": "deployments",
    "mises en production": "deployments", "livraisons": "deployments",
    "error rate": "error_rate", "failure rate": "error_rate", "taux d'erreur": "error_rate",
    "taux d'échec": "error_rate",
    "p50": "latency_p50", "median latency": "latency_p50", "latence médiane": "latency_p50",
    "p95": "latency_p95", "latency": "latency_p95", "response time": "latency_p95", "response times": "latency_p95",
    "95th percentile": "latency_p95", "latence": "latency_p95", "latence p95": "latency_p95",
    "temps de réponse": "latency_p95",
    "p99": "latency_p99", "99th percentile": "latency_p99", "latence p99": "latency_p99",
}  # fmt: skip

BY_WORDS: Mapping[str, str] = {
    "by hour": "hour", "per hour": "hour", "each hour": "hour", "every hour": "hour", "hour by hour": "hour",
    "hourly": "hour", "par heure": "hour", "chaque heure": "hour", "heure par heure": "hour",
    "by day": "day", "per day": "day", "each day": "day", "every day": "day", "day by day": "day",
    "par jour": "day", "chaque jour": "day", "jour par jour": "day",
    "by week": "week", "per week": "week", "each week": "week", "week by week": "week",
    "par semaine": "week", "chaque semaine": "week",
    "by service": "service", "per service": "service", "each service": "service", "for each service": "service",
    "par service": "service", "pour chaque service": "service",
}  # fmt: skip

PERIOD_WORDS: Mapping[str, str] = {
    "aujourd'hui": "today", "ce jour": "today", "hier": "yesterday", "veille": "yesterday",
    "last 24 hours": "24h", "past day": "24h", "last day": "24h", "24 hours": "24h", "daily": "24h",
    "24 dernières heures": "24h", "24 heures": "24h", "quotidien": "24h", "journalier": "24h",
    "this week": "this_week", "current week": "this_week", "cette semaine": "this_week",
    "last week": "last_week", "previous week": "last_week", "past week": "last_week",
    "semaine dernière": "last_week", "la semaine dernière": "last_week", "semaine passée": "last_week",
    "semaine précédente": "last_week", "dernière semaine": "last_week",
    "last 7 days": "7d", "past 7 days": "7d", "7 days": "7d", "week": "7d", "weekly": "7d",
    "7 derniers jours": "7d", "7 jours": "7d", "hebdo": "7d", "hebdomadaire": "7d", "semaine": "7d",
    "this month": "this_month", "current month": "this_month", "ce mois": "this_month", "ce mois-ci": "this_month",
    "last month": "last_month", "previous month": "last_month", "mois dernier": "last_month",
    "le mois dernier": "last_month", "mois passé": "last_month",
    "last 30 days": "30d", "30 days": "30d", "month": "30d", "monthly": "30d", "30 derniers jours": "30d",
    "30 jours": "30d", "mensuel": "30d", "mensuelle": "30d", "mois": "30d",
}  # fmt: skip
