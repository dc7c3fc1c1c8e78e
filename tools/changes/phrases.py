"""How people ask what was changed."""

from tools.contract import examples

CHANGES = examples(
    en="""
    what changed before it broke?
    what changed before {service} broke
    what changed around the time {service} started failing
    list the changes to {service} in the last 2 hours
    which pull requests were merged into {service} today
    what was released, merged or configured since this morning?
    changes near the incident on {service}
    did anybody change the configuration of {service}?
    which change could have caused the errors of {service}
    what went out to {environment} right before the outage?
    show every change to {service} in {environment} since yesterday
    what did people change before the failures began
    """,
    fr="""
    qu'est-ce qui a changé avant la panne ?
    qu'est-ce qui a changé avant que {service} tombe ?
    quels changements autour de la panne de {service}
    quelles pull requests ont été fusionnées dans {service} aujourd'hui ?
    quel changement a pu causer les erreurs de {service} ?
    liste les changements de {service} en {environment} depuis hier
    quelqu'un a-t-il changé la configuration de {service} ?
    """,
)
