"""How people ask for a metric."""

from tools.contract import examples

METRICS = examples(
    en="""
    {metric} of {service}
    what's the {metric} of {service} right now?
    p95 latency of {service} over the last hour
    how slow is {service} in {environment}
    error rate on {service} since noon
    show me the request rate of {service} for the past 24h
    how much memory is {service} using
    cpu usage of {service} in {environment} over the last 2 hours
    is {service} slower than before?
    how many requests per second does {service} get
    how full is the connection pool of {service}?
    did the {metric} of {service} go up today
    are payments failing more than an hour ago?
    graph the {metric} of {service} for the last 30 minutes
    how much traffic are we getting
    has the latency of {service} improved since the rollback
    """,
    fr="""
    {metric} de {service}
    quel est le taux d'erreur de {service} en ce moment ?
    latence p95 de {service} sur la dernière heure
    combien de mémoire utilise {service}
    {service} est-il plus lent que d'habitude ?
    utilisation cpu de {service} en {environment} depuis 2 heures
    combien de requêtes par seconde reçoit {service} ?
    est-ce que les paiements échouent plus qu'avant ?
    trafic de {service} depuis midi
    temps de réponse de {service} aujourd'hui
    """,
)

PROMQL = examples(
    en="""
    run the promql query "{query}"
    promql "{query}"
    evaluate the query "{query}" in prometheus
    prometheus query "{query}" over the last hour
    execute this promql: "{query}"
    ask prometheus for "{query}"
    plot the promql expression "{query}"
    what does "{query}" come to in prometheus
    promql "{query}" since noon
    query prometheus with "{query}"
    """,
    fr="""
    exécute la requête promql "{query}"
    requête prometheus "{query}" sur la dernière heure
    promql "{query}" depuis midi
    évalue l'expression promql "{query}"
    demande à prometheus "{query}"
    que donne la requête prometheus "{query}"
    """,
)

ALIASES = {
    "request_rate": """
        request rate; requests per second; requests per minute; throughput; traffic; rps; qps; load; requests;
        débit; trafic; requêtes par seconde; nombre de requêtes; charge""",
    "error_rate": """
        error rate; failure rate; error ratio; failing requests; failed requests; 5xx; 5xx rate; share of errors;
        taux d'erreur; taux d'erreurs; taux d'échec; pourcentage d'erreurs""",
    "latency_p50": """
        p50; median latency; median; 50th percentile; latency p50; typical latency;
        latence p50; médiane; latence médiane; temps de réponse médian""",
    "latency_p95": """
        p95; 95th percentile; latency; latency p95; response time; response times; slow; slower; how fast; delay;
        latence; latence p95; 95e percentile; temps de réponse; lenteur; lent; lente""",
    "latency_p99": """
        p99; 99th percentile; latency p99; tail latency; worst latency; slowest requests;
        latence p99; 99e percentile; pire latence""",
    "saturation": """
        saturation; connection pool; pool; pool usage; connections in use; db pool; how full; database connections;
        pool de connexions; connexions utilisées; connexions""",
    "cpu": "cpu; cpu usage; processor; compute; processeur; utilisation cpu; usage cpu",
    "memory": "memory; memory usage; ram; rss; mem; mémoire; mémoire vive; utilisation mémoire; consommation mémoire",
    "payments": "payments; payment rate; payments per minute; paiements; paiements par minute",
    "failed_payments": """
        failed payments; failing payments; payment failures; payments failed; payments failing; declined payments;
        paiements échoués; paiements en échec; échecs de paiement; paiements ratés; paiements échouent""",
}


def aliases() -> dict[str, str]:
    """Other words for the metrics: phrase -> metric."""
    return {
        " ".join(phrase.split()): metric
        for metric, phrases in ALIASES.items()
        for phrase in phrases.split(";")
        if phrase.strip() and " ".join(phrase.split()) != metric
    }
