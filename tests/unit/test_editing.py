"""What is typed as an edit becomes a number where the argument is one."""

import pytest

from agent.verbs.actions import like
from tools.contract import Json


@pytest.mark.parametrize(
    ("now", "text", "meant"),
    [(3, "4", 4), ("2.3.9", "2", "2"), (3, "abc", "abc"), (None, "4", "4"), (True, "1", "1")],
)
def test_a_typed_value_is_taken_like_the_one_there_is(now: Json, text: str, meant: Json) -> None:
    assert like(now, text) == meant
