"""A model server that thinks for no time at all: OpenAI's chat completions, the same two replies for everybody.

Asked with a tool's result at the end it answers in words, otherwise it calls the tool `logs`. It speaks as much HTTP as
the benchmark's clients need (keep-alive, a body with a length) and nothing more, so that its own work stays small.
`python -m evals.bench.stub_model` prints its port and serves until its standard input ends.
"""

import asyncio
import json
import re
import sys

_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_RESULT_LAST = re.compile(rb'"role":\s*"tool"')
_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "logs", "arguments": '{"service": "payments", "contains": "pool"}'},
}
_USAGE = {"prompt_tokens": 400, "completion_tokens": 20, "total_tokens": 420}


def reply(message: dict[str, object], finish: str) -> bytes:
    """A whole HTTP response with one chat completion."""
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "stub",
            "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
            "usage": _USAGE,
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


CALLS = reply({"content": None, "tool_calls": [_CALL]}, "tool_calls")
SAYS = reply({"content": "The pool of payments is exhausted [1]."}, "stop")


class Stub(asyncio.Protocol):
    """One connection: answers each request as soon as its body is complete."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._received, 0, end)
            total = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < total:
                return
            body, self._received = self._received[end + 4 : total], self._received[total:]
            assert self._transport is not None
            self._transport.write(SAYS if _RESULT_LAST.search(body) else CALLS)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
