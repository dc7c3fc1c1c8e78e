"""The tools `flag` and `flag_set`: how a flag is set where, and setting it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import Field, create_model

from tools.contract import (
    Arguments,
    Asker,
    BadArguments,
    Change,
    Effect,
    Finding,
    Grant,
    Json,
    Outcome,
    Plan,
    Progress,
    Spec,
    Undo,
    Verdict,
    Verification,
)
from tools.flags.phrases import FLAG, SET
from tools.flags.port import Flag, FlagStore
from tools.jsonserver import Unheard
from tools.patience import patience
from tools.vocabulary import Vocabulary, choice

Known = Mapping[str, tuple[str, ...]]  # the flags that may be used, each with its aliases
_WORDS = {
    "on": ("enabled", "active", "true", "activé", "activée", "allumé"),
    "off": ("disabled", "inactive", "false", "désactivé", "désactivée", "éteint"),
}
Model = TypeVar("Model", bound=Arguments)


class FlagArguments(Arguments):
    """Which flag."""

    flag: str = Field(description="The feature flag")
    environment: str | None = Field(default=None, description="Where; everywhere when left out")


class FlagSetArguments(Arguments):
    """Which flag becomes what."""

    flag: str = Field(description="The feature flag")
    value: str = Field(description="What it becomes")
    environment: str = Field(default="", description="Where")


def _narrowed(model: type[Model], known: Known, more: Mapping[str, object] | None = None) -> type[Model]:
    """The model with its flag held to those that are declared, and `more` types by field."""
    fields: dict[str, object] = {"flag": (choice("flag", known, "The feature flag"), ...)}
    fields |= {name: (shape, ...) for name, shape in (more or {}).items()}
    made: type[Model] = create_model(model.__name__, __base__=model, __doc__=model.__doc__, **fields)  # type: ignore[call-overload]  # the overloads know no computed fields
    return made


class ShowFlag:
    """Reads a flag in one environment, or in all."""

    def __init__(self, store: FlagStore, vocabulary: Vocabulary, known: Known) -> None:
        self._store, self._environments = store, tuple(vocabulary.environments)
        self.spec = Spec(
            name="flag",
            description="How a feature flag is set in an environment, or in all, and who gets it.",
            arguments=_narrowed(vocabulary.narrow(FlagArguments), known),
            effect=Effect.READ,
            examples=FLAG,
        )

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - the store shows all the same
        asked = FlagArguments.of(arguments)
        places = (asked.environment,) if asked.environment else self._environments
        async with patience(self.spec.timeout - 2, self._store.name):
            found = await asyncio.gather(*(self._store.get(asked.flag, each) for each in places))
        known = [each for each in found if each is not None]
        absent = [place for place, each in zip(places, found, strict=True) if each is None]
        if not known:
            raise BadArguments(
                f"{self._store.name} has no flag {asked.flag!r} in {', '.join(places)}",
                field="flag",
                value=asked.flag,
            )
        lines = [_line(each) for each in known] + [
            f"{asked.flag} is not known in {place}" for place in absent
        ]
        rows: list[Json] = [
            {
                "environment": each.environment,
                "value": each.value,
                "rules": list(each.rules),
                "archived": each.archived,
            }
            for each in known
        ]
        finding = Finding(
            kind="flag",
            title=f"Flag {asked.flag}",
            source=self._store.name,
            query=f"flag {asked.flag} in {', '.join(places)}",
            text="\n".join(lines),
            facts={"flag": asked.flag, "values": rows},
            link=known[0].link or None,
        )
        told = ", ".join(f"{each.value} in {each.environment}" for each in known)
        return Outcome(ok=True, summary=f"{asked.flag} is {told}", findings=(finding,))


class SetFlag:
    """Sets a flag in one environment; the way back is the value that it has now."""

    def __init__(
        self, store: FlagStore, vocabulary: Vocabulary, known: Known, values: Sequence[str] = ("on", "off")
    ) -> None:
        self._store, self._values = store, frozenset(values)
        shape = choice("value", {each: _WORDS.get(each, ()) for each in values}, "What it becomes")
        self.spec = Spec(
            name="flag_set",
            description="Sets a feature flag on or off in an environment. Needs approval.",
            arguments=_narrowed(vocabulary.narrow(FlagSetArguments), known, {"value": shape}),
            effect=Effect.WRITE,
            examples=SET,
            target=("environment", "flag"),
        )

    async def plan(self, arguments: Arguments) -> Plan:
        asked = FlagSetArguments.of(arguments)
        now = await self._now(asked)
        if asked.value not in now.values:
            raise BadArguments(
                f"value = {asked.value!r}: {asked.flag} can be {', '.join(now.values)}",
                field="value",
                value=asked.value,
                nearest=tuple(now.values),
            )
        if now.archived:
            raise BadArguments(
                f"{asked.flag} is archived in {self._store.name}", field="flag", value=asked.flag
            )
        back = now.value in self._values  # another one could not be asked for
        elsewhere = "" if now.rules else "nothing else decides who gets it"
        return Plan(
            title=f"Set the flag {asked.flag} {asked.value} in {asked.environment}",
            changes=(
                Change(f"{asked.flag} in {asked.environment} ({self._store.name})", now.value, asked.value),
            ),
            touches=(f"everybody whom {asked.flag} reaches in {asked.environment}",),
            observed={"value": now.value, "rules": list(now.rules)},
            undo=Undo(self.spec.name, {**asked.canonical(), "value": now.value}) if back else None,
            undo_text=f"set {asked.flag} {now.value} again in {asked.environment}"
            + ("" if back else ", by hand: it is not among the values that may be set here"),
            notes=tuple(
                note
                for note in (now.description, elsewhere, *(f"who gets it: {each}" for each in now.rules))
                if note
            ),
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:  # noqa: ARG002 - one request, nothing to tell in between
        asked = FlagSetArguments.of(arguments)
        grant.spend(self.spec.name, asked.canonical())
        try:
            await self._store.set(asked.flag, asked.environment, asked.value)
        except Unheard as error:
            return Outcome(ok=True, summary=f"the order was sent, and the answer was not heard: {error}")
        return Outcome(ok=True, summary=f"{asked.flag} was set {asked.value} in {asked.environment}")

    async def verify(self, arguments: Arguments) -> Verification:
        asked = FlagSetArguments.of(arguments)
        now = await self._now(asked)
        told = f"{asked.flag} is {now.value} in {asked.environment}"
        return Verification(Verdict.DONE if now.value == asked.value else Verdict.NOT_DONE, told)

    async def _now(self, asked: FlagSetArguments) -> Flag:
        now = await self._store.get(asked.flag, asked.environment)
        if now is None:
            raise BadArguments(
                f"{self._store.name} has no flag {asked.flag!r} in {asked.environment}",
                field="flag",
                value=asked.flag,
            )
        return now


def _line(flag: Flag) -> str:
    rules = f"; {'; '.join(flag.rules)}" if flag.rules else ""
    archived = ", archived" if flag.archived else ""
    return f"{flag.name} is {flag.value} in {flag.environment}{archived}{rules}"
