"""A folder of documents: what is read, who may read it, and where links lead."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from knowledge.port import Document, SourceFailed, Trouble
from knowledge.sources.folder import DocumentFolder
from knowledge.sources.git import GitCheckout
from knowledge.sources.links import LinkTemplate
from tests.fakes.documents_pdf import pdf

RAJ = frozenset({"person:raj"})
SAM = frozenset({"person:sam"})


def put(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


async def read(source: DocumentFolder) -> dict[str, Document | Trouble]:
    found = [one async for one in source.documents()]
    return {one.id if isinstance(one, Document) else one.file: one for one in found}


def git(
    folder: Path, *arguments: str, author: str = "Raj Iyer", date: str = "2026-06-22T10:00:00+00:00"
) -> str:
    settings = ("-c", f"user.name={author}", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    env = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(
        ("git", "-C", str(folder), *settings, *arguments), env=env, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


async def test_each_file_is_read_by_its_suffix_and_others_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": "# A", "b.rst": "B\n=\n", "c.html": "<h1>C</h1>", "d.txt": "d", "e.pdf": pdf("e")})
    put(
        tmp_path,
        {"x.log": "x", ".hidden.md": "x", ".git/y.md": "x", "node_modules/z.md": "x", "k.png": b"\x89"},
    )
    assert list(await read(DocumentFolder(tmp_path))) == [
        f"docs:{n}" for n in ("a.md", "b.rst", "c.html", "d.txt", "e.pdf")
    ]


async def test_a_damaged_file_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    put(tmp_path, {"a.pdf": b"no pdf", "b.docx": b"no zip", "c.md": "# Fine"})
    found = await read(DocumentFolder(tmp_path))
    assert [type(one) for one in found.values()] == [Trouble, Trouble, Document]


async def test_a_file_that_is_too_large_is_named(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": b"a" * 5_000_001})
    (found,) = (await read(DocumentFolder(tmp_path))).values()
    assert isinstance(found, Trouble)
    assert found.reason == "larger than 5 MB"


async def test_a_file_whose_name_is_not_utf8_is_named_as_well_as_can_be(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("x", encoding="utf-8")
    (found,) = (await read(DocumentFolder(tmp_path))).values()
    assert found == Trouble("caf\ufffd.md", "its name is not UTF-8: rename it", "docs:caf\ufffd.md")


async def test_patterns_say_what_is_read(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": "a", "b.txt": "b", "drafts/c.md": "c", "ops/d.md": "d"})
    source = DocumentFolder(tmp_path, include=["**/*.md"], exclude=["drafts/*"])
    assert list(await read(source)) == ["docs:a.md", "docs:ops/d.md"]


async def test_the_most_specific_restricted_folder_counts(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": "a", "security/b.md": "b", "security/keys/c.md": "c", "security-tips/d.md": "d"})
    source = DocumentFolder(tmp_path, restricted={"security": RAJ | SAM, "security/keys/": SAM})
    placed = {key: found.place for key, found in (await read(source)).items() if isinstance(found, Document)}
    assert placed == {
        "docs:a.md": "docs:",
        "docs:security-tips/d.md": "docs:",
        "docs:security/b.md": "docs:security/",
        "docs:security/keys/c.md": "docs:security/keys/",
    }
    who = {place.id: (place.public, place.members) for place in await source.places()}
    assert who == {
        "docs:": (True, frozenset()),
        "docs:security/": (False, RAJ | SAM),
        "docs:security/keys/": (False, SAM),
    }


@pytest.mark.parametrize("path", ["", ".", "/etc", "../other", "a/../b"])
def test_a_restricted_folder_is_inside_the_source(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="inside the source"):
        DocumentFolder(tmp_path, restricted={path: RAJ})


async def test_a_link_out_of_the_folder_or_into_a_restricted_one_is_not_followed(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    put(
        tmp_path,
        {"outside.md": "secret", "elsewhere/x.md": "secret", "docs/a.md": "a", "docs/private/p.md": "p"},
    )
    (docs / "out.md").symlink_to(tmp_path / "outside.md")
    (docs / "folder").symlink_to(tmp_path / "elsewhere")
    (docs / "peek.md").symlink_to(docs / "private" / "p.md")
    (docs / "same.md").symlink_to(docs / "a.md")
    found = await read(DocumentFolder(docs, restricted={"private": RAJ}))
    assert list(found) == ["docs:a.md", "docs:private/p.md", "docs:same.md"]


async def test_a_stamp_changes_with_its_file_and_its_place_alone(tmp_path: Path) -> None:
    put(tmp_path, {"a.md": "a", "x/b.md": "b"})
    first = {unit.key: unit.stamp for unit in await DocumentFolder(tmp_path).units()}
    assert {unit.key: unit.stamp for unit in await DocumentFolder(tmp_path).units()} == first
    put(tmp_path, {"a.md": "changed"})
    source = DocumentFolder(tmp_path)
    second = {unit.key: unit.stamp for unit in await source.units()}
    assert (second["docs:a.md"] != first["docs:a.md"], second["docs:x/b.md"]) == (True, first["docs:x/b.md"])
    third = {unit.key: unit.stamp for unit in await DocumentFolder(tmp_path, restricted={"x": RAJ}).units()}
    assert (third["docs:a.md"], third["docs:x/b.md"] != second["docs:x/b.md"]) == (second["docs:a.md"], True)


async def test_a_pdf_links_to_its_page(tmp_path: Path) -> None:
    put(tmp_path, {"my notes.pdf": pdf("one", "two")})
    (found,) = (await read(DocumentFolder(tmp_path))).values()
    assert isinstance(found, Document)
    assert [part.link for part in found.parts] == ["my%20notes.pdf#page=1", "my%20notes.pdf#page=2"]


def test_a_link_leaves_out_a_fragment_that_has_no_value() -> None:
    link = LinkTemplate("https://git.example.com/{path}#L{line}")
    assert link.to("a#b.md", line=3) == "https://git.example.com/a%23b.md#L3"
    assert link.to("a.md") == "https://git.example.com/a.md"


def test_a_link_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="'branch'"):
        LinkTemplate("{branch}/{path}")


async def test_a_checkout_reads_tracked_files_dated_by_their_last_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    put(
        tmp_path,
        {"docs/été.md": "# A", "docs/b.md": "---\nowner: Sam\ndate: 2026-01-02\n---\n# B\n", "c.md": "c"},
    )
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    put(tmp_path, {"docs/été.md": "# A\n\nmore", "docs/untracked.md": "x"})
    git(tmp_path, "commit", "-qam", "second", author="Maya", date="2026-07-01T08:00:00+00:00")
    head = git(tmp_path, "rev-parse", "HEAD")
    found = await read(GitCheckout(tmp_path / "docs", permalink="{commit}/{path}#L{line}"))
    assert list(found) == ["docs:b.md", "docs:été.md"]
    own, dated = found["docs:b.md"], found["docs:été.md"]
    assert isinstance(own, Document)
    assert isinstance(dated, Document)
    assert (own.author, own.date) == ("Sam", datetime(2026, 1, 2, tzinfo=UTC))
    assert own.parts[0].link == f"{git(tmp_path, 'rev-parse', 'HEAD~1')}/b.md#L5"
    assert (dated.author, dated.date) == ("Maya", datetime(2026, 7, 1, 8, tzinfo=UTC))
    assert dated.link == f"{head}/été.md"


async def test_a_checkout_without_commits_is_read_without_dates(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    put(tmp_path, {"a.md": "# A"})
    git(tmp_path, "add", "a.md")
    assert list(await read(GitCheckout(tmp_path))) == ["docs:a.md"]


async def test_a_folder_that_is_no_checkout_fails_the_source(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere", encoding="utf-8")
    with pytest.raises(SourceFailed, match="git cannot read"):
        await GitCheckout(tmp_path).units()
