"""Lists of an API read page by page, newest first, as far back as they are wanted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tools.changes.port import Known, Occurrence
from tools.contract import ToolFailed
from tools.jsonserver import JsonServer

PER_PAGE, MOST_PAGES = 100, 5


class Payload(BaseModel):
    """What a server says; newer servers say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


Item = TypeVar("Item", bound=Payload)


async def listed(
    server: JsonServer,
    path: str,
    model: type[Item],
    since: datetime,
    moment: Callable[[Item], datetime],
    params: Mapping[str, str] | None = None,
) -> tuple[list[Item], bool]:
    """The items until the first page that ends before `since`, and whether there were more pages than are read.

    A path the server does not have (404: no such repository, or a feature that is off) raises `ToolFailed`.
    """
    adapter, found = TypeAdapter(list[model]), []  # type: ignore[valid-type]  # the model is a value here
    for page in range(1, MOST_PAGES + 1):
        asked = {"per_page": str(PER_PAGE), "page": str(page), **(params or {})}
        try:
            items: list[Item] = adapter.validate_python(await server.ask("GET", path, asked))
        except ValidationError as error:
            raise ToolFailed(f"{server.name} answered {path} in another form than its API") from error
        found += items
        if len(items) < PER_PAGE or moment(items[-1]) < since:
            return found, False
    return found, True


Part = tuple[list[Occurrence], bool]  # what a list came to, and whether there was more than is read


async def together(where: str, parts: Mapping[str, Awaitable[Part]]) -> Known:
    """What the lists of one repository came to. One that is refused (a right that a token lacks, a feature that is off)
    is named as unchecked; raises `ToolFailed` when all are, `ToolUnavailable` when the server does not answer.
    """

    async def read(part: Awaitable[Part]) -> Part | ToolFailed:
        try:
            return await part
        except ToolFailed as error:
            return error

    found = dict(zip(parts, await asyncio.gather(*(read(part) for part in parts.values())), strict=True))
    refused = {name: part for name, part in found.items() if isinstance(part, ToolFailed)}
    if len(refused) == len(found):
        raise next(iter(refused.values()))
    told = [part for part in found.values() if not isinstance(part, ToolFailed)]
    return Known(
        tuple(one for occurrences, _ in told for one in occurrences),
        f"{where} has more than was read" if any(more for _, more in told) else None,
        tuple(f"{name} of {where}: {error}" for name, error in refused.items()),
    )


def joined(known: Sequence[Known]) -> Known:
    """What several repositories came to."""
    return Known(
        tuple(one for each in known for one in each.occurrences),
        "; ".join(each.cut for each in known if each.cut) or None,
        tuple(one for each in known for one in each.unchecked),
    )
