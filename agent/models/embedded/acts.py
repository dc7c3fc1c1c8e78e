"""What a sentence does: orders something now, or asks, forbids, supposes, tells. The guard before every write."""

import re
from dataclasses import dataclass
from enum import StrEnum

from agent.models.embedded.lexicon import lexicon


class Mood(StrEnum):
    """How a sentence speaks of what it speaks of."""

    ORDER = "order"  # do this now
    QUESTION = "question"  # is it, how do I, should we
    NEGATED = "negated"  # do not
    SUPPOSED = "supposed"  # if, maybe, tomorrow, thinking of
    TOLD = "told"  # something was done, somebody said


@dataclass(frozen=True, slots=True)
class Act:
    """The mood of a sentence, and the verbs it orders: (name of the verb class, whether its pattern is plain enough)."""

    mood: Mood
    verbs: tuple[tuple[str, bool], ...] = ()
    opening: str = ""  # the first word of the ordering clause: the verb of a tool with words of its own


_BREAK = re.compile(
    r"(?<!\S)(?:[.;!?:,()]|- ?-|then|puis|so|donc|alors|because|but|mais|car|parce qu(?:e|')) "
)
_AND = re.compile(r"(?<!\S)(?:and|et|&|\+|plus|also|aussi) ")
_POLITE = (
    r"(?:if|when|whenever|once) (?:you|u) (?:can|could|may|get|have|find|are|'re|would)(?: (?:please|a|the|some|free|able|to|do|so|it|now|chance|minute|moment|sec|second|time|mind|in))*"
    r"|if (?:possible|that 's ok(?:ay)?|it 's ok(?:ay)?|you do n't mind|you please|not too busy)"
    r"|(?:si|quand|des que) (?:c' est |ce serait )?(?:possible|tu (?:peux|pourrais|veux(?: bien)?|as (?:le temps|(?:une |deux )?minutes?))|vous (?:pouvez|voulez(?: bien)?|avez (?:le temps|(?:une |deux )?minutes?)))"
    r"|s' ?il (?:te|vous|t) plait|des que possible|as soon as (?:possible|you can)|when possible|le plus vite possible"
)
_POLITE_RE = re.compile(rf"(?<!\S)(?:{_POLITE}) ")
_FILLER = re.compile(
    r"(?:" + _POLITE + r"|"
    r"please|pls|plz|pleease|kindly|hey|hi|hello|yo|ok|okay|k|right|well|now|just|also|next|actually|quick|quickly|asap|urgent|urgently|urgence|"
    r"everyone|folks|team|guys|mate|dude|bot|agent|sayso|alright|yes|yeah|yep|yup|sure|good|great|first|finally|and|then|so|again|simply|directly|immediately|"
    r"(?:can|could|would|will|might|ca n't|wo n't|can n't) (?:you|u|ya|we|someone|somebody|anyone)|would (?:you|u) mind|do you mind|mind|"
    r"(?:(?:i|we) )?(?:need|want|would like|'d like|'d love|would love) (?:you|u|sayso|the bot) to|(?:i|we) (?:really )?(?:(?:need|want|would like|'d like|must|gotta|wanna)(?: to)?|(?:have|got|have got) to)|i ?'d (?:like|love) (?:you )?to|i would like (?:you )?to|"
    r"(?:you|u) (?:can|may|should|must|need to|could|have to|ought to)|feel free to|let 's|lets|let us|go ahead(?: and)?|go and|time to|it 's time to|gotta|wanna|make sure (?:to|you)|be sure to|try to|try and|do|i 'm asking you to|"
    r"need to|must|have to|we 've got to|i 've got to|got to|"
    r"stp|svp|bonjour|bonsoir|salut|coucou|merci de|merci|de|allez|vas y|va y|allons y|go|vite|maintenant|voila|bon|bien|oui|ouais|ok|d' accord|dac|immediatement|rapidement|"
    r"(?:est ce que |est ce qu' )?(?:tu|vous|on) (?:peux|peut|pouvez|pourrais|pourrait|pourriez|veux|voulez|dois|devez|doit|vas|allez)(?: bien)?|(?:peux|pourrais|pourrait|pouvez|pourriez|peut|veux|voudrais|voulez) (?:tu|vous|on|t on)(?: bien)?|"
    r"il (?:nous |me )?(?:faut|faudrait|va falloir)(?: que (?:tu|vous|l' ?on|on|je|nous))?|faut(?: que (?:tu|vous|on))?|faudrait(?: que (?:tu|vous|on))?|"
    r"(?:je|j'|nous|on) (?:veux|voudrais|voulons|aimerais|aimerait|souhaite|souhaiterais|souhaitons|voudrait)(?: (?:bien|que (?:tu|vous|l' ?on|on)|qu' on))?|je te demande de|je vous demande de|"
    r"veuillez|(?:il est|c' est) (?:temps|l' heure) de|pense[sz]? a|n' hesite[sz]? pas a|essaie de|on|tu|vous|me|nous|tout de suite|la|"
    r"['\"`>*_@#,!:;.-]) "
)
_SUBJECT = re.compile(
    r"(?:(?:the|our|my|that|this|le|la|les|l'|notre|ce|cette|cet|for|pour|on|in|to|sur|en|dans|with|about|regarding|concernant) )*"
    r"(?:<service>|<environment>)(?: (?:service|services|thing|pods?|instances?|replicas?|deployment|app|in|on|en|sur|dans|of|the|la|le|env|environment|side|again|is|needs?|<environment>|<service>|[,:-]))* "
)
_NEGATION = re.compile(
    r"(?<!\S)(?:(?!ca n't|wo n't)[a-z]*n't|not|dont|doesnt|never|avoid|without|hold|refrain|stop|quit|no|pas|jamais|inutile|surtout|evite\w*|arrete\w* de|ne|n'|nor|neither|rien|aucun\w*|nobody) "
)
_NEED_NOT = re.compile(r"(?<!\S)(?:no need|not needed|pas besoin|not necessary|pas la peine|pas necessaire) ")
_HARMLESS_NOT = re.compile(
    r"(?<!\S)(?:not|pas) (?:<\w+>|in|on|en|sur|the|la|le|working|responding|happy|ok|healthy|good|great|marche|super|looking|bien|now but) |(?:why|pourquoi) (?:do n't|not|pas) |ca n't you |hesite|not too |no (?:problem|worries|rush|wait) |sans (?:souci|probleme) |(?:is|does|are|do|has|was|did)n't |n't (?:work|working|respond|responding|healthy|looking|happy|start|starting|recover|recovering|help|seem|look|behave|behaving|like|keep|handle|coping|cope|answer|answering|answered|stop|think|feel) |(?:ne|n') \S+ (?:\S+ )?(?:pas|plus|rien) |(?:repond|marche|fonctionne|demarre|tient|va|arrive|bouge) (?:pas|plus) |pas (?:bon|bien|mal|top) |no longer |no more |not? (?:so )?(?:bad|wrong) "
)
_ASKING = re.compile(
    r"(?:how|what|why|when|who|whom|whose|where|which|whether|is|are|was|were|did|does|has|had|should|shall|may|might|am|"
    r"do (?:we|i|you|they|u)|have (?:we|i|you|they|u)|is n't|are n't|did n't|does n't|do n't (?:we|you)|would (?:it|that|this|a|the|we|i|they|restarting|rolling|scaling)|will (?:it|that|this|a|the|we|i|they|restarting|rolling|scaling|<service>)|could (?:it|that|this|a|the|i)|can (?:i|it|that|this|the|a|they|<service>|anyone tell|someone tell|someone explain|you tell|you explain|you remind|you say|you confirm|we tell|we know|we see)|any|anyone|anybody|does anyone|"
    r"comment|pourquoi|quand|qui|quel|quels|quelle|quelles|combien|ou|que|qu'|quoi|lequel|laquelle|est ce|faut il|doit on|dois je|devrait on|devrais je|devrions nous|peut on|puis je|pourrait on|a t on|avons nous|as tu|avez vous|ont ils|y a t|il y a|sait on|sais tu|savez vous|tu sais|vous savez|c' est|quid|explique|explain|tell me|dis moi|raconte|describe|remind|rappelle|rappelez) "
)
_SUPPOSING = re.compile(
    r"(?<!\S)(?:if|unless|in case|suppose|supposing|imagine|what happens|what would happen|hypothetically|maybe|perhaps|might|may want|considering|wondering|wonder|thinking (?:of|about)|think we|thinking|not sure|hesitat\w+|planning|plan to|plans to|planned|ready to|until|unless|once|as soon as|when|whenever|after|before|later|eventually|should we|should i|could we|can i|shall we|was going to|going to|gonna|about to|were to|would have|should have|could have|ought|"
    r"si|s' il|s' ils|au cas ou|a moins|peut etre|envisag\w+|pense qu\w*|penses|hesite|quand|lorsque|des que|une fois|apres avoir|apres|avant de|plus tard|on devrait|on pourrait|tu devrais|vous devriez|devrait on|faudra|je vais|on va|nous allons|prevu|prevoit|serait il|ne serait|suppos\w+|imagin\w+|j' allais|will be|i 'll|we 'll|i will|we will|they will|simulate|dry run|pretend|for example|par exemple|example|exemple|practice|drill|joke|kidding|blague|rigole|wish|would be nice|what about|how about|et si|any chance|possible to|possible de|safe to|ok to|okay to|sans risque|allowed to|le droit de|supposed to|wants to|wanted to|asked|asks|said|says|told|dit|demande|demandait|voulait|propose de|suggest\w*|recommend\w*|recommande\w*|advis\w+|conseill\w+) "
)
_HOLD = re.compile(
    r"(?<!\S)(?:wait|not yet|hold on|hold off|hang on|on second thought|nevermind|never mind|forget|scratch that|pas encore|attends|attendez|attendons|laisse tomber|oublie|oubliez|abort|cancel that|annule ca|don't bother|rien a faire|just kidding|just asking|out of curiosity|par curiosite|juste pour savoir) "
)
_CORRECTION = re.compile(r"(?<!\S)(?:no )?wait (?:no )?(?:, )?(?:make|i|that|<|to|not|it)")
_REST = re.compile(
    r"<\w+>|@|[.,!:/()-]|the|a|to|on|in|of|for|at|x|please|pls|plz|now|asap|le|la|les|l'|de|du|d'|en|sur|a|au|pour|stp|svp|maintenant|service|env|prod|version|v|replicas?|instances?|pods?|quickly|back|thanks|merci|and|et|with|release|s' ?il|te|vous|plait|thx|ty|cheers|urgent|vite"
)


