"""Which of the languages sayso speaks a text is in, by its most common small words."""

import re

_WORDS = re.compile(r"[a-zàâçéèêëîïôûùüÿœ]+")
_FRENCH = frozenset(
    """
    le la les un une des du de au aux et est sont que qui quoi quel quelle quels quelles pourquoi comment combien où
    depuis hier aujourd hui dans sur en pour avec sans pas ne ce cette ces mon ma mes nous vous je tu il elle on y
    fais fait mets montre donne redémarre reviens déploie erreurs dernière dernières derniers semaine jours merci
    bonjour salut va échouent paiements marche quand tourne
    """.split()  # noqa: SIM905 - a list of words is read, not a list of quotes
)
_ENGLISH = frozenset(
    """
    the a an and is are was were what which who why how when where since yesterday today in for with without not
    this that these my we you i it do does did can show give make restart roll back deploy errors last week days
    thanks hello please have has been to of from at
    """.split()  # noqa: SIM905
)


def language_of(text: str, otherwise: str) -> str:
    """`en` or `fr`; `otherwise` when the text does not tell."""
    words = _WORDS.findall(text.lower())
    french = sum(word in _FRENCH for word in words) + sum(sign in "àâçéèêëîïôûùœ" for sign in text.lower())
    english = sum(word in _ENGLISH for word in words)
    if french == english:
        return otherwise
    return "fr" if french > english else "en"
