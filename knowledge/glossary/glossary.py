"""The French and English words that stand for each other, by stem."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources

Stems = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Glossary:
    """For each stem of one language, the stems of the other that may stand for it."""

    from_french: Mapping[str, tuple[str, ...]]
    from_english: Mapping[str, tuple[str, ...]]
    spoken: Mapping[str, str]  # French stem -> the English word that stands for it most often


def glossary(french: Stems, english: Stems) -> Glossary:
    """The glossary that ships, stemmed as the index stems."""
    text = resources.files("knowledge.glossary").joinpath("fr-en.txt").read_text(encoding="utf-8")
    to_english: dict[str, dict[str, None]] = {}
    to_french: dict[str, dict[str, None]] = {}
    spoken: dict[str, str] = {}
    for line in text.splitlines():
        forms, colon, meanings = line.partition(":")
        if line.startswith("#") or not colon:
            continue
        ours, theirs = french(forms), english(meanings)
        for one in ours:
            spoken.setdefault(one, meanings.split()[0])
            to_english.setdefault(one, {}).update(dict.fromkeys(theirs))
        for one in theirs:
            to_french.setdefault(one, {}).update(dict.fromkeys(ours))
    return Glossary(
        {stem: tuple(stems) for stem, stems in to_english.items()},
        {stem: tuple(stems) for stem, stems in to_french.items()},
        spoken,
    )
