"""How people ask for tickets."""

from tools.contract import examples

TICKETS = examples(
    en="""
    which tickets are open for {service}?
    open tickets of {service}
    list the open issues of {service}
    are there open incidents for {service}
    is there already a ticket about {service}?
    show me the tickets
    any open incident tickets right now
    what issues are open on {service}
    does {service} have a ticket for this
    incident tickets of {service}, please
    which jira issues are open for {service}
    """,
    fr="""
    quels tickets sont ouverts pour {service} ?
    liste les tickets ouverts de {service}
    y a-t-il déjà un ticket sur {service} ?
    montre les tickets d'incident
    quels incidents sont ouverts pour {service} dans jira
    les tickets en cours de {service}
    """,
)

OPEN = examples(
    en="""
    open a ticket for {service} "{title}"
    create a ticket about {service}: "{title}"
    file an issue for {service} "{title}"
    please open an incident ticket for {service} "{title}"
    raise a ticket "{title}" for {service}
    log a ticket on {service} saying "{title}"
    make a jira issue for {service} "{title}"
    can you file a bug against {service} "{title}"?
    new ticket for {service}: "{title}"
    write a ticket "{title}" about {service}
    """,
    fr="""
    ouvre un ticket pour {service} "{title}"
    crée un ticket sur {service} : "{title}"
    crée une issue pour {service} "{title}"
    peux-tu ouvrir un ticket d'incident pour {service} "{title}" ?
    nouveau ticket pour {service} "{title}"
    déclare un incident sur {service} dans un ticket "{title}"
    """,
)

COMMENT = examples(
    en="""
    comment on ticket {ticket} "{text}"
    comment "{text}" on {ticket}
    add a comment to the ticket {ticket}: "{text}"
    write "{text}" on ticket {ticket}
    add "{text}" to the issue {ticket}
    note on ticket {ticket} that "{text}"
    reply on the ticket {ticket} "{text}"
    post a comment on {ticket}: "{text}"
    tell the people on ticket {ticket} "{text}"
    update ticket {ticket} with a comment "{text}"
    """,
    fr="""
    commente le ticket {ticket} "{text}"
    ajoute un commentaire au ticket {ticket} : "{text}"
    écris "{text}" sur le ticket {ticket}
    réponds sur le ticket {ticket} "{text}"
    note sur le ticket {ticket} que "{text}"
    mets un commentaire "{text}" sur {ticket}
    """,
)

CLOSE = examples(
    en="""
    close ticket {ticket}
    close the ticket {ticket}
    close the issue {ticket}
    please close {ticket}, the ticket is done
    mark ticket {ticket} as done
    resolve the ticket {ticket}
    the ticket {ticket} can be closed
    set the issue {ticket} to closed
    finish ticket {ticket}
    can you close the incident ticket {ticket}?
    """,
    fr="""
    ferme le ticket {ticket}
    clos le ticket {ticket}
    le ticket {ticket} peut être fermé
    marque le ticket {ticket} comme terminé
    peux-tu clôturer le ticket {ticket} ?
    ferme l'issue {ticket}
    """,
)

REOPEN = examples(
    en="""
    reopen ticket {ticket}
    reopen the ticket {ticket}
    reopen the issue {ticket}
    open ticket {ticket} again
    the ticket {ticket} is not done, reopen it
    please reopen {ticket}
    put the ticket {ticket} back to open
    undo the closing of ticket {ticket}
    bring the issue {ticket} back
    can you reopen the incident ticket {ticket}?
    """,
    fr="""
    rouvre le ticket {ticket}
    réouvre le ticket {ticket}
    le ticket {ticket} n'est pas fini, rouvre-le
    remets le ticket {ticket} à ouvert
    peux-tu rouvrir le ticket {ticket} ?
    rouvre l'issue {ticket}
    """,
)
