"""Which of many tools a model is shown in a turn: those that serve the request, within a budget of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.conversation.budget import offer_cost
from agent.conversation.messages import Offer
from agent.conversation.offers import brief
from agent.conversation.ports import Router, TokenCounter
from tools.contract import Effect
from tools.registry import FIND_TOOLS

FEW = 20  # tools up to which all are shown, whatever they take
BUDGET = 2_500  # tokens of one model call; what schemas cost on the wire differs a little between providers
MOST_FOUND = 6  # tools one search brings
MOST_WANTED = 300  # characters of what a search is for that count
FIND = Offer(
    FIND_TOOLS,
    "[read] Only some of the tools are shown. Searches the others by what they should do, and shows the best from the "
    "next step on. Use it before you say that something cannot be done.",
    {
        "type": "object",
        "properties": {
            "wanted": {"type": "string", "description": "What the tool should do, in plain words"}
        },
        "required": ["wanted"],
        "additionalProperties": False,
    },
    Effect.READ,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a choice goes by: the request, the one before it, and the tools that the thread used already."""

    text: str
    earlier: str = ""
    used: tuple[str, ...] = ()


class Choosing:
    """Chooses by a router; where tools are few, or all fit into the budget, all are shown and nothing else changes.

    `budget` is in tokens of one model call and counts `find_tools` too.
    """

    def __init__(self, router: Router, counter: TokenCounter, budget: int = BUDGET) -> None:
        self._router, self._counter, self._budget = router, counter, budget
        self._costs: dict[tuple[str, int], int] = {}  # by name and length: full or brief

    def all_fit(self, offers: Sequence[Offer]) -> bool:
        return len(offers) <= FEW or sum(map(self._cost, offers)) <= self._budget

    async def choose(self, offers: Sequence[Offer], asked: Asked) -> tuple[Offer, ...]:
        """The offers to show: `find_tools`, what the thread used, and the best by rank as far as the budget goes.

        A tool that does not fit is passed over for the next one that does: one huge schema must not hide the rest.
        """
        if self.all_fit(offers):
            return tuple(offers)
        by_name = {offer.name: offer for offer in offers}
        ranked = await self._router.rank(asked.text, asked.earlier)
        shown, room = [FIND], self._budget - self._cost(FIND)
        for name in dict.fromkeys((*asked.used, *ranked)):
            if name in by_name and (cost := self._cost(short := brief(by_name[name]))) <= room:
                shown.append(short)
                room -= cost
        return tuple(shown)

    async def find(self, wanted: str, offers: Sequence[Offer]) -> tuple[Offer, ...]:
        """The tools among these that do best what is wanted, the best first."""
        by_name = {offer.name: offer for offer in offers}
        ranked = await self._router.rank(wanted[:MOST_WANTED])
        return tuple(brief(by_name[name]) for name in ranked if name in by_name)[:MOST_FOUND]

    def _cost(self, offer: Offer) -> int:
        key = (offer.name, len(offer.description) + len(str(offer.schema)))
        if key not in self._costs:
            self._costs[key] = offer_cost(offer, self._counter)
        return self._costs[key]
