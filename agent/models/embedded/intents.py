"""Which intent a sentence shows: a classifier trained at start over what people say to get each tool."""

import asyncio
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from agent.models.embedded.features import surface, wording
from agent.models.embedded.folding import as_words
from agent.models.embedded.phrases import Phrase
from agent.models.embedded.regression import softmax, train
from agent.models.embedded.scan import Scan, Scanner
from knowledge.port import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

_MADE = "5"  # raised when features or training change, so that no old weights are read
_MEANING = 1.0  # how much the meaning counts beside words, letters and grammar
_PLAIN = 0.6  # the belief from which words and grammar alone decide: an embedding costs twenty milliseconds
_LONGEST = 300  # characters of a sentence that are embedded
_EPOCH = datetime(
    2026, 1, 7, 12, tzinfo=UTC
)  # phrases name times relative to some day; which one does not matter


@dataclass(frozen=True, slots=True)
class Guess:
    """The intents by probability, the likeliest first."""

    ranked: tuple[tuple[str, float], ...]

    @property
    def intent(self) -> str:
        return self.ranked[0][0]

    @property
    def sure(self) -> float:
        return self.ranked[0][1]

    def of(self, intent: str) -> float:
        return dict(self.ranked).get(intent, 0.0)


@dataclass(frozen=True, slots=True)
class _Trained:
    labels: tuple[str, ...]
    weights: "Matrix"  # of meaning and surface
    plain_weights: "Matrix"  # of the surface alone
    centre: (
        "Matrix"  # the mean of the phrases' vectors: cosines of this model say little before it is taken away
    )


class Intents:
    """Learns from phrases at first use, and keeps vectors and weights in `cache` for the next start."""

    def __init__(
        self, phrases: Sequence[Phrase], scanner: Scanner, embedder: Embedder | None, cache: Path | None
    ) -> None:
        self._phrases, self._scanner, self._embedder, self._cache = tuple(phrases), scanner, embedder, cache
        self._exact = _exact(self._phrases)
        self._trained: _Trained | None = None
        self._training = asyncio.Lock()

    async def prepare(self) -> None:
        """Trains, or reads what an earlier start learned."""
        await self._ready()

    async def guess(self, scan: Scan) -> Guess:
        """The intents of a scanned sentence. Trains first if that was not done yet."""
        if (intent := self._exact.get(scan.plain)) is not None:
            return Guess(((intent, 1.0),))
        trained = await self._ready()
        row = surface(scan)
        guess = _guess(trained.labels, row @ trained.plain_weights)
        if self._embedder is None or guess.sure >= _PLAIN:
            return guess
        import numpy as np

        meaning = await self._meaning([wording(scan)[:_LONGEST]], trained.centre)
        return _guess(trained.labels, np.concatenate([meaning[0], row]) @ trained.weights)

    async def _ready(self) -> _Trained:
        async with self._training:
            if self._trained is None:
                self._trained = await self._load() or await self._learn()
            return self._trained

    async def _meaning(self, texts: list[str], centre: "Matrix | None" = None) -> "Matrix":
        import numpy as np

        if self._embedder is None:
            return np.zeros((len(texts), 0), dtype=np.float32)
        vectors = await self._embedder.embed_queries(texts)
        return vectors if centre is None else _centred(vectors, centre)

    async def _learn(self) -> _Trained:
        scans = [self._scanner.scan(phrase.text, _EPOCH) for phrase in self._phrases]
        vectors = await self._vectors([wording(scan)[:_LONGEST] for scan in scans])
        trained = await asyncio.to_thread(self._fit, scans, vectors)
        await asyncio.to_thread(self._save, trained)
        return trained

    def _fit(self, scans: Sequence[Scan], vectors: "Matrix") -> _Trained:
        import numpy as np

        centre = vectors.mean(axis=0, keepdims=True)
        surfaces = np.stack([surface(scan) for scan in scans]).astype(np.float32)
        rows = np.hstack([_centred(vectors, centre), surfaces]).astype(np.float32)
        names = tuple(dict.fromkeys(phrase.intent for phrase in self._phrases))
        labels = np.array([names.index(phrase.intent) for phrase in self._phrases], dtype=np.int64)
        weights, plain = (train(each, labels, len(names)) for each in (rows, surfaces))
        return _Trained(names, weights, plain, centre)

    # --- the cache ---------------------------------------------------------------------------------------------

    def _key(self) -> str:
        content = [
            _MADE,
            self._embedder.name if self._embedder else "",
            *((p.text, p.intent) for p in self._phrases),
        ]
        # The scanner's own words (services, aliases) shape the features too, so they are part of the key.
        return hashlib.sha256(json.dumps([content, self._scanner.signature]).encode()).hexdigest()[:24]

    async def _load(self) -> _Trained | None:
        return await asyncio.to_thread(self._read) if self._cache is not None else None

    def _read(self) -> _Trained | None:
        import numpy as np

        if self._cache is None:
            return None
        try:
            with np.load(self._cache / f"intents-{self._key()}.npz", allow_pickle=False) as kept:
                names = tuple(str(name) for name in kept["labels"])
                return _Trained(names, kept["weights"], kept["plain_weights"], kept["centre"])
        except (OSError, ValueError, KeyError, BadZipFile):
            return None  # not there, or cut short by a crash: it is made again

    def _save(self, trained: _Trained) -> None:
        import numpy as np

        if self._cache is None:
            return
        write_arrays(
            self._cache / f"intents-{self._key()}.npz",
            {
                "labels": np.array(trained.labels),
                "weights": trained.weights,
                "plain_weights": trained.plain_weights,
                "centre": trained.centre,
            },
        )

    async def _vectors(self, texts: list[str]) -> "Matrix":
        """The vectors of the phrases: kept ones, shipped ones, and only then new ones."""
        import numpy as np

        known = await asyncio.to_thread(self._kept_vectors)
        wanted = list(dict.fromkeys(text for text in texts if _short_key(text) not in known))
        if wanted:
            made = await self._meaning(wanted)
            known |= {_short_key(text): vector for text, vector in zip(wanted, made, strict=True)}
            await asyncio.to_thread(self._keep_vectors, known)
        return np.stack([known[_short_key(text)] for text in texts])

    def _vector_files(self) -> list[Path]:
        name = f"phrases-{self._embedder.name if self._embedder else 'none'}.npz".replace("/", "_").replace(
            ":", "_"
        )
        return [folder / name for folder in (Path(__file__).parent, self._cache) if folder is not None]

    def _kept_vectors(self) -> "dict[str, Matrix]":
        known: dict[str, Matrix] = {}
        for file in self._vector_files():
            known |= read_vectors(file)
        return known

    def _keep_vectors(self, known: "dict[str, Matrix]") -> None:
        import numpy as np

        if self._cache is not None and self._embedder is not None:
            vectors = np.stack(list(known.values())).astype(np.float16)
            write_arrays(self._vector_files()[-1], {"keys": np.array(list(known)), "vectors": vectors})


