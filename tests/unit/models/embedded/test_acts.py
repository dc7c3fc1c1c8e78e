"""The guard before writes: only an order for now is an order."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.embedded.acts import Mood, judge
from agent.models.embedded.scan import Scanner
from tools.slots import Kind, Slot

NOW = datetime(2026, 11, 23, 15, 42, tzinfo=UTC)
SCANNER = Scanner(
    [
        ("service", Slot(Kind.CHOICE, role="service", choices=("ledger", "mailer", "search"))),
        ("environment", Slot(Kind.CHOICE, role="environment", choices=("production", "staging"))),
    ],
    known=(),
    zone=UTC,
)


def mood(text: str) -> Mood:
    return judge(SCANNER.scan(text, NOW).abstract).mood


@pytest.mark.parametrize(
    "text",
    [
        "restart mailer",
        "please restart mailer in staging",
        "could you bounce mailer when you get a chance?",
        "would you mind restarting the mailer",
        "mailer isn't answering, restart it",
        "the mailer release is rotten take it back",
        "I need six mailers",
        "ledger should run on three instances",
        "mailer x4",
        "mailer 1.2.3 -> staging please",
        "ledger rollback in production please",
        "go back to ledger 2.3.9",
        "don't touch ledger, just restart mailer",
        "redémarre mailer s'il te plaît",
        "est-ce que tu peux relancer mailer ?",
        "il faudrait passer ledger à quatre instances",
        "mailer ne répond plus, relance-le",
        "remets ledger comme avant en production",
        "mets mailer 1.2.3 en staging si possible",
    ],
)
def test_an_order_is_heard(text: str) -> None:
    assert mood(text) is Mood.ORDER


@pytest.mark.parametrize(
    "text",
    [
        "don't restart mailer",
        "please do not roll back ledger",
        "no need to restart mailer",
        "never scale ledger to 10",
        "ne redémarre pas mailer",
        "surtout ne déploie pas ledger 2.0",
        "how do I restart mailer?",
        "should we roll back ledger?",
        "can you tell me how to restart mailer",
        "did anyone restart mailer?",
        "what happens if I scale mailer to 0?",
        "faut-il redémarrer mailer ?",
        "qui a redémarré mailer ?",
        "on redémarre mailer ?",
        "we rolled back ledger yesterday",
        "raj restarted mailer",
        "the mailer restart worked",
        "release 2.4.0 of ledger is bad",
        "on a redémarré mailer",
        "je viens de relancer mailer",
        "if errors go up, roll back ledger",
        "roll back ledger if it fails again",
        "restart mailer tomorrow",
        "restart mailer at 18:00",
        "maybe restart mailer",
        "I'm thinking of scaling mailer to 5",
        "I was going to restart mailer",
        "restart mailer after the deploy",
        "si mailer retombe, redémarre-le",
        "wait, roll back ledger only once I say so",
        "the runbook says to restart mailer",
        "raj wants to restart mailer",
        "> restart mailer",
        '"restart mailer" is what the page says',
    ],
)
def test_what_is_no_order_for_now_is_none(text: str) -> None:
    assert mood(text) is not Mood.ORDER


@given(st.text(max_size=300))
def test_any_text_can_be_judged(text: str) -> None:
    assert mood(text) in Mood


@given(st.sampled_from(["don't", "do not", "never", "please don't", "ne", "surtout ne"]),
       st.sampled_from(["restart mailer", "roll back ledger", "scale mailer to 3", "deploy ledger 2.0"]))  # fmt: skip
def test_a_forbidden_change_is_never_an_order(forbids: str, change: str) -> None:
    assert mood(f"{forbids} {change}") is not Mood.ORDER
