"""Who reads an answer beside the person who asked."""

from collections.abc import Iterable
from dataclasses import dataclass

from tools.contract import Reach

SHARE = "share:"  # event ids of questions asked once more, for everybody there to read


@dataclass(frozen=True, slots=True)
class Room:
    """The place a question was asked in. `channel` is the platform's id of it; empty where only the asker reads.

    `public`: everybody can read there. `shared`: it was asked for the others, with what they may read.
    """

    channel: str = ""
    public: bool = False
    shared: bool = False

    @property
    def reach(self) -> Reach:
        """How far the asker's rights go here."""
        if not self.channel:
            return Reach.OWN
        return Reach.SHARED_ONLY if self.shared else Reach.SHARED_FIRST

    def shows(self, private: Iterable[str | None]) -> bool:
        """Whether all who read along may read what is from these private places: the room itself is the one they may.

        A private place's id ends with the platform's id of the channel: `chat:C012`.
        """
        return not self.channel or all(
            place is None or place.rpartition(":")[2] == self.channel for place in private
        )


ALONE = Room()
