"""Which of the languages sayso speaks a text is in, told by its small words and accents."""

import re

_WORDS = re.compile(r"[a-zàâçéèêëîïôûùüÿœ]+")
_ACCENTS = re.compile(r"[àâçéèêëîïôûùüÿœ]")
_FRENCH = frozenset(
    _WORDS.findall("""
    le la les un une des du de au aux et est sont que qui quoi quel quelle quels quelles pourquoi comment combien où
    depuis hier aujourd hui dans sur en pour avec sans pas ne ce cette ces mon ma mes nous vous je tu il elle y fais
    fait mets montre donne cherche reviens dernier dernière dernières derniers semaine jours merci bonjour salut va
    """)
)
_ENGLISH = frozenset(
    _WORDS.findall("""
    the a an and is are was were what which who why how when where since yesterday today in for with without not this
    that these my we you i it do does did can could show give make find roll back last week days thanks hello please
    have has been to of from at
    """)
)


def language_of(text: str, otherwise: str) -> str:
    """`en` or `fr`; `otherwise` when the text does not tell."""
    lowered = text.lower()
    words = _WORDS.findall(lowered)
    french = sum(word in _FRENCH for word in words) + len(_ACCENTS.findall(lowered))
    english = sum(word in _ENGLISH for word in words)
    if french == english:
        return otherwise
    return "fr" if french > english else "en"
