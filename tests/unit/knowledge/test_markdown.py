"""The Markdown source: front matter, sections, anchors, and files that cannot be read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.port import Document, SourceFailed, Standing, Trouble
from knowledge.sources.markdown import MarkdownFolder, anchor_of, front_matter, sections

PAGE = """---
title: Payments pool
owner: Raj Iyer
date: 2026-06-22
service: [payments, checkout]
status: current
---
# Pool

What to do.

## Roll back

Deploy 2.1.7.

```sh
# not a heading
```

## Roll back

Again.
"""


async def read(folder: Path, permalink: str | None = None) -> list[Document | Trouble]:
    return [found async for found in MarkdownFolder(folder, permalink=permalink).documents()]


async def one(folder: Path, text: str, permalink: str | None = None) -> Document:
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "pool.md").write_text(text, encoding="utf-8")
    (found,) = await read(folder, permalink)
    assert isinstance(found, Document)
    return found


async def test_front_matter_becomes_what_a_citation_needs(tmp_path: Path) -> None:
    found = await one(tmp_path, PAGE)
    assert (found.title, found.author, found.services) == (
        "Payments pool",
        "Raj Iyer",
        ("payments", "checkout"),
    )
    assert found.date == datetime(2026, 6, 22, tzinfo=UTC)
    assert found.standing is Standing.CURRENT


async def test_each_section_links_to_its_own_anchor(tmp_path: Path) -> None:
    found = await one(tmp_path, PAGE)
    assert [part.link for part in found.parts] == [
        "runbooks/pool.md#pool",
        "runbooks/pool.md#roll-back",
        "runbooks/pool.md#roll-back-1",
    ]


async def test_a_link_template_makes_links_that_open(tmp_path: Path) -> None:
    found = await one(tmp_path, PAGE, "https://git.example.com/docs/{path}#{anchor}")
    assert found.link == "https://git.example.com/docs/runbooks/pool.md"
    assert found.parts[1].link == "https://git.example.com/docs/runbooks/pool.md#roll-back"


async def test_a_superseded_page_says_by_what(tmp_path: Path) -> None:
    found = await one(tmp_path, "---\nstatus: superseded\nsuperseded_by: new.md\n---\n# Old\n")
    assert (found.standing, found.superseded_by) == (Standing.SUPERSEDED, "new.md")


async def test_a_file_that_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff\xfe broken")
    (tmp_path / "b.md").write_text("---\n: : [\n---\ntext", encoding="utf-8")
    (tmp_path / "c.md").write_text("# Fine\n", encoding="utf-8")
    found = await read(tmp_path)
    assert [getattr(f, "file", "read") for f in found] == ["a.md", "b.md", "read"]


async def test_a_folder_that_is_not_there_fails_the_source(tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="nowhere"):
        await MarkdownFolder(tmp_path / "nowhere").places()


@given(st.text(alphabet="# \n`~abc\r\t-", max_size=300))
def test_sections_cover_a_page_in_order_without_gaps(body: str) -> None:
    _, parts = sections(body, stem="page")
    assert "".join(body[part.start : part.end] for part in parts) == body


@given(st.text(alphabet="-\n :ab[]{}\"'#", max_size=120))
def test_front_matter_is_a_mapping_or_a_named_error(text: str) -> None:
    try:
        values, _ = front_matter(f"---\n{text}\n---\nbody")
    except ValueError:
        with pytest.raises(ValueError, match="front matter"):
            front_matter(f"---\n{text}\n---\nbody")
    else:
        assert isinstance(values, dict)


def test_anchors_are_made_as_forges_make_them() -> None:
    assert anchor_of("What to do: Roll-back, `v2.1` & après") == "what-to-do-roll-back-v21--après"
