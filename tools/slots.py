"""What an argument means, written beside its type, so that a planner without a language model can fill it.

A tool's argument carries its slot in the field's metadata::

    service: Annotated[str, Slot(Kind.CHOICE, role="service", choices=("checkout", "payments"))]
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Annotated, get_args

from tools.contract import Arguments


class Kind(StrEnum):
    """How the words for an argument look in a sentence."""

    CHOICE = "choice"  # one of `choices`, or an alias of one; typos are forgiven
    VERSION = "version"  # 2.3.9, v2.4, 2.4.0-rc1
    COUNT = "count"  # 3, three, trois
    DURATION = "duration"  # a length of time, rendered as 30m, 2h, 1d, 7d
    SINCE = "since"  # a start: a duration back from now, or an ISO 8601 instant ("since noon", "depuis hier")
    UNTIL = "until"  # an end: an ISO 8601 instant
    QUOTED = "quoted"  # text to look for: quoted, or after grep / containing / contenant
    REFERENCE = "reference"  # the key of one thing somewhere else: OPS-12, #12, owner/name#12
    SAID = "said"  # true where one of `choices` is said ("plot ..."), else left out
    QUESTION = "question"  # the request itself, without the words that only ask


@dataclass(frozen=True, slots=True)
class Slot:
    """The meaning of one argument.

    `role` names what is meant across tools (service, environment, metric, level, period, ...). `aliases` maps other
    words, in any language, to one of `choices` ("prod" -> "production").
    """

    kind: Kind
    role: str = ""
    choices: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)


CHART = Slot(
    Kind.SAID,
    role="chart",
    choices=(
        "chart",
        "charted",
        "graph",
        "graphed",
        "plot",
        "plotted",
        "curve",
        "diagram",
        "courbe",
        "graphique",
        "graphe",
    ),
)


@cache
def slots(arguments: type[Arguments]) -> Mapping[str, Slot]:
    """The slots of an argument model by field name; fields without one are left to models that can reason."""
    found = {
        name: _slot_in(Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation)
        for name, info in arguments.model_fields.items()
    }
    return {name: slot for name, slot in found.items() if slot is not None}


def _slot_in(annotation: object) -> Slot | None:
    """The slot written beside a type, also where the type is one of several (`Version | None`)."""
    for metadata in getattr(annotation, "__metadata__", ()):
        if isinstance(metadata, Slot):
            return metadata
    return next((slot for part in get_args(annotation) if (slot := _slot_in(part)) is not None), None)
