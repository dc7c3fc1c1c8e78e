"""The half that finds by meaning: a scan of every vector the asker may see, or a server's index when there are many.

The scan is exact and as fast for somebody who may see a fiftieth as for somebody who may see everything (measured in
docs/reference/measurements.md). Beyond `served_from` vectors, and with a Chroma server, the server is asked first: what
it finds is cut to what the asker may see, and only when too little of it is left does the scan take over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.catalogue import Catalogue, Shelved
from knowledge.port import Scope
from knowledge.record import Record
from knowledge.scan import Scan, Window

if TYPE_CHECKING:
    from knowledge.port import Vectors

SERVED_FROM = 1_000_000
_ASKED = 1000  # of a server: what is left of them after rights and filters must be enough


@dataclass(frozen=True, slots=True)
class Served:
    """A Chroma server to ask, once there are more vectors than `above`."""

    record: Record
    above: int = SERVED_FROM


class DenseIndex:
    """The vectors of a library for one reader process, as the catalogue says they are."""

    def __init__(
        self, folder: Path, catalogue: Catalogue, *, dims: int, served: Served | None = None
    ) -> None:
        self._folder, self._catalogue, self._dims, self._served = folder, catalogue, dims, served
        self._scan: Scan | None = None
        self._codes: Mapping[str, int] = {}

    def search(self, vector: "Vectors", scope: Scope, limit: int) -> list[tuple[Shelved, float]]:
        """The nearest chunks to one vector (shape (dims,)) within a scope, with their cosines, best first."""
        scan = self._mapped()
        window = self._window(scope)
        if self._served is not None and scan.scanned.rows > self._served.above and window.rows is None:
            found = self._from_server(vector, scope, limit)
            if found is not None:
                return found
        hits = dict(scan.search(vector, window, limit))
        held = self._catalogue.at_rows(list(hits))
        if self._catalogue.scanned().epoch != scan.scanned.epoch:
            self.refresh()  # the rows moved together in between: they mean something else now
            return self.search(vector, scope, limit)
        return [(held[row], cosine) for row, cosine in hits.items() if row in held]

    def scores(self, vector: "Vectors", chunks: Sequence[Shelved]) -> dict[str, float]:
        """The cosines of given chunks; one that has no vector has none."""
        scan = self._mapped()
        with_rows = [(c.chunk, c.row) for c in chunks if c.row is not None and c.row < scan.scanned.rows]
        if not with_rows:
            return {}
        cosines = scan.cosines(vector, [row for _, row in with_rows])
        return {chunk: float(cosine) for (chunk, _), cosine in zip(with_rows, cosines, strict=True)}

    def refresh(self) -> None:
        """Sees at the next search what another process wrote."""
        self._scan = None

    def _mapped(self) -> Scan:
        while self._scan is None:
            scanned = self._catalogue.scanned()
            try:
                self._scan = Scan(self._folder, scanned, self._dims)
            except FileNotFoundError:
                if self._catalogue.scanned() == scanned:  # not moved on in between: the files are gone
                    raise
            self._codes = self._catalogue.codes()
        return self._scan

    def _window(self, scope: Scope) -> Window:
        import numpy as np

        rows: list[set[int]] = []
        for kind, value in (("service", scope.service), ("person", scope.person)):
            if value is not None:
                rows.append(set(self._catalogue.tagged(f"{kind}={value.lower()}")))
        return Window(
            frozenset(self._codes[place] for place in scope.places if place in self._codes),
            np.array(sorted(set.intersection(*rows)), dtype=np.int64) if rows else None,
            scope.since,
            scope.until,
        )

    def _from_server(self, vector: "Vectors", scope: Scope, limit: int) -> list[tuple[Shelved, float]] | None:
        """What a server finds nearest, as far as the asker may see it; None when that is too little to go by."""
        if self._served is None or scope.since is not None or scope.until is not None:
            return None
        known = self._catalogue.shelved(self._served.record.nearest(vector, max(_ASKED, 4 * limit)))
        seen = [chunk for chunk in known.values() if chunk.place in scope.places]
        if len(seen) < limit:
            return None
        cosines = self.scores(vector, seen)
        ranked = sorted(seen, key=lambda chunk: -cosines.get(chunk.chunk, 0.0))[:limit]
        return [(chunk, cosines[chunk.chunk]) for chunk in ranked if chunk.chunk in cosines]
