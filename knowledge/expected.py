"""The kind of thing a question asks for, by its form, and whether a text has one.

"When did it expire?" asks for a time, "what does it cost?" for money: a passage about all of it without such a thing is
about the subject and answers nothing, and neither cosines nor shared words see that. Question answering has told by the
expected type since its first systems, and wrong types were their costliest errors (Moldovan et al., "Performance issues
and error analysis in an open-domain question answering system", 2003). Here a few rules for English and French, for the
kinds that can be told by their form.
"""

import re
from enum import Enum

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|"
    "jan|feb|apr|aug|sept?|oct|nov|dec"
)
_DAYS = (
    "(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:lun|mar|mercre|jeu|vendre|same)dis?|dimanches?|"
    "today|tomorrow|yesterday|tonight|aujourd'hui|demain|hier|weekends?|week-ends?|christmas|noël"
)
_SPANS = (
    "seconds?|minutes?|mins?|hours?|days?|weeks?|months?|quarters?|years?|nights?|mornings?|evenings?|noon|midnight|"
    "secondes?|heures?|jours?|semaines?|mois|trimestres?|an|ans|années?|nuits?|matins?|soirs?|midi|minuit|"
    "monthly|weekly|daily|quarterly|yearly|mensuel|hebdomadaire|quotidien"
)
_COUNTED = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|hundred|thousand|"
    "half|once|twice|thrice|double|none|deux|trois|quatre|cinq|sept|huit|neuf|dix|onze|douze|quinze|vingt|trente|"
    "quarante|cinquante|cent|cents|mille|moitié|tiers|aucune?"
)
_WHAT = r"\b(?:what|which|quel(?:le)?s?)\b"


class Expected(Enum):
    """What may be asked for. The first kind whose form a question has counts."""

    PHONE = "phone"
    ADDRESS = "address"
    LINK = "link"
    VERSION = "version"
    SHARE = "share"
    MONEY = "money"
    NUMBER = "number"
    TIME = "time"
    PERSON = "person"

    def in_(self, text: str) -> bool:
        """Whether a text has one."""
        return _HAS[self].search(text) is not None


_FORMS = {
    Expected.PHONE: r"\bphone numbers?\b|\btelephone\b|\bnuméros? de (?:téléphone|portable|mobile)\b",
    Expected.ADDRESS: r"\be-?mail address(?:es)?\b|\badresses? (?:e-?)?mail\b|\badresses? électroniques?\b",
    Expected.LINK: r"\burl\b|\blink to\b|\bliens? vers\b",
    Expected.VERSION: rf"{_WHAT}[^?!.,]{{0,30}}\bversion\b",
    Expected.SHARE: r"\bpercent(?:age)?\b|\bpourcentage\b|\bwhat share\b|\bquelle (?:part|proportion)\b",
    Expected.MONEY: (
        r"(?:\bwhat\b|\bhow much\b|\bquel(?:le)?s?\b|\bcombien\b).*"
        r"\b(?:costs?|price|budget|salary|salaries|rent|fees?|co[uû]t\w*|prix|tarifs?|loyer|salaires?)"
        r"(?=\s*\?|\s*$|\W+(?:of|for|is|was|us|per|a|each|in|de|du|des|d|pour|par|en|mensuel|annuel|moyen)\b)"
    ),
    Expected.NUMBER: (
        r"\bhow (?:many|much|long|often|far|high|big|large|stale|old|late|fast)\b|\bcombien\b|\bà partir de quand\b|"
        rf"{_WHAT}[^?!.,]{{0,30}}\b(?:number|amount|limit|threshold|size|quota|"
        r"nombre|montant|limite|seuil|taille|durée|délai|âge)\b"
    ),
    Expected.TIME: (
        r"(?:^|[,:;]\s*|\b(?:and|et|since|until|from|c'est|depuis|jusqu'à) )(?:when|quand)\b(?!.*,)|\bquand\s*\?|"
        rf"{_WHAT} (?:day|date|time|week|month|year|jour|date|heure|semaine|mois|année)\b"
    ),
    Expected.PERSON: r"(?:^|[,:;]\s*|\b(?:and|or|to|by|est-ce|à|de|par|et|c'est) )(?:who|whom|whose|qui)\b",
}
_LOOKS = {
    Expected.PHONE: r"(?<![\w.,:-])(?!\d{4}-\d\d)\+?\(?\d(?:[\s().-]{0,2}\d){6,}(?![\w:])",
    Expected.ADDRESS: r"\S@\S+\.\w",
    Expected.LINK: r"https?://|\]\(",
    Expected.VERSION: r"\d+\.\d",
    Expected.SHARE: (
        rf"%|\b(?:per|pour) ?cent\b|\b(?:half|third|quarter|moitié|tiers|quart)\b|\bin (?:{_COUNTED}|\d+)\b"
    ),
    Expected.MONEY: r"[€$£]|\b(?:eur|euros?|usd|gbp|chf|dollars?|pounds?|francs?|cents?|centimes?|free|gratuite?s?)\b",
    Expected.NUMBER: rf"\d|\b(?:{_COUNTED})\b",
    Expected.TIME: rf"\b(?:{_MONTHS}|{_DAYS}|{_SPANS})\b|\d:\d\d|\d{{4}}-\d\d|\b\d+ ?h\b",
    # A name, or somebody addressed; and who they are to others.
    Expected.PERSON: (
        r"@\w|(?-i:(?<=[^\s.?!:] )[A-ZÀ-Þ][a-zà-ÿ]+)|"
        r"\b(?:team|équipe|on-call|astreinte|lead|manager|owners?|everybody|nobody|personne)\b"
    ),
}
_SUBJECT = re.compile(
    r"\b(?:what|which|whose|quel(?:le)?s?|how (?:many|much)|combien(?: de)?)\b", re.IGNORECASE
)
_ASKS = {kind: re.compile(form, re.IGNORECASE) for kind, form in _FORMS.items()}
_HAS = {kind: re.compile(form, re.IGNORECASE) for kind, form in _LOOKS.items()}


def expected(question: str) -> Expected | None:
    """The kind of thing a question asks for; None when its form does not tell."""
    return next((kind for kind, form in _ASKS.items() if form.search(question)), None)


def asked_after(question: str) -> str:
    """What follows the asking word, so that it begins with the thing asked for: "which tool", "how many days"."""
    found = _SUBJECT.search(question)
    return "" if found is None else question[found.end() :]
