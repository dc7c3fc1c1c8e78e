"""A conversation typed into a terminal: how it is left, and what a command without its word says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from agent.conversation.receipt import Receipt
from agent.conversation.thread import ThreadId, TurnId
from agent.conversation.turn import Answer
from agent.feedback import NothingToMark
from agent.people.person import Directory, Person
from agent.store.port import TurnRecord
from agent.surfaces.terminal.chat import Chat
from agent.surfaces.terminal.sitting import Sitting

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MAYA, SAM = Person("maya", "Maya Lindqvist"), Person("sam", "Sam Patel")


class NoActions:
    """Nothing was ever proposed."""

    async def latest(self, *, reader: object = None) -> Sequence[object]:
        return ()


class NoRequests:
    """Nobody asked anything before."""

    async def left_unanswered(self, _person: Person) -> Sequence[object]:
        return ()


class ToldMaya(NoRequests):
    """An answer is shown to its speaker Maya alone."""

    async def record(self, id_: str, person: Person) -> TurnRecord | None:
        told = TurnRecord(TurnId(id_), ThreadId("t"), "maya", "how?", NOW, "well")
        return told if person == MAYA else None


@dataclass
class QuietApp:
    """An application without changes that answers every question with "well", once it is let."""

    asked: list[str] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    directory: Directory = field(default_factory=lambda: Directory((MAYA, SAM)))
    actions: NoActions = field(default_factory=NoActions)
    requests: NoRequests = field(default_factory=NoRequests)
    settings: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(language="en"))

    async def ask(self, _person: Person, text: str, *_rest: object) -> Answer:
        self.asked.append(text)
        await self.may_answer.wait()
        return Answer(TurnId("T-1"), "well", (), (), (), Receipt("T-1", 0.1, (), "none", "", 0), "en")

    async def next_step(self, _ended: object) -> None:
        """No runbook is on its way."""


@dataclass
class Marks:
    """Takes marks on passages [1] and [2], and none on others."""

    taken: list[tuple[str, bool, int | None, str]] = field(default_factory=list)

    async def mark(
        self, person: Person, _record: TurnRecord, *, helpful: bool, number: int | None, reason: str
    ) -> str:
        if number not in (None, 1, 2):
            raise NothingToMark("1, 2")
        self.taken.append((person.id, helpful, number, reason))
        return "Refunds"


@dataclass
class MarkingApp(QuietApp):
    """The same, with marks on what Maya was told."""

    feedback: Marks = field(default_factory=Marks)
    requests: ToldMaya = field(default_factory=ToldMaya)


class ToldTurns(ToldMaya):
    """The same, for the names of turns alone."""

    async def record(self, id_: str, person: Person) -> TurnRecord | None:
        return await super().record(id_, person) if id_.startswith("T-") else None


@dataclass
class NamedActions(NoActions):
    """The same; keeps which ones it was asked for."""

    named: list[str] = field(default_factory=list)

    async def find(self, id_: str, _person: Person) -> None:
        self.named.append(id_)


@dataclass
class NamingApp(MarkingApp):
    """The same, without any action."""

    requests: ToldMaya = field(default_factory=ToldTurns)
    actions: NamedActions = field(default_factory=NamedActions)

    def name(self, id_: str) -> str:
        return self.directory.get(id_).name


class BreakingApp(MarkingApp):
    """The same, and the question "why?" breaks it."""

    async def ask(self, person: Person, text: str, *rest: object) -> Answer:
        if text == "why?":
            raise TypeError("a word too many")
        return await super().ask(person, text, *rest)


class TypedChat(Chat):
    """A chat with its lines given instead of typed."""

    def __init__(self, sitting: Sitting, lines: Sequence[str]) -> None:
        super().__init__(sitting)
        self._given = lines

    async def _lines(self) -> AsyncIterator[str]:
        for line in self._given:
            yield line


def sitting(app: QuietApp, **how: float) -> Sitting:
    return Sitting(app, MAYA, **how)  # type: ignore[arg-type]  # the fake has what a sitting asks for here


async def chat(*lines: str) -> MarkingApp:
    app = MarkingApp()
    app.may_answer.set()
    await TypedChat(sitting(app), lines).run()
    return app


@pytest.mark.parametrize("word", ["exit", "quit", "Exit", "/quit", "/exit"])
async def test_the_words_for_leaving_leave(word: str) -> None:
    assert (await chat("is checkout well?", word, "never asked")).asked == ["is checkout well?"]


async def test_a_question_about_quitting_is_a_question() -> None:
    assert (await chat("quit counting")).asked == ["quit counting"]


async def test_a_question_that_breaks_something_is_told_and_the_conversation_goes_on(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    app = BreakingApp()
    app.may_answer.set()
    await TypedChat(sitting(app), ["why?", "is checkout well?"]).run()
    assert app.asked == ["is checkout well?"]
    assert "Something went wrong on my side (TypeError: a word too many)" in capsys.readouterr().out
    assert "a question could not be answered" in caplog.text


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/as", "Type /as PERSON. People here: maya, sam."),
        ("/approve", "Type /approve A-1"),
        ("/reject", "Type /reject A-1"),
        ("/withdraw", "Type /withdraw A-1"),
        ("/show", "Type /show T-1"),
    ],
)
async def test_a_command_without_its_word_says_what_to_type(
    line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await chat(line)
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "id_"),
    [("show A-1", "A-1"), ("  Show a-17 ", "A-17"), ("approve A-2", "A-2"), ("withdraw a-3", "A-3")],
)
async def test_a_command_and_an_id_need_no_slash(
    line: str, id_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = NamingApp()
    await TypedChat(sitting(app), [line]).run()
    assert (app.actions.named, app.asked) == ([id_], [])
    assert f"There is no {id_} that you may see" in capsys.readouterr().out


async def test_an_answer_is_shown_without_a_slash(capsys: pytest.CaptureFixture[str]) -> None:
    app = NamingApp()
    await TypedChat(sitting(app), ["show t-1"]).run()
    assert (app.actions.named, app.asked) == ([], [])
    assert "T-1  Maya Lindqvist, 2026-11-23 00:00 UTC\n> how?" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "show A-1 please",
        "show me A-1",
        "please approve A-1",
        "approve T-1",
        "should I approve A-1",
        "show payments",
        "A-1",
        "show",
        "tools A-1",
    ],
)
async def test_any_other_text_is_a_question(line: str) -> None:
    assert (await chat(line)).asked == [line]


async def test_an_answer_is_marked_whole_or_by_its_passage_with_a_reason() -> None:
    app = await chat("how?", "/helpful", "/wrong 2 it is outdated", "/helpful [1]", "/wrong 2.4.0 is gone")
    assert app.feedback.taken == [
        ("maya", True, None, ""),
        ("maya", False, 2, "it is outdated"),
        ("maya", True, 1, ""),
        ("maya", False, None, "2.4.0 is gone"),
    ]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["/helpful"], "There is no answer to mark yet"),
        (
            ["how?", "/wrong 9"],
            "T-1 rests on no such passage, so there is nothing to mark. Passages of it: 1, 2.",
        ),
        (["how?", "/as sam", "/helpful"], "The last answer was given to somebody else"),
        (["how?", "/helpful"], "“Refunds” goes first when this is asked again"),
        (["how?", "/wrong"], "“Refunds” is not told as the answer when this is asked again"),
    ],
)
async def test_what_became_of_a_mark_is_told(
    lines: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await chat(*lines)
    assert told in " ".join(capsys.readouterr().out.split())


async def test_an_answer_that_takes_long_says_on_stderr_that_work_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = QuietApp()
    asking = asyncio.create_task(sitting(app, silence=0.0).ask("is checkout well?"))
    heard = ""
    async with asyncio.timeout(5):
        while "working" not in heard:
            await asyncio.sleep(0)  # lets the loop come to the line that is due
            heard += capsys.readouterr().err
    assert not asking.done()
    app.may_answer.set()
    assert (await asking)["answer"] == "well"
