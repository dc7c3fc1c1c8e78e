"""What was named in an order is never left out in silence: another change would run than the one asked for."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.models.embedded.reading import AskBack
from agent.models.embedded.understanding import Understanding
from tools.contract import Effect, Spec
from tools.deploy.memory import MemoryPlatform
from tools.deploy.restart import Restart
from tools.deploy.rollback import Rollback
from tools.vocabulary import Vocabulary

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def understanding(tmp_path_factory: pytest.TempPathFactory) -> Understanding:
    words = Vocabulary({"payments": ()}, {"production": ("prod",), "staging": ()})
    platform = MemoryPlatform((), (), lambda: NOW)
    specs: list[Spec] = [
        Rollback(platform, words, lambda: NOW).spec,
        Restart(platform, words, lambda: NOW).spec,
    ]
    assert all(spec.effect is Effect.WRITE for spec in specs)
    cache: Path = tmp_path_factory.mktemp("cache")
    return Understanding(specs, embedder=None, zone=UTC, cache=cache)


@pytest.mark.parametrize(
    "text",
    [
        "roll payments back to 2.3.9 in prod",
        "restore payments 2.3.9 in prod",
        "restaure la version 2.3.9 de payments en prod",
        "remets la 2.3.9 de payments en production",
    ],
)
async def test_a_rollback_takes_the_version_that_was_named(understanding: Understanding, text: str) -> None:
    reading = await understanding.read(text, now=NOW)
    assert isinstance(reading, tuple)
    assert [call.arguments.get("version") for call in reading] == ["2.3.9"]


@pytest.mark.parametrize(
    "text", ["rollback payments on pre-production", "reviens en arrière sur payments en pré-production"]
)
async def test_pre_production_is_not_production(understanding: Understanding, text: str) -> None:
    reading = await understanding.read(text, now=NOW)
    environments = (
        [call.arguments.get("environment") for call in reading] if isinstance(reading, tuple) else []
    )
    assert "production" not in environments


async def test_a_version_that_the_tool_cannot_take_is_asked_about(understanding: Understanding) -> None:
    assert isinstance(await understanding.read("restart payments 2.3.9 in prod", now=NOW), AskBack)
