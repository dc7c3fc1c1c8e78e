"""The policy made of the settings, its conditions held against the arguments that the tools really take."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.approvals.conditions import Begins, Condition, Every, Matches, OneOf, Ranges, Scalar
from agent.approvals.policy import Policy, PolicyGap, Rule
from agent.approvals.rule import BreakGlass, Escalation
from agent.approvals.windows import Freeze, Hours, Override, opening, span
from agent.people.person import Person
from agent.settings import ConditionSettings, OverrideSettings, RuleSettings, Settings
from tools.contract import Effect, Json, Spec

NUMBERS = frozenset({"integer", "number"})


def policy_of(
    settings: Settings, specs: Sequence[Spec], people: Sequence[Person] = (), off: Iterable[str] = ()
) -> Policy:
    """The rules as the approvals room knows them; they may speak of tools that are `off`, not enabled here.

    Raises `PolicyGap` with a line for each thing that is wrong.
    """
    known = {spec.name: spec for spec in specs}
    reader = _Reader(settings, known, off)
    rules = [reader.rule(rule) for rule in settings.policies]
    policy = Policy(rules, {tool: frozenset(roles) for tool, roles in settings.access.items()}, people)
    wrong = reader.wrong
    try:
        policy.refuse_gaps(spec.name for spec in specs if spec.effect is Effect.WRITE)
    except PolicyGap as gap:
        wrong = [*wrong, str(gap)]
    if wrong:
        raise PolicyGap("\n".join(dict.fromkeys(wrong)))
    return policy


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument of one tool: what kinds of values it takes, and which ones where they are counted."""

    tool: str
    name: str
    kinds: frozenset[str]
    choices: tuple[object, ...]

    @property
    def is_number(self) -> bool:
        return bool(self.kinds) and self.kinds <= NUMBERS

    @property
    def said(self) -> str:
        return f"{self.tool}'s {self.name} is {'a number' if self.is_number else ' or '.join(sorted(self.kinds))}"


class _Reader:
    """Reads rules; what is wrong with them gathers in `wrong`."""

    def __init__(self, settings: Settings, specs: Mapping[str, Spec], off: Iterable[str]) -> None:
        self._settings, self._specs, self._off = settings, specs, frozenset(off)
        self.wrong: list[str] = []

    def rule(self, rule: RuleSettings) -> Rule:
        where = f"policies: {rule.name}"
        self._tools(rule, where)
        self._members(rule, where)
        return Rule(
            name=rule.name,
            tools=frozenset(rule.tools),
            approvers=frozenset(rule.approvers),
            when={name: self._condition(rule, name, one) for name, one in rule.when.items()},
            quorum=rule.quorum,
            self_approval=rule.self_approval,
            reason_required=rule.reason_required,
            expires_after=rule.expires_after,
            askers=frozenset(rule.askers),
            distinct_teams=rule.distinct_teams,
            hours=self._hours(rule),
            freezes=tuple(
                Freeze(
                    freeze.name,
                    span(freeze.start, freeze.end),
                    freeze.zone or self._settings.time_zone,
                    _override(freeze.override),
                )
                for freeze in rule.freezes
            ),
            auto=rule.auto,
            break_glass=BreakGlass(frozenset(rule.break_glass.roles), rule.break_glass.within)
            if rule.break_glass
            else None,
            confirm=rule.confirm,
            escalation=Escalation(frozenset(rule.escalate.to), rule.escalate.after)
            if rule.escalate
            else None,
        )

    def _tools(self, rule: RuleSettings, where: str) -> None:
        known = {*self._specs, *self._off}
        for tool in rule.tools:
            spec = self._specs.get(tool)
            if tool not in known:
                near = difflib.get_close_matches(tool, known, n=1)
                writes = sorted(name for name, one in self._specs.items() if one.effect is Effect.WRITE)
                hint = (
                    f"did you mean {near[0]!r}?" if near else f"tools that change things: {', '.join(writes)}"
                )
                self.wrong.append(f"{where}: tools: there is no tool {tool!r}; {hint}")
            elif spec is not None and spec.effect is Effect.READ:
                self.wrong.append(
                    f"{where}: tools: {tool!r} changes nothing, so nobody approves it; `access` says who may use it"
                )

    def _members(self, rule: RuleSettings, where: str) -> None:
        fields = [("askers", rule.askers), ("approvers", rule.approvers)]
        fields += [("break_glass.roles", rule.break_glass.roles)] if rule.break_glass else []
        fields += [("escalate.to", rule.escalate.to)] if rule.escalate else []
        fields += [
            (f"freezes.{one.name}.override.approvers", one.override.approvers)
            for one in rule.freezes
            if one.override
        ]
        if rule.hours and rule.hours.override:
            fields.append(("hours.override.approvers", rule.hours.override.approvers))
        people = self._settings.people
        for field, members in fields:
            for member in members:
                person = member.removeprefix("person:")
                if member.startswith("person:") and person not in people:
                    near = difflib.get_close_matches(person, people, n=1)
                    hint = f"did you mean 'person:{near[0]}'?" if near else f"people: {', '.join(people)}"
                    self.wrong.append(
                        f"{where}: {field} = {member!r}: nobody of `people` is called so; {hint}"
                    )

    def _hours(self, rule: RuleSettings) -> Hours | None:
        if rule.hours is None:
            return None
        texts = rule.hours.open
        zone = rule.hours.zone or self._settings.time_zone
        return Hours(
            tuple(opening(text) for text in texts), "; ".join(texts), zone, _override(rule.hours.override)
        )

    def _condition(self, rule: RuleSettings, name: str, written: ConditionSettings) -> Condition:
        values = written.values
        for tool in rule.tools:
            if (spec := self._specs.get(tool)) is not None:
                where = f"policies: {rule.name}: when.{name}"
                argument = _argument(spec, name)
                if argument is None:
                    takes = list(spec.arguments.model_fields)
                    near = difflib.get_close_matches(name, takes, n=1)
                    hint = (
                        f"did you mean {near[0]!r}?" if near else f"it takes: {', '.join(takes) or 'nothing'}"
                    )
                    self.wrong.append(f"{where}: {tool} takes no argument {name!r}; {hint}")
                    continue
                if argument.is_number:
                    values = tuple(_number(value) for value in values)
                self.wrong += [f"{where}: {problem}" for problem in _misfits(argument, values, written)]
        return _made(values, written)


