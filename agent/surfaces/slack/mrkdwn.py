"""Between Slack's mark-up and ours. What anybody wrote is escaped: it can name nobody, and link nowhere of its own."""

import html
import re
from datetime import datetime

_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE)
_BULLET = re.compile(r"^(\s*)[-*]\s+", re.MULTILINE)
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")
_CHANNEL = re.compile(r"<#[A-Z0-9]+\|([^>]*)>")
_LINK = re.compile(r"<((?:https?|mailto):[^|>]+)(?:\|([^>]*))?>")
_TABLE = re.compile(r"^[^\n|]+(?: \| [^\n|]*)+\n(?:[^\n|]+(?: \| [^\n|]*)+(?:\n|$))+", re.MULTILINE)
_GROUP = re.compile(r"<!(?:subteam\^)?([A-Za-z0-9]+)(?:\|([^>]*))?>")


def escaped(text: str) -> str:
    """Plain text as Slack shows it: `<` begins no mention, channel or link, and nobody is called by `@here`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mrkdwn(text: str) -> str:
    """An answer of ours, in Markdown, as Slack's mark-up."""
    plain = _TABLE.sub(_aligned, escaped(text))
    plain = _HEADING.sub(r"*\1*", plain)
    plain = _BULLET.sub(r"\1• ", plain)
    return _BOLD.sub(r"*\1*", plain)


def _aligned(found: re.Match[str]) -> str:
    """A table in columns of one width, which a phone shows as they are."""
    rows = [[cell.strip() for cell in line.split(" | ")] for line in found[0].strip().splitlines()]
    wide = max(len(row) for row in rows)
    widths = [max(len(row[at]) for row in rows if at < len(row)) for at in range(wide)]
    lines = ["  ".join(cell.ljust(widths[at]) for at, cell in enumerate(row)).rstrip() for row in rows]
    body = "\n".join(lines).replace("```", "´´´")
    return f"```\n{body}\n```\n"


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
