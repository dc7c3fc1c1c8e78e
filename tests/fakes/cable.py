"""A cable between a program and a server on this machine: it can be cut, and pulled out for a while."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Cable:
    """Passes bytes both ways, in threads of its own: real sockets, which are really closed."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._open: set[socket.socket] = set()
        self._plugged, self._mute = True, False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    @classmethod
    @asynccontextmanager
    async def to(cls, server: int) -> "AsyncIterator[Cable]":
        cable = cls(server)
        accepting = threading.Thread(target=cable._accept, daemon=True)
        accepting.start()
        try:
            yield cable
        finally:
            cable.unplug()
            cable._listener.shutdown(socket.SHUT_RDWR)
            cable._listener.close()
            await asyncio.to_thread(accepting.join)

    def cut(self) -> None:
        """Ends every connection there is; new ones may be made."""
        for end in list(self._open):
            _close(end)

    def cut_at_the_next_answer(self) -> None:
        """What is asked still arrives, and the answer does not: its connection ends instead."""
        self._mute = True

    def unplug(self) -> None:
        """Ends every connection, and every new one."""
        self._plugged = False
        self.cut()

    def plug(self) -> None:
        self._plugged = True

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._plugged:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._server))
            self._open |= {client, server}
            for source, target in ((client, server), (server, client)):
                ways = (source, target, source is server)
                threading.Thread(target=self._pass, args=ways, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        try:
            while data := source.recv(65536):
                if answers and self._mute:
                    self._mute = False
                    break
                target.sendall(data)
        except OSError:
            pass  # it was cut
        for end in (source, target):
            _close(end)
            self._open.discard(end)


def _close(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other thread was quicker
    end.close()