def clauses(abstract: str) -> list[str]:
    """The parts of an abstract sentence, each ending with a space."""
    return [part.strip() + " " for part in _BREAK.split(_POLITE_RE.sub(" ", abstract)) if part.strip()]


def judge(abstract: str) -> Act:
    """The act of an abstract sentence. It is an order only where nothing speaks against it."""
    parts = clauses(abstract)
    best = Act(Mood.TOLD)
    moods = []
    for part in parts:
        act = _judge_clause(part)
        moods.append(act.mood)
        if act.mood is Mood.ORDER and best.mood is not Mood.ORDER:
            best = act
    if best.mood is not Mood.ORDER:
        order = _telegraphic(abstract)
        if order is not None and not moods[1:]:
            best = order
    text = _CORRECTION.sub(" ", _POLITE_RE.sub(" ", abstract))
    if best.mood is Mood.ORDER:
        if _HOLD.search(text) or (_SUPPOSING.search(text) and not _reason_only(parts)) or "<later>" in text:
            return Act(Mood.SUPPOSED, best.verbs, best.opening)
        if _NEED_NOT.search(text):
            return Act(Mood.NEGATED, best.verbs, best.opening)
        return best
    if Mood.NEGATED in moods:
        return Act(Mood.NEGATED)
    if Mood.QUESTION in moods or "? " in abstract:
        return Act(Mood.QUESTION)
    return Act(Mood.SUPPOSED if _SUPPOSING.search(text) else Mood.TOLD)


