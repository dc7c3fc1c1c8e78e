"""What shipped tools write into plans is shown in the reader's language, and anything else as it is."""

import pytest

from agent.approvals.card import card
from agent.words.plans import in_language
from tests.fakes.office import Office
from tests.fakes.shop import shop_platform
from tests.unit.tools.deploy.test_write_tools import every_write
from tools.contract import Plan


async def plans() -> dict[str, Plan]:
    made = every_write(shop_platform())
    return {name: await tool.plan(tool.spec.validate(values)) for name, (tool, values) in made.items()}


async def test_every_text_of_the_plans_for_the_platform_has_its_french() -> None:
    for name, plan in (await plans()).items():
        texts = [plan.title, plan.undo_text, plan.health, *plan.notes, *(one.what for one in plan.changes)]
        for text in filter(None, texts):
            assert in_language(text, "fr") != text, (name, text)
            assert in_language(text, "en") == text


@pytest.mark.parametrize(
    ("text", "french"),
    [
        ("Roll payments back to 2.3.9 in production", "Ramener payments à 2.3.9 en production"),
        (
            "2 of 2 replicas healthy, 2.4.0 since 05:00 UTC, 12.0% of requests failing",
            "2 réplicas sains sur 2, 2.4.0 depuis 05:00 UTC, 12.0% des requêtes échouent",
        ),
        (
            "Silence HighErrors of all services in staging",
            "Mettre en silence HighErrors de all services en staging",
        ),
        ("Run lamp", "Exécuter lamp"),
        ("Run lamp and more", "Run lamp and more"),  # no line of ours
        ("Move the valve to 20", "Move the valve to 20"),
        ("", ""),
    ],
)
def test_a_text_is_known_as_a_whole_or_left_alone(text: str, french: str) -> None:
    assert in_language(text, "fr") == french


async def test_a_card_keeps_the_texts_of_tools_that_are_not_shipped() -> None:
    office = Office()
    action = await office.proposed()
    assert card(action, "fr", office.clock(), str).title == "Move the valve to 20"
