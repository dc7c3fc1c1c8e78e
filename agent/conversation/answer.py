"""The answer of a turn: worded from what the model said and the tools found, checked, and recorded with its receipt."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.approvals.action import Action
from agent.conversation import checking
from agent.conversation.budget import Context
from agent.conversation.evidence import Evidence, as_json
from agent.conversation.messages import Reply, ResultKind
from agent.conversation.quotations import with_real_quotations
from agent.conversation.receipt import Receipt
from agent.conversation.redact import Redactor
from agent.conversation.statements import supported
from agent.conversation.thread import Said, TurnId
from agent.conversation.toolbox import Bench
from agent.words.catalogue import say
from prompts.loader import Prompt
from tools.contract import File, Json


@dataclass(frozen=True, slots=True)
class Answer:
    """What a turn came to. `text` cites `evidence` by number; `locale` is the language it is in."""

    turn: TurnId
    text: str
    evidence: tuple[Evidence, ...]
    files: tuple[File, ...]
    actions: tuple[Action, ...]
    receipt: Receipt
    locale: str
    left_out: tuple[str, ...] = ()  # sentences of the model that cited nothing
    private: bool = False  # it rests on what not all who read along may read: for the asker alone


def worded(
    last: Reply | None, trouble: str, question: str, bench: Bench, redactor: Redactor
) -> tuple[str, tuple[str, ...]]:
    """The text people read: the model's last words, checked; what was found, where it came to none.

    `trouble` is why the model gave up, or empty. Beside it the sentences that were left out for citing nothing.
    """
    text = redactor.text(last.text).strip() if last and not trouble else ""
    if last and text and last.by_code:
        return checking.with_real_citations(text, {item.number for item in bench.evidence}), ()
    if not text:
        return _so_far(bench, trouble), ()
    locale = bench.asker.locale
    text = checking.checked(text, bench.evidence, question, say("turn.unverified", locale))
    text = with_real_quotations(text, bench.evidence, question, say("turn.not_written", locale))
    return _supported(text, bench) if _from_knowledge(bench) else (text, ())


def _from_knowledge(bench: Bench) -> bool:
    """Whether the answer rests on what people have written, and on nothing else."""
    kinds = {item.finding.kind for item in bench.evidence}
    return "passage" in kinds and kinds <= {"passage", "nothing_found"} and not bench.actions


def _supported(text: str, bench: Bench) -> tuple[str, tuple[str, ...]]:
    """Without statements that cite nothing; where nothing cited is left, the passages themselves."""
    found, locale = supported(text), bench.asker.locale
    if not found.left_out:
        return text, ()
    kept = found.text
    if found.empty:
        quotes = (f"- {_quotation(item, locale)} [{item.number}]" for item in bench.evidence)
        kept = "\n".join([*([kept, ""] if kept else []), say("turn.passages", locale), *quotes])
    return f"{kept}\n\n{say('turn.left_out', locale, count=len(found.left_out))}", found.left_out


def _quotation(item: Evidence, locale: str) -> str:
    said = item.finding.facts.get("answer") if item.finding.kind == "passage" else None
    if not isinstance(said, str) or not said.strip():
        return item.finding.title
    return say("turn.quoted", locale, title=item.finding.title, quote=" ".join(said.split()))


def _so_far(bench: Bench, trouble: str) -> str:
    """What there is without a last word from the model: what was found and proposed, point by point."""
    locale = bench.asker.locale
    points = [f"- {item.finding.title} [{item.number}]" for item in bench.evidence]
    points += [f"- {action.id}: {action.plan.title}" for action in bench.actions]
    if trouble:
        opening = say("turn.model_failed", locale, why=trouble)
    elif bench.calls:
        opening = say("turn.steps_used_up", locale)
    else:
        opening = say("turn.nothing_to_say", locale)
    return "\n".join([opening, say("turn.so_far", locale), *points] if points else [opening])


def cuts(context: Context, bench: Bench) -> Iterator[str]:
    """In words, everything the answer does not rest on although it was there."""
    locale = bench.asker.locale
    if context.question_cut:
        yield say("turn.question_cut", locale)
    if context.dropped_lines:
        yield say("turn.history_cut", locale, count=context.dropped_lines)
    if context.dropped_rounds:
        yield say("turn.rounds_cut", locale, count=context.dropped_rounds)
    if context.dropped_offers:
        yield say("turn.offers_cut", locale, names=", ".join(context.dropped_offers))
    for item in bench.evidence:
        if item.finding.cut:
            yield f"[{item.number}] {item.finding.cut}"
        if item.number in context.shortened:
            yield say("turn.result_shortened", locale, number=item.number, turn=bench.turn)


def called(records: Iterable[Mapping[str, Json]]) -> tuple[str, ...]:
    """The tools that ran in these turns, as their records tell it, each once; what was refused did not run."""
    names: dict[str, None] = {}
    for kept in records:
        calls = kept.get("calls")
        for call in calls if isinstance(calls, Sequence) else ():
            if isinstance(call, Mapping) and call.get("result") != ResultKind.REFUSED:
                names[str(call.get("tool"))] = None
    return tuple(names)


def record(
    answer: Answer, said: Said, bench: Bench, prompt: Prompt, redactor: Redactor, at: datetime
) -> Mapping[str, Json]:
    """Everything `sayso show` needs to tell the story of a turn, redacted."""
    return {
        "question": redactor.text(said.text),
        "thread": said.thread,
        "speaker": said.speaker,
        "asked_at": said.at.isoformat(),
        "finished_at": at.isoformat(),
        "locale": answer.locale,
        "answer_sha256": hashlib.sha256(answer.text.encode()).hexdigest(),
        "prompt": {"name": prompt.name, "version": prompt.version, "sha256": prompt.sha256},
        "calls": list(bench.calls),
        "evidence": [as_json(item) for item in answer.evidence],
        "actions": [action.id for action in answer.actions],
        "files": [file.name for file in answer.files],
        "receipt": answer.receipt.as_json(),
        **({"left_out": list(answer.left_out)} if answer.left_out else {}),
        **({"private_answer": answer.text} if answer.private else {}),
    }
