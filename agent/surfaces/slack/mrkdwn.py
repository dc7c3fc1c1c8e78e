"""Between Slack's mark-up and ours. What anybody wrote is escaped: it can name nobody, and link nowhere of its own."""

import html
import re
from datetime import datetime

from agent.surfaces.slack import limits

_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE)
_BULLET = re.compile(r"^(\s*)[-*]\s+", re.MULTILINE)
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL = re.compile(r"<#[A-Z0-9]+\|([^>]*)>")
_LINK = re.compile(r"<((?:https?|mailto):[^|>]+)(?:\|([^>]*))?>")
_TABLE = re.compile(r"^[^\n|]+(?: \| [^\n|]*)+\n(?:[^\n|]+(?: \| [^\n|]*)+(?:\n|$))+", re.MULTILINE)
_GROUP = re.compile(r"<!(?:subteam\^)?([A-Za-z0-9]+)(?:\|([^>]*))?>")


FENCE = "```"
_FENCED = re.compile(r"```(?:[\w+-]*\n)?(.*?)(?:```|\Z)", re.DOTALL)
PHONE = 44  # characters of a line of code that a phone shows without breaking it


def escaped(text: str) -> str:
    """Plain text as Slack shows it: `<` begins no mention, channel or link, and nobody is called by `@here`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mrkdwn(text: str) -> str:
    """An answer of ours, in Markdown, as Slack's mark-up. Code stays as it is."""
    return "".join(code(part) if fenced else _prose(part) for fenced, part in parts(text))


def parts(text: str) -> list[tuple[bool, str]]:
    """The text in parts, each with whether it is code; code without its fences, which may lack the closing one."""
    found: list[tuple[bool, str]] = []
    at = 0
    for code in _FENCED.finditer(text):
        found.append((False, text[at : code.start()]))
        found.append((True, code[1].strip("\n")))
        at = code.end()
    return [part for part in (*found, (False, text[at:])) if part[1]]


def pieces(text: str, most: int) -> list[str]:
    """Text in Slack's mark-up in parts that fit: split between paragraphs; code that is split stays code."""
    found: list[str] = []
    for fenced, part in parts(text):
        if not part.strip():
            continue
        room = most - 2 * len(FENCE) - 2
        split = [f"{FENCE}\n{one}\n{FENCE}" for one in limits.lines(part, room)] if fenced else []
        for piece in split or limits.pieces(part, most):
            if found and len(found[-1]) + len(piece) + 1 <= most and (fenced or FENCE in found[-1]):
                found[-1] = f"{found[-1]}\n{piece}"
            else:
                found.append(piece)
    return found or ["-"]


def code(text: str) -> str:
    """Text as code, whatever it holds."""
    return f"{FENCE}\n{escaped(text).replace(FENCE, '´´´')}\n{FENCE}"


def _prose(text: str) -> str:
    plain = _TABLE.sub(_table, escaped(text))
    plain = _HEADING.sub(r"*\1*", plain)
    plain = _BULLET.sub(r"\1• ", plain)
    return _BOLD.sub(r"*\1*", plain)


def _table(found: re.Match[str]) -> str:
    """A table as a phone can show it: in columns of one width; where that is too wide, a line for each row."""
    rows = [[cell.strip() for cell in line.split(" | ")] for line in found[0].strip().splitlines()]
    wide = max(len(row) for row in rows)
    widths = [max(len(row[at]) for row in rows if at < len(row)) for at in range(wide)]
    if sum(widths) + 2 * (wide - 1) > PHONE:
        return "".join(f"{_row(rows[0], row)}\n" for row in rows[1:])
    lines = ["  ".join(cell.ljust(widths[at]) for at, cell in enumerate(row)).rstrip() for row in rows]
    body = "\n".join(lines).replace(FENCE, "´´´")
    return f"{FENCE}\n{body}\n{FENCE}\n"


def _row(heads: list[str], row: list[str]) -> str:
    """One row of a wide table: its first cell, then each other one with what it is."""
    named = [f"{head}: {cell}" for head, cell in zip(heads[1:], row[1:], strict=False) if cell]
    return " · ".join([f"• *{row[0]}*", *named, *row[len(heads) :]])


def link(url: str, label: str) -> str:
    """A link of ours. One that Slack could misread is shown as text."""
    safe = url.startswith(("http://", "https://")) and not re.search(r"[<>|\s]", url)
    shown = escaped(label.replace(">", "›")).replace("|", "¦") or "…"
    return f"<{url.replace('&', '&amp;')}|{shown}>" if safe else shown


def moment(at: datetime) -> str:
    """A moment that each reader sees in their own time zone."""
    fallback = at.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def heard(text: str, bot: str) -> str:
    """What somebody wrote, as plain text: without the mention of us, links and channels by what they say."""
    plain = _MENTION.sub(lambda found: "" if found[1] == bot else f"@{found[1]}", text)
    plain = _CHANNEL.sub(r"#\1", plain)
    plain = _LINK.sub(lambda found: found[1].removeprefix("mailto:"), plain)
    plain = _GROUP.sub(lambda found: f"@{found[2] or found[1]}", plain)
    return html.unescape(plain).strip()
