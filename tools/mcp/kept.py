"""A connection that is kept between calls, watched, and made again after the server went away."""

import asyncio
import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from tools.contract import Json, Progress, ToolFailed, ToolUnavailable
from tools.mcp.declared import Server
from tools.mcp.fault import SAID, Fault, first, reason_of
from tools.mcp.port import Answered, Changed, NoAnswer, Offered, TooMuch, Unreadable, differences
from tools.mcp.wording import shortened

if TYPE_CHECKING:
    from tools.mcp.wire import Session

Result = TypeVar("Result")
log = logging.getLogger("sayso.mcp")
_FAREWELL = 6.0  # seconds in which a session may close: longer than a program is given to end
_ALIVE = 3.0  # seconds in which a server says that it is there
_SESSION_GONE = 32600  # what the package reports where the server has forgotten the session


class _Gone(Exception):
    """The connection ended while somebody waited on it."""


@dataclass(slots=True)
class _Live:
    """A session that is open, and the tools as the server listed them last."""

    session: "Session"
    fault: Fault
    stop: asyncio.Event
    keeper: "asyncio.Task[None]"
    tools: Mapping[str, Offered] = field(default_factory=dict)
    changed: bool = True  # whether the list should be read before the next call


class Kept:
    """Implements `Connection`. The session lives in a task of its own, since it must end where it began."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._live: _Live | None = None
        self._connecting = asyncio.Lock()

    @property
    def place(self) -> str:
        return self._server.url or shortened(shlex.join(self._server.command or ()), 120)

    async def offered(self) -> Sequence[Offered]:
        live = await self._connected(sure=True)
        live.changed = True  # whoever asks what it offers wants to know it of now, also where it says nothing
        try:
            return tuple((await self._listed(live)).values())
        except _Gone as gone:
            await self._drop(live)
            raise ToolUnavailable(self._said(str(gone))) from gone

    async def call(
        self, pinned: Offered, arguments: Mapping[str, Json], *, once: bool, progress: Progress | None = None
    ) -> Answered:
        for tries in range(1 if once else 2):
            live = await self._checked(pinned, sure=once or tries > 0)
            try:
                return await self._called(live, pinned.name, arguments, progress)
            except _Gone as gone:
                await self._drop(live)
                why = str(gone)
        raise NoAnswer(self._said(why if once else f"{why}, twice"))

    async def close(self) -> None:
        if self._live is not None:
            await self._drop(self._live)

    async def _checked(self, pinned: Offered, *, sure: bool) -> _Live:
        """A session in which the tool is as it was pinned. Raises `Changed` and `ToolUnavailable`: nothing was sent."""
        live = await self._connected(sure=sure)
        try:
            now = (await self._listed(live)).get(pinned.name)
        except _Gone as gone:
            await self._drop(live)
            raise ToolUnavailable(self._said(str(gone))) from gone
        if now is None or now.hash != pinned.hash:
            raise Changed(self._changed(pinned, now))
        return live

    # --- one call ----------------------------------------------------------------------------------------------------

    async def _called(
        self, live: _Live, name: str, arguments: Mapping[str, Json], tell: Progress | None
    ) -> Answered:
        from tools.mcp.wire import answered

        async def heard(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001 - its names
            if tell is not None and message:
                await tell(shortened(message, SAID))

        calling = asyncio.ensure_future(
            live.session.call_tool(name, dict(arguments), progress_callback=heard if tell else None)
        )
        try:
            async with asyncio.timeout(self._server.timeout):
                await first(calling, live.fault.told)
        except TimeoutError as error:
            raise NoAnswer(
                self._said(f"it did not answer {name} within {self._server.timeout:g} s and was told to stop")
            ) from error
        finally:
            if not calling.done():
                calling.cancel()  # which tells the server
            await asyncio.gather(calling, return_exceptions=True)
        return answered(self._result(calling, live))

    def _result(self, asked: "asyncio.Future[Result]", live: _Live) -> "Result":
        """What a request came to. Raises `_Gone`, `TooMuch`, and `ToolFailed` with the server's words."""
        from mcp import McpError
        from mcp.types import CONNECTION_CLOSED

        if live.fault.too_much:
            raise TooMuch(self._said(f"{live.fault.why}; ask for less, or raise answer_limit"))
        if asked.cancelled():
            raise _Gone(live.fault.why)
        try:
            return asked.result()
        except McpError as error:
            if error.error.code in {CONNECTION_CLOSED, _SESSION_GONE} or live.fault.broken:
                raise _Gone(live.fault.why or "the connection ended") from error
            raise ToolFailed(self._said(f"it refuses: {shortened(error.error.message, SAID)}")) from error
        except RuntimeError as error:  # the package's word for an answer that does not fit its own schema
            raise Unreadable(self._said(shortened(str(error), SAID))) from error
        except Exception as error:
            # The streams below break in as many ways as two packages have errors: whichever, the session is over.
            log.warning(
                "mcp_stream_broke", extra={"server": self._server.name, "error": type(error).__name__}
            )
            raise _Gone(live.fault.why or f"the connection broke ({type(error).__name__})") from error

    async def _listed(self, live: _Live) -> Mapping[str, Offered]:
        """The tools as they are now: read again after the server said that they are others."""
        if live.changed:
            from tools.mcp.wire import tools_of

            live.changed = False
            asked = asyncio.ensure_future(tools_of(live.session))
            try:
                async with asyncio.timeout(self._server.start_timeout):
                    await first(asked, live.fault.told)
            except TimeoutError as error:
                live.changed = True
                raise ToolUnavailable(self._said("it does not list its tools in time")) from error
            finally:
                if not asked.done():
                    asked.cancel()
                await asyncio.gather(asked, return_exceptions=True)
            live.tools = {tool.name: tool for tool in self._result(asked, live)}
        return live.tools

    def _changed(self, pinned: Offered, now: Offered | None) -> str:
        what = ", ".join(differences(pinned, now))
        log.warning(
            "mcp_tool_changed", extra={"server": self._server.name, "tool": pinned.name, "what": what}
        )
        return (
            f"{pinned.name} of the MCP server {self._server.name} is not as it was pinned ({what}), so it "
            f"is not called until somebody looks at it: `sayso mcp check {self._server.name}`, then `sayso mcp pin`"
        )

    def _said(self, what: str) -> str:
        return f"MCP server {self._server.name}: {what}"

    # --- the session -------------------------------------------------------------------------------------------------

    async def _connected(self, *, sure: bool = False) -> _Live:
        """The open session; `sure` has the server say that it is there. Raises `ToolUnavailable`."""
        async with self._connecting:
            live = self._live
            if live is not None and (live.fault.broken or (sure and not await self._alive(live))):
                await self._drop(live)
                live = None
            if live is None:
                live = self._live = await self._connect()
            return live

    async def _alive(self, live: _Live) -> bool:
        try:
            async with asyncio.timeout(_ALIVE):
                await live.session.send_ping()
        except Exception:  # noqa: BLE001 - whatever it is, the next thing is to connect again
            return False
        return not live.fault.broken

    async def _connect(self) -> _Live:
        fault, stop = Fault(), asyncio.Event()
        ready: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        made: list[_Live] = []
        keeper = asyncio.create_task(self._keep(fault, stop, ready, made))
        try:
            async with asyncio.timeout(self._server.start_timeout):
                await first(ready, keeper)
        except TimeoutError as error:
            raise ToolUnavailable(
                self._said(f"it is not ready after {self._server.start_timeout:g} s")
            ) from error
        finally:
            if not ready.done():
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
        if not ready.done():
            raise ToolUnavailable(self._said(fault.why or "it cannot be reached"))
        log.info("mcp_connected", extra={"server": self._server.name})
        made.append(_Live(ready.result(), fault, stop, keeper))
        return made[0]

    async def _keep(
        self, fault: Fault, stop: asyncio.Event, ready: "asyncio.Future[Session]", made: list[_Live]
    ) -> None:
        """Opens the session, holds it open until it is to stop or has broken, and closes it."""
        from tools.mcp.wire import session

        def changed() -> None:
            log.warning("mcp_list_changed", extra={"server": self._server.name})
            for live in made:
                live.changed = True

        try:
            async with session(self._server, fault, changed) as opened:
                ready.set_result(opened)
                stopping = asyncio.ensure_future(stop.wait())
                await first(stopping, fault.told)
                stopping.cancel()
        except Exception as error:  # noqa: BLE001 - the edge of the session's own task: the fault carries the reason
            fault.broke(reason_of(error))
        finally:
            fault.broke("the connection was closed")

    async def _drop(self, live: _Live) -> None:
        """Ends a session and waits until it has ended."""
        live.stop.set()
        await asyncio.wait({live.keeper}, timeout=_FAREWELL)
        live.keeper.cancel()  # nothing, where it has ended
        await asyncio.gather(live.keeper, return_exceptions=True)
        if self._live is live:
            self._live = None
