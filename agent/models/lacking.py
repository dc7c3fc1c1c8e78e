"""What the settings of a language model lack, as far as it shows without asking it."""

from collections.abc import Mapping

from agent.settings import ModelSettings

# Which variable has the key of a provider of LangChain; others have other ways, and are only tried.
_KEYS = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "cohere": ("COHERE_API_KEY",),
    "google_genai": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "mistralai": ("MISTRAL_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
}


def lacking(settings: ModelSettings, environ: Mapping[str, str]) -> str | None:
    """What `model` names or needs and the rest of it does not go with; `None` where it adds up."""
    match settings.provider:
        case "none" if settings.name:  # an endpoint alone may be that of an embedder
            return (
                f"`model.name` is {settings.name!r}, and the provider is none, so no language model is asked: set "
                "`model.provider` to openai (any OpenAI-compatible endpoint) or langchain"
            )
        case "openai" | "langchain" if not settings.name:
            return f"the provider is {settings.provider}, and `model.name` says no model"
        case "openai" if not (settings.base_url or environ.get("OPENAI_BASE_URL") or settings.api_key):
            return (
                f"{settings.name} without `model.base_url` is asked of OpenAI itself, and there is no key: set "
                "SAYSO_MODEL__API_KEY, or name your endpoint as `model.base_url`"
            )
        case "langchain":
            keys = _KEYS.get(settings.name.partition(":")[0], ())
            if keys and not any(environ.get(key) for key in keys):
                return f"{settings.name} needs a key, and {' or '.join(keys)} is not set"
    return None
