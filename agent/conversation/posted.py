"""Where a surface put what it told: so that it can be changed there later, and is not put there twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Post:
    """A message of ours: about `subject` (`A-17`, `T-4`), in a place, under the name the platform gave it.

    A `name` that is empty is an intention: somebody was about to post, and may have.
    """

    surface: str
    subject: str
    place: str
    name: str = ""


class Posted(Protocol):
    """The messages of ours that are known."""

    async def posted(self, surface: str, subject: str) -> Sequence[Post]:
        """All about this subject, by place."""
        ...

    async def note_post(self, post: Post) -> None:
        """Notes an intention, or the name of what was posted; one for each subject and place."""
        ...
