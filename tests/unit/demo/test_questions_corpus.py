"""The questions asked of the demo's knowledge: well formed, varied, and their sources exist and may be read."""

import json
from collections import Counter

import pytest

from demo.knowledge import DOCS, QUESTIONS
from demo.knowledge.cast import CHANNEL
from demo.knowledge.history import history
from demo.knowledge.stories import load_stories

ASKED = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
PEOPLE = {"maya", "tom", "sam", "raj", "ines", "lea", "nora"}


def test_there_are_eighty_with_ids_of_their_own() -> None:
    assert len({question["id"] for question in ASKED}) == len(ASKED) == 80
    assert len({(question["text"], question["asker"]) for question in ASKED}) == 80


@pytest.mark.parametrize("question", ASKED, ids=lambda question: str(question["id"]))
def test_a_question_is_well_formed(question: dict[str, object]) -> None:
    assert set(question) == {"id", "text", "lang", "asker", "expect"}
    assert question["lang"] in {"en", "fr", "mixed"}
    assert question["asker"] in PEOPLE
    assert question["text"]


def test_half_are_english_and_a_third_has_no_answer() -> None:
    langs = Counter(question["lang"] for question in ASKED)
    assert langs["en"] == 40
    assert langs["fr"] > langs["mixed"] > 0
    assert 24 <= sum(not question["expect"] for question in ASKED) <= 30


def test_every_expected_source_exists_and_the_asker_may_read_it() -> None:
    posts = {(post.channel, post.ts) for post in history()}
    for question in ASKED:
        for source in question["expect"]:
            kind, _, rest = source.partition(":")
            if kind == "doc":
                assert (DOCS / rest).is_file(), source
            else:
                channel, _, ts = rest.partition(":")
                assert (channel, ts) in posts, source
                private = CHANNEL[channel].private
                assert not private or question["asker"] in CHANNEL[channel].members, question


def test_chat_sources_are_the_first_message_of_a_written_thread() -> None:
    roots = {f"slack:{told.channel}:{told.ts}" for told in load_stories()}
    cited = {source for question in ASKED for source in question["expect"] if source.startswith("slack:")}
    assert cited <= roots


def test_a_few_are_answered_by_the_private_channel_alone() -> None:
    private = [
        question
        for question in ASKED
        if question["expect"]
        and all(source.startswith("slack:security-response:") for source in question["expect"])
    ]
    assert len(private) >= 4
