"""The vector cache and the endpoint: nothing embedded twice, vectors that ship, errors that name the endpoint."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from knowledge.embed import CachedEmbedder, OpenAIEmbedder, VectorCache, vector_key
from knowledge.port import EmbedderUnavailable
from tests.fakes.embedder import HashedWords

T = TypeVar("T")


class Once:
    """A retry that tries once."""

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T:
        return await attempt()


async def test_a_passage_is_embedded_once(tmp_path: Path) -> None:
    inner = HashedWords()
    embedder = CachedEmbedder(inner, VectorCache(tmp_path / "vectors.db"))
    first = await embedder.embed_passages(["pool", "cache", "pool"])
    again = await embedder.embed_passages(["cache", "pool"])
    assert inner.passages == ["pool", "cache"]
    assert np.array_equal(first[[1, 0]], again)


async def test_another_model_does_not_see_these_vectors(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors.db")
    other = HashedWords("another")
    await CachedEmbedder(HashedWords(), cache).embed_passages(["pool"])
    await CachedEmbedder(other, cache).embed_passages(["pool"])
    assert other.passages == ["pool"]


async def test_shipped_vectors_spare_a_fresh_machine_the_work(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors.db")
    made = await CachedEmbedder(HashedWords(), cache).embed_passages(["pool", "cache"])
    wanted = [vector_key("hashed-words", "passage", text) for text in ("pool", "cache")]
    assert cache.ship(tmp_path / "vectors.npz", wanted) == 2
    fresh, inner = VectorCache(tmp_path / "fresh.db"), HashedWords()
    assert fresh.warm(tmp_path / "vectors.npz") == 2
    assert np.array_equal(await CachedEmbedder(inner, fresh).embed_passages(["pool", "cache"]), made)
    assert inner.passages == []


async def test_questions_are_not_kept(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors.db")
    await CachedEmbedder(HashedWords(), cache).embed_queries(["who leaked it?"])
    assert cache.ship(tmp_path / "vectors.npz") == 0


async def test_no_texts_make_no_vectors(tmp_path: Path) -> None:
    embedder = CachedEmbedder(HashedWords(), VectorCache(tmp_path / "vectors.db"))
    assert (await embedder.embed_passages([])).shape == (0, 64)


async def test_an_endpoint_that_is_not_there_is_named() -> None:
    embedder = OpenAIEmbedder(
        base_url="http://127.0.0.1:9/v1", api_key="none", model="tiny", dims=3, retry=Once(), timeout=2
    )
    with pytest.raises(EmbedderUnavailable, match=r"'tiny' at 'http://127\.0\.0\.1:9/v1'"):
        await embedder.embed_queries(["pool"])
