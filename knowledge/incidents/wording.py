"""The words by which symptoms, causes and fixes are known in English and French, and how sure each makes us.

Weights: 5 a label says it ("Root cause: ..."), 3 it is said outright ("caused by", "rolled back"), 2 in passing, 1 only
together with the sentence before ("This led to ..."), 0 not at all. A question, a plan or an attempt says nothing,
whatever its words.
"""

import re

LABELLED, OUTRIGHT, PASSING, LEANING = 5, 3, 2, 1


def _any(words: str) -> re.Pattern[str]:
    """Any of these expressions, each between the ends of words; they are parted by bars with spaces, and by lines."""
    parted = re.split(r"\s+\|\s+|\s*\n\s*", words.strip())
    return re.compile(rf"\b(?:{'|'.join(parted)})\b", re.IGNORECASE)


_SYMPTOM = _any(r"""
    fail(?:s|ed|ing|ures?)? | errors? | unavailable | outage | down | crash\w* | time[sd]?[- ]?outs? | timing out | slow
    (?:un|not )able to | cannot | can't | (?:could|did|does|do) not | (?:could|did|does|do)n't | aren't | isn't
    degraded
    disrupt\w* | exhaust\w* | no space | expired | lost | missing | not (?:being )?\w+ed | stopped | stuck | wrong
    reject\w* | refus\w* | denied | \w*not ?ready | pending | no longer | never | higher | lower | late | twice | full
    alerts? | unhealthy | interrupt\w* | [45]\d\d | 5xx | red | problems?
    panne | lente?s? | lenteurs? | erreurs? | échou\w+ | échecs? | indisponibles? | coupure | impossible | bloqu\w+
    ne (?:répond|fonctionne|démarre)\w* | expiré\w* | saturé\w* | hors service | perdu\w*
""")
_SUPPOSED = _any(r"""
    if | would | wouldn't | could (?:be|have|become) | should | giving | to (?:avoid|prevent) | not affected
    failed to verify | suspect\w* | si
""")
_CAUSE_LABEL = re.compile(
    r"\b(?:root[- ]cause|underlying (?:issue|cause|problem)|cause (?:racine|première|profonde))"
    r"(?: (?:found|identified|trouvée))?\s*(?:\*\*)?\s*(?::| was\b| is\b| est\b| était\b)"
    r"|^\W*causes?\s*(?:\*\*)?\s?:",
    re.IGNORECASE,
)
_CAUSE_OUTRIGHT = _any(r"""
    caused by | (?:was|were|is|are) due to | due (?:to )?(?!this|that|these|to\b)\w+ | because | resulted from
    stem(?:med|s) from | triggered (?:by|a bug) | turned out | the culprit | (?:reason|trigger) (?:was|is)
    causée?s? par | à cause d\w* | en raison d\w* | parce qu\w* | provoquée?s? par | due? à | dû à
    (?:l'origine|la cause) (?:est|était|vient)
""")
_CAUSE_PASSING = _any(r"""
    caus(?:ed|ing|es) | (?:would|which|that|to) cause | led to | leading to | result(?:ed|ing|s) in | meant that
    meaning that | misconfigur\w+ | expires? | expired | ran out | overwr\w+ | forgot\w* | bug in | mistaken\w*
    accidentally | unintention\w+ | accidental | not put back
    a entraîné | entraînant | provoqu\w+ | oublié\w* | expiré\w*
""")
_LEANS = re.compile(
    r"^\W*(?:but |and |so |however,? )?(?:this|that|it|they|these|which|cela|ceci|ça)\b", re.IGNORECASE
)
_NO_CAUSE = _any(r"""
    investigat\w+ | (?:another|different|same) root cause | not (?:\w+ )?(?:caused|due|because|affected)
    cause (?:is |was |remains )?(?:still )?(?:un\w+|not|analysis|discovered|later|found later)
    find (?:the )?(?:root )?cause
    may(?:be)? | might | perhaps | could be | possibl\w+ | potentially | peut-être | decided | delayed | later than
    notified | reported | trying to | still an? | further | th(?:e|is|at) (?:\w+ )?fix | to remedy
""")
_ACT = _any(r"""
    re-?started | re-?attach\w* | renewed | replaced | patched | upgraded | downgraded | removed | deleted | disabled?
    re-?enabled | terminated | killed | rolled over | scaled | increased | lowered | moved | rebuilt | recreated
    (?:raised|changed|set|switched) (?:back )?(?:to|from) | re-?deployed | re-?ran | manual(?:ly)? \w+ | hot-?fix
    put back | now (?:refuses|has|have|sends|keeps) | have now changed | new (?:certificates?|tokens?|instances?)
    promoted | failed over | failover\b.{0,60} done | rollback | cleaned | cleared | unblocked | toggled
    redémarré\w* | remplacé\w* | supprimé\w* | désactivé\w* | renouvelé\w* | relancé\w* | annulé\w*
""")
_RESULT = _any(r"""
    resolved | solved? | restor\w+ | fixed | back to (?:normal|\d\w*) | works? again | starts again | started working
    working (?:again|as|fine|correctly) | recovered | mitigated | operational | all healthy | healthy (?:again|after)
    confirmed working | verified | no more | (?:errors? |are )*gone | (?:is|are) live | live on | in place | any ?more
    permanent\w* | back (?:up|online) | fall to
    rétabli\w* | résolu\w* | corrigé\w* | (?:de|à) nouveau | revenue?s? à la normale | plus d'erreurs?
""")
_ACT_THAT_HELPED = _any(r"""
    rolled back | roll(?:ing)?[- ]?backs? (?:performed|completed|done|to) | rolling back | reverted
    (?:fixed|resolved|solved|mitigated|restored|remedied) (?:\w+ )?(?:by|with|via|through)
    (?:applied|implemented|deployed|released|merged) (?:\w+ ){0,4}fix | (?:real|proper|lasting) fix
    fix(?:es)? (?:was |were )?(?:\w+ )?(?:applied|deployed|committed|released|implemented|merged)
    retour arrière (?:effectué|fait|terminé) | corrigée? (?:par|en) | résolue? (?:par|en)
""")
_FIX_LABEL = re.compile(
    r"^\W*(?:fix|fixed|recovery|resolution|solution|correction|correctif|mitigation|résolution)\s*(?:\*\*)?\s?:",
    re.IGNORECASE,
)
_NO_FIX = _any(r"""
    propos\w+ | suggest\w* | should | could | would | will | shall | plan(?:s|ned)? to | want | need(?:s|ed)? to
    going to | try(?:ing)? | tried | attempt\w* | not (?:yet )?(?:fixed|resolved|solved|work\w*|help\w*|restored)
    did not | didn't | does nothing | fully down | initiated | started (?:to|the|on) | beg(?:in|an|un) | in case
    to (?:find|verify|see|check) | instead of | decided (?:to|not) | discover\w* | investigat\w+ | unfortunately
    still (?:fail|return|down|not|broken|see)\w* | breaking | unintention\w+ | accident\w+ | bad state | potential fix
    devrai\w+ | pourrai\w+ | essay\w+ | faut
""")
_HARM = _any(r"fail(?:s|ed|ing)? | caus(?:ed|ing) | down(?! from| to) | lost | alerts?")
_OVER = _any("closed | closing | over | résolu | clos | terminé | rétabli")
_NOTHING = re.compile(
    r"^\W*(?:tbd|tba|tbc|todo|to do|to be (?:determined|defined|added|filled)|n/?a|none|nothing|unknown|"
    r"not (?:yet )?known|pending|see (?:above|below)|under investigation|"
    r"à (?:compléter|définir|venir)|inconnue?s?|aucune?)?\W*$"
    r"|^\s*(?:<[^>]*>|\[[^\]]*\])\s*$"
    r"|\b(?:could not|cannot|can't|were unable to|was not|has not been|never) (?:\w+ )?(?:be )?"
    r"(?:find|found|determine\w*|identif\w+)"
    r"|\b(?:root )?cause (?:is|was|remains) (?:still )?(?:unknown|unclear|not (?:yet )?known)"
    r"|\b(?:pas|jamais) (?:été )?(?:trouvé|identifié|déterminé)\w*",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"\b(?:INC|PIR|RCA)[-_ ]?\d{1,6}(?:-\d{1,6})?\b|\bPM-?\d{2,6}(?:-\d{1,6})?\b|\b[Ii]ncident #\d{1,6}\b"
)
_SEVERITY = re.compile(
    r"\b(?:sev(?:erity|érité)?|gravité|priority|priorité)\b\s*[-:#=]?\s*"
    r"(?P<word>[0-5]\b|critical|high|major|medium|moderate|minor|low|critique|majeure?|mineure?)"
    r"|\bsev-?(?P<number>[0-5])\b",
    re.IGNORECASE,
)