def _reason_only(parts: list[str]) -> bool:
    """Whether what supposes stands in a clause of its own that only gives a reason: "it fails when busy, restart it"."""
    return all(
        not _SUPPOSING.search(part)
        or re.match(r"(?:it|they|<service>|the <service>|ca|il|elle) ", part)
        and "if " not in part
        for part in parts
    ) and not re.search(
        r"(?<!\S)(?:if|unless|si|once|until|maybe|perhaps|peut etre|should|devrait) ", " ".join(parts)
    )


def _judge_clause(clause: str) -> Act:
    asks = bool(_ASKING.match(clause))
    rest, lead = _strip(clause)
    if asks or _ASKING.match(rest):
        return Act(Mood.QUESTION)
    before = clause[: len(clause) - len(rest)]
    for piece in [rest, *(_strip(half)[0] for half in _AND.split(rest)[1:])]:
        verbs = _ordered(piece)
        subject = _SUBJECT.match(piece)
        if not verbs and subject:
            verbs = _ordered(piece[subject.end() :]) or _ordered(_needs(piece[subject.start() :]))
        if verbs:
            negated = _NEGATION.search(
                _HARMLESS_NOT.sub(" ", before + clause[len(before) :][: len(rest) - len(piece)] + piece)
            )
            opening = piece.split(" ", 1)[0]
            return Act(Mood.NEGATED if negated else Mood.ORDER, verbs, opening)
    if _NEGATION.match(rest) or _NEGATION.search(lead):
        return Act(Mood.NEGATED)
    return Act(Mood.TOLD, opening=rest.split(" ", 1)[0] if rest.strip() else "")


