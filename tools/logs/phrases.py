"""How people ask for log lines."""

from tools.contract import examples

LOGS = examples(
    en="""
    show me the errors in the {service} logs
    any errors in {service} in the last 30 minutes?
    tail the {service} logs
    grep "{contains}" in the {service} logs
    what is {service} logging in {environment}
    search the logs of {service} for "{contains}"
    warnings of {service} since noon
    how many errors did {service} log yesterday
    are there timeouts in the {service} logs on {environment}?
    find log lines containing "{contains}"
    why is {service} failing?
    what went wrong in {service} last night
    which exceptions does {service} throw most often
    check the {environment} logs of {service} over the past 2 hours
    most frequent error messages of {service} today
    why are customers seeing failures in {service}
    """,
    fr="""
    montre-moi les erreurs de {service}
    affiche les logs de {service} en {environment}
    y a-t-il des erreurs dans {service} depuis ce matin ?
    cherche "{contains}" dans les journaux de {service}
    pourquoi {service} est en panne ?
    pourquoi {service} échoue depuis hier ?
    combien d'erreurs dans les logs de {service} ces 30 dernières minutes ?
    avertissements de {service} depuis midi
    qu'est-ce qui ne va pas avec {service} ?
    lignes de log contenant "{contains}"
    """,
)
