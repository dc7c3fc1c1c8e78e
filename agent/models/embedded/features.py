"""What the classifier sees of a sentence: its meaning as a vector, its words and letters, what the grammar found."""

import re
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.models.embedded.acts import judge, verb_forms
from agent.models.embedded.lexicon import lexicon
from agent.models.embedded.scan import Scan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

HASHED = 4_096
_WORDS, _LETTERS, _GRAMMAR = 0.5, 0.25, 0.8  # how much each kind counts beside the meaning
_SPOKEN = {
    "service": "the app", "environment": "production", "version": "2.4.1", "count": "4", "time": "2 hours",
    "quoted": "disk full", "later": "tomorrow",
}  # fmt: skip


def wording(scan: Scan) -> str:
    """The sentence as it is embedded: with the same stand-ins whatever was mentioned, so that names do not matter."""
    return re.sub(r"<(\w+)>", lambda match: _SPOKEN.get(match[1], match[1]), scan.abstract).strip()


def surface(scan: Scan) -> "Vector":
    """The hashed features of words, letters and grammar; each kind has length one times its weight."""
    import numpy as np

    vector = np.zeros(HASHED, dtype=np.float32)
    for weight, names in ((_WORDS, _words(scan)), (_LETTERS, _letters(scan)), (_GRAMMAR, _grammar(scan))):
        part = np.zeros(HASHED, dtype=np.float32)
        for name in names:
            place = zlib.crc32(name.encode())
            part[place % HASHED] += 1 if place & 0x8000_0000 else -1
        length = float(np.linalg.norm(part))
        if length:
            vector += weight * part / length
    return vector


def _words(scan: Scan) -> Iterator[str]:
    words = scan.abstract.split()
    yield from (f"w {word}" for word in words)
    yield from (f"w {first} {second}" for first, second in zip(["^", *words], [*words, "$"], strict=True))


def _letters(scan: Scan) -> Iterator[str]:
    for word in scan.abstract.split():
        if word[0] != "<" and len(word) > 3:
            framed = f"^{word}$"
            yield from (
                f"c {framed[at : at + size]}" for size in (3, 4) for at in range(len(framed) - size + 1)
            )


def _grammar(scan: Scan) -> Iterator[str]:
    abstract = scan.abstract
    act = judge(abstract)
    yield f"mood {act.mood}"
    for verb, plain in act.verbs:
        yield from (f"orders {verb}",) * (2 if plain else 1)
    for verb, form in verb_forms(abstract).items():
        yield f"{form} {verb}"
    for name, patterns in lexicon().things.items():
        if any(compiled.search(abstract) for compiled in patterns):
            yield f"thing {name}"
            yield f"thing {name} {act.mood}"
    for role in {mention.role for mention in scan.mentions}:
        yield f"names {role}"
    yield f"length {min(len(abstract.split()) // 3, 5)}"
    if not any(mention.role == "service" for mention in scan.mentions):
        yield "no service"
