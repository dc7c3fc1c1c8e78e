"""Whether a person asked for a change at all."""

import pytest

from agent.models.embedded.wishes import SpokenWishes
from tests.contract.test_tools import shipped
from tools.contract import Arguments, Effect, Spec

WISHES = SpokenWishes((*shipped().specs(), Spec("purge_cache", "Empties a cache", Arguments, Effect.WRITE)))


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("restart", "can you restart payments please?"),
        ("rollback", "remets la version précédente de payments"),
        ("rollback", "is payments broken? roll it back"),
        ("deploy", "please ship payments 2.4.1 to staging"),
        ("scale", "we need 5 replicas of checkout"),
        ("silence", "coupe cette alerte pendant une heure"),
        ("purge_cache", "purge the cache of catalog"),
    ],
)
def test_a_wish_is_heard_in_both_languages(tool: str, text: str) -> None:
    assert WISHES.asked_for(tool, [text])
    assert WISHES.asked_for(tool, [text, "yes, do it"])


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("restart", "why is payments failing?"),
        ("restart", "why did payments restart?"),
        ("restart", "montre-moi les logs de payments"),
        ("restart", "roll payments back"),
        ("deploy", "what was the last deploy of payments?"),
        ("deploy", "monthly report of deployments"),
        ("silence", "which alerts fire on payments?"),
        ("purge_cache", "how full is it?"),
        ("unheard_of", "restart payments"),
    ],
)
def test_a_question_or_another_wish_is_none_for_this_tool(tool: str, text: str) -> None:
    assert not WISHES.asked_for(tool, [text])


def test_nothing_said_asks_for_nothing() -> None:
    assert not WISHES.asked_for("restart", [])
    assert not WISHES.asked_for("restart", ["", "   "])
