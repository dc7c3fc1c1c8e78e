"""What the words around a mention say of it: taken back, compared with, a target, an amount, or another sense."""

import re

_MARK = r"[\ue000-\uf8ff]"  # a mention, as it stands in the scanned sentence
REPLICAS = (
    r"replicas?|repliques?|instances?|pods?|copies|copy|copie|containers?|conteneurs?|nodes?|noeuds?|machines?"
    r"|box|boxes|exemplaires?|processes|processus|tasks?|units?|servers?|serveurs?"
)


def _words(*phrases: str) -> str:
    """An alternation of phrases given with spaces between them, each with `_` for its own spaces."""
    return "|".join(word.replace("_", " ") for phrase in phrases for word in phrase.split())


_NOT_THIS = _words(
    "not n't_touch pas instead_of rather_than au_lieu_de au_lieu_d' plutot_que except_for except sauf",
    "other_than without sans et_non et_pas et_surtout_pas mais_pas but_not leave besides apart_from hormis",
)
_RATHER = _words(
    "i_mean no_wait wait_no wait sorry rather pardon plutot enfin non scratch_that correction no actually",
    "je_veux_dire oops oups attends make_that make_it",
)
_PREPOSITIONS = _words(
    "in on to onto into at for en sur dans vers env environment environnement de from the a",
)
_OBJECTS = _words(
    "for the in through our my slack doc docs log logs everything all history chat past old knowledge",
    "runbook runbooks dans les la le des du un une to",
)
_COUNT_GOES_ON = _words(
    "in on for of please pls plz now at more extra additional instead then and to from until x total each per",
    "again asap thanks right across as because cause since it max min running up so while fewer less today",
    "en sur dans pour stp svp de maintenant merci car parce le ce cette avant au a mais but plus moins",
    "supplementaires before tonight quickly immediately vite",
)

# --- before a mention ------------------------------------------------------------------------------------------

_EXCLUDED = re.compile(rf"\b(?:{_NOT_THIS})(?: (?:on|in|to|the|for|en|sur|la|le|du|de|dans|pas))* $")
_COMPARED = re.compile(
    r"\b(?:as|like|comme|unlike|than|(?:plus|moins|autant|meme \w+) que|matches|match|matching)(?: (?:in|on"
    r"|we have in|en|sur|the one in|the))* $"
)
_FROM = re.compile(
    r"\b(?:from|de|depuis|d'|out of|was|were|currently|etait|actuellement)(?: (?:the|version|la|le))? $"
)
_TO = re.compile(
    r"\b(?:to|into|onto|a|en|vers|on|sur|at|with|back|in|dans)"
    rf"(?: (?:the|version|release|la|le|{_MARK}(?: @)?)){{0,2}} $"
)
_TAKEN_BACK = re.compile(rf"\b(?:{_RATHER})[ ,:.-]*(?:(?:in|on|to|en|sur|the|a|that|it|make|use) )*$")


# `pre-production` and `non prod` are other places than the one whose name they hold.
_OTHER_THAN = re.compile(r"(?<!\S)(?:pre|non|hors|post|pseudo|quasi) $")


def excluded(before: str) -> bool:
    """Like `not payments`, `instead of 2.4.0`, `like in staging`: named, and not meant."""
    return bool(_EXCLUDED.search(before) or _COMPARED.search(before) or _OTHER_THAN.search(before))


_CLAUSE_START = re.compile(r"(?:^|[.,;:!?] |\b(?:but|mais|and|et|then|puis) )(?=[^.,;:!?]*$)")
_FORBIDS = re.compile(
    r"(?:(?:please|pls|ok|no|non|stp|surtout|et|and|so) )*"
    r"(?:don't|do not|never|leave|forget|ignore|skip|ne |n'|touche pas|touchez pas|oublie|oubliez|laisse|laissez"
    r"|not |pas )"
)


def forbidden(before: str) -> bool:
    """Like `don't touch payments, ...`: the clause forbids, so what it names is not meant by another clause."""
    start = max((match.end() for match in _CLAUSE_START.finditer(before)), default=0)
    return bool(_FORBIDS.match(before[start:]))


def is_restored(role: str, after: str) -> bool:
    """Like `2.2.0 back on`: a version that is to come back."""
    return role == "version" and bool(re.match(r" (?:back|again)\b", after))


