"""Declared commands ordered for a name that there is not: what is asked back names those there are."""

from collections.abc import Mapping

from agent.models.embedded.arguments import Context, Filled, fill
from agent.models.embedded.folding import stem
from agent.models.embedded.reading import AskBack, Doubt
from agent.models.embedded.scan import Scan
from tools.contract import Spec
from tools.slots import Slot, slots


def unknown_name(spec: Spec, scan: Scan, context: Context) -> AskBack | None:
    """A question back with the names there are, where a declared command was ordered for one there is not.

    Half of what the command takes must have been named, or its kind ("the flag dark_mode").
    """
    filled = fill(spec, scan, context)
    known = slots(spec.arguments)
    absent = [name for name in filled.missing if name in known and known[name].choices]
    spoken = any(stem(word) == (known[name].role or name) for name in absent for word in scan.plain.split())
    if not absent or len(absent) < len(filled.missing) or not (spoken or _of_its_own(filled, known)):
        return None
    return AskBack(Doubt.MISSING, spec.name, absent[0], known[absent[0]].choices, filled.values)


def is_all_named(spec: Spec, scan: Scan, context: Context) -> bool:
    """Whether every choice of a declared command was named: nothing else would be said with these words."""
    filled, known = fill(spec, scan, context), slots(spec.arguments)
    return filled.complete and _of_its_own(filled, known) and all(name in filled.said for name in known)


def kind_named(spec: Spec, scan: Scan, context: Context) -> AskBack | None:
    """The same for a sentence that says what kind of thing it is about: "active le flag dark_mode"."""
    roles = {slot.role or name for name, slot in slots(spec.arguments).items() if slot.choices}
    spoken = {stem(word) for word in scan.plain.split()} & (roles - {"service", "environment"})
    return unknown_name(spec, scan, context) if spoken else None


def _of_its_own(filled: Filled, known: Mapping[str, Slot]) -> bool:
    """Whether a value was named that only this command has, such as `on`: a service or a place tells nothing."""
    return any(
        known[name].choices and (known[name].role or name) not in {"service", "environment"}
        for name in filled.said
    )
