"""Tools made of declared API operations: reads that only ask, writes with a plan, a check and a way back."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import Field, create_model

from tools.commands.arguments import field_for
from tools.contract import (
    Arguments,
    Asker,
    Change,
    Effect,
    Finding,
    Grant,
    Json,
    Outcome,
    Plan,
    Progress,
    Spec,
    Tool,
    ToolFailed,
    Undo,
    Verdict,
    Verification,
)
from tools.declared import judged, spoken
from tools.http.client import Answered, Client, Filled, NoAnswer, fill
from tools.http.declared import Api, Operation, Request, declared
from tools.vocabulary import Vocabulary

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

SHOWN = 4_000  # characters of an answer in the digest


def operations(
    settings: Sequence[Mapping[str, object]],
    vocabulary: Vocabulary,
    lookup: "AbstractResolver | None" = None,
) -> tuple[Tool, ...]:
    """The tools of `tools.http` in settings. Raises `ApiRefused` when a declaration is wrong."""
    return tuple(
        ReadOperation(api, operation, vocabulary, Client(api, lookup))
        if operation.effect is Effect.READ
        else WriteOperation(api, operation, vocabulary, Client(api, lookup))
        for api in declared(settings)
        for operation in api.operations
    )


def _spec(api: Api, operation: Operation, vocabulary: Vocabulary) -> Spec:
    fields: dict[str, object] = {
        name: field_for(name, argument, vocabulary) for name, argument in operation.arguments.items()
    }
    if operation.undo is not None:
        fields["undo"] = (bool, Field(default=False, description="Takes it back instead of doing it"))
    made: type[Arguments] = create_model(
        f"{operation.name}_arguments", __base__=Arguments, __doc__=operation.description, **fields
    )  # type: ignore[call-overload]  # the overloads know no computed fields
    return Spec(
        name=operation.name,
        description=operation.description,
        arguments=made,
        effect=operation.effect,
        timeout=api.timeout + 5,
        examples=spoken(operation.examples),
    )


class ReadOperation:
    """A declared operation that only looks."""

    def __init__(self, api: Api, operation: Operation, vocabulary: Vocabulary, client: Client) -> None:
        self._api, self._operation, self._client = api, operation, client
        self.spec = _spec(api, operation, vocabulary)

    async def run(self, arguments: Arguments, asker: Asker) -> Outcome:  # noqa: ARG002 - `access` says who may run it
        filled = fill(self._api, self._operation.run, arguments.canonical())
        answered = await self._client.send(filled)
        return _outcome(self._api, self._operation.name, self._operation.run, filled, answered)


class WriteOperation:
    """A declared operation that changes something."""

    def __init__(self, api: Api, operation: Operation, vocabulary: Vocabulary, client: Client) -> None:
        self._api, self._operation, self._client = api, operation, client
        self.spec = _spec(api, operation, vocabulary)

    async def plan(self, arguments: Arguments) -> Plan:
        """What would be sent, and what `plan` asks beforehand. Raises `ToolFailed` when that is refused."""
        operation, values = self._operation, arguments.canonical()
        undoing = values.get("undo") is True
        filled = fill(self._api, self._wanted(arguments), values)
        seen: Json = None
        if operation.plan is not None:
            asked = fill(self._api, operation.plan, values)
            answered = await self._client.send(asked)
            if not answered.ok:
                raise ToolFailed(
                    f"the plan {asked.shown} was answered {answered.status}: {answered.text[:300]}"
                )
            seen = projected(operation.plan, answered)
        back = operation.undo if not undoing else None
        return Plan(
            title=f"{'Undo' if undoing else 'Run'} {operation.name}",
            changes=(Change(filled.shown, "not sent", "sent once"),),
            touches=(f"{self._api.name} at {self._api.host}",),
            observed={"request": filled.shown, "plan": seen},
            undo=Undo(operation.name, {**values, "undo": True}) if back else None,
            undo_text=fill(self._api, back, values).shown if back else "",
            notes=tuple(_shown(seen).splitlines()[:20]) if seen is not None else (),
        )

    async def run(self, arguments: Arguments, grant: Grant, progress: Progress) -> Outcome:
        grant.spend(self.spec.name, arguments.canonical())
        wanted = self._wanted(arguments)
        filled = fill(self._api, wanted, arguments.canonical())
        await progress(filled.shown[:300])
        try:
            answered = await self._client.send(filled, grant.action)
        except NoAnswer as error:
            return Outcome(ok=True, summary=f"{error}; only looking can tell")  # verify has the last word
        return _outcome(self._api, self._operation.name, wanted, filled, answered)

    async def verify(self, arguments: Arguments) -> Verification:
        check = self._operation.verify
        if check is None:
            return Verification(Verdict.UNCLEAR, f"{self._operation.name} declares no way to verify it")
        values = arguments.canonical()
        answered = await self._client.send(fill(self._api, check, values))
        if answered.status >= 500 or answered.lost:
            return Verification(Verdict.UNCLEAR, f"verify was answered {answered.status}")
        seen = {"status": answered.status, "body": answered.body, "arguments": values}
        try:
            holds = jmespath.search(check.holds or "@", seen)
        except JMESPathError as error:
            return Verification(Verdict.UNCLEAR, f"{check.holds} cannot be told of the answer: {error}")
        return judged(check.holds, holds, wanted=values.get("undo") is not True)

    def _wanted(self, arguments: Arguments) -> Request:
        undo = self._operation.undo
        return undo if undo is not None and arguments.canonical().get("undo") is True else self._operation.run


def projected(request: Request, answered: Answered) -> Json:
    """What `project` picks from the body. Raises `ToolFailed` when the body is not as it expects."""
    if request.project is None:
        return answered.body
    if answered.lost:
        raise ToolFailed("the answer is larger than response_limit, so nothing can be picked from it")
    try:
        picked: Json = jmespath.search(request.project, answered.body)
    except JMESPathError as error:
        raise ToolFailed(f"project = {request.project!r} does not fit the answer: {error}") from error
    return picked


def _outcome(api: Api, name: str, request: Request, filled: Filled, answered: Answered) -> Outcome:
    picked = projected(request, answered) if answered.ok else answered.body
    text = _shown(picked)
    finding = Finding(
        kind="answer",
        title=f"{name} of {api.name}",
        source=f"{api.name} {api.host}",
        query=filled.shown,
        text=text[:SHOWN] or "an empty answer",
        facts={"operation": name, "status": answered.status, "value": picked},
        raw=answered.text or None,
        cut=_cut(api, answered, text),
    )
    how = "succeeded" if answered.ok else f"was refused with {answered.status}"
    return Outcome(
        ok=answered.ok, summary=f"{name} {how}: {' '.join(text.split())[:200]}", findings=(finding,)
    )


def _shown(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)


def _cut(api: Api, answered: Answered, text: str) -> str | None:
    parts = [f"the first {SHOWN:,} of {len(text):,} characters"] if len(text) > SHOWN else []
    if answered.lost:
        parts.append(f"only the first {api.response_limit:,} bytes of the answer were kept")
    return "; ".join(parts) or None
