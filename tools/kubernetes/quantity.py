"""Quantities as Kubernetes writes them: `250m`, `128Mi`, `4523n`, `1e3`."""

import re

_FORM = re.compile(
    r"([+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+)(?:([eE][+-]?[0-9]+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)"
)
_DECIMAL = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
}
_BINARY = {f"{letter}i": 1024.0 ** (place + 1) for place, letter in enumerate("KMGTPE")}
_SUFFIXES = {**_DECIMAL, **_BINARY}


def quantity(value: str | float) -> float | None:
    """The number that a quantity stands for: cores, or bytes. `None` for what is none."""
    found = _FORM.fullmatch(str(value).strip())
    if found is None:
        return None
    if found[2]:
        return float(found[1] + found[2])
    return float(found[1]) * _SUFFIXES[found[3] or ""]


def cores(value: float) -> str:
    """A number of cores for people: `0.25 cores`."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + (" core" if value == 1 else " cores")


def octets(value: float) -> str:
    """A number of bytes for people: `128 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024 or unit == "GiB":
            return f"{value:.3g} {unit}"
        value /= 1024
    raise AssertionError("the loop ends with its last unit")
