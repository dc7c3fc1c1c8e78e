"""An answer of a server as evidence: its texts, values, links and pictures, and whether it is an error in disguise."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import jmespath
from jmespath.exceptions import JMESPathError

from tools.contract import File, Finding, Json, Outcome, ToolFailed
from tools.mcp.port import Answered, Block
from tools.mcp.wording import cleaned, shortened

SHOWN = 4_000  # characters of an answer in the digest
_RESOURCE = 2_000  # and of each resource in it
_MOST_BLOCKS = 20  # resources, links and pictures that are told of
_LARGEST_PICTURE = 4 * 1024 * 1024  # bytes
_PICTURES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
_SHORT = 600  # characters: what is longer is an answer, whatever words it has
_OPENS = re.compile(
    r"^\W*(?:<error>)?(?:error|failed|failure|exception|fatal|traceback|could not|cannot|can't|unable to"
    r"|request failed|fetch failed|network error|connection|timeout|timed out|https?(?:error| error|connectionpool)"
    r"|[45]\d\d\b|service unavailable|bad gateway|gateway timeout|unauthorized|forbidden|too many requests"
    r"|rate limit|\w*(?:error|exception)\b)",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"econn\w+|enotfound|etimedout|ehostunreach|enetunreach|eai_again|getaddrinfo|name or service not known"
    r"|temporary failure in name resolution|no such host|connection (?:refused|reset|aborted|timed out|error|closed)"
    r"|connection failed|connect(?:ion)? attempt|failed to (?:connect|establish|fetch|resolve|reach)"
    r"|could not (?:connect|resolve|reach)|unable to (?:connect|resolve|reach)|timed? ?out|timeout|unreachable"
    r"|max retries exceeded|network|socket|ssl|tls|certificate|proxy|dns|status(?: code)?:? ?[45]\d\d"
    r"|http[ /\d.]*[45]\d\d|\b(?:401|403|407|408|429|500|502|503|504)\b|bad gateway|service unavailable"
    r"|too many requests|rate limit|unauthorized|forbidden|authentication|credentials|fetch failed|connection issue",
    re.IGNORECASE,
)
_ERROR_KEYS = frozenset({"error", "errors", "errormessage", "error_message", "exception"})


@dataclass(frozen=True, slots=True)
class Told:
    """An answer read once: all its text, the value in it, and what expressions see of it."""

    text: str
    value: Json
    failed: bool

    @classmethod
    def of(cls, answered: Answered) -> "Told":
        text = "\n".join(block.text for block in answered.blocks if block.kind == "text")
        return cls(
            text, answered.structured if answered.structured is not None else _parsed(text), answered.failed
        )

    def picked(self, expression: str | None) -> Json:
        """What an expression (JMESPath) picks, or the whole value. Raises `ToolFailed` where it does not fit."""
        return self.value if expression is None else self.asked(expression, {})

    def asked(self, expression: str, arguments: Mapping[str, Json]) -> Json:
        seen = {"text": self.text, "value": self.value, "failed": self.failed, "arguments": arguments}
        try:
            found: Json = jmespath.search(expression, seen)
        except JMESPathError as error:
            raise ToolFailed(f"{expression} cannot be told of the answer: {error}") from error
        return found


def reads(expression: str, name: str) -> bool:
    """Whether an expression (JMESPath) looks at something of this name."""

    def within(node: Mapping[str, object]) -> bool:
        children = node.get("children")
        below = children if isinstance(children, list) else []
        return (node.get("type"), node.get("value")) == ("field", name) or any(
            within(each) for each in below if isinstance(each, dict)
        )

    return within(jmespath.compile(expression).parsed)


def _parsed(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value


def error_in(told: Told) -> str | None:
    """The words of an answer that is no answer: the server's own trouble, told as an ordinary result."""
    value = told.value
    if isinstance(value, Mapping) and value:
        keys = {str(key).casefold(): key for key in value}
        named = next((keys[key] for key in keys if key in _ERROR_KEYS), None)
        said = json.dumps(value, ensure_ascii=False)
        if named is not None and value[named] and len(said) <= 2 * _SHORT and _NETWORK.search(said):
            return shortened(said, 300)
        inner = value.get("result")
        if len(value) == 1 and isinstance(inner, str):
            return error_in(Told(inner, inner, told.failed))
        return None
    text = cleaned(told.text).text.strip()
    if len(text) <= _SHORT and _OPENS.search(text) and _NETWORK.search(text):
        return shortened(text, 300)
    return None


