"""Every argument that the planner must be able to fill carries its slot, also where it may be left out."""

from typing import Annotated

from tools.contract import Arguments
from tools.deploy.rollback import RollbackArguments
from tools.slots import Kind, Slot, slots


class OptionalCount(Arguments):
    count: Annotated[int, Slot(Kind.COUNT)] | None = None
    plain: str = ""


def test_a_slot_inside_an_optional_type_is_found() -> None:
    assert slots(OptionalCount) == {"count": Slot(Kind.COUNT)}


def test_the_version_of_a_rollback_can_be_said() -> None:
    assert slots(RollbackArguments)["version"].kind is Kind.VERSION
