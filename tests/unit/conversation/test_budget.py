"""The window: whatever comes in, what goes out fits."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from agent.conversation.budget import LEAST, Context, shortened
from agent.conversation.evidence import Evidence
from agent.conversation.messages import Message, Offer, ResultKind, Role, ToolCall
from agent.conversation.ports import TokenCounter
from agent.models.tokens import EstimatingCounter
from tools.contract import Effect, Finding


class WordCounter:
    """Counts words and signs: a counter under which joined texts cost as much as their parts."""

    exact = True

    def count(self, text: str) -> int:
        return len(text.split()) + text.count("\n")


class LetterCounter:
    """The dearest counter there is: every character is a token."""

    exact = True

    def count(self, text: str) -> int:
        return len(text)


COUNTERS = st.sampled_from([WordCounter(), LetterCounter(), EstimatingCounter()])
TEXTS = st.text(alphabet="ab é\n<>/1", max_size=400) | st.integers(1, 3000).map(lambda n: "word " * n)


def evidence(number: int, text: str) -> Evidence:
    return Evidence(number, Finding("k", "title", "source", "query", text), "logs", "c")


@st.composite
def rounds(draw: st.DrawFn) -> list[tuple[Message, list[Message]]]:
    made = []
    for _ in range(draw(st.integers(0, 5))):
        texts = draw(st.lists(TEXTS, min_size=1, max_size=4))
        calls = tuple(ToolCall(f"c{place}", "logs", text) for place, text in enumerate(texts))
        found = [
            Message(Role.TOOL, text, result=draw(st.sampled_from(ResultKind)), evidence=(evidence(1, text),))
            for text in texts
        ]
        made.append((Message(Role.AGENT, draw(TEXTS), calls=calls), found))
    return made


def total(context: Context, counter: TokenCounter) -> int:
    return context.offer_tokens + sum(context.cost(message) for message in context.messages())


@given(
    prompt=TEXTS,
    question=TEXTS,
    past=st.lists(TEXTS, max_size=8),
    offers=st.lists(TEXTS, max_size=6),
    then=rounds(),
    limit=st.integers(LEAST, 4000),
    counter=COUNTERS,
)
def test_a_context_never_exceeds_its_limit(
    prompt: str,
    question: str,
    past: Sequence[str],
    offers: Sequence[str],
    then: Sequence[tuple[Message, Sequence[Message]]],
    limit: int,
    counter: TokenCounter,
) -> None:
    context = Context(
        prompt=prompt,
        offers=[Offer("tool", text, {}, Effect.READ) for text in offers],
        past=[Message(Role.PERSON, text) for text in past],
        question=question,
        limit=limit,
        counter=counter,
    )
    assert total(context, counter) <= limit
    for reply, results in then:
        context.add(reply, results)
        assert total(context, counter) <= limit


@given(text=TEXTS, limit=st.integers(-5, 600), counter=COUNTERS)
def test_a_shortened_text_never_exceeds_its_limit(text: str, limit: int, counter: TokenCounter) -> None:
    assert counter.count(shortened(text, limit, counter)) <= max(limit, 0)


@given(text=TEXTS, counter=COUNTERS)
def test_a_text_that_fits_is_left_as_it_is(text: str, counter: TokenCounter) -> None:
    assert shortened(text, max(counter.count(text), 1), counter) == text


def context(limit: int, *, past: Sequence[str] = (), offers: Sequence[Offer] = ()) -> Context:
    lines = [Message(Role.PERSON, text) for text in past]
    return Context(prompt="p", offers=offers, past=lines, question="why?", limit=limit, counter=WordCounter())


def test_the_newest_lines_of_the_past_stay() -> None:
    full = context(LEAST, past=["old " * 200, "newer " * 200, "newest " * 100])

    assert [message.text.split()[0] for message in full.messages()] == ["p", "newer", "newest", "why?"]
    assert full.dropped_lines == 1


def test_results_are_worth_more_than_the_past() -> None:
    full = context(LEAST, past=["old " * 200])
    full.add(
        Message(Role.AGENT, "", calls=(ToolCall("c", "logs", "{}"),)),
        [Message(Role.TOOL, "found", result=ResultKind.FOUND, evidence=(evidence(1, "line\n" * 400),))],
    )

    texts = [message.text for message in full.messages()]
    assert texts == ["p", "why?", "", "found"]
    assert full.shortened == {1}


def test_a_long_result_keeps_its_first_and_last_lines_and_says_how_many_are_missing() -> None:
    text = "\n".join(f"line {number}" for number in range(100))

    lines = shortened(text, 40, WordCounter()).splitlines()

    assert (lines[0], lines[-1]) == ("line 0", "line 99")
    assert any("lines left out" in line for line in lines)


def test_tools_that_have_no_room_are_named() -> None:
    offers = [Offer("small", "s", {}, Effect.READ), Offer("huge", "word " * 5000, {}, Effect.READ)]

    full = context(LEAST, offers=offers)

    assert [offer.name for offer in full.offers] == ["small"]
    assert full.dropped_offers == ("huge",)


def test_arguments_longer_than_any_tool_takes_are_not_shown_again() -> None:
    full = context(4000)
    full.add(Message(Role.AGENT, "", calls=(ToolCall("c", "logs", '{"a": "' + "x" * 9000 + '"}'),)), [])

    assert full.messages()[-1].calls[0].arguments == "{}"
