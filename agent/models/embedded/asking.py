"""Questions back to the person, and what the planner can do, in words."""

from collections.abc import Iterable, Mapping, Sequence

from agent.models.embedded.phrases import family
from agent.models.embedded.reading import AskBack, Doubt
from agent.words.catalogue import UnknownPhrase, say
from tools.contract import Json, Spec
from tools.slots import Kind, Slot, slots


def ask(back: AskBack, specs: Mapping[str, Spec], locale: str) -> str:
    """The question that settles a doubt."""
    match back.doubt:
        case Doubt.MISSING:
            return _missing(back, specs, locale)
        case Doubt.CONFIRM | Doubt.LATER:
            order = _order(back, specs, locale)
            return say(f"planner.ask.{back.doubt}{'' if order else '_plain'}", locale, order=order)
        case _:
            options = either(back.options, locale)
            return say(
                f"planner.ask.{back.doubt}", locale, options=options, detail=back.detail, tool=back.tool
            )


def _missing(back: AskBack, specs: Mapping[str, Spec], locale: str) -> str:
    slot = _slot(specs.get(back.tool), back.argument)
    role = _meaning(slot) if slot is not None else ""
    options = either(back.options[:12], locale)
    if role == "version" and "service" in back.known:
        return say("planner.ask.version_of", locale, service=back.known["service"])
    if role in {"version", "count"}:
        return say(f"planner.ask.{role}", locale)
    if role in {"service", "environment", "metric"} and options:
        return say(f"planner.ask.{role}", locale, options=options)
    return say(
        "planner.ask.other_options" if options else "planner.ask.other",
        locale,
        argument=back.argument,
        options=options,
    )


def _order(back: AskBack, specs: Mapping[str, Spec], locale: str) -> str:
    """How to say the change so that it is understood; "" when too little is known of it."""
    spec = specs.get(back.tool)
    if spec is None:
        return ""
    by_role: dict[str, Json] = {
        name: info.default for name, info in spec.arguments.model_fields.items() if not info.is_required()
    }
    by_role |= back.known
    roles = {
        (slot.role or slot.kind.value): by_role.get(name) for name, slot in slots(spec.arguments).items()
    }
    roles |= {slot.kind.value: by_role.get(name) for name, slot in slots(spec.arguments).items()}
    try:
        text = say(
            f"planner.order.{family(back.tool)}",
            locale,
            **{name: value or "?" for name, value in roles.items()},
        )
    except (UnknownPhrase, KeyError):
        return ""
    return "" if "?" in text else text


def _meaning(slot: Slot) -> str:
    """What a question back calls an argument: versions and counts by their kind, the rest by their role."""
    return slot.kind.value if slot.kind in {Kind.VERSION, Kind.COUNT} else slot.role or slot.kind.value


def _slot(spec: Spec | None, argument: str) -> Slot | None:
    return None if spec is None else slots(spec.arguments).get(argument)


def either(options: Sequence[str], locale: str) -> str:
    """`a, b or c`."""
    if len(options) < 2:
        return "".join(options)
    return say("planner.ask.or", locale, first=", ".join(options[:-1]), last=options[-1])


def abilities(specs: Iterable[Spec], locale: str) -> str:
    """One line for each tool, with an example in the person's language where there is one."""
    lines = []
    for spec in specs:
        mine = [example for example in spec.examples if example.language == locale[:2]] or list(spec.examples)
        whole = [example.text for example in mine if "{" not in example.text] or [
            example.text for example in mine
        ]
        if whole:
            lines.append(
                say(
                    "planner.help_tool",
                    locale,
                    what=_what(spec, locale),
                    example=_concrete(whole[0], spec),
                )
            )
        else:
            lines.append(f"- {_what(spec, locale)}")
    return "\n".join(lines)


def _what(spec: Spec, locale: str) -> str:
    """What a tool does in a few words: those of its family, or the first sentence of its own description."""
    kin = family(spec.name)
    return say(f"planner.can.{kin}", locale) if kin else spec.description.split(". ")[0].rstrip(".")


def _concrete(example: str, spec: Spec) -> str:
    for name, slot in slots(spec.arguments).items():
        value = slot.choices[0] if slot.choices else _PLAIN.get(slot.kind.value, name)
        example = example.replace("{" + name + "}", value)
    return example


_PLAIN = {
    "version": "2.4.1",
    "count": "4",
    "duration": "2h",
    "since": "2h",
    "until": "1h",
    "quoted": '"timeout"',
}
