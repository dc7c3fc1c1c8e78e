"""An answer in Slack: paragraphs within the limits, sources as links, and buttons to say whether it helped."""

from collections.abc import Mapping, Sequence

from agent.store.port import TurnRecord
from agent.surfaces.slack import limits, mrkdwn
from agent.surfaces.slack.blocks import Block, Message, button, buttons, context, message, modal, section
from agent.words.catalogue import say
from tools.contract import Json

HELPFUL, WRONG, EVIDENCE = "sayso_helpful", "sayso_wrong", "sayso_evidence"
AGAIN, SHARE = "sayso_again", "sayso_share"
PAGE = 8  # pieces of evidence on a page of the modal
PARAGRAPHS = 2900  # characters of one block of an answer
A_MESSAGE = 9000  # and of the blocks of one message
LEFT_OUT = 400  # characters of what the answer does not rest on; `sayso show` has all of it
SOURCES = 10  # links under an answer; the modal has all


def of(record: TurnRecord, locale: str) -> list[Message]:
    """The messages of an answer: one as a rule, more where it is long; the last one has sources and buttons."""
    parts = limits.pieces(mrkdwn.mrkdwn(record.whole), PARAGRAPHS)
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


def _below(record: TurnRecord, locale: str) -> list[Block]:
    found = evidence_of(record)
    cited = [item for item in found if f"[{item.get('number')}]" in record.whole]
    blocks: list[Block] = []
    if cited:
        links = [f"[{item.get('number')}] {source(item)}" for item in cited[:SOURCES]]
        blocks.append(context("\n".join(links)))
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


def evidence_of(record: TurnRecord) -> list[Mapping[str, Json]]:
    """The evidence that was kept with a turn."""
    listed = (record.record or {}).get("evidence")
    if isinstance(listed, str) or not isinstance(listed, Sequence):
        return []
    return [item for item in listed if isinstance(item, Mapping)]


def source(item: Mapping[str, Json]) -> str:
    """Where a piece of evidence comes from, as a link where there is one."""
    label = " · ".join(str(item[key]) for key in ("source", "title") if item.get(key))
    return mrkdwn.link(str(item.get("link") or ""), limits.cut(label, 150))


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
        text = mrkdwn.escaped(limits.cut(str(item.get("text") or "-"), 800))
        blocks.append(section(f"```{text.replace('```', '´´´')}```"))
    turns = []
    if page:
        turns.append(button(say("slack.back", locale), EVIDENCE, f"{record.turn} {page - 1}"))
    if page < last:
        turns.append(button(say("slack.more", locale), f"{EVIDENCE}_next", f"{record.turn} {page + 1}"))
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
