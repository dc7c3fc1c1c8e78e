"""A server that speaks Prometheus' HTTP API, asked for whole answers within limits; what it warns of is heard.

Where data lie on several machines, such a server may answer with what it could reach: Thanos says so in `warnings`, a
VictoriaMetrics cluster in `isPartial`. Both are asked not to, each by its own parameter, which others ignore. What is
said all the same is kept as a remark for whoever listens, so that no figure passes for more than it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from tools.contract import Outcome, ToolFailed, ToolUnavailable

SECONDS = 10.0
MOST_OCTETS = 32 * 1024 * 1024
LONGEST = 300  # characters of a remark
WHOLE = {"partial_response": "false", "deny_partial_response": "1"}  # Thanos; VictoriaMetrics
PART = "it answered in part only: some of its storage did not answer"

_heard: ContextVar[list[str] | None] = ContextVar("_heard", default=None)


@contextmanager
def remarks() -> Iterator[list[str]]:
    """What servers remark while the block lasts, each thing once, also in tasks that begin in it."""
    said: list[str] = []
    token = _heard.set(said)
    try:
        yield said
    finally:
        _heard.reset(token)


def remarked(outcome: Outcome, said: Sequence[str]) -> Outcome:
    """The outcome with what servers remarked: in its summary, and beside what its findings leave out."""
    if not said:
        return outcome
    told = "; ".join(said)
    findings = (
        replace(
            each,
            cut=f"{each.cut}; {told}" if each.cut else told,
            facts={**each.facts, "not_checked": list(said)},
        )
        for each in outcome.findings
    )
    return replace(outcome, summary=f"{outcome.summary}; {told}", findings=tuple(findings))


class Payload(BaseModel):
    """What the server says; newer servers say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Instant(Payload):
    value: tuple[float, str]


class Vector(Payload):
    resultType: Literal["vector"]  # noqa: N815 - the API's word
    result: tuple[Instant, ...]


class Series(Payload):
    metric: Mapping[str, str] = {}
    values: tuple[tuple[float, str], ...]


class Matrix(Payload):
    resultType: Literal["matrix"]  # noqa: N815 - the API's word
    result: tuple[Series, ...]


class Answer(Payload):
    status: Literal["success", "error"]
    data: Matrix | Vector | tuple[str, ...] | None = None
    error: str = ""
    warnings: tuple[str, ...] = ()
    isPartial: bool = False  # noqa: N815 - the API's word


class PromServer:
    """Asks the server at `url`. `headers` may hold a secret, and are never part of an error. Follows no redirect."""

    def __init__(self, url: str, seconds: float = SECONDS, headers: Mapping[str, str] | None = None) -> None:
        self.url, self.seconds, self._headers = url.rstrip("/"), seconds, dict(headers or {})

    @property
    def name(self) -> str:
        return f"Prometheus {self.url}"

    async def ask(self, path: str, asked: Mapping[str, str]) -> Answer:
        """Raises `ToolUnavailable` when it does not answer or is busy, `ToolFailed` when it refuses."""
        from aiohttp import ClientError, ClientSession, ClientTimeout

        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=self.seconds), headers=self._headers) as session,
                session.get(self.url + path, params={**asked, **WHOLE}, allow_redirects=False) as response,
            ):
                status, body = response.status, await response.content.read(MOST_OCTETS + 1)
                while len(body) <= MOST_OCTETS and (more := await response.content.read(MOST_OCTETS)):
                    body += more
        except TimeoutError as error:
            raise ToolUnavailable(f"{self.name} did not answer within {self.seconds:g} s") from error
        except (ClientError, OSError) as error:
            raise ToolUnavailable(f"{self.name} does not answer: {error}") from error
        return self._understood(body, status)

    def _understood(self, body: bytes, status: int) -> Answer:
        """Errors by the API's own words: 503 and 504 are a busy server, 4xx and 422 a query it cannot run."""
        if status in {502, 503, 504}:
            raise ToolUnavailable(f"{self.name} is busy or down (status {status})")
        if len(body) > MOST_OCTETS:
            raise ToolFailed(f"{self.name} answered more than {MOST_OCTETS // 2**20} MB; narrow the question")
        try:
            answer = Answer.model_validate_json(body)
        except ValidationError as error:
            said = body[:120].decode(errors="replace")
            raise ToolFailed(f"{self.name} answered with status {status} and {said!r}") from error
        if answer.status == "error" or status != 200:
            raise ToolFailed(f"{self.name} refused: {answer.error or f'status {status}'}")
        self._remark(answer)
        return answer

    def _remark(self, answer: Answer) -> None:
        heard = _heard.get()
        if heard is None:
            return
        for said in (*answer.warnings, *([PART] if answer.isPartial else [])):
            remark = f"{self.name}: {said[:LONGEST]}"
            if remark not in heard:
                heard.append(remark)