def left_behind(before: str) -> bool:
    """Like `from staging`: where something comes from, when another place follows."""
    return bool(_FROM.search(before))


# "restore version 2.3.9", "remets la 2.3.9": what is wanted again, not what is to be taken out.
_RESTORES = re.compile(
    r"\b(?:restor\w*|restaur\w*|reinstat\w*|reinstall\w*|remet\w*|bring back|put back|ramen\w*)"
    rf"(?: (?:the|la|le|our|version|release|old|ancienne|{_MARK}(?: @)?)){{0,3}} $"
)


def is_target(before: str) -> bool:
    """Like `to 2.3.9`, `en production`, `restore 2.3.9`: where something is to go."""
    return bool(_TO.search(before) or _RESTORES.search(before))


def takes_back(between: str) -> bool:
    """Whether the words between two mentions say that the second replaces the first: "2.4.0, no wait, 2.3.9"."""
    return bool(_TAKEN_BACK.search(between))


# --- places and services that are ordinary words too -----------------------------------------------------------

_ORDINARY_PLACES = {
    "live", "stage", "test", "testing", "tests", "demo", "local", "int", "canary",
    "sandbox", "recette", "develop", "prods", "productions", "main",
}  # fmt: skip
_BEFORE_PLACE = re.compile(rf"(?:\b(?:{_PREPOSITIONS})|[,:(])(?: the| l'| la| le)? $")
_AS_VERB = {
    "search": re.compile(r"(?:^|[.,;!?] |please |you |to |and |can |then |let 's )$"),
    "recherche": re.compile(r"(?:^|[.,;!?] |peux tu |tu peux |et |puis )$"),
    "order": re.compile(r"\bin $"),
}
_OBJECT_AHEAD = re.compile(rf" (?:{_OBJECTS}) ")
_PEOPLE = re.compile(r" (?:team|teams|guys|people|folks|equipe)\b")


def is_other_sense(role: str, words: str, before: str, after: str) -> bool:
    """Whether a word that could name a place or a service is a verb, an adjective or a team here."""
    if _PEOPLE.match(after):
        return True
    if role == "environment":
        named = _BEFORE_PLACE.search(before) or re.match(r" (?:env|environment|environnement)\b", after)
        return words in _ORDINARY_PLACES and not named and bool(before)
    if words in _AS_VERB and _AS_VERB[words].search(before):
        return words == "order" or bool(_OBJECT_AHEAD.match(after))
    return False


# --- numbers ---------------------------------------------------------------------------------------------------

_AFTER_COUNT = re.compile(rf" (?:(?:{REPLICAS}|{_COUNT_GOES_ON})\b|d'|s'|[,.;!?)]|{_MARK})")
_ARTICLES = {"one", "un", "une"}
_ONE_OF_THEM = re.compile(rf" (?:single |seule? |petite? )?(?:{REPLICAS})\b")
_EXACTLY_ONE = re.compile(r"\b(?:to|a|at|only|just|exactly|x|sur|qu')(?: just| only)? $")
_BY = re.compile(
    r"\b(?:by|add|ajoute\w*|remove|retire\w*|enleve\w*|another|extra|drop|kill|supprime\w*)"
    r"(?: (?:another|just|only|like))? $"
)
_MORE = re.compile(
    rf"(?: (?:{REPLICAS}|{_MARK}))?"
    r" (?:more|extra|additional|fewer|less|another|de plus|de moins|supplementaires?|plus|moins)\b"
)
_IN_ALL = re.compile(r" (?:more )?(?:in total|au total|en tout|in all)\b")


def counts(words: str, before: str, after: str) -> bool:
    """Whether a number can be a count of replicas: not "5 errors", not the article "one"."""
    if words in _ARTICLES:
        return bool(
            _ONE_OF_THEM.match(after)
            or (_EXACTLY_ONE.search(before) and not re.match(r" (?:of|de|d') ", after))
        )
    if re.fullmatch(r"[45]\d\d", words) and re.match(r" (?:errors?|s\b|erreurs?|responses?|codes?)", after):
        return False
    return after.strip() == "" or bool(_AFTER_COUNT.match(after))


def is_amount(before: str, after: str) -> bool:
    """Whether a number says how many more or fewer, and so no total."""
    return bool(_BY.search(before) or _MORE.match(after)) and not _IN_ALL.match(after)
