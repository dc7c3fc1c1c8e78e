"""Counting tokens offline, with tiktoken and the ranks shipped here; a stated estimate stands in where they fail."""

import gzip
import hashlib
import os
import re
from collections.abc import Callable, MutableMapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from agent.conversation.ports import TokenCounter

if TYPE_CHECKING:
    import tiktoken

ENCODING = "o200k_base"
# Where tiktoken looks: a file named after the SHA-1 of the address it would download from.
ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
# What costs about a token here: six letters, three digits, two marks, a letter of another script, a line end.
ABOUT_A_TOKEN = re.compile(r"[A-Za-zÀ-ÿ]{1,6}|\d{1,3}|[!-/:-@\[-`{-~]{1,2}|[^\s\x00-\x7FÀ-ÿ]|\n+")
REMEMBERED = 1024  # texts whose count is kept: prompts and schemas are counted in every turn
WORTH_REMEMBERING = 8_000  # characters; longer texts are results, which do not come again


class EstimatingCounter:
    """Implements `agent.conversation.ports.TokenCounter` by the look of a text; rather too high than too low."""

    exact = False

    def __init__(self) -> None:
        self.count = _remembering(_estimated)


class TiktokenCounter:
    """Implements `agent.conversation.ports.TokenCounter` exactly."""

    exact = True

    def __init__(self, encoding: "tiktoken.Encoding") -> None:
        # Text that looks like a special token is counted as the text it is.
        self.count = _remembering(lambda text: len(encoding.encode(text, disallowed_special=())))


def _estimated(text: str) -> int:
    return len(ABOUT_A_TOKEN.findall(text))


def _remembering(count: Callable[[str], int]) -> Callable[[str], int]:
    """The same count, which knows short texts again."""
    remembered = lru_cache(maxsize=REMEMBERED)(count)
    return lambda text: remembered(text) if len(text) <= WORTH_REMEMBERING else count(text)


def counter(cache: Path, environ: MutableMapping[str, str] = os.environ) -> TokenCounter:  # noqa: TID251 - see below
    """The exact counter, its ranks unpacked below `cache`; the estimating one where that cannot be done.

    tiktoken finds its ranks by the variable TIKTOKEN_CACHE_DIR and in no other way. A person's own choice of it stays.
    """
    try:
        unpack(Path(environ.setdefault("TIKTOKEN_CACHE_DIR", str(cache / "tiktoken"))))
        import tiktoken

        return TiktokenCounter(tiktoken.get_encoding(ENCODING))
    except (OSError, ValueError, ImportError):
        return EstimatingCounter()


def unpack(folder: Path, packed: bytes | None = None) -> Path:
    """Puts the ranks where tiktoken finds them. Raises `ValueError` when they are not the published ones."""
    file = folder / hashlib.sha1(ADDRESS.encode(), usedforsecurity=False).hexdigest()
    if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == SHA256:
        return file
    if packed is None:
        packed = resources.files("agent.models.ranks").joinpath(f"{ENCODING}.tiktoken.gz").read_bytes()
    ranks = gzip.decompress(packed)
    if hashlib.sha256(ranks).hexdigest() != SHA256:
        raise ValueError(f"the shipped ranks of {ENCODING} are damaged")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = file.with_suffix(f".{os.getpid()}")
    aside.write_bytes(ranks)
    aside.replace(file)
    return file
