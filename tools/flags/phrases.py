"""How people ask about feature flags."""

from tools.contract import examples

FLAG = examples(
    en="""
    is the flag {flag} on?
    how is the feature flag {flag} set in {environment}?
    is {flag} enabled in {environment}
    show me the flag {flag}
    what is the state of the flag {flag}
    which value does {flag} have in {environment}?
    is the feature {flag} switched on
    who gets the feature flag {flag}
    check the flag {flag} in {environment}
    feature flag {flag}, on or off?
    """,
    fr="""
    le flag {flag} est-il activé ?
    quel est l'état du flag {flag} en {environment} ?
    est-ce que {flag} est activé en {environment}
    montre le feature flag {flag}
    quelle valeur a le flag {flag} ?
    le flag {flag} est-il allumé en {environment}
    """,
)

SET = examples(
    en="""
    set the flag {flag} {value} in {environment}
    turn the flag {flag} {value} in {environment}
    switch the feature flag {flag} {value}
    switch {flag} {value} in {environment}
    turn {flag} {value}
    set the feature {flag} to {value}
    please flip the flag {flag} to {value} on {environment}
    put the feature flag {flag} {value}
    make the flag {flag} {value} in {environment}
    toggle the flag {flag} {value} in {environment}
    """,
    fr="""
    passe le flag {flag} à {value} en {environment}
    mets le flag {flag} à {value}
    règle le feature flag {flag} sur {value} en {environment}
    bascule le flag {flag} sur {value}
    change le flag {flag} en {value} en {environment}
    peux-tu mettre le flag {flag} à {value} en {environment} ?
    """,
)
