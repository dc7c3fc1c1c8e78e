"""An embedder for tests: hashed words in a small vector, the same each time, and a count of what it was asked."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from knowledge.embed import normalised
from knowledge.port import EmbedderUnavailable

if TYPE_CHECKING:
    from knowledge.port import Vectors


class HashedWords:
    """Texts that share words have a high cosine. With `broken`, it answers nothing any more."""

    dims = 64
    floor = 0.0

    def __init__(self, name: str = "hashed-words") -> None:
        self.name = name
        self.passages: list[str] = []
        self.broken = False

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        if self.broken:
            raise EmbedderUnavailable("the endpoint does not answer", embedder=self.name)
        return self._vectors(texts)

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        if self.broken:
            raise EmbedderUnavailable("the endpoint does not answer", embedder=self.name)
        self.passages += texts
        return self._vectors(texts)

    def _vectors(self, texts: Sequence[str]) -> "Vectors":
        rows = np.full((len(texts), self.dims), 0.01, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                rows[row, int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % self.dims] += 1
        return normalised(rows)
