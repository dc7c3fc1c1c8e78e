"""How people ask for what is known."""

from tools.contract import examples

KNOWLEDGE = examples(
    en="""
    who owns {service}?
    where is the runbook for {service}
    how do I rotate the TLS certificates?
    what did we decide about the payment timeout
    have we seen this before?
    what happened in the last {service} outage
    which team is responsible for {service}
    find the post-mortem of the {service} incident
    how do I handle a slow payment provider?
    what is our policy for deploying on Fridays
    why did {service} go down in June
    is there documentation about scaling {service}
    who should I contact about {service}?
    what was the root cause of the {service} incident
    search slack for connection pool
    what does the alert about a full connection pool mean?
    how did we fix the cache stampede last time
    """,
    fr="""
    qui est responsable de {service} ?
    où est la procédure pour {service} ?
    comment renouveler les certificats TLS ?
    qu'avait-on décidé pour le délai de paiement
    est-ce que c'est déjà arrivé ?
    que s'est-il passé lors du dernier incident de {service} ?
    comment rembourser un client ?
    quelle équipe gère {service} ?
    trouve le post-mortem de la panne de {service}
    quelle est la règle pour les déploiements du vendredi ?
    cherche dans la documentation comment annoncer une panne
    """,
)
