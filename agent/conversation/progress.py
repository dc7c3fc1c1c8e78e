"""Lines of progress on their way to people: without secrets, and without what a terminal would obey."""

import re
from unicodedata import category

from agent.conversation.redact import Redactor
from tools.contract import Progress

_ORDERS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_]")
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_KEY_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


def readable(line: str) -> str:
    """A line as it would stand on a screen in the end: colours and controls gone, a bar that was redrawn drawn once."""
    last = _ORDERS.sub("", line).rstrip("\r").rpartition("\r")[2]
    return "".join(sign for sign in last if sign == "\t" or sign.isprintable())


def visible(text: str) -> str:
    """A text for people who decide on it: signs that do not show, or turn others around, are written out."""
    return "".join(
        sign if sign in "\n\t" or sign.isprintable() or category(sign) == "Zs" else _written_out(sign)
        for sign in text
    )


def _written_out(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08x}"


class Redacted:
    """Passes on what each line may show. A private key is written over several lines, and goes as one."""

    def __init__(self, redactor: Redactor, onward: Progress) -> None:
        self._redactor, self._onward, self._in_key = redactor, onward, False

    async def __call__(self, line: str) -> None:
        text = readable(line)
        if self._in_key:
            self._in_key = not _KEY_END.search(text)
            return
        self._in_key = bool(_KEY.search(text)) and not _KEY_END.search(text)
        await self._onward(self._redactor.text(text))
