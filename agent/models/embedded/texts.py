"""Free text in a request: what is looked for in logs, and the question without the words that only ask."""

import re

from agent.models.embedded.folding import stem
from agent.models.embedded.lexicon import lexicon


def _either(*lines: str) -> str:
    """An alternation of the patterns given with a slash between them."""
    return "|".join("|".join(part for part in line.split(" / ")) for line in lines)


_TRIGGERS = _either(
    r"grep / grep for / containing / contains? / matching / mentioning / mentions? / saying / says?",
    r"look(?:ing)? for",
    r"search(?:ing)? for / filter(?:ed)? (?:on|by) / find(?: me)? / occurrences? of / instances of / signs? of",
    r"traces? of",
    r"the (?:word|words|text|message|string|phrase) / lines with / any(?: signs?| traces?)?(?: of)?",
    r"there been any / about",
    r"how many / with / contenant / contient / contiennent / mentionn\w+ / cherche\w*(?: moi)? / trouve\w*(?: moi)?",
    r"recherche\w* / filtre\w* sur / le (?:mot|texte|message) / la (?:chaine|phrase) / occurrences? d(?:e|') / avec",
    r"y a t il (?:eu )?d(?:es|e|') / il y a (?:eu )?d(?:es|e|') / combien d(?:e|') / traces? d(?:e|') / des",
)
# Words that what is looked for does not reach beyond.
_ENDS = _either(
    r"in / on / from / for / over / since / within / during / across / at / did / do / does / has / have / was",
    r"were",
    r"are / is / by / around / of / today / yesterday / lately / recently / right / this / last / a / there",
    r"logged / and",
    r"or / please / had / the / can / could / that / which / when / going / coming / show / showing / got",
    r"get / happened",
    r"dans / sur / chez / depuis / pour / en / cote / au / que / qui / et / ou / stp / svp / des / du / de",
    r"ce / cette / ces",
    r"<\w+> / [?.,!;:]",
)
_LOOKED_FOR = re.compile(rf"(?<!\S)(?:{_TRIGGERS}) (?P<what>(?:(?!(?:{_ENDS}) )\S+ ){{1,5}})")
# Words that name nothing to look for: "any errors", "something weird".
_SAYS_NOTHING = {
    "the", "any", "some", "a", "an", "all", "des", "les", "un", "une", "le",
    "la", "l'", "d'", "du", "de", "new", "recent", "recents", "latest", "last", "derniers",
    "dernieres", "error", "warning", "warn", "erreur", "avertissement", "log", "line", "ligne", "message", "anything",
    "something", "everything", "issue", "problem", "probleme", "entry", "journau", "journal", "output", "stuff",
    "thing", "tout", "rien", "quelque", "chose", "me", "moi", "my", "our", "info", "debug", "critical",
    "service", "kind", "of", "weird", "it", "more", "interesting", "wrong", "strange", "bad", "bizarre",
    "trouble", "failure", "trace", "tail", "past", "other", "up", "out", "for", "critique", "fatal",
    "level", "niveau", "search", "that", "this", "them", "you", "we", "i", "there", "time",
    "fois", "word", "text", "many", "request", "requete", "payment", "people", "user", "customer", "news",
    "idea", "update", "chance", "luck", "reason", "one", "restart", "deploy", "rollback", "replica", "instance",
    "pod",
}  # fmt: skip


def looked_for(abstract: str, plain: str) -> tuple[str, str] | None:
    """What is to be looked for, in the singular, and the words it came from; `None` for mere errors."""
    for match in _LOOKED_FOR.finditer(abstract):
        if what := _core(match["what"]):
            return what, match["what"].strip()
    found = lexicon().symptoms.search(plain)
    return (stem(found[0]), found[0]) if found else None


def _core(words: str) -> str:
    kept = words.split()
    while kept and stem(kept[0]) in _SAYS_NOTHING | {"les", "des"}:
        kept.pop(0)
    while kept and stem(kept[-1]) in _SAYS_NOTHING:
        kept.pop()
    return " ".join([*kept[:-1], stem(kept[-1])]) if len("".join(kept)) > 2 else ""


_GREETS = _either(
    r"hey / hi / hello / ok / okay / so / please / pls / bonjour / salut / bonsoir / euh / um / and / et",
    r"then / alors",
    r"quick question / question rapide / question",
)
_ASKS = _either(
    r"(?:can|could|would|will) (?:you|someone|anyone|somebody) (?:please |kindly )?(?:tell|show|remind"
    r"|explain to|give|help) me",
    r"(?:can|could) (?:you|someone|anyone) (?:please )?(?:explain|tell us)",
    r"(?:please )?(?:tell|show|remind|give) me(?: about)?",
    r"do (?:you|we) (?:know|remember) / does any(?:one|body) (?:know|remember) / any(?:one|body) (?:know|remember)s?",
    r"i(?:'d| would) like to know / i (?:want|need) to know / i was wondering / just wondering / look up / find out",
    r"search (?:the |our )?(?:docs|documentation|wiki|knowledge base|knowledge|runbooks|slack|history|chat) for",
    r"(?:peux|pourrais|pouvez|pourriez)[- ](?:tu|vous) (?:me |nous )?(?:dire|expliquer|rappeler|montrer|donner)",
    r"(?:dis|explique|rappelle|donne)[- ]moi / (?:tu sais|sais[- ]tu|savez[- ]vous|quelqu['’]un sait)",
    r"je me demande",
    r"est[- ]ce que (?:tu sais|quelqu['’]un sait|vous savez) / j['’]aimerais savoir / je voudrais savoir",
    r"cherche dans (?:la doc|le wiki|les docs|slack|l['’]historique)",
)
_THANKS = _either(
    r"please / pls / thanks / thank you / thx / merci(?: d['’]avance)? / stp / svp / s['’]il (?:te|vous) pla[iî]t"
)
_LEADS_UP = (
    re.compile(rf"^(?:\s*(?:{_GREETS})\b[\s,:!-]*)+", re.IGNORECASE),
    re.compile(rf"^\s*(?:{_ASKS})\b[\s,:]*", re.IGNORECASE),
    re.compile(rf"[\s,]*\b(?:{_THANKS})[\s.!?]*$", re.IGNORECASE),
)


def question(text: str) -> str:
    """The request without the words that only ask or greet; never empty when the text is not."""
    shorter = text.strip()
    for pattern in _LEADS_UP:
        shorter = pattern.sub("", shorter)
    return shorter.strip(" \n\t?!.,:;") or text.strip()
