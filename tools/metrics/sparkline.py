"""A series in one line of text."""

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
WIDTH = 40  # characters: fits beside other words on a phone


def sparkline(values: Sequence[float | None], width: int = WIDTH) -> str:
    """The values from their lowest to their highest, a blank where there is none; means where they do not fit."""
    cells = _cells(values, width)
    known = [value for value in cells if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    step = (high - low) / (len(_BARS) - 1) or 1.0
    return "".join(" " if value is None else _BARS[round((value - low) / step)] for value in cells)


def _cells(values: Sequence[float | None], width: int) -> list[float | None]:
    count = min(len(values), width)
    cells = []
    for number in range(count):
        part = values[number * len(values) // count : (number + 1) * len(values) // count]
        known = [value for value in part if value is not None]
        cells.append(sum(known) / len(known) if known else None)
    return cells
