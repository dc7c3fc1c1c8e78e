"""Names held to those that are known."""

import pytest

from tools.contract import Arguments, BadArguments, Effect, Spec
from tools.slots import slots
from tools.vocabulary import Vocabulary, nearest

WORDS = Vocabulary({"payments": ("pay", "Paiement"), "checkout": ()}, {"staging": ("stg",), "production": ()})


class Somewhere(Arguments):
    service: str
    environment: str = ""


class Anywhere(Arguments):
    service: str | None = None


def spec(model: type[Arguments], words: Vocabulary = WORDS) -> Spec:
    return Spec("look", "", words.narrow(model), Effect.READ)


def test_an_alias_in_any_case_is_taken_for_the_name() -> None:
    found = Somewhere.of(spec(Somewhere).validate({"service": "PAIEMENT", "environment": "stg"}))
    assert (found.service, found.environment) == ("payments", "staging")


def test_the_first_environment_is_meant_when_none_is_named() -> None:
    assert Somewhere.of(spec(Somewhere).validate({"service": "pay"})).environment == "staging"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadArguments, match="nearest: checkout") as caught:
        spec(Somewhere).validate({"service": "chekout"})
    assert (caught.value.field, caught.value.nearest) == ("service", ("checkout",))


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(BadArguments, match="colour"):
        spec(Somewhere).validate({"service": "pay", "colour": "blue"})


def test_a_model_sees_the_names_and_a_planner_their_aliases() -> None:
    model = spec(Somewhere).arguments
    assert model.model_json_schema()["properties"]["service"]["enum"] == ["payments", "checkout"]
    assert slots(model)["service"].aliases == {"pay": "payments", "Paiement": "payments"}


def test_an_optional_service_may_be_left_out_or_null() -> None:
    assert Anywhere.of(spec(Anywhere).validate({})).service is None
    assert Anywhere.of(spec(Anywhere).validate({"service": None})).service is None


def test_without_known_services_every_well_formed_name_will_do() -> None:
    free = spec(Somewhere, Vocabulary())
    assert Somewhere.of(free.validate({"service": "anything-goes"})).service == "anything-goes"
    with pytest.raises(BadArguments):
        free.validate({"service": "../etc"})


def test_when_nothing_is_near_the_first_few_are_named() -> None:
    assert nearest("zzz", ["a", "b", "c", "d"]) == ("a", "b", "c")
