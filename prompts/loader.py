"""Loading a prompt: its text, its version, and the hash that names exactly this text."""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


class UnknownPrompt(KeyError):
    """There is no prompt of this name and version."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's text without its front matter. `sha256` (hex) covers the whole file."""

    name: str
    version: int
    text: str
    sha256: str

    @property
    def label(self) -> str:
        """`system/v1@3f2a9c1e`: what turn records and eval results carry."""
        return f"{self.name}/v{self.version}@{self.sha256[:8]}"

    def filled(self, **fields: str) -> str:
        """The text with its `{{fields}}` in place. Raises `KeyError` for one that is not given."""
        return re.sub(r"\{\{(\w+)\}\}", lambda found: fields[found[1]], self.text)


@lru_cache(maxsize=32)
def load(name: str, version: int | None = None) -> Prompt:
    """The prompt of this name, in this version or the newest. Raises `UnknownPrompt`."""
    folder = resources.files("prompts").joinpath(name)
    known = (
        {int(file.name[1:-3]): file for file in folder.iterdir() if re.fullmatch(r"v\d+\.md", file.name)}
        if folder.is_dir()
        else {}
    )
    chosen = max(known, default=0) if version is None else version
    if chosen not in known:
        raise UnknownPrompt(f"{name}/v{chosen}")
    raw = known[chosen].read_text(encoding="utf-8")
    return Prompt(name, chosen, FRONT_MATTER.sub("", raw).strip(), hashlib.sha256(raw.encode()).hexdigest())