def read_vectors(file: Path) -> "dict[str, Matrix]":
    """Vectors by key; none when the file is not there, or was cut short by a crash."""
    import numpy as np

    try:
        with np.load(file, allow_pickle=False) as kept:
            vectors = kept["vectors"].astype(np.float32)
            return dict(zip((str(key) for key in kept["keys"]), vectors, strict=True))
    except (OSError, ValueError, KeyError, BadZipFile):
        return {}


def write_arrays(target: Path, arrays: "dict[str, NDArray[np.generic]]") -> None:
    """Writes aside and renames, so that a reader never sees half a file. A full disk costs only the cache."""
    import numpy as np

    aside = target.with_suffix(f".{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with aside.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's stub names allow_pickle first
        aside.replace(target)
    except OSError:
        aside.unlink(missing_ok=True)


def _exact(phrases: Sequence[Phrase]) -> dict[str, str]:
    """The intent of each phrase, word for word; phrases of two intents tell nothing."""
    intents: dict[str, set[str]] = {}
    for phrase in phrases:
        intents.setdefault(as_words(phrase.text), set()).add(phrase.intent)
    return {words: next(iter(found)) for words, found in intents.items() if len(found) == 1}


def _guess(labels: tuple[str, ...], scores: "Matrix") -> Guess:
    shares = (float(share) for share in softmax(scores))
    return Guess(tuple(sorted(zip(labels, shares, strict=True), key=lambda pair: -pair[1])))


def _short_key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _centred(vectors: "Matrix", centre: "Matrix") -> "Matrix":
    import numpy as np

    if not vectors.shape[1]:
        return vectors
    moved = vectors - centre
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    turned: Matrix = (_MEANING * moved / np.maximum(lengths, 1e-6)).astype(np.float32)
    return turned
