"""How people ask for a cause."""

from tools.contract import examples

INVESTIGATE = examples(
    en="""
    why is {service} slow?
    why is {service} failing in {environment}
    what is wrong with {service}?
    investigate the errors of {service}
    find the cause of the trouble with {service}
    why do customers get errors at {service}
    what broke {service}
    root cause of the failures of {service}
    why did the latency of {service} go up
    something is wrong with {service}, what is it?
    is something wrong with {service}?
    diagnose {service} in {environment}
    why does {service} log warnings?
    """,
    fr="""
    pourquoi {service} est lent ?
    pourquoi {service} échoue en {environment} ?
    quel est le problème de {service} ?
    cherche la cause des erreurs de {service}
    qu'est-ce qui ne va pas avec {service} ?
    quelle est la cause racine des pannes de {service}
    pourquoi les clients ont des erreurs sur {service} ?
    diagnostique {service}
    d'où viennent les erreurs de {service} ?
    """,
)
