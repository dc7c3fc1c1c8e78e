"""Answers in Slack: whatever people and systems write, Slack takes it, and it stays readable."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.approvals.card import Card
from agent.conversation.thread import ThreadId, TurnId
from agent.store.port import TurnRecord
from agent.surfaces.slack import answers, cards, limits, mrkdwn
from agent.surfaces.slack.blocks import Block, Message
from evals.bench.slack import judge
from tests.fakes.office import Office
from tools.contract import Json

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ANY = st.text(max_size=400) | st.text(alphabet="<>&*_`|\n a", max_size=6000)


def taken(shown: Message | Block) -> bool:
    """Whether Slack takes it; fails with why not."""
    plain = json.loads(json.dumps(shown.blocks if isinstance(shown, Message) else shown))
    why = judge.message(plain, shown.text) if isinstance(shown, Message) else judge.view(plain)
    assert why is None, why
    return True


def record(answer: str, evidence: list[dict[str, Json]]) -> TurnRecord:
    kept: dict[str, Json] = {"evidence": evidence, "receipt": {"model": "embedded", "seconds": 0.42}}
    return TurnRecord(TurnId("T-1"), ThreadId("slack:C1:1.1"), "maya", "?", NOW, answer, kept, NOW)


LONG = st.builds(lambda text, times: text * times, ANY, st.integers(1, 60))


@given(answer=ANY | LONG, texts=st.lists(ANY, max_size=40), link=ANY)
def test_any_answer_with_any_evidence_is_taken(answer: str, texts: list[str], link: str) -> None:
    evidence: list[dict[str, Json]] = [
        {"number": n, "title": text, "source": text, "query": text, "text": text, "link": link}
        for n, text in enumerate(texts, 1)
    ]
    cited = " ".join(f"[{n}]" for n in range(1, len(texts) + 1))
    kept = record(f"{answer} {cited}", evidence)
    assert all(taken(one) for one in answers.of(kept, "en"))
    for page in range(len(texts) // answers.PAGE + 2):
        assert taken(answers.evidence(kept, page, "fr"))


@given(text=st.text(max_size=9000), most=st.integers(min_value=20, max_value=3000))
def test_a_text_in_pieces_is_the_whole_text(text: str, most: int) -> None:
    parts = limits.pieces(text, most)
    assert all(0 < len(part) <= most for part in parts)
    assert "".join("".join(parts).split()) == "".join((text.strip() or "-").split())


@given(text=ANY)
def test_what_somebody_wrote_names_nobody_and_links_nowhere(text: str) -> None:
    shown = mrkdwn.mrkdwn(f"<!channel> <@U1> <https://evil.example|click> {text}")
    assert "<" not in shown
    assert ">" not in shown


def test_paragraphs_stay_whole_where_they_can() -> None:
    assert limits.pieces("one two\n\nthree four", 12) == ["one two", "three four"]


def test_a_long_answer_becomes_several_messages_and_only_the_last_has_buttons() -> None:
    messages = answers.of(record("word " * 5000, [{"number": 1, "title": "t"}]), "en")
    assert len(messages) > 1
    kinds = [[block["type"] for block in one.blocks] for one in messages]
    assert ["actions" in one for one in kinds] == [False] * (len(messages) - 1) + [True]


def test_markdown_becomes_slacks() -> None:
    assert mrkdwn.mrkdwn("# Cause\n- **payments** & 2.4.0") == "*Cause*\n• *payments* &amp; 2.4.0"


def test_links_that_slack_could_misread_are_text() -> None:
    assert (
        mrkdwn.link("https://a.example/x?a=1&b=2", "logs | now")
        == "<https://a.example/x?a=1&amp;b=2|logs ¦ now>"
    )
    assert mrkdwn.link("javascript:alert(1)", "logs") == "logs"
    assert mrkdwn.link("https://a.example/>|<!here>", "logs") == "logs"


def test_what_slack_sends_is_read_as_plain_text() -> None:
    sent = "<@UBOT> is <https://a.example|a.example> down in <#C1|payments>, <@U2>? 1 &lt; 2 <!here>"
    assert mrkdwn.heard(sent, "UBOT") == "is https://a.example down in #payments, @U2? 1 < 2 @here"


async def test_a_card_that_expires_says_when_in_each_readers_time() -> None:
    action = await Office().proposed()
    blocks = cards.of(action, Card("A-1", "t", "s", (), open=True), "en").blocks
    told = str(int((action.created_at + timedelta(minutes=30)).timestamp()))
    assert any(f"<!date^{told}^" in str(block) for block in blocks)


def test_a_button_that_is_not_ours_means_nothing() -> None:
    assert cards.meant("A-17 abc") == ("A-17", "abc")
    assert cards.meant("rm -rf") == ("", "")
    assert cards.meant("A-17") == ("", "")


def test_a_table_stands_in_columns_of_one_width() -> None:
    shown = mrkdwn.mrkdwn(
        "Failed payments\nday | payments\n2026-11-16 | 796\n2026-11-18 | 3,955\nIn all: 4,751"
    )
    assert shown == (
        "Failed payments\n```\nday         payments\n2026-11-16  796\n2026-11-18  3,955\n```\nIn all: 4,751"
    )


def test_a_table_that_is_too_wide_for_a_phone_is_a_line_for_each_row() -> None:
    shown = mrkdwn.mrkdwn(
        "service | version | started by | note\n"
        "checkout | 2.4.0 | Tom Okafor | a new retry path\n"
        "payments | 2.3.9 | Raj | rolled back after the incident"
    )
    assert shown == (
        "• *checkout* · version: 2.4.0 · started by: Tom Okafor · note: a new retry path\n"
        "• *payments* · version: 2.3.9 · started by: Raj · note: rolled back after the incident\n"
    )


def test_code_stays_as_it_was_written() -> None:
    assert mrkdwn.mrkdwn("So:\n```sh\n- a **b** | c\n```") == "So:\n```\n- a **b** | c\n```"


def test_links_under_an_answer_are_whole_or_left_out() -> None:
    items: list[dict[str, Json]] = [
        {"number": n, "source": "docs", "title": "t" * 140, "link": f"https://a.example/{'p' * 400}"}
        for n in range(1, 9)
    ]
    shown = answers.sources(items).splitlines()
    assert 1 < len(shown) < 8
    assert all(line.endswith(">") for line in shown[:-1])
    assert shown[-1] == "…"
