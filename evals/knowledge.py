"""How often the right source is found, and how often it is admitted that there is none.

`python -m evals.knowledge --home HOME FILE...` asks every question of the files with the rights of its asker, in a home
that was ingested (`sayso demo start` makes one). A line is `{"id", "text", "lang", "asker", "expect": [...]}`; an
expected source is `doc:<path>` or `slack:<channel>:<ts>`, any of them counts, and none means that nothing answers.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.bootstrap import build
from agent.home import find
from agent.recall import reader_of
from agent.settings import load
from knowledge.confidence import SURE
from knowledge.port import Kind, Passage, Query

FIRST = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """One question and what came of it."""

    language: str
    answerable: bool
    rank: int | None  # of the first right source, from 1
    sure: bool  # whether it is told as the answer
    right: bool  # whether one of the first passages is right


def key(passage: Passage) -> str:
    """A source as the files name it."""
    inside = passage.document.split(":", 1)[1]
    if passage.kind is Kind.CHAT:
        return f"slack:{passage.place.lstrip('#')}:{inside.rsplit('/', 1)[1]}"
    return f"doc:{inside}"


async def asked(home: Path, files: Sequence[Path]) -> list[Asked]:
    """Asks every question."""
    place = find(home, None, {}, home)
    app = await build(load(place.config, {}), place)
    try:
        library = await app.knowledge.library()
        found: list[Asked] = []
        for row in (
            json.loads(line) for file in files for line in file.read_text("utf-8").splitlines() if line
        ):
            reader = reader_of(app.directory.get(row["asker"]))
            result = await library.search(Query(row["text"], limit=10), reader)
            hits = [i for i, passage in enumerate(result.passages, 1) if key(passage) in row["expect"]]
            sure = any(passage.confidence >= SURE for passage in result.passages[:FIRST])
            rank = hits[0] if hits else None
            found.append(
                Asked(row["lang"], bool(row["expect"]), rank, sure, rank is not None and rank <= FIRST)
            )
        return found
    finally:
        await app.close()


def figures(found: Sequence[Asked]) -> dict[str, float]:
    """Shares of the questions, 0 to 1."""
    with_answer = [one for one in found if one.answerable]
    without = [one for one in found if not one.answerable]
    wrong = sum(one.sure and not one.right for one in found)
    return {
        "questions": len(found),
        "right_source_first": share(sum(one.rank == 1 for one in with_answer), len(with_answer)),
        "right_source_in_first_three": share(sum(one.right for one in with_answer), len(with_answer)),
        "told_as_the_answer": share(sum(one.sure for one in with_answer), len(with_answer)),
        "abstained_where_there_is_none": share(sum(not one.sure for one in without), len(without)),
        "wrong_but_confident": share(wrong, len(found)),
    }


def share(some: int, all_: int) -> float:
    """A share to three places; 0 of nothing."""
    return round(some / all_, 3) if all_ else 0.0


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m evals.knowledge", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a home whose sources were ingested")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="questions, JSON Lines")
    given = parser.parse_args()
    found = asyncio.run(asked(given.home, given.files))
    result = {"all": figures(found)}
    for language in sorted({one.language for one in found}):
        result[language] = figures([one for one in found if one.language == language])
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
