"""What kind of answer a question wants - a number, a sum, a date, a telephone number - and whether a text has one.

A passage about the party says nothing of its budget: all words of a question may be there, and the answer not. This
is the answer type of question answering (Li and Roth, "Learning question classifiers", 2002), by rules, for the few
types that show in a text.
"""

import re
from collections.abc import Iterator

_MONTHS = (
    r"jan(?:uary|vier)?|feb(?:ruary)?|févr(?:ier)?|mar(?:ch|s)|apr(?:il)?|avril|ma[iy]|june?|juin|july?|juillet|"
    r"aug(?:ust)?|août|sept(?:ember|embre)?|oct(?:ober|obre)?|nov(?:ember|embre)?|dec(?:ember)?|déc(?:embre)?"
)
_DAYS = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|lundis?|mardis?|mercredis?|jeudis?|vendredis?|samedis?|dimanches?|"
    r"today|tomorrow|yesterday|tonight|aujourd'hui|demain|hier|noon|midnight|midi|minuit|daily|nightly|weekly|monthly"
)
_MOMENT = re.compile(
    rf"\b(?:{_MONTHS})\b|\b(?:{_DAYS})\b|\b\d{{1,2}}[:h]\d{{2}}\b|\b\d{{1,2}}\s?(?:am|pm|h)\b|\b\d{{4}}-\d\d-\d\d\b|"
    r"\b(?:19|20)\d\d\b|\b\d{1,2}/\d{1,2}\b|\b(?:every|each|chaque|tous les|toutes les)\b|"
    r"\b(?:before|after|until|avant|après|jusqu)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|%|\b(?:no|none|once|twice|one|two|three|four|five|six|seven|eight|nine|ten|twelve|dozen|hundred|half|"
    r"aucune?|une?|deux|trois|quatre|cinq|sept|huit|neuf|dix|douze|quinze|vingt|trente|cent|mille|moitié)\b",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"[€$£]|\b(?:euros?|eur|usd|dollars?|pounds?|cents?|centimes?|free|gratuit\w*)\b", re.IGNORECASE
)
_PHONE = re.compile(r"(?:\+|\b0)\d(?:[ .\-()]?\d){6,}")
_VERSION = re.compile(r"\b\d+(?:\.\d+)+\b|\bv\d+\b|\b[A-Z][\w-]*[ -]\d+\b")
_ADDRESS = re.compile(r"\S@\S|https?://|\bwww\.")

# What a question says when it wants such an answer; the first that fits counts.
_WANTS = (
    (_PHONE, re.compile(r"\b(?:(?:tele)?phone number|number (?:do|can|should) (?:i|we) (?:call|dial)|"
                        r"numéro de (?:téléphone|portable)|quel numéro appeler)\b", re.IGNORECASE)),
    (_ADDRESS, re.compile(r"\b(?:e-?mail address|adresse (?:e-?mail|mail|électronique)|(?:what|which) url|"
                          r"quelle url)\b", re.IGNORECASE)),
    (_VERSION, re.compile(r"\b(?:(?:what|which) versions?|quelles? versions?|versions? of)\b", re.IGNORECASE)),
    (_MONEY, re.compile(r"\b(?:how much (?:does|do|did|is|are|was|will|would|money)|costs?|budget|price|salary|"
                        r"coût(?:e|ent|er|era|aient|ait)?|prix|tarif|salaire|combien (?:ça |cela )?coûte\w*)\b",
                        re.IGNORECASE)),
    (_NUMBER, re.compile(r"\b(?:how (?:many|much|long|often|old|big|large|far|fast)|combien)\b", re.IGNORECASE)),
    (_MOMENT, re.compile(r"^\W*(?:since |until |depuis |jusqu'à )?(?:when|quand)\b|\b(?:what|which) (?:day|date|time|"
                         r"month|year)\b|\b(?:quel jour|quelle date|quelle heure|quel mois|quelle année)\b|"
                         r"[,;:] (?:when|quand)\b", re.IGNORECASE)),
)  # fmt: skip


def wanted(question: str) -> "re.Pattern[str] | None":
    """What an answer to a question must have in it; None where nothing that shows."""
    return next((answer for answer, asked in _WANTS if asked.search(question)), None)


def lacks(question: str, text: str) -> bool:
    """Whether a text cannot be the answer: it has nothing of the kind that the question does not say itself."""
    answer = wanted(question)
    if answer is None:
        return False
    said = {found.lower() for found in _all(answer, question)}
    return all(found.lower() in said for found in _all(answer, text))


def _all(pattern: "re.Pattern[str]", text: str) -> Iterator[str]:
    return (found[0] for found in pattern.finditer(text))
