"""How soon what is said in a long channel is found, and what it costs: `python -m evals.bench.slack.listening 20000`.

A channel of so many messages is indexed by words. Then one more is said, edited and deleted, and each is indexed. Said,
too: how long keeping a message takes, which is what Slack waits for, and what the rights add to a search.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent.bootstrap import utc_now
from agent.conversation.overheard import Channel, Remark
from agent.overhearing import Overhearing
from agent.store.sql.store import SqlStore
from knowledge.library import open_library
from knowledge.port import Query, Reader
from knowledge.sources.slack_live import SlackLive

WORDS = (
    *("pool", "exhausted", "cache", "stampede", "payments", "refund"),
    *("certificate", "latency", "rollback", "deploy", "checkout", "queue"),
)
PEOPLE = [f"U{number:03}" for number in range(40)]
START = 1_760_000_000


def remark(number: int, chance: random.Random, text: str = "") -> Remark:
    """One message; every third one answers an earlier one."""
    ts = f"{START + 90 * number}.{number % 1_000_000:06}"
    root = number - number % 3
    thread = f"{START + 90 * root}.{root % 1_000_000:06}" if number % 3 else ""
    words = text or " ".join(chance.choices(WORDS, k=chance.randint(4, 30)))
    body = {
        "user": chance.choice(PEOPLE),
        "text": words,
        "ts": ts,
        **({"thread_ts": thread} if thread else {}),
    }
    return Remark(ts, thread, body=json.dumps(body))


async def took(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def measured(count: int) -> dict[str, object]:
    """Everything, in milliseconds unless it says seconds."""
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as name:
        store = await SqlStore.open(Path(name) / "sayso.db")
        kept = store.overheard

        def open_(known: Channel) -> Channel:
            members = frozenset(PEOPLE)
            return replace(
                known, name="payments", present=True, followed=True, members=members, confirmed_at=utc_now()
            )

        await kept.amend("C1", open_)
        said = [remark(number, chance) for number in range(count)]
        keeping = [await took(partial(kept.note, "C1", one)) for one in said]
        live = SlackLive(Overhearing(kept), utc_now)
        library = await open_library(Path(name) / "k", embedder=None, clock=utc_now, roll=[live])
        result: dict[str, object] = {
            "messages": count,
            "whole_seconds": round(await took(lambda: library.ingest([live])), 2),
        }
        last = remark(count, chance, "the vault opens with xylophone")
        edited = replace(last, edited="2", body=last.body.replace("phone", "fone"))
        changes: dict[str, Callable[[], Awaitable[object]]] = {
            "said": partial(kept.note, "C1", last),
            "edited": partial(kept.note, "C1", edited),
            "deleted": partial(kept.strike, "C1", last.ts),
        }
        for step, change in changes.items():
            await change()
            result[f"{step}_indexed_seconds"] = round(await took(partial(library.ingest, [live])), 2)
        reader = Reader("maya", frozenset({"slack:U001"}))
        searching = [
            await took(lambda: library.search(Query("why was the pool exhausted?"), reader))
            for _ in range(30)
        ]
        rights = [await took(live.places) for _ in range(100)]
        result["keep_p50_ms"] = round(1000 * statistics.median(keeping), 2)
        result["keep_p99_ms"] = round(1000 * statistics.quantiles(keeping, n=100)[98], 2)
        result["search_p50_ms"] = round(1000 * statistics.median(searching), 1)
        result["rights_p50_ms"] = round(1000 * statistics.median(rights), 2)
        await library.close()
        await store.close()
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=int, nargs="?", default=20_000)
    sys.stdout.write(json.dumps(asyncio.run(measured(parser.parse_args().messages)), indent=2) + "\n")


if __name__ == "__main__":
    main()
