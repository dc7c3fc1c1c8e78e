"""Questions about who approved a change: how they are recognised, and which changes of the history they mean."""

import re
from collections.abc import Sequence

from agent.models.embedded.facts import Deployment
from agent.models.embedded.folding import fold

_ACTION = re.compile(r"\ba-(\d+)\b")
_DECIDED = (
    r"(?:approv\w*|signed[ -]off|said yes|reject\w*|refus\w+|valid\w+|autoris\w+|authori[sz]ed|accept\w+"
    r"|declin\w+)"
)
_CHANGES = {
    "rollback": r"roll(?:ed)?[ -]?backs?|retours? arriere|reverts?",
    "restart": r"restarts?|redemarrages?",
    "scale": r"scal\w+",
    "deploy": r"deploy\w*|deploie\w*|releases?|mises? en (?:ligne|production|prod)|livraisons?",
    "": r"changes?|changements?|actions?",
}
_CHANGE = "|".join(_CHANGES.values())
_WHO = re.compile(
    rf"\b(?:who|qui|by whom|par qui|was|were|is|has|did|est|a)\b.{{0,40}}\b{_DECIDED}\b.{{0,40}}\b(?:{_CHANGE}|a-\d+)\b"
    rf"|\b(?:{_CHANGE}|a-\d+)\b.{{0,40}}\b{_DECIDED}\b"
)
_SIGNED = re.compile(r"^(?P<people>.+) \((?P<action>A-\d+)\)$")


def action_named(text: str) -> str:
    """The action that a text names, such as `A-3`; "" when it names none."""
    match = _ACTION.search(fold(text))
    return f"A-{match[1]}" if match else ""


def is_asked(text: str) -> bool:
    """Whether a text asks about an action, or who decided about a change."""
    folded = fold(text)
    return bool(_ACTION.search(folded) or _WHO.search(folded))


def approved(entry: Deployment) -> tuple[str, str] | None:
    """The action a change was made for and who approved it, as the platform's history has signed it."""
    match = _SIGNED.match(entry.by)
    return (match["action"], match["people"]) if match else None


def meant(deployments: Sequence[Deployment], text: str) -> list[Deployment]:
    """The approved changes that a question means: those of the action it names, or of the kind it speaks of."""
    signed = [entry for entry in deployments if approved(entry) is not None]
    if action := action_named(text):
        return [entry for entry in signed if entry.by.endswith(f"({action})")]
    folded = fold(text)
    kinds = [kind for kind, words in _CHANGES.items() if kind and re.search(rf"\b(?:{words})\b", folded)]
    return [entry for entry in signed if not kinds or entry.kind in kinds]
