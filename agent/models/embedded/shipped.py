"""Writes the vectors of known phrases into the package: `python -m agent.models.embedded.shipped CACHE...`.

A fresh machine then trains in a second instead of embedding every phrase first. To be run again when phrases change;
CACHE is a folder that a planner used, which holds the vectors it made.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.models.embedded.intents import read_vectors, write_arrays

if TYPE_CHECKING:
    from agent.models.embedded.intents import Matrix


def ship(caches: Sequence[Path], target: Path) -> int:
    """Merges the vectors of all caches into one file for each embedding model; returns how many there are."""
    import numpy as np

    files = sorted({file.name for cache in caches for file in cache.glob("phrases-*.npz")})
    total = 0
    for name in files:
        known: dict[str, Matrix] = {}
        for cache in caches:
            known |= read_vectors(cache / name)
        keys = sorted(known)
        vectors = np.stack([known[key] for key in keys]).astype(np.float16)
        write_arrays(target / name, {"keys": np.array(keys), "vectors": vectors})
        total += len(keys)
    return total


if __name__ == "__main__":
    ship([Path(argument) for argument in sys.argv[1:]], Path(__file__).parent)
