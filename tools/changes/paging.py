"""Lists of an API read page by page, newest first, as far back as they are wanted."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

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
