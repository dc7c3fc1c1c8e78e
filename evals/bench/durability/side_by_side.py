"""The same story, kept in PostgreSQL, beside LangGraph: `python -m evals.bench.durability.side_by_side`.

Somebody asks for a change, a model calls a tool that needs approval, the process may forget it; somebody approves, the
tool runs, and it is said how it ended. `turns/s` counts from the question to the proposal, `approvals/s` from the
decision to the end of it. Both arms have the same model (a function, no time), the same tool (a line in a file), the
same number of conversations at once, and one process each, in turn, on the same server:

- `sayso`: everything: inbox, DBOS, ledger, audit trail, outbox, verification, notice;
- `langgraph`: `create_agent` with HumanInTheLoopMiddleware and AsyncPostgresSaver, each checkpoint written before it
  goes on ("sync"); `langgraph-async` as it comes, which may cost a crash the last one.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from evals.bench.durability.server import server
from evals.bench.durability.stamps import append

if TYPE_CHECKING:
    from agent.jobs.voice import Voice

ARMS = ("sayso", "langgraph", "langgraph-async")
DURABILITY: dict[str, Literal["sync", "async"]] = {"langgraph": "sync", "langgraph-async": "async"}
WARM_UP = 20
One = Callable[[int], Awaitable[None]]


@dataclass
class Halves:
    """The two halves of the story, each for one conversation."""

    ask: One
    approve: One
    close: Callable[[], Awaitable[None]]
    told: list[int] = field(default_factory=list)


@dataclass
class Heard:
    """What came of each thread, as its surface heard it."""

    answered: dict[str, asyncio.Event] = field(default_factory=dict)
    ended: dict[str, asyncio.Event] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)


def _ears(folder: Path, heard: Heard) -> "Voice":
    """Wakes whoever waits for the answer, or for the end; writes nothing down, as the other arm does not."""
    from agent.approvals.action import Action
    from agent.conversation.thread import Said, ThreadId
    from agent.conversation.turn import Answer
    from agent.store.port import TurnRecord
    from evals.bench.durability.stamps import WitnessVoice

    class Ears(WitnessVoice):
        def audience(self, said: Said) -> "Ears":
            return self

        async def answered(self, record: TurnRecord, answer: Answer | None) -> None:
            if answer is not None:
                heard.actions[record.thread] = answer.actions[0].id
            heard.answered[record.thread].set()

        async def told(self, thread: ThreadId, subject: str, text: str) -> None:
            heard.ended[thread].set()

        async def shown(self, action: Action) -> None:
            """A card."""

    return Ears(folder / "told")


async def sayso(folder: Path, url: str) -> Halves:
    """The product with its engine, in this process."""
    from agent.approvals.action import ActionId, Verdict
    from agent.bootstrap import utc_now
    from agent.conversation.thread import Said, ThreadId
    from agent.jobs.desk import Desk
    from agent.jobs.station import Role, Station
    from agent.settings import LimitsSettings
    from evals.bench.durability.stamps import PEOPLE, SURFACE, Stamp, opened
    from tools.contract import Arguments, Grant, Outcome, Progress, Verification
    from tools.contract import Verdict as Seen

    heard = Heard()

    class Quick(Stamp):
        """Looks at what it stamped, not at the whole file."""

        async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
            grant.spend("stamp", arguments.canonical())
            append(self.witness, str(arguments.canonical()["text"]))
            stamped.add(str(arguments.canonical()["text"]))
            return Outcome(ok=True, summary="stamped")

        async def verify(self, arguments: Arguments) -> Verification:
            done = arguments.canonical()["text"] in stamped
            return Verification(Seen.DONE if done else Seen.NOT_DONE, "")

    stamped: set[str] = set()
    app = await opened(folder, url, stamp=Quick(folder / "witness"))
    limits = LimitsSettings(turns=100, turns_each=100, runs=100)
    app.settings = app.settings.model_copy(update={"limits": limits})
    station = Station(app, url, Role.ALL, {SURFACE: _ears(folder, heard)}, utc_now)
    await station.start()
    desk, tom = Desk(app, station.worker), PEOPLE.get("tom")

    async def ask(number: int) -> None:
        thread = ThreadId(f"{SURFACE}:{number}")
        heard.answered[thread], heard.ended[thread] = asyncio.Event(), asyncio.Event()
        await desk.hear(Said(str(number), thread, "maya", f"stamp {number}", utc_now()))
        await heard.answered[thread].wait()

    async def approve(number: int) -> None:
        thread = f"{SURFACE}:{number}"
        told = await desk.decide(ActionId(heard.actions[thread]), tom, Verdict.APPROVE)
        assert told is not None
        assert told.refusal is None, told
        await heard.ended[thread].wait()

    async def close() -> None:
        await station.stop(0)
        await app.close()

    return Halves(ask, approve, close)


async def langgraph(folder: Path, url: str, durability: Literal["sync", "async"]) -> Halves:
    """LangChain's agent with its approval middleware, as the documentation puts it together."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langchain_core.callbacks import CallbackManagerForLLMRun
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langchain_core.runnables import RunnableConfig
    from langchain_core.tools import tool
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from langgraph.types import Command
    from psycopg import AsyncConnection
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    class Model(BaseChatModel):
        """Calls the tool for a question, and says that it is done for a result."""

        @property
        def _llm_type(self) -> str:
            return "stub"

        def bind_tools(self, tools: Sequence[object], **kwargs: object) -> "Model":
            return self

        def _generate(
            self,
            messages: list[BaseMessage],
            stop: list[str] | None = None,
            run_manager: CallbackManagerForLLMRun | None = None,
            **kwargs: object,
        ) -> ChatResult:
            last = messages[-1]
            if isinstance(last, ToolMessage):
                reply = AIMessage("It is done.")
            else:
                text = str(last.content).split()[1]
                reply = AIMessage(
                    "", tool_calls=[{"id": f"c{text}", "name": "stamp", "args": {"text": text}}]
                )
            return ChatResult(generations=[ChatGeneration(message=reply)])

    @tool
    async def stamp(text: str) -> str:
        """Stamps a text."""
        append(folder / "witness", text)
        return "stamped"

    pool: AsyncConnectionPool[AsyncConnection[dict[str, object]]] = AsyncConnectionPool(
        url.replace("+psycopg", ""),
        min_size=8,
        max_size=8,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
    )
    await pool.open()
    saver = AsyncPostgresSaver(pool)
    await saver.setup()
    agent = create_agent(
        Model(),
        [stamp],
        middleware=[HumanInTheLoopMiddleware(interrupt_on={"stamp": True})],
        checkpointer=saver,
    )

    def thread(number: int) -> RunnableConfig:
        return {"configurable": {"thread_id": str(number)}}

    async def ask(number: int) -> None:
        state = await agent.ainvoke(
            {"messages": [HumanMessage(f"stamp {number}")]}, thread(number), durability=durability
        )
        assert "__interrupt__" in state

    async def approve(number: int) -> None:
        decided: Command[str] = Command(resume={"decisions": [{"type": "approve"}]})
        state = await agent.ainvoke(decided, thread(number), durability=durability)
        assert state["messages"][-1].content == "It is done."

    return Halves(ask, approve, pool.close)


