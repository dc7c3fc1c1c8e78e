"""How long a search with patterns takes in large log files, with how much memory, and how good templates are.

python -m evals.bench.logs --gigabytes 1
python -m evals.bench.logs --gigabytes 10 --folder /somewhere/with/space
python -m evals.bench.logs --gigabytes 0 --labelled HDFS_2k.log_structured.csv
"""

import argparse
import asyncio
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.contract import Asker
from tools.logs.files import LogFiles
from tools.logs.logs import Logs
from tools.logs.patterns import Patterns
from tools.logs.port import Budget, Level, Line
from tools.times import iso
from tools.vocabulary import Vocabulary

END = datetime(2026, 11, 23, 6, tzinfo=UTC)
EVERY = timedelta(milliseconds=2)  # between two lines
RARE = 20_000  # one line in so many is the fault
_BATCH = 50_000
SEED = 7
# What services say: each is one template, whose values are drawn anew for each line.
TEMPLATES = (
    "GET /items/{n} answered 200 in {d} ms",
    "POST /orders answered 201 in {d} ms",
    "cache hit for item {n}",
    "cache miss for item {n}, asking the database",
    "order {id} placed by customer {n}",
    "payment {id} succeeded after {d} ms",
    "user {n} logged in from {ip}",
    "user {n} logged out",
    "session {uuid} expired",
    "request {uuid} retried {k} times",
    "connection from {ip} closed after {d} ms",
    "deleted {n} rows from table baskets",
    "mail to customer {n} queued as {id}",
    "worker {k} took job {id}",
    "worker {k} finished job {id} in {d} ms",
)
FAULT = "connection pool exhausted: 8 of 8 connections in use, waited {d} ms"


def _message(template: str, seeded: random.Random) -> str:
    return template.format(
        n=seeded.randrange(1_000_000),
        d=seeded.randrange(1, 3_000),
        k=seeded.randrange(1, 9),
        id=f"ord-{seeded.randrange(10**8):08d}",
        ip=f"10.{seeded.randrange(256)}.{seeded.randrange(256)}.{seeded.randrange(256)}",
        uuid=f"{seeded.getrandbits(32):08x}-{seeded.getrandbits(16):04x}-4000-8000-{seeded.getrandbits(48):012x}",
    )


def write(folder: Path, octets: int) -> int:
    """Writes one service's log of about so many octets, which ends at `END`; returns the number of lines.

    Messages repeat after `_BATCH` lines; their instants do not.
    """
    seeded = random.Random(SEED)
    bodies = [
        json.dumps(
            {
                "level": "error" if number % RARE == 0 else "info",
                "service": "payments",
                "environment": "production",
                "version": "2.4.0",
                "instance": "payments-1",
                "message": _message(FAULT if number % RARE == 0 else seeded.choice(TEMPLATES), seeded),
            }
        )[1:]
        for number in range(_BATCH)
    ]
    length = sum(len(body) for body in bodies) / _BATCH + len('{"ts": "2026-11-23T05:00:00.123Z", \n')
    count = int(octets / length)
    file = folder / "production" / "payments.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    at = (END - EVERY * count).timestamp()
    step = EVERY.total_seconds()
    with file.open("w", encoding="utf-8", buffering=8 * 1024 * 1024) as out:
        second, text = -1, ""
        for number in range(count):
            moment = at + number * step
            if int(moment) != second:
                second = int(moment)
                text = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
            out.write(f'{{"ts": "{text}.{int(moment % 1 * 1000):03d}Z", {bodies[number % _BATCH]}\n')
    return count


