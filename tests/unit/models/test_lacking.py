"""What is told of a model that cannot answer as it is set."""

import pytest

from agent.models.lacking import lacking
from agent.settings import ModelSettings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"name": "gpt-5-mini"}, "`model.name` is 'gpt-5-mini', and the provider is none"),
        ({"provider": "openai"}, "`model.name` says no model"),
        ({"provider": "openai", "name": "gpt-5-mini"}, "there is no key: set SAYSO_MODEL__API_KEY, or name"),
        ({"provider": "langchain", "name": "anthropic:c"}, "ANTHROPIC_API_KEY is not set"),
        ({"provider": "langchain", "name": "google_genai:g"}, "GOOGLE_API_KEY or GEMINI_API_KEY is not set"),
    ],
)
def test_what_is_missing_of_a_model_is_named(settings: dict[str, str], said: str) -> None:
    assert said in (lacking(ModelSettings.model_validate(settings), {}) or "")


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        ({}, {}),
        ({"base_url": "http://127.0.0.1:1/v1", "api_key": "sk-1"}, {}),
        ({"provider": "openai", "name": "m", "base_url": "http://127.0.0.1:1/v1"}, {}),
        ({"provider": "openai", "name": "m", "api_key": "sk-1"}, {}),
        ({"provider": "openai", "name": "m"}, {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}),
        ({"provider": "langchain", "name": "anthropic:c"}, {"ANTHROPIC_API_KEY": "k"}),
        ({"provider": "langchain", "name": "ollama:m"}, {}),
    ],
)
def test_a_model_that_adds_up_is_not_warned_of(settings: dict[str, str], environ: dict[str, str]) -> None:
    assert lacking(ModelSettings.model_validate(settings), environ) is None
