"""What fits into the window: the newest lines of a thread, and the two ends of a long text."""

from collections.abc import Sequence

from agent.conversation.ports import TokenCounter
from agent.conversation.thread import Line

LINE_OVERHEAD = 6  # tokens a message costs beside its text, for the endpoints' own framing


def newest_that_fit(lines: Sequence[Line], limit: int, counter: TokenCounter) -> tuple[Line, ...]:
    """The longest tail of `lines` that costs at most `limit` tokens, oldest first."""
    kept: list[Line] = []
    for line in reversed(lines):
        limit -= counter.count(line.text) + LINE_OVERHEAD
        if limit < 0:
            break
        kept.append(line)
    return tuple(reversed(kept))


def shortened(text: str, limit: int, counter: TokenCounter) -> str:
    """The text in at most `limit` tokens: its first and its last lines, and how many were left out between them."""
    if counter.count(text) <= limit:
        return text
    lines = text.splitlines() or [text]
    head: list[str] = []
    tail: list[str] = []
    spent = counter.count(_gap(len(lines)))
    first, last = 0, len(lines) - 1
    while first <= last:
        take_head = len(head) <= len(tail)
        line = lines[first] if take_head else lines[last]
        spent += counter.count(line) + 1
        if spent > limit:
            break
        if take_head:
            head.append(line)
            first += 1
        else:
            tail.append(line)
            last -= 1
    parts = [*head, _gap(len(lines) - len(head) - len(tail)), *reversed(tail)]
    short = "\n".join(parts)
    return short if counter.count(short) <= limit else _cut(text, limit, counter)


def _gap(count: int) -> str:
    return f"… ({count} lines left out) …"


def _cut(text: str, limit: int, counter: TokenCounter) -> str:
    """A last resort for one endless line: as many of its characters as fit, found by halving."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if counter.count(text[:middle] + "…") <= limit:
            low = middle
        else:
            high = middle - 1
    return text[:low] + "…" if low else ""
