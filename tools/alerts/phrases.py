"""How people ask about alerts."""

from tools.contract import examples

ALERTS = examples(
    en="""
    which alerts are firing?
    what alerts fire for {service} in {environment}
    any alerts on {service}?
    show me the active alerts
    is anything paging right now
    list the alerts of {service}
    what is alerting in {environment}?
    since when does the alert "{alert}" fire
    which alerts are silenced
    open alerts in {environment}
    what woke up the on-call, which alert
    is there a runbook for the alert "{alert}"?
    """,
    fr="""
    quelles alertes sont actives ?
    y a-t-il des alertes sur {service} ?
    montre les alertes de {service} en {environment}
    liste les alertes en cours
    quelles alertes sont en sourdine
    depuis quand l'alerte "{alert}" est-elle active ?
    des alertes en {environment} ?
    """,
)

SILENCE = examples(
    en="""
    silence the alert "{alert}" for {duration}
    silence "{alert}" of {service} for {duration}
    mute the alert "{alert}" in {environment} for {duration}
    please mute "{alert}" for {duration}
    snooze the alert "{alert}" for {duration}
    keep "{alert}" quiet for {duration}
    stop "{alert}" from paging for {duration}
    silence alert "{alert}" on {service} in {environment}
    can you mute the "{alert}" alert of {service}?
    put the alert "{alert}" on mute for {duration}
    """,
    fr="""
    mets l'alerte "{alert}" en sourdine pendant {duration}
    fais taire l'alerte "{alert}" de {service} pendant {duration}
    coupe l'alerte "{alert}" pendant {duration}
    mets en sourdine "{alert}" en {environment}
    rends muette l'alerte "{alert}" pour {duration}
    silence sur l'alerte "{alert}" pendant {duration}
    """,
)

UNSILENCE = examples(
    en="""
    unsilence the alert "{alert}"
    unmute the alert "{alert}"
    end the silence of "{alert}"
    lift the silence on "{alert}" for {service}
    let the alert "{alert}" notify again
    remove the mute from "{alert}" in {environment}
    unmute "{alert}" of {service}
    unsnooze the alert "{alert}"
    expire the silence of "{alert}" in {environment}
    cancel the silence for the alert "{alert}"
    """,
    fr="""
    réactive l'alerte "{alert}"
    lève la sourdine de l'alerte "{alert}"
    enlève la sourdine de "{alert}" pour {service}
    termine le silence de l'alerte "{alert}"
    réactive l'alerte "{alert}" de {service} en {environment}
    annule la mise en sourdine de "{alert}"
    """,
)