def typed(spec: Spec, name: str, text: str) -> Json:
    """What somebody typed as the value of an argument, as the kind of value the tool takes."""
    argument = _argument(spec, name)
    if argument is not None and argument.is_number:
        return _number(text)
    if argument is not None and argument.kinds == {"boolean"} and text in ("true", "false"):
        return text == "true"
    return text


def _argument(spec: Spec, name: str) -> _Argument | None:
    """What a tool declares about an argument, from the schema of its arguments."""
    if name not in spec.arguments.model_fields:
        return None
    schema = spec.arguments.model_json_schema()
    found = schema["properties"][name]
    if "$ref" in found:
        found = schema["$defs"][found["$ref"].rsplit("/", 1)[1]]
    parts = [part for part in found.get("anyOf", [found]) if part.get("type") != "null"]
    kinds = frozenset(str(part["type"]) for part in parts if "type" in part)
    choices = tuple(choice for part in parts for choice in part.get("enum", ()))
    return _Argument(spec.name, name, kinds, choices)


def _misfits(argument: _Argument, values: tuple[Scalar, ...], written: ConditionSettings) -> Iterator[str]:
    """What this argument can never be, each with what would be right."""
    if not argument.kinds:
        return  # a value of any shape: only equality can be told, and it is
    for value in values:
        if _json_kind(value) not in argument.kinds and not (
            _json_kind(value) == "integer" and "number" in argument.kinds
        ):
            quotes = "; put it in quotes" if "string" in argument.kinds else ""
            yield f"{value!r}: {argument.said}, and this is {_json_kind(value)}{quotes}"
        elif argument.choices and value not in argument.choices:
            yield f"{value!r}: {argument.said}, one of {', '.join(map(str, argument.choices))}"
    text = [name for name in ("matches", "prefix") if getattr(written, name) is not None]
    if text and "string" not in argument.kinds:
        yield f"{text[0]}: {argument.said}, not text; use values, above, at_least, below or at_most"
    bounds = [
        name for name in ("above", "at_least", "below", "at_most") if getattr(written, name) is not None
    ]
    if bounds and not argument.kinds & NUMBERS:
        yield f"{bounds[0]}: {argument.said}, not a number; use values, matches or prefix"


def _made(values: tuple[Scalar, ...], written: ConditionSettings) -> Condition:
    parts: list[Condition] = []
    if values:
        parts.append(OneOf(values))
    if written.matches is not None:
        parts.append(Matches(written.matches))
    if written.prefix is not None:
        parts.append(Begins(written.prefix))
    bounds = Ranges(written.above, written.at_least, written.below, written.at_most)
    if bounds != Ranges():
        parts.append(bounds)
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def _override(written: OverrideSettings | None) -> Override | None:
    if written is None:
        return None
    return Override(written.quorum, frozenset(written.approvers), written.reason_required)


def _number(value: Scalar) -> Scalar:
    """A number that was written in quotes, as older files had to."""
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit()
    return int(value) if is_digits else value


def _json_kind(value: Scalar) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {str: "string", int: "integer", float: "number"}[type(value)]
