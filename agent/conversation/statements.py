"""An answer from knowledge, sentence by sentence: what states something says where it stands, or is left out.

Kept without a citation are sentences that state nothing of the world: questions to the person, short lead-ins that end
with a colon, headings, code, that something is not known or was not found, and words about a proposed action (`A-17`).
A point of a list is kept when its lead-in is cited, a row of a table when itself or the table's lead-in is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_CITED = re.compile(r"\[\d+(?:\s*,\s*\d+)*\]")
_CITATIONS = r"(?:\s?\[\d+(?:\s*,\s*\d+)*\])"
_END = re.compile(rf"[.!?…]+(?:[\"”»)*_`]|[ \u00a0\u202f]»)*(?P<cited>{_CITATIONS}+)?(?=\s|$)")
# What stands together whatever full stops it has: code, and a quotation of several sentences.
_WHOLE = re.compile(r"`[^`\n]+`|“[^“”]+”|«[^«»]+»|(?<![\w\"])\"[^\"\n]+\"(?!\w)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|approx|vs|cf|resp|incl|excl|st|mr|mrs|ms|dr|ex|env|mme|mlle)|\b[A-ZÀ-Þ])\.$",
    re.IGNORECASE,
)
_BEFORE_A_NUMBER = re.compile(
    r"\b(?:no|nr|fig|art|pp?|min|max|jan|janv|feb|févr?|mar|apr|avr|jun|jul|juil|aug|sept?|oct|nov|dec|déc)\.$",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s*")
_BACK = 12  # characters before a full stop that tell what it is
_BEGINS = re.compile(r"[\s\"“«(*_`\[]*[A-ZÀ-Þ\d]")
_WORD_BEFORE = re.compile(r"[^\W\d_]{5,}[.!?…]+$")  # too long for a word cut short
_POINT = re.compile(r"(?P<indent>\s*)(?:[-*•]|\d+[.)])\s+")
_HEADING = re.compile(r"\s*(?:#{1,6}(?:\s+[^\s.!?]+){1,6}|\*\*[^\s*.!?]+(?:\s+[^\s*.!?]+){0,5}\*\*:?)\s*$")
_BELOW = re.compile(r"\s*(?:[-*•|>]|\d+[.)]\s|```)")  # what a lead-in leads to
_RULE = re.compile(r"\s*\|[\s|:-]+$")  # the line below the head of a table
_ENDED = re.compile(rf"[.!?…:;][\"”»)*_`]*{_CITATIONS}*\s*$|{_CITATIONS}\s*$")
_ACTION = re.compile(r"\bA-\d+\b")
_LEAD_WORDS = 15  # of a lead-in; a longer one says more than what comes
_WRITTEN = (
    r"(?:it|they|this|that|none|nothing|nobody|(?:documents?|pages?|passages?|sources?|evidence|runbooks?|results?|"
    r"records?|threads?|messages?|notes?|reports?|excerpts?|post-?mortems?)(?: \[?[\w,\] ]{1,30}?)?)"
)
_UNKNOWN = re.compile(
    r"^\W*not found\b|\bnot (?:been )?(?:known|written|documented|recorded|checked|mentioned|stated|clear)\b|"
    r"\bis unknown\b|\b(?:is|was|were|been|have|be) not (?:been )?found\b(?! by)|"
    r"\bnothing (?:is|was|in|that|clearly|says|about|else is)\b|"
    r"\bno (?:record|mention|document|page|runbook|source|passage|clear answer|evidence|information)\b|"
    r"\b(?:I|we) (?:do|did|could|can)(?: not|n't|not) (?:know|find|tell|say|see|answer)\b|"
    rf"\b{_WRITTEN} (?:do|does|did)(?: not|n't) (?:say|tell|mention|answer|state)\b|"
    r"\brien (?:de|ne|n'|dans|sur)\b|\best inconnue?\b|\bintrouvable\b|"
    r"\baucune? (?:document|page|runbook|source|réponse|trace|mention|information)\b|\bne (?:sais|trouve|vois) pas\b|"
    r"\bne (?:dit|disent|précise|précisent|mentionne|mentionnent) pas\b|"
    r"\bpas (?:trouvé|vérifié|écrit|documenté|précisé|mentionné|connu)",
    re.IGNORECASE,
)
# Behind "it is not written" these begin something that is stated all the same.
_BUT = re.compile(r"\b(?:but|however|because|since|therefore|mais|cependant|parce qu|donc)\b", re.IGNORECASE)
_YES = re.compile(r"(?:yes|no|oui|non|sure|ok|bien sûr|certainly)[,.!]*", re.IGNORECASE)  # nothing by itself


@dataclass(frozen=True, slots=True)
class Supported:
    """An answer without its unsupported statements, and these."""

    text: str
    left_out: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing cited is left."""
        return not _CITED.search(self.text)


def supported(answer: str) -> Supported:
    """The answer with every statement that cites nothing left out; what stays is unchanged."""
    reading = _Reading()
    for block in _blocks(answer.split("\n")):
        reading.take(block)
    text = "\n".join(reading.whole())
    return Supported(re.sub(r"\n{3,}", "\n\n", text).strip(), tuple(reading.left_out))


def sentences(text: str) -> Iterator[str]:
    """The sentences of a line or a paragraph, each with the space behind it: together they are the text."""
    whole = [found.span() for found in _WHOLE.finditer(text)]
    start = 0
    for end in _END.finditer(text):
        while whole and whole[0][1] <= end.end():
            whole.pop(0)
        behind = _SPACE.match(text, end.end())
        then = behind.end() if behind else end.end()
        inside = bool(whole) and whole[0][0] < end.start()
        if inside or (then < len(text) and not _parts(text, end, then)):
            continue
        yield text[start:then]
        start = then
    if start < len(text):
        yield text[start:]


