"""The connections of a served exchange, known by who is at their other end, to be cut."""

import asyncio
from collections.abc import MutableMapping
from typing import Any, cast
from weakref import WeakValueDictionary

from attrs import define, field
from uvicorn.protocols.http.h11_impl import H11Protocol

_Peer = tuple[str, int]


@define(eq=False)
class Sockets:
    """
    The open connections.

    A server that is to cut them is configured with `protocol` for HTTP: ASGI itself has no word
    for ending a connection without an answer.
    """

    _open: WeakValueDictionary[_Peer, asyncio.Transport] = field(
        factory=WeakValueDictionary, init=False
    )

    @property
    def protocol(self) -> type[H11Protocol]:
        """HTTP/1.1 as uvicorn speaks it, that remembers its connections here."""
        connections = self._open

        class Remembered(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                connections[transport.get_extra_info("peername")[:2]] = transport
                super().connection_made(transport)

        return Remembered

    async def cut(self, scope: MutableMapping[str, Any]) -> None:
        """End the connection of the ASGI *scope* at once, without another byte."""
        transport = self._open.get(cast("_Peer", tuple(scope["client"])))
        if transport is not None:
            transport.abort()
            await asyncio.sleep(0)  # the loop tells the protocol that nobody is there