def opening(abstract: str) -> str:
    """The first word of the first clause that has one, after all politeness: `flush` in "please flush it"."""
    for part in clauses(abstract):
        rest, _ = _strip(part)
        if rest.strip():
            return rest.split(" ", 1)[0]
    return ""


def _needs(piece: str) -> str:
    return re.sub(r"^(?:the|our|le|la|l'|notre) ", "", piece)


def _strip(clause: str) -> tuple[str, str]:
    """A clause without what only leads up to it, and the lead."""
    rest = clause
    while rest and not _pattern_ahead(rest) and (match := _FILLER.match(rest)):
        rest = rest[match.end() :]
    return rest, clause[: len(clause) - len(rest)]


def _pattern_ahead(rest: str) -> bool:
    """Whether a filler word is the head of an order here: "go back", "let 's have", "need 3 workers"."""
    return rest.startswith(("go ", "need ", "needs ", "want ", "i need ", "la ", "let ")) and bool(
        any(
            match
            for verb in lexicon().verbs
            for match in [next((p.match(rest) for p in verb.orders if p.match(rest)), None)]
            if match
        )
    )


def _ordered(piece: str) -> tuple[tuple[str, bool], ...]:
    """The verb classes whose orders begin a piece; plain when one word is enough to know."""
    found: dict[str, bool] = {}
    for verb in lexicon().verbs:
        for compiled in verb.orders:
            if compiled.match(piece):
                found[verb.name] = found.get(verb.name, False) or r"\S+ )" not in compiled.pattern
    return tuple(found.items())


def _telegraphic(abstract: str) -> Act | None:
    """An order without a verb, such as "payments rollback please": every word must be accounted for."""
    for verb in lexicon().verbs:
        for compiled in verb.things:
            if (match := compiled.search(abstract)) and _all_known(
                abstract[: match.start()] + abstract[match.end() :]
            ):
                if "<service>" in abstract and "?" not in abstract:
                    return Act(Mood.ORDER, ((verb.name, True),), "")
    return None


def _all_known(words: str) -> bool:
    return all(_REST.fullmatch(word) for word in words.split())


def verb_forms(abstract: str) -> dict[str, str]:
    """For each verb class that occurs: `order`, `done` or `thing`, the strongest form first."""
    found: dict[str, str] = {}
    for verb in lexicon().verbs:
        for form, patterns in (("thing", verb.things), ("done", verb.done), ("order", verb.orders)):
            if any(compiled.search(abstract) for compiled in patterns):
                found[verb.name] = form
    return found
