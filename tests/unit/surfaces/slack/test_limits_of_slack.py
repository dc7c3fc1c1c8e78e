"""No value of ours makes a card, a form, a tab or a notice that Slack would refuse, whatever people write."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field, create_model

from agent.approvals.action import Action, Decision, State, Verdict
from agent.approvals.card import Card, Row
from agent.conversation.thread import ThreadId, TurnId
from agent.people.person import Person
from agent.store.port import TurnRecord
from agent.surfaces.slack import cards, details, forms, home, mrkdwn, prompts
from agent.surfaces.slack.blocks import Block, Message, message, paragraphs
from evals.bench.slack import judge
from tests.fakes.office import Office
from tools.contract import Arguments, Change, Effect, Json, Spec

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WORDS = st.text(max_size=300) | st.text(alphabet="<>&*_`|\n a", max_size=5000)
SMALL = st.text(max_size=40)
ROWS = st.lists(st.builds(Row, WORDS, WORDS, st.booleans()), max_size=40)
NAME = st.from_regex(r"[a-z][a-z_]{0,20}", fullmatch=True)
VALUE: st.SearchStrategy[Json] = (
    WORDS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()
)
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def taken(shown: Message | Block) -> bool:
    """Whether Slack takes it; fails with why not."""
    plain = json.loads(json.dumps(shown.blocks if isinstance(shown, Message) else shown))
    why = judge.message(plain, shown.text) if isinstance(shown, Message) else judge.view(plain)
    assert why is None, why
    return True


@pytest.fixture(scope="module")
def action() -> Action:
    return asyncio.run(Office().proposed())


@st.composite
def actions(draw: st.DrawFn, base: Action) -> Action:
    """An action of which everything is any text."""
    changes = draw(st.lists(st.builds(Change, WORDS, WORDS, WORDS), max_size=12))
    plan = replace(
        base.plan,
        title=draw(WORDS),
        changes=tuple(changes),
        touches=tuple(draw(st.lists(WORDS, max_size=4))),
        notes=tuple(draw(st.lists(WORDS, max_size=4))),
    )
    need = replace(
        base.requirement,
        rule=draw(WORDS),
        confirm=draw(st.booleans()),
        reason_required=draw(st.booleans()),
        quorum=draw(st.integers(1, 9)),
    )
    arguments = draw(st.dictionaries(SMALL, VALUE, max_size=6))
    origin = st.sampled_from(["asker", "settings", "model"]) | WORDS
    votes = draw(st.lists(WORDS, max_size=5))
    return replace(
        base,
        plan=plan,
        requirement=need,
        why=draw(WORDS),
        requester=draw(SMALL),
        arguments=arguments,
        provenance={name: draw(origin) for name in arguments},
        state=draw(st.sampled_from(State)),
        detail=draw(WORDS),
        decisions=tuple(Decision(base.id, "d", "tom", Verdict.APPROVE, why, NOW) for why in votes),
        origin=replace(base.origin, turn="T-1", evidence=("T-1[1]", "T-1[2]")),
    )


def kept(text: str, link: str) -> TurnRecord:
    evidence: list[Json] = [
        {"number": number, "title": text, "source": text, "query": text, "text": text, "link": link}
        for number in (1, 2)
    ]
    record: dict[str, Json] = {"evidence": evidence}
    return TurnRecord(TurnId("T-1"), ThreadId("slack:C1:1.1"), "maya", "?", NOW, text, record, NOW)


@given(data=st.data(), title=WORDS, rows=ROWS, text=WORDS, link=WORDS)
@SLOW
def test_any_card_and_its_details_are_taken(
    action: Action, data: st.DataObject, title: str, rows: list[Row], text: str, link: str
) -> None:
    one = data.draw(actions(action))
    drawn = Card(one.id, title, text, tuple(rows), open=True)
    record = kept(text, f"https://a.example/{link}")
    rests = details.rests_on(one, record)
    assert len(rests) == 2
    for locale in ("en", "fr"):
        assert taken(cards.of(one, drawn, locale, f"https://a.example/{link}", rests))
        assert taken(details.of(one, drawn, record, locale))


@given(rows=ROWS)
@SLOW
def test_what_warns_is_on_every_card_and_its_buttons_too(action: Action, rows: list[Row]) -> None:
    careful = Row("careful", "this was not said by the person asking", warning=True)
    drawn = Card("A-1", "t", "s", (*(replace(row, warning=False) for row in rows), careful), open=True)
    shown = cards.of(action, drawn, "en").blocks
    assert "this was not said by the person asking" in json.dumps(shown)
    assert [block["type"] for block in shown][-2:] == ["actions", "actions"]


FIELD = st.one_of(
    st.tuples(st.just(str), WORDS),
    st.tuples(st.just(int), st.integers()),
    st.tuples(st.just(float), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just(bool), st.booleans()),
    st.tuples(st.just(str | None), WORDS | st.none()),
    st.tuples(st.just(list[str]), st.lists(WORDS, max_size=4)),
    st.tuples(st.just(dict[str, int]), st.just({"a": 1})),
)
CHOICES = st.lists(WORDS.filter(bool), min_size=1, max_size=130, unique=True)


@given(
    fields=st.dictionaries(NAME, FIELD, max_size=8),
    choices=CHOICES,
    data=st.data(),
    what=WORDS,
)
@SLOW
def test_any_form_is_taken_and_sent_as_it_was_it_changes_nothing(
    action: Action, fields: dict[str, tuple[Any, Any]], choices: list[str], data: st.DataObject, what: str
) -> None:
    from typing import Literal

    chosen = Literal[tuple(choices)]  # type: ignore[valid-type]  # made of what was drawn
    made: dict[str, Any] = {name: (kind, Field(description=what)) for name, (kind, _) in fields.items()}
    made["chosen"] = (chosen, Field(description=what))
    arguments = create_model("Made", __base__=Arguments, **made)
    values = {name: value for name, (_, value) in fields.items()} | {"chosen": choices[0]}
    one = replace(data.draw(actions(action)), arguments=values)
    form = forms.of(one, arguments, "en", "A-1 digest C1 1.1")
    assert taken(form)
    assert forms.changes(one, arguments, sent(form)) == {}


def sent(form: Block) -> dict[str, str]:
    """What Slack sends back where nobody touched a field."""
    found: dict[str, str] = {}
    for block in json.loads(json.dumps(form))["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            chosen = element.get("initial_option", {}).get("value", "")
            found[block["block_id"]] = element.get("initial_value", chosen)
    return found


@given(data=st.data(), yes=st.booleans())
@SLOW
def test_any_form_that_asks_why_is_taken(action: Action, data: st.DataObject, yes: bool) -> None:
    name = forms.APPROVE_FORM if yes else forms.REJECT_FORM
    assert taken(forms.reason(data.draw(actions(action)), name, "fr", "A-1 digest C1 1.1"))


@given(data=st.data(), names=st.lists(st.tuples(WORDS, WORDS), max_size=40), who=WORDS, link=WORDS)
@SLOW
def test_any_home_tab_is_taken(
    action: Action, data: st.DataObject, names: list[tuple[str, str]], who: str, link: str
) -> None:
    some = [data.draw(actions(action)) for _ in range(3)] * 12
    tools = [Spec(name, what, Arguments, Effect.WRITE) for name, what in names]
    links = {str(action.id): f"https://a.example/{link}"}
    person = Person("maya", who, frozenset({"op", "supervisor"}))
    assert taken(home.of(person, some, tools, "en", links))


@given(text=WORDS | st.text(alphabet="a \n`", max_size=20_000))
@SLOW
def test_any_notice_is_taken(text: str) -> None:
    assert taken(message(text, paragraphs(mrkdwn.mrkdwn(text))))


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_the_prompts_are_taken(locale: str) -> None:
    offered = [dict(one) for one in prompts.of(list(prompts.OFFERED), locale)]
    assert judge.prompts(offered, "?") is None


@given(text=st.text(max_size=9000), most=st.integers(min_value=60, max_value=3000))
def test_code_that_is_split_stays_code_in_every_part(text: str, most: int) -> None:
    whole = f"before\n\n{mrkdwn.code(text)}\n\nafter"
    parts = mrkdwn.pieces(whole, most)
    assert all(0 < len(part) <= most for part in parts)
    assert all(part.count(mrkdwn.FENCE) % 2 == 0 for part in parts)


def test_the_judge_refuses_what_slack_refuses() -> None:
    section: Any = {"type": "section", "text": {"type": "mrkdwn", "text": "a" * 3001}}
    assert judge.message([section]) == "invalid_blocks: section of 3001 characters"
    fine: Any = {"type": "section", "text": {"type": "mrkdwn", "text": "a" * 2700}}
    assert judge.message([fine] * 5) == "msg_blocks_too_long"
    assert judge.message([fine | {"block_id": "b"}] * 2) is not None
    assert judge.message([{"type": "divider"}] * 51) == "invalid_blocks: too many"
    blank: Any = {"type": "context", "elements": [{"type": "mrkdwn", "text": " "}]}
    assert judge.message([blank]) is not None
    title: Any = {"type": "plain_text", "text": "t" * 25}
    assert judge.view({"type": "modal", "callback_id": "c", "title": title, "blocks": [fine]}) is not None
    assert judge.view({"type": "home", "blocks": []}) is not None
