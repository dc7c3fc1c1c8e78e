"""What a sentence does: orders something now, or asks, forbids, supposes, tells. The guard before every write."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources

from agent.models.embedded.folding import stem
from agent.models.embedded.lexicon import lexicon, pattern


class Mood(StrEnum):
    """How a sentence speaks of what it speaks of."""

    ORDER = "order"  # do this now
    QUESTION = "question"  # is it, how do I, should we
    NEGATED = "negated"  # do not
    SUPPOSED = "supposed"  # if, maybe, tomorrow, thinking of
    TOLD = "told"  # something was done, somebody said


@dataclass(frozen=True, slots=True)
class Act:
    """The mood of a sentence, and the verbs it orders: (name of the verb class, whether its pattern leaves no gap).

    `opening` is the first word of the ordering clause: the verb of a tool with words of its own.
    """

    mood: Mood
    verbs: tuple[tuple[str, bool], ...] = ()
    opening: str = ""


_BREAK = re.compile(
    r"(?<!\S)(?:[.;!?:,()]|- ?-|then|puis|so|donc|alors|because|but|mais|car|parce qu(?:e|')) "
)
_AND = re.compile(r"(?<!\S)(?:and|et|&|\+|plus|also|aussi) ")
_SUBJECT = re.compile(
    r"(?:(?:the|our|my|that|this|le|la|les|l'|notre|ce|cette|cet|for|pour|on|in|to|sur|en|dans|with|about"
    r"|concernant) )*"
    r"(?:<service>|<environment>)(?: (?:<version>|>|service|services|thing|pods?|instances?|replicas?|deployment"
    r"|app|in|on|en|sur"
    r"|dans|of|the|la|le|just|only|juste|seulement|env|environment|side|again|is|<environment>|<service>|[,:-]))* "
)
# After a subject, what makes a wish of what follows.
_WANTS = re.compile(
    r"(?:needs?|should|must|has|wants?|ought|doit|devrait|faut|a besoin|x|to|at|a|en|<count>|<version>) "
)
# A verb that is a noun here, for a verb of its own follows: "the release 2.4.0 is bad", "deploy of payments went fine".
_AS_NOUN = re.compile(
    r"\w+(?: (?:back|out|up|down))?(?: (?:of|on|in|for|to|from|the|this|that|last|de|du|en|<\w+>|service|yesterday))*"
    r" (?:is|was|went|works?|worked|failed|fails|helped|helps|has|had|did|does|looks?|looked|seems?|seemed|broke"
    r"|breaks"
    r"|fixed|are|were|didn't|isn't|wasn't|hasn't|doesn't|finished|completed|succeeded|took|takes|made|caused"
    r"|causes|done"
    r"|ok|est|etait|n'|ne|semble|marche|stats|statistics|summary|report|reports|history|notes|logs?|count|counts"
    r"|numbers|process|policy|procedure|plan|window|freeze|list|pipeline|overview|recap|digest|frequency|guide"
    r"|runbook"
    r"|docs?|checklist|rapport|bilan|time|times|rate|button|script|command) "
)
# An order at the end of a clause, without a comma before it: "the release is rotten take it back", "... vire la".
_TRAILING = re.compile(
    r"(?<!\S)(?!(?:to|we|i|they|you|u|he|she|should|would|could|will|did|not|don't|didn't|never|who|can|must|de"
    r"|on|a|ai|as"
    r"|ont|qui|pas|que|and|et|or|ou|tu|je|il|elle|was|were|been|be|is|of|the|en|has|have|had|just|already|deja"
    r"|vous|nous) )"
    r"\S+ (?P<order>\w+ (?:it|them|that|le|la|les|moi ca|ca)"
    r"(?: (?:back|off|down|out|again|stp|svp|pls|please|now|asap|quickly))* )$"
)
_APART = re.compile(r"\( (<\w+>) \) ")  # "the new api (2.2.0)"
_NOT_THAT = re.compile(r"(?:[,(] )?(?:not|pas|instead of|rather than|au lieu de) (?:the |la |le |l' )?<\w+> ")
_PLEASE = re.compile(r"(?<!\S)(?:please|pls|plz|stp|svp|asap|s' il te plait|s' il vous plait) ")
# A version and where it is to go, without a verb: "payments 2.3.9 -> prod", "checkout: prod, 1.2.3, go".
_TO_PLACE = re.compile(
    r"<version> .*(?:to|>|en|on|in|sur) <environment> |<environment> .*<version> .*(?:go|please|pls|stp|now) "
)
# The words an order without a verb may have beside its noun: "payments rollback in prod please".
_SMALL = re.compile(
    r"<\w+>|@|>|=|go|single|un|une|petit|coup|quick|another|again|rolling|[.,!:/()-]|the|a|to|on|in|of|for|at|x"
    r"|please|pls|plz|now|asap|le|la|les|l'|de|du|d'|en|sur|a|au|pour|stp"
    r"|svp|maintenant|service|env|prod|version|v|replicas?|instances?|pods?|quickly|back|thanks|merci|and|et"
    r"|with|release"
    r"|s'|il|te|vous|plait|thx|ty|cheers|urgent|vite"
)


@lru_cache(maxsize=1)
def _moods() -> dict[str, tuple[re.Pattern[str], ...]]:
    text = resources.files("agent.models.embedded").joinpath("moods.toml").read_text(encoding="utf-8")
    return {
        name: tuple(pattern(phrase) for phrase in phrases) for name, phrases in tomllib.loads(text).items()
    }


def says(mood: str, text: str) -> bool:
    """Whether an abstract sentence has a pattern of `moods.toml` anywhere."""
    return any(compiled.search(text) for compiled in _moods()[mood])


def _begins(mood: str, text: str) -> int:
    """How far the longest pattern of a mood reaches from the start of a text; 0 when none is there."""
    return max((match.end() for compiled in _moods()[mood] if (match := compiled.match(text))), default=0)


def takes_back(abstract: str) -> bool:
    """Whether a sentence begins by calling something off: "never mind ...", "laisse tomber ..."."""
    return _begins("hold", clauses(abstract)[0] if clauses(abstract) else "") > 0


def _without(mood: str, text: str) -> str:
    for compiled in _moods()[mood]:
        text = compiled.sub("", text)
    return text


def clauses(abstract: str) -> list[str]:
    """The parts of an abstract sentence, each ending with a space."""
    return [part.strip() + " " for part in _BREAK.split(_without("polite", abstract)) if part.strip()]


def judge(abstract: str, own: frozenset[str] = frozenset()) -> Act:
    """The act of an abstract sentence. It is an order only where nothing speaks against it.

    `own` are verbs, without their plural s, that some tool is ordered with and the lexicon does not know.
    """
    abstract = _APART.sub(r"\1 ", abstract)
    text = _without("correction", _without("polite", abstract))
    parts = clauses(abstract)
    acts = [_clause(part, own, asked="? " in text) for part in parts]
    orders = [act for act in acts if act.mood is Mood.ORDER]
    order = _together(orders) if orders else None
    order = order or _telegraphic(text)
    if order is None:
        return Act(_mood_of(acts, text))
    if says("hold", text) or "<later>" in text or _supposed(parts):
        return Act(Mood.SUPPOSED, order.verbs, order.opening)
    if says("need_not", text) or any(act.mood is Mood.NEGATED and act.verbs for act in acts):
        return Act(Mood.NEGATED, order.verbs, order.opening)
    return order


def _together(orders: Sequence[Act]) -> Act:
    """One act of all that is ordered, so that rivals are seen as such."""
    verbs: dict[str, bool] = {}
    for act in orders:
        for verb, plain in act.verbs:
            verbs[verb] = verbs.get(verb, False) or plain
    return Act(Mood.ORDER, tuple(verbs.items()), orders[0].opening)


def _mood_of(acts: Sequence[Act], text: str) -> Mood:
    moods = {act.mood for act in acts}
    if Mood.NEGATED in moods or says("need_not", text):
        return Mood.NEGATED
    if Mood.QUESTION in moods:
        return Mood.QUESTION
    if says("supposing", text):
        return Mood.SUPPOSED
    return Mood.QUESTION if "? " in text else Mood.TOLD


def _supposed(parts: Sequence[str]) -> bool:
    """Whether something is supposed that is more than the reason for an order."""
    whole = " ".join(parts)
    return any(says("supposing", part) and not _begins("reason", part) for part in parts) or (
        says("supposing", whole) and says("never_reason", whole)
    )


def _clause(clause: str, own: frozenset[str], *, asked: bool) -> Act:
    rest = _stripped(clause)
    lead = clause[: len(clause) - len(rest)]
    if _begins("asking", rest):
        return Act(Mood.QUESTION)
    if (order := _order_in(rest, own, lead)) is not None:
        if asked and lead.endswith("on "):  # "on redémarre ?" asks whether to
            return Act(Mood.QUESTION)
        negated = says("negation", _without("harmless", lead + rest))
        return Act(Mood.NEGATED if negated else Mood.ORDER, order.verbs, order.opening)
    if _begins("negation", rest) or says("negation", _without("harmless", lead)):
        return Act(Mood.NEGATED)
    return Act(Mood.TOLD, opening=rest.split(" ", 1)[0])


def _order_in(rest: str, own: frozenset[str], lead: str) -> Act | None:
    """The order at the start of a clause, after its "and", at its end, or in a noun and a please."""
    for piece in [rest, *(_stripped(half) for half in _AND.split(rest)[1:])]:
        verbs = _ordered(piece) or _ordered_of_subject(piece)
        if verbs or (stem(piece.split(" ", 1)[0]) in own and not _AS_NOUN.match(piece)):
            return Act(Mood.ORDER, verbs, piece.split(" ", 1)[0])
    if (trailing := _TRAILING.search(rest)) and (verbs := _ordered(rest[trailing.start("order") :])):
        return Act(Mood.ORDER, verbs, trailing["order"].split(" ", 1)[0])
    return _noun_order(_PLEASE.sub("", rest)) if _PLEASE.search(lead + rest) else None


def _ordered_of_subject(piece: str) -> tuple[tuple[str, bool], ...]:
    """The order in "checkout needs 3 pods", "payments restart please"; none in "the payments restart worked"."""
    subject = _SUBJECT.match(piece)
    if subject is None:
        return ()
    rest = piece[subject.end() :]
    bare = re.sub(r"^(?:the|our|le|la|l'|notre) ", "", piece)
    if _WANTS.match(rest) or all(_SMALL.fullmatch(word) for word in rest.split()[1:]):
        return _ordered(rest) or _ordered(bare)
    return _ordered(bare)


def opening(abstract: str) -> str:
    """The first word of the first clause that has one, after all politeness: `flush` in "please flush it"."""
    return next(
        (rest.split(" ", 1)[0] for part in clauses(abstract) if (rest := _stripped(part)).strip()), ""
    )


def _stripped(clause: str) -> str:
    """A clause without what only leads up to it; "can you tell me" is no such lead, for it asks."""
    rest = clause
    while rest and not _keeps_head(rest) and (length := _begins("lead", rest)) > _begins("asking", rest):
        rest = rest[length:]
    return rest


def _keeps_head(rest: str) -> bool:
    """Whether a word that often only leads up is the head of an order here: "go back", "need 3 workers"."""
    return rest.startswith(("go ", "need ", "want ", "let ", "fais ", "faites ", "besoin ")) and bool(
        _ordered(rest)
    )


def _ordered(piece: str) -> tuple[tuple[str, bool], ...]:
    """The verb classes whose orders begin a piece; plain when the pattern leaves no gap."""
    found: dict[str, bool] = {}
    if _AS_NOUN.match(piece):
        return ()
    for verb in lexicon().verbs:
        for compiled in verb.orders:
            if compiled.match(piece):
                found[verb.name] = found.get(verb.name, False) or r"\S+ )" not in compiled.pattern
    return tuple(found.items())


def _telegraphic(abstract: str) -> Act | None:
    """An order without a verb, such as "payments rollback please": every word must be accounted for."""
    if "<service>" not in abstract or "?" in abstract:
        return None
    abstract = _NOT_THAT.sub("", abstract)
    if all(_SMALL.fullmatch(word) for word in abstract.split()) and _TO_PLACE.search(abstract):
        return Act(Mood.ORDER, (("deploy", False),))
    return _noun_order(abstract)


def _noun_order(words: str) -> Act | None:
    """The order in a noun and small words alone: "a restart", "rollback of payments in prod"."""
    for verb in lexicon().verbs:
        for compiled in verb.things:
            match = compiled.search(words)
            rest = words[: match.start()] + words[match.end() :] if match else ""
            if match and all(_SMALL.fullmatch(word) for word in rest.split()):
                return Act(Mood.ORDER, ((verb.name, True),))
    return None


def verb_forms(abstract: str) -> dict[str, str]:
    """For each verb class that occurs: `order`, `done` or `thing`, the strongest form last found."""
    found: dict[str, str] = {}
    for verb in lexicon().verbs:
        for form, patterns in (("thing", verb.things), ("done", verb.done), ("order", verb.orders)):
            if any(compiled.search(abstract) for compiled in patterns):
                found[verb.name] = form
    return found
