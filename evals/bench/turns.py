"""How much a turn costs: sayso beside LangChain's agent and a bare loop, against the same model server without latency.

One turn is two model calls and one tool call; each turn is a conversation of its own, and 1 or 10 run at a time. The
arms offer the same two tools (a read, and a write that needs approval) and get the same replies, not streamed:

- `sayso`: the real turn with the real store, shelf, redaction, token budget and checks;
- `langchain`: `create_agent` with HumanInTheLoopMiddleware and SQLite checkpoints;
- `bare`: the openai client in a loop, nothing kept.

Both stores are SQLite in WAL mode with `synchronous=NORMAL`: what was accepted survives `kill -9`; a power cut may
lose the last moments. LangGraph runs with its default durability, "async". CPU is that of the arm's process, with its
threads and without the server. Run it as `python -m evals.bench.turns [--json] [--turns N] [--rounds N]`.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

WARM_UP = 30
ARMS = ("sayso", "langchain", "bare")
CONVERSATIONS = (1, 10)
DURABILITY = "SQLite WAL, synchronous=NORMAL in both stores; LangGraph durability='async'"
QUESTION = "why are payments failing?"
FOUND = "connection pool exhausted: 8 of 8 connections in use, waited 750 ms"
PROMPT = "You are an operations assistant. Look before you speak, and cite what you rest on."

OneTurn = Callable[[int], Awaitable[str]]


@asynccontextmanager
async def sayso(url: str, folder: Path) -> AsyncIterator[OneTurn]:
    """The product's own turn, put together as `agent.bootstrap` does."""
    from agent.approvals.policy import Policy, Rule
    from agent.approvals.propose import Proposer
    from agent.conversation.redact import Redactor
    from agent.conversation.thread import Said, ThreadId
    from agent.conversation.toolbox import Toolbox
    from agent.conversation.turn import Turns
    from agent.models.openai import OpenAIModel
    from agent.models.tokens import counter
    from agent.store.shelf import FolderShelf
    from agent.store.sql.store import SqlStore
    from evals.bench.turns_tools import Deploy, Logs, Nobody
    from prompts.loader import load
    from tools.contract import Asker
    from tools.registry import Registry

    store = await SqlStore.open(folder / "sayso.db")
    model = OpenAIModel(model="stub", base_url=url, stream=False)
    registry = Registry([Logs(), Deploy()])
    roles = frozenset({"engineer"})
    policy = Policy([Rule("deploys", frozenset({"deploy"}), roles)], {"logs": roles, "deploy": roles})
    redactor = Redactor()
    turns = Turns(
        model=model,
        threads=store,
        toolbox=Toolbox(
            registry, Proposer(store, registry, policy, now), FolderShelf(folder / "evidence"), redactor
        ),
        prompt=load("system"),
        counter=counter(folder),
        redactor=redactor,
        clock=now,
    )
    asker = Asker("maya", roles)

    async def one(number: int) -> str:
        said = Said(f"event-{number}", ThreadId(f"bench:{number}"), "maya", QUESTION, now())
        turn = await store.hear(said)
        assert turn is not None
        answer = await turns.answer(turn, said, asker, frozenset({"logs", "deploy"}), Nobody())
        assert len(answer.evidence) == 1
        return answer.text

    yield one
    await model.close()
    await store.close()


@asynccontextmanager
async def langchain(url: str, folder: Path) -> AsyncIterator[OneTurn]:
    """LangChain's agent as its documentation puts it together."""
    from langchain.agents import create_agent
    from langchain.agents.middleware import HumanInTheLoopMiddleware
    from langchain_core.messages import HumanMessage
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from pydantic import SecretStr

    @tool
    async def logs(service: str, contains: str | None = None) -> str:
        """Searches the logs of a service."""
        return f"{service} {contains}: {FOUND}"

    @tool
    async def deploy(service: str, version: str, environment: str = "production") -> str:
        """Deploys a version of a service."""
        return f"{service} {version} is deployed to {environment}"

    async with AsyncSqliteSaver.from_conn_string(str(folder / "checkpoints.db")) as saver:
        chat = ChatOpenAI(model="stub", base_url=url, api_key=SecretStr("none"), max_retries=0)
        await saver.setup()
        await saver.conn.execute("PRAGMA synchronous=NORMAL")
        agent = create_agent(
            chat,
            [logs, deploy],
            system_prompt=PROMPT,
            middleware=[HumanInTheLoopMiddleware(interrupt_on={"deploy": True})],
            checkpointer=saver,
        )

        async def one(number: int) -> str:
            state = await agent.ainvoke(
                {"messages": [HumanMessage(QUESTION)]}, {"configurable": {"thread_id": str(number)}}
            )
            assert len(state["messages"]) == 4
            return str(state["messages"][-1].content)

        yield one
        await chat.root_async_client.close()