def outcome(server: str, tool: str, query: str, answered: Answered, *, shown: int = SHOWN) -> Outcome:
    """The answer as numbered evidence: one finding for its words and value, one for each resource in it."""
    told = Told.of(answered)
    main = _main(server, tool, query, answered, told, shown)
    others = [block for block in answered.blocks if block.kind != "text"]
    findings, files, left = [main], [], []
    for number, block in enumerate(others[:_MOST_BLOCKS], 1):
        if block.kind == "image" and (file := _picture(tool, number, block)) is not None:
            files.append(file)
        elif block.kind == "resource" and block.text:
            findings.append(_resource(server, tool, query, block))
        elif block.kind != "link":
            left.append(f"{block.kind} of {shortened(block.media_type, 60) or 'an unknown kind'}")
    if len(others) > _MOST_BLOCKS:
        left.append(f"{len(others) - _MOST_BLOCKS} more resources, links and pictures")
    if left:
        said = f"not shown: {', '.join(left)}"
        findings[0] = _with_cut(main, said)
    how = "answered" if not answered.failed else "says that it failed"
    first = shortened(main.text, 200)
    return Outcome(not answered.failed, f"{tool} of {server} {how}: {first}", tuple(findings), tuple(files))


def _main(server: str, tool: str, query: str, answered: Answered, told: Told, shown: int) -> Finding:
    whole = cleaned(told.text if told.text.strip() else _written(answered.structured))
    links = [
        f"{shortened(block.text, 200)}: {shortened(block.uri, 300)}"
        for block in answered.blocks
        if block.kind == "link"
    ]
    text = "\n".join([whole.text.strip()[:shown], *links[:_MOST_BLOCKS]]).strip()
    cut = (
        [f"the first {shown:,} of {len(whole.text.strip()):,} characters"]
        if len(whole.text.strip()) > shown
        else []
    )
    if whole.hidden:
        cut.append(f"{whole.hidden:,} characters that nobody would see")
    return Finding(
        kind="answer",
        title=f"{tool} of {server}",
        source=f"MCP server {server}",
        query=query,
        text=text or "an empty answer",
        facts={
            "server": server,
            "tool": tool,
            "value": told.value if len(_written(told.value)) <= 2 * shown else None,
        },
        raw=_raw(answered) or None,
        cut="; ".join(cut) or None,
    )


def _with_cut(finding: Finding, said: str) -> Finding:
    return replace(finding, cut="; ".join(part for part in (finding.cut, said) if part))


def _raw(answered: Answered) -> str:
    """All of it that is text, whole."""
    parts = [block.text or block.uri for block in answered.blocks if block.text or block.uri]
    if answered.structured is not None:
        parts.append(_written(answered.structured))
    return "\n".join(parts)


def _written(value: Json) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=1)


def _resource(server: str, tool: str, query: str, block: Block) -> Finding:
    text = cleaned(block.text).text.strip()
    return Finding(
        kind="resource",
        title=shortened(block.uri, 120) or f"a resource of {server}",
        source=f"MCP server {server}",
        query=query,
        text=text[:_RESOURCE] or "an empty resource",
        facts={"server": server, "tool": tool, "uri": shortened(block.uri, 300)},
        raw=block.text,
        cut=f"the first {_RESOURCE:,} of {len(text):,} characters" if len(text) > _RESOURCE else None,
    )


def _picture(tool: str, number: int, block: Block) -> File | None:
    ending = _PICTURES.get(block.media_type)
    if ending is None or len(block.content) > 2 * _LARGEST_PICTURE:
        return None
    try:
        content = base64.b64decode(block.content, validate=True)
    except (binascii.Error, ValueError):
        return None
    return (
        File(f"{tool}-{number}.{ending}", block.media_type, content)
        if len(content) <= _LARGEST_PICTURE
        else None
    )
