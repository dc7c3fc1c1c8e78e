"""What to look at next when the first reads of a diagnosis are back."""

from collections.abc import Mapping, Sequence

from agent.conversation.messages import ToolCall
from agent.models.embedded import facts
from agent.models.embedded.arguments import refusal
from agent.models.embedded.cause import points_to, ranked, searchable
from agent.models.embedded.moment import Moment, arguments
from agent.models.embedded.phrases import family
from agent.models.embedded.reading import Call
from tools.contract import Effect, Json, Spec
from tools.slots import Kind, slots


def is_diagnosis(now: Moment, specs: Mapping[str, Spec]) -> bool:
    """Whether this turn asked several kinds of tools at once, logs or metrics among them."""
    kinds = {family(result.call.name) for result in now.results if result.call.name in specs}
    return len(kinds) >= 2 and "logs" in kinds


def is_write(call: ToolCall, specs: Mapping[str, Spec]) -> bool:
    return call.name in specs and specs[call.name].effect is Effect.WRITE


def services(specs: Mapping[str, Spec]) -> tuple[str, ...]:
    """The services that any tool knows."""
    named = (
        choice
        for spec in specs.values()
        for name, slot in slots(spec.arguments).items()
        if slot.kind is Kind.CHOICE and (slot.role or name) == "service"
        for choice in slot.choices
    )
    return tuple(dict.fromkeys(named))


def asked_service(now: Moment) -> str:
    """The service the first reads were about."""
    return _first(now, "service")


def asked_environment(now: Moment) -> str:
    """The environment that the first reads were narrowed to; "" when they looked at all of them."""
    return _first(now, "environment")


def _first(now: Moment, name: str) -> str:
    """The first value that a call of this turn has for an argument."""
    given = (arguments(result.call).get(name) for result in now.results)
    return next((str(value) for value in given if value), "")


def next_reads(now: Moment, families: Mapping[str, Spec]) -> tuple[Call, ...]:
    """Reads about the service that the errors point to, and what was written about the newest error.

    Nothing is asked twice, and nothing when the logs show no error.
    """
    asked = asked_service(now)
    known = services({spec.name: spec for spec in families.values()})
    patterns = ranked(facts.sort(now.evidence))
    if not patterns:
        return ()
    own = next((pattern for pattern in patterns if pattern.service == asked), patterns[0])
    other = points_to(own.template, own.service, known)
    if other is not None and not any(
        arguments(result.call).get("service") == other for result in now.results
    ):
        return _fresh(now, _about(other, now, families))
    deeper = next((pattern for pattern in patterns if other is not None and pattern.service == other), own)
    return _fresh(now, _written(searchable(deeper.template), deeper.service or asked, families))


def _about(service: str, now: Moment, families: Mapping[str, Spec]) -> list[Call]:
    """The same reads as before, about another service."""
    repeated = [family(result.call.name) for result in now.results]
    calls = []
    for result in now.results:
        values = arguments(result.call)
        kin = family(result.call.name)
        if kin in families and kin != "knowledge" and kin in repeated and "service" in values:
            calls.append(Call(result.call.name, {**_json(values), "service": service}))
    return calls


def _written(query: str, service: str, families: Mapping[str, Spec]) -> list[Call]:
    """What people wrote about an error, and how past incidents of the kind were fixed."""
    spec = families.get("knowledge")
    if spec is None:
        return []
    name = next((name for name, slot in slots(spec.arguments).items() if slot.kind is Kind.QUESTION), None)
    if name is None:
        return []
    text = query if service and service in query.split() else f"{service} {query}".strip()
    incidents: dict[str, Json] = {name: f"{text}: how it was fixed", "kind": "incident"}
    narrowed = [Call(spec.name, incidents)] if refusal(spec, incidents) is None else []
    return [*narrowed, Call(spec.name, {name: text})]


def _fresh(now: Moment, calls: Sequence[Call]) -> tuple[Call, ...]:
    done = [(result.call.name, arguments(result.call)) for result in now.results]
    return tuple(call for call in calls if (call.tool, dict(call.arguments)) not in done)


def _json(values: Mapping[str, object]) -> dict[str, Json]:
    return {name: value for name, value in values.items() if isinstance(value, str | int | float | bool)}
