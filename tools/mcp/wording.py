"""What a server says about itself, made fit to be read: no hidden characters, shortened, and marked as its words.

Whoever wrote a server may have written orders into a description. They stay text: nothing here believes them.
"""

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 700  # characters of a tool's description
LONGEST_FIELD = 240  # and of anything else that a server says about an argument
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_MARKS = str.maketrans({"«": "‹", "»": "›"})
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})  # control, format, private use, surrogate, unassigned
_BLANK = frozenset(
    "\u115f\u1160\u3164\uffa0\u2800\u034f\u180b\u180c\u180d\u180f"
)  # letters that look like nothing


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text as it may be shown, and how many characters of it nobody would have seen."""

    text: str
    hidden: int


def cleaned(text: str) -> Cleaned:
    """The text without escape sequences and without characters that show nothing."""
    plain = _ESCAPES.sub("", text)
    kept = [char for char in plain if not _hidden(char)]
    return Cleaned("".join(kept), len(text) - len(kept))


def _hidden(char: str) -> bool:
    if char in "\n\t":
        return False
    variation = 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF
    return variation or char in _BLANK or unicodedata.category(char) in _UNSEEN


def shortened(text: str, longest: int) -> str:
    """On one line, as many whole words of the beginning as fit, with a sign that there was more."""
    plain = " ".join(cleaned(text).text.split())
    if len(plain) <= longest:
        return plain
    cut = plain[: longest - 1]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut[longest // 2 :] else cut}…"


def quoted(server: str, text: str) -> str:
    """A tool's description as others are shown it: named as the server's words, with marks it cannot close."""
    said = shortened(text, LONGEST).translate(_MARKS)
    return (
        f"Tool of the MCP server {server}, which describes it so: «{said}»" if said else f"Tool of {server}"
    )