def _parts(text: str, end: re.Match[str], then: int) -> bool:
    """Whether a full stop ends a sentence; what follows begins at `then`."""
    if end["cited"]:
        return True
    said = text[max(0, end.start() - _BACK) : end.end()]
    if _ABBREVIATED.search(said) or (_BEFORE_A_NUMBER.search(said) and text[then].isdigit()):
        return False
    if _BEGINS.match(text, then):
        return True
    # A service's name begins no capital: "... is small [1]. checkout then fails."
    return bool(_WORD_BEFORE.search(said) or _CITED.search(said)) and end[0].strip("!?…") == "."


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Lines that belong together: code, a table, a sentence or a point that goes on in the next line; else each one."""
    block: list[str] = []
    for line in lines:
        if block and _goes_on(block, line):
            block.append(line)
            continue
        if block:
            yield block
        block = [line]
    yield block


def _goes_on(block: list[str], line: str) -> bool:
    if _is_code(block[0]):
        return len(block) == 1 or not _is_code(block[-1])
    if _is_row(block[0]):
        return _is_row(line)
    plain = line.strip() and not (_is_code(line) or _HEADING.match(line) or _BELOW.match(line))
    if not plain or not block[-1].strip() or _HEADING.match(block[-1]):
        return False
    if _POINT.match(block[0]) and line[:2].isspace() and len(line) > 1:
        return True
    wrapped = len(block[-1]) >= 60 or not _BEGINS.match(line) or line.lstrip()[:1].isdigit()
    return wrapped and not _ENDED.search(block[-1])


def _is_code(line: str) -> bool:
    return line.lstrip().startswith("```")


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|")


@dataclass(slots=True)
class _Reading:
    """How far an answer is read: what stays, what does not, and which lead-ins hold for what comes."""

    kept: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    leads: list[tuple[int, bool]] = field(default_factory=list)  # how far each is indented, and whether cited
    waiting: tuple[int, str] | None = None  # where the last lead-in that cites nothing is kept, and its words
    bare: bool = False  # whether what came right behind it was left out
    vain: list[tuple[int, str]] = field(default_factory=list)  # those with nothing below them any more

    def take(self, block: list[str]) -> None:
        text, before, open_ = "\n".join(block), len(self.kept), self.waiting
        if not text.strip():
            self.kept.append(text)
            return
        if _is_code(block[0]):
            self.kept.append(text)
        elif _is_row(block[0]):
            self._table(block)
        elif _HEADING.match(text) and not _leads(text):
            self.leads.clear()
            self.kept.append(text)
        else:
            self._words(text)
        if open_ is not None and self.waiting == open_:
            self._follows(open_, text, stays=len(self.kept) > before)

    def _follows(self, lead: tuple[int, str], text: str, *, stays: bool) -> None:
        """What comes behind a lead-in: a list and the like may go on, other words are all there is to it."""
        if stays and not _HEADING.match(text) and (_BELOW.match(text) or not self.bare):
            self.waiting = None
        elif not _BELOW.match(text):
            self.vain.append(lead)
            self.waiting = None
        self.bare = True

    def whole(self) -> list[str]:
        """What stays, without lead-ins to nothing."""
        for place, words in (*self.vain, *([self.waiting] if self.waiting else [])):
            rest = self.kept[place].removesuffix(words).rstrip()
            self.kept[place] = "" if _POINT.fullmatch(f"{rest} ") else rest
            self.left_out.append(words)
        self.vain, self.waiting = [], None
        return self.kept

    @property
    def _led(self) -> bool:
        return any(cited for _, cited in self.leads)

    def _words(self, text: str) -> None:
        """A paragraph or a point of a list."""
        point = _POINT.match(text)
        indent = len(point["indent"]) if point else -1
        self.leads = [lead for lead in self.leads if lead[0] < indent]
        led, begin = self._led, point.end() if point else 0
        said = text if led else text[:begin] + "".join(self._staying(text[begin:]))
        if said[begin:].strip():
            self.kept.append(said.rstrip())
        if _leads(text):
            last = list(sentences(text[begin:]))[-1].rstrip()
            self.leads.append((indent, led or bool(_CITED.search(last))))
            if not self.leads[-1][1] and said.rstrip().endswith(last):
                if self.waiting is not None and not point:
                    self.vain.append(self.waiting)
                self.waiting, self.bare = (len(self.kept) - 1, last), False

    def _staying(self, text: str) -> Iterator[str]:
        for sentence in sentences(text):
            if _stays(sentence.strip()):
                yield sentence
            else:
                self.left_out.append(sentence.strip())

    def _table(self, rows: list[str]) -> None:
        """The rows that are cited, below their head; all of them where the lead-in is."""
        head = 2 if len(rows) > 1 and _RULE.match(rows[1]) else 0
        staying = [row for row in rows[head:] if self._led or _CITED.search(row)]
        if staying or any(_CITED.search(row) for row in rows[:head]):
            self.kept += [*rows[:head], *staying]
        self.left_out += [row.strip() for row in rows[head:] if row not in staying]


def _leads(text: str) -> bool:
    return text.rstrip(" \n*_").endswith(":")


def _stays(sentence: str) -> bool:
    if _CITED.search(sentence) or _ACTION.search(sentence) or _YES.fullmatch(sentence):
        return True
    if _leads(sentence):
        return len(sentence.split()) <= _LEAD_WORDS
    unknown = _UNKNOWN.search(sentence)
    return sentence.endswith(("?", "? »", "?”", "?*", '?"')) or bool(
        unknown and not _BUT.search(sentence, unknown.end())
    )
