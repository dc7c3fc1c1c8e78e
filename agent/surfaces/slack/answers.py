"""An answer in Slack: paragraphs within the limits, sources as links, and buttons to say whether it helped."""

from collections.abc import Mapping, Sequence

from agent.store.port import TurnRecord
from agent.surfaces.slack import limits, mrkdwn
from agent.surfaces.slack.blocks import Block, Message, button, buttons, context, message, modal, section
from agent.words.catalogue import say
from tools.contract import File, Json

HELPFUL, WRONG, EVIDENCE = "sayso_helpful", "sayso_wrong", "sayso_evidence"
NEXT = f"{EVIDENCE}_next"  # two buttons of one block need two names
AGAIN, SHARE = "sayso_again", "sayso_share"
PAGE = 8  # pieces of evidence on a page of the modal
CODE = 15  # lines of code that are shown; where there are more, all of it is a file
A_MESSAGE = 9000  # and of the blocks of one message
TEXT = 550  # characters of one piece of evidence: five times as many once they are escaped
LINK = 1000  # characters of an address that is linked
LEFT_OUT = 400  # characters of what the answer does not rest on; `sayso show` has all of it
SOURCES = 10  # links under an answer; the modal has all


def of(record: TurnRecord, locale: str) -> list[Message]:
    """The messages of an answer: one as a rule, more where it is long; the last one has sources and buttons."""
    text, _ = snippets(record, locale)
    parts = mrkdwn.pieces(mrkdwn.mrkdwn(text), limits.PARAGRAPHS)
    messages: list[list[Block]] = [[]]
    size = 0
    for part in parts:
        if size + len(part) > A_MESSAGE and messages[-1]:
            messages.append([])
            size = 0
        messages[-1].append(section(part))
        size += len(part)
    messages[-1] += _below(record, locale)
    return [message(limits.cut(record.whole, 3000), blocks) for blocks in messages]


def snippets(record: TurnRecord, locale: str) -> tuple[str, list[File]]:
    """The answer with long code cut short, and the whole of each as a file."""
    told, files = "", list[File]()
    for fenced, part in mrkdwn.parts(record.whole):
        lines = part.splitlines()
        if not fenced or len(lines) <= CODE:
            told += f"{mrkdwn.FENCE}\n{part}\n{mrkdwn.FENCE}" if fenced else part
            continue
        name = f"{record.turn}-{len(files) + 1}.txt"
        files.append(File(name, "text/plain", part.encode()))
        head = "\n".join(lines[:CODE])
        rest = say("slack.snippet", locale, count=len(lines), name=name)
        told += f"{mrkdwn.FENCE}\n{head}\n{mrkdwn.FENCE}\n{rest}"
    return told, files


def _below(record: TurnRecord, locale: str) -> list[Block]:
    found = evidence_of(record)
    cited = [item for item in found if f"[{item.get('number')}]" in record.whole]
    blocks: list[Block] = []
    if cited:
        blocks.append(context(sources(cited)))
    blocks += _left_out(record, locale)
    blocks.append(context(_receipt(record)))
    ask = []
    if found:
        ask += [
            button(say("slack.helpful", locale), HELPFUL, record.turn),
            button(say("slack.wrong", locale), WRONG, record.turn),
            button(say("slack.evidence", locale), EVIDENCE, f"{record.turn} 0"),
        ]
    if not (record.record or {}).get("actions"):  # what was proposed would be proposed once more
        ask.append(button(say("slack.again", locale), AGAIN, record.turn))
    if record.private:
        ask.append(button(say("slack.share", locale), SHARE, record.turn))
        blocks.append(context(say("slack.only_you", locale)))
    return [*blocks, buttons(ask, f"answer:{record.turn}")] if ask else blocks


def sources(items: Sequence[Mapping[str, Json]]) -> str:
    """Where these pieces of evidence come from, as many as there is room for; no link is cut."""
    lines: list[str] = []
    for item in items[:SOURCES]:
        line = f"[{item.get('number')}] {source(item)}"
        if sum(map(len, lines)) + len(lines) + len(line) > limits.CONTEXT - 100:
            break
        lines.append(line)
    return "\n".join([*lines, *(["…"] if len(lines) < len(items) else [])])


def evidence_of(record: TurnRecord) -> list[Mapping[str, Json]]:
    """The evidence that was kept with a turn."""
    listed = (record.record or {}).get("evidence")
    if isinstance(listed, str) or not isinstance(listed, Sequence):
        return []
    return [item for item in listed if isinstance(item, Mapping)]


def source(item: Mapping[str, Json]) -> str:
    """Where a piece of evidence comes from, as a link where there is one."""
    label = " · ".join(str(item[key]) for key in ("source", "title") if item.get(key))
    url = str(item.get("link") or "")
    short = len(mrkdwn.escaped(url)) <= LINK
    return mrkdwn.link(url if short else "", limits.cut(label, 150))


def evidence(record: TurnRecord, page: int, locale: str) -> Block:
    """A modal with one page of the evidence; a button goes on to the next one."""
    found = evidence_of(record)
    last = max(0, (len(found) - 1) // PAGE)
    page = min(max(page, 0), last)
    blocks: list[Block] = []
    for item in found[page * PAGE : (page + 1) * PAGE]:
        blocks.append(section(f"*[{item.get('number')}]* {source(item)}"))
        if item.get("query"):
            blocks.append(
                context(f"`{mrkdwn.escaped(limits.cut(str(item['query']), 500)).replace('`', '´')}`")
            )
        blocks.append(section(mrkdwn.code(limits.cut(str(item.get("text") or "-"), TEXT))))
    turns = []
    if page:
        turns.append(button(say("slack.back", locale), EVIDENCE, f"{record.turn} {page - 1}"))
    if page < last:
        turns.append(button(say("slack.more", locale), NEXT, f"{record.turn} {page + 1}"))
    if not found:
        blocks.append(section(say("slack.no_evidence", locale)))
    if last:
        blocks.append(context(say("slack.page", locale, page=page + 1, pages=last + 1)))
    if turns:
        blocks.append(buttons(turns, "pages"))
    title = say("slack.evidence_of", locale, turn=record.turn)
    return modal("sayso_evidence", title, blocks, close=say("slack.close", locale), about=record.turn)


def _left_out(record: TurnRecord, locale: str) -> list[Block]:
    """What the answer does not rest on, where there is something."""
    receipt = (record.record or {}).get("receipt")
    cut = receipt.get("cut") if isinstance(receipt, Mapping) else None
    parts = [str(part) for part in cut] if isinstance(cut, Sequence) and not isinstance(cut, str) else []
    if not parts:
        return []
    told = limits.cut(mrkdwn.escaped("; ".join(parts)), LEFT_OUT)
    return [context(say("slack.left_out", locale, what=told))]


def _receipt(record: TurnRecord) -> str:
    receipt = (record.record or {}).get("receipt")
    taken = receipt if isinstance(receipt, Mapping) else {}
    model, seconds = taken.get("model") or "-", taken.get("seconds")
    time = f"{seconds:.1f} s" if isinstance(seconds, int | float) else ""
    return mrkdwn.escaped(" · ".join(part for part in (record.turn, str(model), time) if part))
