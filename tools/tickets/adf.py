"""Plain text as an Atlassian document, and an Atlassian document as plain text."""

from collections.abc import Mapping

from tools.contract import Json

_BLOCKS = frozenset({"paragraph", "heading", "blockquote", "codeBlock", "listItem", "rule"})


def document(text: str) -> dict[str, Json]:
    """A paragraph for each block of lines; a line break stays one. Nothing in the text is markup."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    content: list[Json] = [{"type": "paragraph", "content": _lines(block)} for block in blocks]
    return {"type": "doc", "version": 1, "content": content}


def _lines(block: str) -> list[Json]:
    content: list[Json] = []
    for number, line in enumerate(block.split("\n")):
        if number:
            content.append({"type": "hardBreak"})
        if line:
            content.append({"type": "text", "text": line})
    return content


def plain(node: Json) -> str:
    """The text of a document or of any node in it; a text is itself."""
    if isinstance(node, str):
        return node
    if isinstance(node, list | tuple):
        return "".join(plain(each) for each in node)
    if not isinstance(node, Mapping):
        return ""
    kind = node.get("type")
    if kind == "text":
        return plain(node.get("text"))
    inner = "\n" if kind == "hardBreak" else plain(node.get("content"))
    return f"{inner}\n" if kind in _BLOCKS else inner
