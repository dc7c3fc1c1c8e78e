"""What is written into tickets: the arguments' types, and the marks by which a text of sayso's is found again."""

import re
from typing import Annotated
from unicodedata import category

from pydantic import AfterValidator, Field

from tools.contract import Json, digest
from tools.slots import Kind, Slot

LONGEST_TITLE, LONGEST_TEXT = 200, 8_000
_UNSEEN = frozenset(
    {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
)  # control, format, private use, and other line ends
_MARK = re.compile(r"sayso-[0-9a-f]{16}")


def mark_of(*parts: Json) -> str:
    """The same for the same parts: what would be written twice has one mark."""
    return f"sayso-{digest({'parts': list(parts)})[:16]}"


def is_mark(text: str) -> bool:
    return _MARK.fullmatch(text) is not None


def signed(text: str, mark: str) -> str:
    """A comment as it is sent: who wrote it stands below it, and the mark."""
    return f"{text}\n\nsayso ({mark})"


def _hidden(text: str) -> str | None:
    """The first character that nobody sees, beside line ends and tabs."""
    return next((char for char in text if char not in "\n\t" and category(char) in _UNSEEN), None)


def _title(text: str) -> str:
    if _hidden(text) is not None or "\n" in text or not text.strip():
        raise ValueError("should be one line of visible text")
    return text.strip()


def _text(text: str) -> str:
    if (found := _hidden(text)) is not None:
        raise ValueError(f"should be visible text; it holds {found!a}")
    return text.strip()


def _said(text: str) -> str:
    if not text:
        raise ValueError("should say something")
    return text


Title = Annotated[
    str,
    AfterValidator(_title),
    Field(min_length=1, max_length=LONGEST_TITLE),
    Slot(Kind.QUOTED, role="title"),
]
Text = Annotated[str, AfterValidator(_text), Field(max_length=LONGEST_TEXT)]
Said = Annotated[Text, AfterValidator(_said), Slot(Kind.QUOTED, role="text")]
Words = Annotated[str, AfterValidator(_title), Field(max_length=LONGEST_TITLE)]
Key = Annotated[
    str,
    Field(
        pattern=r"^(#?[1-9][0-9]{0,8}|[A-Za-z0-9._/-]{1,140}#[1-9][0-9]{0,8}|[A-Za-z][A-Za-z0-9_]{1,30}-[0-9a-f]{1,16})$"
    ),
    Slot(Kind.REFERENCE, role="ticket"),
]