@asynccontextmanager
async def bare(url: str, _folder: Path) -> AsyncIterator[OneTurn]:
    """The openai client and a loop: the least that answers at all."""
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam

    def described(name: str, *arguments: str) -> ChatCompletionFunctionToolParam:
        properties = {argument: {"type": "string"} for argument in arguments}
        parameters: dict[str, object] = {"type": "object", "properties": properties}
        return {"type": "function", "function": {"name": name, "parameters": parameters}}

    offered = [
        described("logs", "service", "contains"),
        described("deploy", "service", "version", "environment"),
    ]
    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def one(_number: int) -> str:
            messages: list[ChatCompletionMessageParam] = [
                {"role": "system", "content": PROMPT},
                {"role": "user", "content": QUESTION},
            ]
            while True:
                answer = await client.chat.completions.create(model="stub", messages=messages, tools=offered)
                message = answer.choices[0].message
                calls = [call for call in message.tool_calls or () if call.type == "function"]
                if not calls:
                    return str(message.content)
                messages.append(
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {
                                "id": call.id,
                                "type": "function",
                                "function": {
                                    "name": call.function.name,
                                    "arguments": call.function.arguments,
                                },
                            }
                            for call in calls
                        ],
                    }
                )
                messages += [{"role": "tool", "tool_call_id": call.id, "content": FOUND} for call in calls]

        yield one


def now() -> datetime:
    return datetime.now(UTC)


async def measure(arm: str, url: str, turns: int, conversations: int) -> dict[str, float]:
    """CPU milliseconds a turn and turns a second of one arm, in this process, after a warm-up."""
    opened = {"sayso": sayso, "langchain": langchain, "bare": bare}[arm]
    with tempfile.TemporaryDirectory() as folder:
        async with opened(url, Path(folder)) as one:
            numbers = iter(range(turns + WARM_UP))
            await _run(one, itertools.islice(numbers, WARM_UP))
            cpu, wall = time.process_time(), time.perf_counter()
            await asyncio.gather(*(_run(one, numbers) for _ in range(conversations)))
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu_ms": cpu * 1000 / turns, "turns_per_s": turns / wall}


async def _run(one: OneTurn, numbers: Iterator[int]) -> None:
    for number in numbers:
        text = await one(number)
        assert "pool" in text, text


@contextmanager
def stub_model() -> Iterator[str]:
    """The model server in a process of its own; gives its address."""
    command = [sys.executable, "-m", "evals.bench.stub_model"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
        server.stdin.close()


def rounds(count: int, turns: int) -> dict[tuple[str, int], list[dict[str, float]]]:
    """All arms one after the other, `count` times, each in a fresh process."""
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    with stub_model() as url:
        for _ in range(count):
            for conversations in CONVERSATIONS:
                for arm in ARMS:
                    command = [sys.executable, "-m", "evals.bench.turns", "--arm", arm, "--url", url]
                    command += ["--turns", str(turns), "--conversations", str(conversations)]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    found.setdefault((arm, conversations), []).append(json.loads(done.stdout))
    return found


def figures(found: dict[tuple[str, int], list[dict[str, float]]]) -> dict[str, dict[str, object]]:
    """Medians of each arm, and how many times as much as sayso the others take."""
    median = {
        key: {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        for key, runs in found.items()
    }
    return {
        str(conversations): {
            **{
                arm: {name: round(value, 2) for name, value in median[arm, conversations].items()}
                for arm in ARMS
            },
            "langchain_cpu_over_sayso": _ratio(median, "cpu_ms", conversations, "langchain", "sayso"),
            "sayso_turns_per_s_over_langchain": _ratio(
                median, "turns_per_s", conversations, "sayso", "langchain"
            ),
            "sayso_cpu_over_bare": _ratio(median, "cpu_ms", conversations, "sayso", "bare"),
        }
        for conversations in CONVERSATIONS
    }


def _ratio(
    median: dict[tuple[str, int], dict[str, float]], name: str, conversations: int, over: str, under: str
) -> float:
    return round(median[over, conversations][name] / median[under, conversations][name], 2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.turns", description="The cost of a turn.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--turns", type=int, default=200, help="turns of each run (default: 200)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each arm, alternating (default: 3)")
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--conversations", type=int, default=1, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm:
        print(json.dumps(asyncio.run(measure(given.arm, given.url, given.turns, given.conversations))))
        return
    found = figures(rounds(given.rounds, given.turns))
    result = {"durability": DURABILITY, "turns": given.turns, "rounds": given.rounds, "conversations": found}
    print(json.dumps(result, indent=None if given.json else 2))


if __name__ == "__main__":
    main()
