"""The terminal's paper: one rich console for answers, one for what is said beside them."""

from functools import lru_cache
from unicodedata import category

from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.theme import Theme

THEME = Theme({"say.cite": "cyan", "say.version": "bold", "say.id": "bold magenta", "say.mark": "yellow"})


class Marks(RegexHighlighter):
    """Colours what points somewhere: citations, versions, ids of actions and turns."""

    base_style = "say."
    highlights = (
        r"(?P<cite>\[\d+(?:, ?\d+)*\])",
        r"(?P<version>\b\d+\.\d+\.\d+\b)",
        r"(?P<id>\b[AT]-\d+\b)",
    )


@lru_cache(maxsize=1)
def paper() -> Console:
    """Standard output: what a pipe should carry on."""
    return Console(theme=THEME, highlighter=Marks(), soft_wrap=False, emoji=False, markup=False)


@lru_cache(maxsize=1)
def margin() -> Console:
    """Standard error: progress, which nobody pipes."""
    return Console(stderr=True, theme=THEME, highlighter=Marks(), emoji=False, markup=False)


def plain(text: str) -> str:
    """Text from outside without control characters, which a terminal would obey; spaces that do not break stay."""
    return "".join(sign for sign in text if sign in "\n\t" or sign.isprintable() or category(sign) == "Zs")
