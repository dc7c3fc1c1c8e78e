"""Chunking: nothing is lost, every chunk is an exact span, long sections are cut evenly."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunking import OVERLAP_WORDS, WORDS, chunks_of, size, without_speakers
from knowledge.port import Document, Kind, Part
from knowledge.sources.markdown import page

WORD = st.text(alphabet="abcdeéß0123_.-#`", min_size=1, max_size=30)
GAP = st.sampled_from([" ", " ", " ", "\n", "\n\n", ". ", "\n# ", "\n## ", "\n```\n", "\t"])
PROSE = st.lists(st.tuples(WORD, GAP), max_size=400).map(lambda pairs: "".join(w + g for w, g in pairs))
MESSAGE = st.tuples(
    st.sampled_from(["Maya", "Raj", "Tom"]), st.lists(WORD, min_size=1, max_size=60).map(" ".join)
)


def written(body: str) -> Document:
    return page("docs:page.md", source="docs", place="docs:", body=body, stem="page")


def chat(messages: list[tuple[str, str]]) -> Document:
    lines = [f"{author}: {text}\n" for author, text in messages]
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    parts = tuple(
        Part(at, at + len(line), (), author)
        for at, line, (author, _) in zip(starts, lines, messages, strict=True)
    )
    return Document("slack:C1/1.0", "slack", Kind.CHAT, "#payments: pool", "".join(lines), "slack:C1", parts)


@given(st.one_of(PROSE.map(written), st.lists(MESSAGE, max_size=60).map(chat)))
def test_every_chunk_is_an_exact_span_of_its_document(document: Document) -> None:
    for chunk in chunks_of(document):
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert chunk.text.strip() == chunk.text != ""


@given(st.one_of(PROSE.map(written), st.lists(MESSAGE, max_size=60).map(chat)))
def test_nothing_but_white_space_is_lost(document: Document) -> None:
    covered = {at for chunk in chunks_of(document) for at in range(chunk.start, chunk.end)}
    lost = "".join(char for at, char in enumerate(document.text) if at not in covered)
    assert lost.strip() == ""


@given(st.one_of(PROSE.map(written), st.lists(MESSAGE, max_size=60).map(chat)))
def test_no_chunk_is_much_longer_than_asked(document: Document) -> None:
    assert all(size(chunk.text) <= WORDS + OVERLAP_WORDS + 1 for chunk in chunks_of(document))


@given(st.one_of(PROSE.map(written), st.lists(MESSAGE, max_size=60).map(chat)))
def test_ids_are_unique_and_the_same_each_time(document: Document) -> None:
    ids = [chunk.id for chunk in chunks_of(document)]
    assert len(set(ids)) == len(ids)
    assert ids == [chunk.id for chunk in chunks_of(document)]


def test_short_sections_of_a_page_share_a_chunk() -> None:
    (chunk,) = chunks_of(written("# Pool\n\nWhat it is.\n\n## Impact\n\nPayments fail.\n"))
    assert [part.headings for part in chunk.parts] == [("Pool",), ("Pool", "Impact")]


def test_a_long_section_is_cut_evenly_and_each_piece_knows_its_heading() -> None:
    sentences = " ".join(f"Step {i} asks for one more look at the pool of connections." for i in range(34))
    chunks = chunks_of(written(f"# Pool\n\n## Steps\n\n{sentences}\n"))
    assert len(chunks) > 2
    assert all(chunk.context == "Pool > Steps" for chunk in chunks[1:])
    assert min(size(chunk.text) for chunk in chunks) > WORDS / 3


def test_a_later_piece_of_a_thread_carries_its_opening_and_the_message_before() -> None:
    chunks = chunks_of(
        chat([("Maya", "payments are failing"), *(("Raj", f"look {i} " * 50) for i in range(4))])
    )
    assert chunks[0].context == "#payments"
    assert all("payments are failing" in chunk.context for chunk in chunks[1:])


def test_a_chunk_of_another_place_is_another_chunk() -> None:
    one = written("the same words")
    other = page("docs:page.md", source="docs", place="elsewhere", body="the same words", stem="page")
    assert chunks_of(one)[0].id != chunks_of(other)[0].id


def test_a_text_without_spaces_is_still_cut() -> None:
    assert len(chunks_of(written("x" * 10_000))) > 3


def test_a_pasted_chat_log_is_embedded_without_its_speakers() -> None:
    assert without_speakers("raj: maya, pool is dry\nmaya: raj: roll back") == "pool is dry\nroll back"


def test_a_page_with_colons_is_no_chat_log() -> None:
    page = "Impact: none\nWe looked at it for a while.\nThen it was over."
    assert without_speakers(page) == page