async def search(folder: Path, lines: int, seconds: float) -> dict[str, object]:
    """One question over everything, as the tool answers it."""
    tool = Logs(LogFiles(folder), Vocabulary(), lambda: END, Budget(seconds=seconds))
    asked = {
        "service": "payments",
        "since": iso(END - EVERY * (lines + 1)),
        "contains": "pool exhausted",
        "level": "error",
    }
    began = time.perf_counter()
    outcome = await tool.run(tool.spec.validate(asked), Asker("bench"))
    took = time.perf_counter() - began
    facts = outcome.findings[0].facts
    return {
        "seconds": round(took, 2),
        "matching": facts["total"],
        "read": facts["scanned"],
        "cut": outcome.findings[0].cut,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def grouping_accuracy(truth: list[int], found: list[int]) -> float:
    """The share of lines whose group is just the lines of their template (Zhu et al., ICSE-SEIP 2019)."""

    def groups(labels: list[int]) -> Iterator[frozenset[int]]:
        by_label: dict[int, list[int]] = {}
        for place, label in enumerate(labels):
            by_label.setdefault(label, []).append(place)
        return (frozenset(each) for each in by_label.values())

    true = set(groups(truth))
    return sum(len(group) for group in groups(found) if group in true) / len(truth)


def made_up(count: int = 6_000) -> tuple[list[int], list[str]]:
    """Messages of known templates, and which each is of."""
    seeded = random.Random(SEED)
    choices = (*TEMPLATES, FAULT)
    truth = [seeded.randrange(len(choices)) for _ in range(count)]
    return truth, [_message(choices[each], seeded) for each in truth]


def labelled(file: Path) -> tuple[list[int], list[str]]:
    """Messages that people have labelled: a CSV with the columns `EventId` and `Content`, as Loghub's samples have."""
    with file.open(encoding="utf-8", newline="") as content:
        rows = [(row["EventId"], row["Content"]) for row in csv.DictReader(content)]
    known = {name: place for place, name in enumerate(dict.fromkeys(name for name, _ in rows))}
    return [known[name] for name, _ in rows], [text for _, text in rows]


def templates(truth: list[int], messages: list[str]) -> dict[str, float]:
    """Grouping accuracy, of our patterns and of drain3 with its usual masks."""
    from drain3 import TemplateMiner
    from drain3.masking import MaskingInstruction
    from drain3.template_miner_config import TemplateMinerConfig

    patterns = Patterns()
    ours = []
    for message in messages:
        line = Line(END, Level.INFO, "payments", message, None, message)
        ours.append(id(patterns.add(line)))
    config = TemplateMinerConfig()
    config.masking_instructions = [
        MaskingInstruction(
            r"((?<=[^A-Za-z0-9])|^)(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"
        ),
        MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)([0-9a-f]{6,} ?){3,}((?=[^A-Za-z0-9])|$)", "SEQ"),
        MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)([\-\+]?\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
    ]
    miner = TemplateMiner(config=config)
    theirs = [int(miner.add_log_message(message)["cluster_id"]) for message in messages]
    return {"sayso": grouping_accuracy(truth, ours), "drain3 with masking": grouping_accuracy(truth, theirs)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=0.2, help="size of the logs; the default is quick")
    parser.add_argument("--folder", type=Path, help="where they are written; a temporary folder if unset")
    parser.add_argument(
        "--labelled",
        type=Path,
        nargs="+",
        default=[],
        help="also the grouping of these messages: CSV files with EventId and Content",
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long one answer may read")
    parser.add_argument(
        "--search", type=int, help=argparse.SUPPRESS
    )  # in a process of its own, for its memory
    given = parser.parse_args()
    if given.search:
        print(json.dumps(asyncio.run(search(given.folder, given.search, given.seconds))))
        return
    print(json.dumps({"grouping accuracy": templates(*made_up())}))
    for file in given.labelled:
        print(json.dumps({f"grouping accuracy, {file.name}": templates(*labelled(file))}))
    if not given.gigabytes:
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        began = time.perf_counter()
        lines = write(Path(name), int(given.gigabytes * 1e9))
        print(
            f"{given.gigabytes:g} GB, {lines:,} lines written in {time.perf_counter() - began:.0f} s",
            flush=True,
        )
        again = [sys.executable, "-m", "evals.bench.logs", "--folder", name, "--search", str(lines)]
        for _ in range(2):
            subprocess.run([*again, "--seconds", str(given.seconds)], check=True)


if __name__ == "__main__":
    main()
