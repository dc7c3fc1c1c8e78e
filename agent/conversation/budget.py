"""What fits into the window of a model: a context that never exceeds its limit, and what was left out of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from agent.conversation.evidence import fenced, fenced_text
from agent.conversation.messages import Message, Offer, ResultKind, Role, ToolCall
from agent.conversation.ports import TokenCounter

LEAST = 400  # tokens; a smaller window holds no conversation, and is taken for one of this size
FRAME = 8  # tokens that a message, a call or an offer costs beside its texts, for the endpoints' own framing
DIGEST = 700  # tokens of one digest at most; the whole of it is on the shelf
LONGEST_CALL = 4_000  # characters of arguments that are shown again; no tool takes that much
LONGEST_TOKEN = 128  # characters: a run of spaces, the longest entry of tiktoken's encodings

T = TypeVar("T")


class Context:
    """The messages of one turn: prompt, the thread's past, the question, and the rounds of calls and results since.

    `limit` is in tokens and counts everything a request fills, the offered tools too. The prompt and the question are
    shortened where they must be. Offers, rounds and lines of the past that do not fit are left out, in this order of
    weight; of rounds and lines the oldest go first.
    """

    def __init__(
        self,
        *,
        prompt: str,
        offers: Sequence[Offer],
        past: Sequence[Message],
        question: str,
        limit: int,
        counter: TokenCounter,
    ) -> None:
        self._counter = counter
        room = max(limit, LEAST)
        self._prompt = Message(Role.SYSTEM, shortened(prompt, room // 2 - FRAME, counter))
        room -= self.cost(self._prompt)
        self.offers, self.offer_tokens = self._affordable(offers, room // 2)
        room -= self.offer_tokens
        self._question = Message(Role.PERSON, shortened(question, room // 2 - FRAME, counter))
        self._room = room - self.cost(self._question)
        self._past = [(self.cost(message), message) for message in past]
        self._rounds: list[tuple[int, tuple[Message, ...]]] = []
        self.question_cut = self._question.text != question
        self.dropped_offers = tuple(offer.name for offer in offers[len(self.offers) :])
        self.dropped_lines = self.dropped_rounds = 0
        self.shortened: set[int] = set()  # numbers of evidence whose digests were

    def offer_more(self, offers: Sequence[Offer]) -> tuple[str, ...]:
        """Shows more tools from the next request on, those that half of the room is enough for; returns their names.

        Lines of the past and rounds make room for them, the oldest first.
        """
        known = {offer.name for offer in self.offers}
        new, cost = self._affordable([offer for offer in offers if offer.name not in known], self._room // 2)
        self.offers += new
        self.offer_tokens += cost
        self._room -= cost
        return tuple(offer.name for offer in new)

    def add(self, reply: Message, results: Sequence[Message]) -> None:
        """A round: what the model called, and what came back, in at most half of the room that is left."""
        left = self._room - sum(cost for cost, _ in self._rounds)
        share = min(DIGEST, max(0, left) // 2 // max(1, sum(len(result.evidence) for result in results)))
        calls = tuple(_briefer(call) for call in reply.calls)
        messages = (replace(reply, calls=calls), *(self._as_shown(result, share) for result in results))
        self._rounds.append((sum(self.cost(message) for message in messages), messages))

    def _as_shown(self, result: Message, share: int) -> Message:
        """A result as a language model reads it: what tools say fenced and numbered, each digest within its share."""
        words = shortened(result.text, DIGEST, self._counter)
        if result.result is ResultKind.FAILED:
            return replace(result, shown=fenced_text("not checked", words))
        if result.result is not ResultKind.FOUND:
            return replace(result, shown=words)
        parts = [fenced_text("summary", words)]
        for item in result.evidence:
            digest = shortened(item.finding.text, share, self._counter)
            if digest != item.finding.text:
                self.shortened.add(item.number)
            parts.append(fenced(item, digest))
        return replace(result, shown="\n".join(parts))

    def messages(self) -> tuple[Message, ...]:
        """The context of the next request, within the limit."""
        rounds, room = _newest(self._rounds, self._room)
        past, _ = _newest(self._past, room)
        self.dropped_rounds = len(self._rounds) - len(rounds)
        self.dropped_lines = len(self._past) - len(past)
        return (
            self._prompt,
            *past,
            self._question,
            *(message for messages in rounds for message in messages),
        )

    def cost(self, message: Message) -> int:
        """Tokens of a message as a language model gets it."""
        count = self._counter.count
        calls = sum(count(call.name) + count(call.arguments) + FRAME for call in message.calls)
        return count(message.shown or message.text) + calls + FRAME

    def _affordable(self, offers: Sequence[Offer], limit: int) -> tuple[tuple[Offer, ...], int]:
        """The first offers that cost at most `limit` tokens together, and what they cost."""
        spent = 0
        for kept, offer in enumerate(offers):
            cost = offer_cost(offer, self._counter)
            if spent + cost > limit:
                return tuple(offers[:kept]), spent
            spent += cost
        return tuple(offers), spent


def offer_cost(offer: Offer, counter: TokenCounter) -> int:
    """Tokens of one offered tool."""
    return counter.count(f"{offer.name} {offer.description} {offer.schema}") + FRAME


def _newest(entries: Sequence[tuple[int, T]], room: int) -> tuple[list[T], int]:
    """The longest tail of entries that fits the room by their costs, and the room that is left then."""
    kept: list[T] = []
    for cost, entry in reversed(entries):
        if cost > room:
            break
        room -= cost
        kept.append(entry)
    return kept[::-1], room


def shortened(text: str, limit: int, counter: TokenCounter) -> str:
    """The text in at most `limit` tokens: its first and its last lines, and how many were left out between them."""
    if limit <= 0:
        return ""
    text = _ends(text, limit * LONGEST_TOKEN)
    if counter.count(text) <= limit:
        return text
    lines = text.splitlines()
    head: list[str] = []
    tail: list[str] = []
    spent = counter.count(_gap(len(lines))) + 2
    while len(head) + len(tail) < len(lines):
        side, line = (head, lines[len(head)]) if len(head) <= len(tail) else (tail, lines[-1 - len(tail)])
        spent += counter.count(line) + 1
        if spent > limit:
            break
        side.append(line)
    short = "\n".join([*head, _gap(len(lines) - len(head) - len(tail)), *reversed(tail)])
    # Joined lines may cost a little more than their sum, and one endless line has no ends to keep.
    return short if head and counter.count(short) <= limit else _cut(text, limit, counter)


def _ends(text: str, characters: int) -> str:
    """The two ends of a text that is longer than any that could fit, so that nobody counts megabytes."""
    return text if len(text) <= 2 * characters else f"{text[:characters]}\n{text[-characters:]}"


def _briefer(call: ToolCall) -> ToolCall:
    return call if len(call.arguments) <= LONGEST_CALL else replace(call, arguments="{}")


def _gap(count: int) -> str:
    return f"… ({count} lines left out) …"


def _cut(text: str, limit: int, counter: TokenCounter) -> str:
    """As much of the beginning as fits, found by halving."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if counter.count(f"{text[:middle]}…") <= limit:
            low = middle
        else:
            high = middle - 1
    return f"{text[:low]}…" if low else ""
