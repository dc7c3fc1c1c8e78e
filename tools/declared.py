"""What an operator's declarations have in common, of whatever kind: their models, examples, conditions and problems."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tools.contract import Example, Json, Verdict, Verification

Name = Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_-]{0,63}$")]
Model = TypeVar("Model", bound=BaseModel)


class Declared(BaseModel):
    """A value of `sayso.yaml`; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SpokenExample(Declared):
    """Something people say to get what is declared."""

    text: str
    language: Literal["en", "fr"] = "en"


def spoken(given: Iterable[SpokenExample | str]) -> tuple[Example, ...]:
    """The examples as a tool declares them; a bare text is English."""
    return tuple(
        Example(each) if isinstance(each, str) else Example(each.text, each.language) for each in given
    )


def _compiles(expression: str | None) -> str | None:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(expression or "@")
    except JMESPathError as error:
        raise ValueError(f"{expression!r} is no JMESPath: {str(error).splitlines()[0]}") from error
    return expression


Expression = Annotated[str | None, AfterValidator(_compiles)]  # JMESPath


def judged(condition: str | None, holds: Json, *, wanted: bool) -> Verification:
    """What a condition came to when it was asked of an answer, where `wanted` is what it should be."""
    if not isinstance(holds, bool):
        return Verification(Verdict.UNCLEAR, f"{condition} is {holds!r}, neither true nor false")
    return Verification(
        Verdict.DONE if holds is wanted else Verdict.NOT_DONE, f"{condition} is {str(holds).lower()}"
    )


def wrong(name: object, error: ValidationError) -> list[str]:
    """Everything that is wrong with the declaration of this name, with the keys."""
    problems = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        problems.append(f"{name!r}: {f'{key}: ' if key else ''}{message}")
    return problems


def name_of(given: Mapping[str, object], number: int) -> object:
    """What a declaration calls itself, or which of them it is."""
    return given.get("name", f"number {number + 1}")


def taken(model: type[Model], settings: Sequence[Mapping[str, object]]) -> tuple[list[Model], list[str]]:
    """The declarations that are right, and what is wrong with the others."""
    right: list[Model] = []
    problems: list[str] = []
    for number, given in enumerate(settings):
        try:
            right.append(model.model_validate(given))
        except ValidationError as error:
            problems += wrong(name_of(given, number), error)
    return right, problems
