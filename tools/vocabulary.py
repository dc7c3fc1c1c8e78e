"""The names people may use: services and environments with their other words, narrowed into argument models."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError

from tools.contract import Arguments, BadArguments
from tools.slots import Kind, Slot

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Model = TypeVar("Model", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Services and environments by name, each with its aliases in any language; the first environment is meant
    when nobody names one. `zone` is where "today" begins and ends.

    Without any service every well-formed name is taken, and the platform decides whether it exists.
    """

    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"production": ()})
    zone: tzinfo = UTC

    @property
    def default_environment(self) -> str:
        return next(iter(self.environments), "production")

    def narrow(self, model: type[Model]) -> type[Model]:
        """`model` with its fields `service` and `environment` held to the names known here.

        An alias or another case is taken for the name; anything else is refused with the nearest names.
        """
        fields: dict[str, object] = {}
        for what in ("service", "environment"):
            info = model.model_fields.get(what)
            if info is None:
                continue
            default = self.default_environment if info.default == "" else info.default
            shape = self.shape(what, info.description or "", optional=not info.is_required())
            fields[what] = (shape, default)
        narrowed: type[Model] = create_model(model.__name__, __base__=model, __doc__=model.__doc__, **fields)  # type: ignore[call-overload]  # the overloads know no computed fields
        return narrowed

    def shape(self, what: str, description: str, *, optional: bool = False) -> object:
        """The type of an argument that is a `"service"` or an `"environment"`, for a computed model."""
        known = self.services if what == "service" else self.environments
        return choice(what, known, description, optional=optional)


def choice(
    what: str, known: Mapping[str, tuple[str, ...]], description: str, *, optional: bool = False
) -> object:
    """The type of an argument that is one of these names, each with its aliases."""
    return Annotated[
        str | None if optional else str,
        BeforeValidator(_Known(what, known)),
        WithJsonSchema({"type": "string", **({"enum": list(known)} if known else {})}),
        Slot(Kind.CHOICE, role=what, choices=tuple(known), aliases=_aliases(known)),
        Field(description=description),
    ]


@dataclass(frozen=True, slots=True)
class _Known:
    """Turns what was said into a known name, or refuses it."""

    what: str
    names: Mapping[str, tuple[str, ...]]

    def __call__(self, value: object) -> object:
        if not isinstance(value, str):
            return value  # pydantic says what is wrong with it
        said = value.strip()
        if not self.names and NAME.fullmatch(said):
            return said
        for name, others in self.names.items():
            if said.casefold() in {name.casefold(), *(other.casefold() for other in others)}:
                return name
        near = nearest(said, self.names)
        raise PydanticCustomError(
            "unknown_name",
            "there is no such {what}; nearest: {listed}",
            {"what": self.what, "listed": ", ".join(near) or "none is known", "nearest": list(near)},
        )


def _aliases(names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {other: name for name, others in names.items() for other in others}


def nearest(word: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The known words most like `word`, best first; the first few when none is like it."""
    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=count, cutoff=0.5)
    return tuple(by_fold[name] for name in close) or tuple(by_fold.values())[:count]


def unknown(field: str, value: str, known: Iterable[str], problem: str, *, none: str = "") -> BadArguments:
    """The refusal of a name that is not known: `problem`, then the nearest names, or `none` where there is no name."""
    near = nearest(value, known)
    return BadArguments(
        f"{problem}; nearest: {', '.join(near) or none}", field=field, value=value, nearest=near
    )
