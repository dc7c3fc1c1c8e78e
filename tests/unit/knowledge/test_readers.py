"""Readers of files: what each format becomes, and what is said of a file that cannot be read."""

import io
import subprocess
import sys
from datetime import UTC, datetime

import docx
import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.sources.readers import BY_SUFFIX, read
from knowledge.sources.readers.reading import Reading, Unreadable
from tests.fakes.documents_pdf import pdf

HTML = b"""<html><head><title>Payments pool</title><meta name="author" content="Raj Iyer">
<meta property="article:modified_time" content="2026-06-22T10:00:00Z"><style>p {}</style></head>
<body><nav>Home</nav><h1 id="pool">Pool</h1><p>What to
do &amp; when.</p><script>alert(1)</script>
<section id="back"><h2>Roll back</h2><ul><li>Deploy 2.1.7</li></ul>
<table><tr><td>a</td><td>b</td></tr></table><pre>one
  two</pre></section><!-- a comment --><footer>(c)</footer></body></html>"""

RST = b""".. a comment

====
Pool
====

:author: Raj Iyer
:date: 2026-06-22
:service: payments

What to do, see :ref:`other`.

.. include:: /etc/passwd

Roll back
---------

Deploy 2.1.7.

.. raw:: html

   <b>bold</b>

Roll back
---------

Again.
"""


def pieces(found: Reading) -> list[tuple[tuple[str, ...], str | None]]:
    return [(section.headings, section.anchor) for section in found.sections]


def test_html_becomes_its_words_under_its_headings() -> None:
    found = read("a.html", HTML)
    assert found.title == "Payments pool"
    assert found.text == "Pool\n\nWhat to do & when.\n\nRoll back\n\n- Deploy 2.1.7\n\na | b\n\none\n  two\n"
    assert pieces(found) == [(("Pool",), "pool"), (("Pool", "Roll back"), "back")]
    assert found.front == {"author": "Raj Iyer", "date": "2026-06-22T10:00:00Z"}


def test_html_nested_deeper_than_python_recurses_is_read() -> None:
    assert "deep" in read("a.html", b"<div>" * 20_000 + b"deep").text


def test_restructured_text_stays_as_written_with_sections_fields_and_anchors() -> None:
    found = read("a.rst", RST)
    assert (found.title, found.text) == ("Pool", RST.decode())
    assert [headings for headings, _ in pieces(found)] == [
        (),
        ("Pool",),
        ("Pool", "Roll back"),
        ("Pool", "Roll back"),
    ]
    assert [anchor for _, anchor in pieces(found)][1:3] == ["pool", "roll-back"]
    assert found.front == {"author": "Raj Iyer", "date": "2026-06-22", "service": "payments"}
    last = found.sections[-1]
    assert found.text[last.start : last.end].startswith("Roll back\n---------\n\nAgain.")


def test_restructured_text_includes_no_other_file() -> None:
    assert "root:" not in read("a.rst", RST).text


def test_a_pdf_is_read_page_by_page() -> None:
    found = read(
        "a.pdf", pdf("The pool", "Roll back", title="Post-mortem", author="Raj", created="D:20260618120000Z")
    )
    assert (found.title, found.front["author"]) == ("Post-mortem", "Raj")
    assert found.front["date"] == datetime(2026, 6, 18, 12, tzinfo=UTC)
    assert [(s.headings, s.anchor, s.page) for s in found.sections] == [
        (("page 1",), "page=1", 1),
        (("page 2",), "page=2", 2),
    ]
    assert found.text == "The pool\n\nRoll back\n\n"


def test_a_scanned_pdf_says_so() -> None:
    with pytest.raises(Unreadable, match="without text"):
        read("a.pdf", pdf("", ""))


def test_an_encrypted_pdf_says_so() -> None:
    writer, out = pypdf.PdfWriter(), io.BytesIO()
    writer.append(io.BytesIO(pdf("secret")))
    writer.encrypt("pass", algorithm="RC4-128")
    writer.write(out)
    with pytest.raises(Unreadable, match="encrypted"):
        read("a.pdf", out.getvalue())


def test_a_word_document_keeps_headings_tables_and_who_wrote_it() -> None:
    word, out = docx.Document(), io.BytesIO()
    word.core_properties.author = "Raj Iyer"
    word.core_properties.modified = datetime(2026, 6, 22, tzinfo=UTC)
    word.add_heading("Pool", 1)
    word.add_paragraph("What to do.")
    word.add_heading("Roll back", 2)
    table = word.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Deploy", "2.1.7"
    word.save(out)
    found = read("a.docx", out.getvalue())
    assert (found.title, found.front["author"]) == ("Pool", "Raj Iyer")
    assert found.text == "Pool\n\nWhat to do.\n\nRoll back\n\nDeploy | 2.1.7\n"
    assert [headings for headings, _ in pieces(found)] == [("Pool",), ("Pool", "Roll back")]


def test_plain_text_has_a_section_a_paragraph() -> None:
    found = read("a.txt", b"one\ntwo\n\n\nthree\n")
    assert [found.text[s.start : s.end] for s in found.sections] == ["one\ntwo\n\n\n", "three\n"]
    assert [s.line for s in found.sections] == [1, 5]


def test_old_windows_text_is_read_with_a_note() -> None:
    found = read("a.txt", "café".encode("cp1252"))
    assert found.text == "café"
    assert found.notes == ("not UTF-8: read as Windows-1252",)


def test_a_binary_file_is_not_text_whatever_its_name() -> None:
    with pytest.raises(Unreadable, match="binary"):
        read("a.txt", b"\x7fELF\x00\x01")


@pytest.mark.parametrize(("path", "module"), [("a.pdf", "pypdf"), ("a.docx", "docx"), ("a.html", "bs4")])
def test_a_missing_library_is_named_with_what_to_install(path: str, module: str) -> None:
    program = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from knowledge.sources.readers import read\n"
        f"try: read({path!r}, b'')\nexcept ValueError as error: print(error)"
    )
    said = subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True).stdout
    assert module in said
    assert "pip install 'sayso[documents]'" in said


@pytest.mark.parametrize("suffix", sorted(set(BY_SUFFIX)))
@settings(deadline=None, max_examples=60)
@given(
    data=st.binary(max_size=200)
    | st.text(alphabet="<>/h1p=-~#:. \n|`_*[]a%", max_size=200).map(str.encode)
    | st.binary(max_size=20).map(lambda more: pdf("a", "b")[:-20] + more)
)
def test_any_bytes_give_a_text_covered_by_its_sections_or_a_clean_error(suffix: str, data: bytes) -> None:
    try:
        found = read(f"a{suffix}", data)
    except Unreadable:
        return
    assert "".join(found.text[s.start : s.end] for s in found.sections) == found.text
    assert all(s.start < s.end for s in found.sections) or not found.text
    found.text.encode("utf-8")