def tells_trouble(text: str) -> bool:
    """Whether a text has words of trouble that happened, not of trouble that might."""
    return bool(_SYMPTOM.search(text)) and not _SUPPOSED.search(text)


def cause_weight(text: str) -> int:
    """How plainly a sentence says what an incident came from."""
    if _asks(text) or _NO_CAUSE.search(text) or _FIX_LABEL.search(text) or says_nothing(text):
        return 0
    if _CAUSE_LABEL.search(text):
        return LABELLED
    if _CAUSE_OUTRIGHT.search(text):
        return OUTRIGHT
    if not _CAUSE_PASSING.search(text):
        return 0
    return LEANING if leans(text) else PASSING


def fix_weight(text: str) -> int:
    """How plainly a sentence says what was done and that it helped; the act alone says it in passing."""
    if _asks(text) or says_nothing(text):
        return 0
    if _FIX_LABEL.search(text):
        return LABELLED
    if _NO_FIX.search(text):
        return 0
    if _ACT_THAT_HELPED.search(text):
        return OUTRIGHT
    if _HARM.search(text) or not _ACT.search(text):
        return 0
    return OUTRIGHT if _RESULT.search(text) else PASSING


def leans(text: str) -> bool:
    """Whether a sentence speaks of what the one before it said."""
    return bool(_LEANS.search(text))


def says_it_is_well(text: str) -> bool:
    """Whether it says that things work again."""
    return bool(_RESULT.search(text)) and not _NO_FIX.search(text)


def says_it_is_over(text: str) -> bool:
    """Whether an incident is declared over."""
    return bool(_OVER.search(text)) and not _asks(text)


def says_nothing(text: str) -> bool:
    """Whether a section was left empty, or says that nobody knows."""
    return bool(_NOTHING.search(text))


def _asks(text: str) -> bool:
    return text.rstrip(' "»)*`').endswith("?")


def key_in(text: str) -> str | None:
    """The first name of an incident in a text, such as `INC-112` or `PM2021-005`."""
    found = _KEY.search(text)
    return found.group() if found else None


def severity_in(text: str) -> str | None:
    """How severe a text says it is, in its own word or figure."""
    found = _SEVERITY.search(text)
    return (found["word"] or found["number"]).lower() if found else None
