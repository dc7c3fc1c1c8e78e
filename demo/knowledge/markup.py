"""Chat text as people type it, turned into the markup of Slack's export (mentions, channel links, URLs, escapes)."""

import re

from demo.knowledge.cast import CHANNEL, MEMBER

_TOKEN = re.compile(
    r"\[(?P<label>[^\]\n]+)\]\((?P<target>https?://[^)\s]+)\)"
    r"|(?P<url>https?://[^\s<>)]+[^\s<>).,;:!?])"
    r"|(?<![\w.@])@(?P<person>[a-z]+)\b"
    r"|(?<![\w&])#(?P<channel>[a-z][a-z-]*)\b"
)


class MentionError(LookupError):
    """The text mentions a person or a channel that does not exist in the demo's workspace."""


def to_slack(text: str) -> str:
    """Render `@maya`, `@here`, `#payments`, `[label](url)` and bare URLs as Slack stores them.

    Raises MentionError for a person or channel nobody knows.
    """
    parts: list[str] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts.append(_escaped(text[end : match.start()]))
        parts.append(_rendered(match))
        end = match.end()
    parts.append(_escaped(text[end:]))
    return "".join(parts)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _rendered(match: re.Match[str]) -> str:
    if label := match["label"]:
        return f"<{match['target']}|{_escaped(label)}>"
    if url := match["url"]:
        return f"<{url}>"
    if name := match["channel"]:
        if name not in CHANNEL:
            raise MentionError(f"no channel {name!r}; there are {', '.join(sorted(CHANNEL))}")
        return f"<#{CHANNEL[name].channel_id}|{name}>"
    person = match["person"]
    if person in {"here", "channel"}:
        return f"<!{person}>"
    if person not in MEMBER:
        raise MentionError(f"no person {person!r}; there are {', '.join(sorted(MEMBER))}")
    return f"<@{MEMBER[person].user_id}>"
