"""Readers of files, one module a format, chosen by suffix and imported only when there is such a file."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import PurePosixPath
from typing import Protocol, cast

from knowledge.sources.readers.reading import Reading, Unreadable

BY_SUFFIX: Mapping[str, str] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".rst": "restructured",
    ".html": "html",
    ".htm": "html",
    ".txt": "text",
    ".text": "text",
    ".pdf": "pdf",
    ".docx": "word",
}
BINARY = frozenset({".pdf", ".docx"})  # much larger than the text in them
EXTRA = "pip install 'sayso[documents]'"


class _Module(Protocol):
    def read(self, data: bytes) -> Reading: ...


def suffix_of(path: str) -> str:
    """The suffix of a path in lower case, dot included."""
    return PurePosixPath(path).suffix.lower()


def read(path: str, data: bytes) -> Reading:
    """The text of a file, by the reader for its suffix. Raises `Unreadable`, whatever is wrong with the bytes."""
    suffix = suffix_of(path)
    try:
        reader = cast("_Module", import_module(f"knowledge.sources.readers.{BY_SUFFIX[suffix]}"))
        return reader.read(data)
    except ImportError as error:
        raise Unreadable(f"{suffix} files need {error.name!r}, which is not installed: {EXTRA}") from error
    except ValueError as error:
        raise Unreadable(str(error)) from error
    except Exception as error:
        raise Unreadable(f"damaged, or not a {suffix} file: {type(error).__name__}: {error}") from error