async def measure(arm: str, url: str, stories: int, at_once: int) -> dict[str, float]:
    """Stories a second of one arm, in this process, after a warm-up; CPU is this process's, without the server."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        opened = sayso(folder, url) if arm == "sayso" else langgraph(folder, url, DURABILITY[arm])
        halves = await opened
        found: dict[str, float] = {}
        for what, half in (("turns", halves.ask), ("approvals", halves.approve)):
            await _all(half, range(WARM_UP), at_once)
            cpu, wall = time.process_time(), time.perf_counter()
            await _all(half, range(WARM_UP, WARM_UP + stories), at_once)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            found |= {f"{what}_per_s": stories / wall, f"{what}_cpu_ms": cpu * 1000 / stories}
        stamped = (folder / "witness").read_text().splitlines()
        assert len(stamped) == len(set(stamped)) == stories + WARM_UP
        await halves.close()
    return found


async def _all(half: One, numbers: Sequence[int], at_once: int) -> None:
    left = iter(numbers)

    async def one_after_the_other() -> None:
        for number in left:
            await half(number)

    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))


def compared(rounds: list[dict[str, dict[str, float]]]) -> dict[str, object]:
    """Medians over the rounds, and how many times as much sayso does."""
    medians = {
        arm: {name: statistics.median(one[arm][name] for one in rounds) for name in rounds[0][arm]}
        for arm in ARMS
    }
    ratios = {
        name: statistics.median(one["sayso"][name] / one["langgraph"][name] for one in rounds)
        for name in ("turns_per_s", "approvals_per_s")
    }
    whole = statistics.median(_story(one["langgraph"]) / _story(one["sayso"]) for one in rounds)
    rounded = {
        arm: {name: round(value, 1) for name, value in found.items()} for arm, found in medians.items()
    }
    return {
        **rounded,
        "times_as_much": {**{k: round(v, 2) for k, v in ratios.items()}, "story": round(whole, 2)},
    }


def _story(found: dict[str, float]) -> float:
    return 1 / found["turns_per_s"] + 1 / found["approvals_per_s"]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m evals.bench.durability.side_by_side", description=__doc__
    )
    parser.add_argument("--stories", type=int, default=400)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.arm:
        print(
            json.dumps(
                asyncio.run(measure(arguments.arm, arguments.url, arguments.stories, arguments.at_once))
            )
        )
        return
    rounds = []
    for _ in range(arguments.rounds):
        found = {}
        for arm in ARMS:
            with server() as url:  # empty, for each
                command = [
                    sys.executable,
                    "-m",
                    "evals.bench.durability.side_by_side",
                    "--arm",
                    arm,
                    "--url",
                    url,
                ]
                command += ["--stories", str(arguments.stories), "--at-once", str(arguments.at_once)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[arm] = json.loads(done.stdout.splitlines()[-1])
        rounds.append(found)
    print(json.dumps(compared(rounds), indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
