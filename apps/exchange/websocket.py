"""One websocket from its opening to its end: requests in, answers and messages out."""

import asyncio
from contextlib import suppress

from attrs import frozen
from starlette.websockets import WebSocket, WebSocketDisconnect

from apps.exchange import rpc
from apps.exchange.connection import Connection
from apps.exchange.dispatch import Answer, Dispatch
from apps.exchange.hub import Hub
from apps.exchange.rpc import RpcError

_TOO_MANY_REQUESTS = 10028  # ends the session
_MOST_CONNECTIONS = 256
_ANSWERS_TEST = "public/test"


@frozen(eq=False)
class Websockets:
    """The endpoint of all websockets."""

    dispatch: Dispatch
    hub: Hub

    async def serve(self, socket: WebSocket) -> None:
        """Serve *socket* until either side closes it."""
        if len(self.hub.connections) >= _MOST_CONNECTIONS:
            await socket.close(code=1013)
            return
        await socket.accept()
        connection = self.hub.opened(_now_s())
        writer = asyncio.create_task(_write(socket, connection))
        try:
            await self._read(socket, connection)
        finally:
            connection.close_now()
            await asyncio.gather(writer, return_exceptions=True)
            await self.hub.closed(connection)
            await self.hub.say_news()

    async def _read(self, socket: WebSocket, connection: Connection) -> None:
        while not connection.is_closing:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            connection.heard_s = _now_s()
            answer = await self._answer(message["bytes"] if text is None else text, connection)
            if answer.body is not None:
                connection.send(answer.body)
            if answer.code == _TOO_MANY_REQUESTS:
                connection.close()
            await self.hub.join(connection)
            await self.hub.say_news()

    async def _answer(self, text: str | bytes, connection: Connection) -> Answer:
        us_in = self.dispatch.exchange.now_us
        try:
            request = rpc.request_from(text)
        except RpcError as error:
            return self.dispatch.failed(rpc.id_of(text), error, us_in)
        if request.method == _ANSWERS_TEST:
            connection.is_tested = False
        return await self.dispatch.over_websocket(request, connection)


async def _write(socket: WebSocket, connection: Connection) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # the client went first
        while (message := await connection.outbox.get()) is not None:
            await socket.send_text(message.decode())
        connection.is_closing = True
        await socket.close()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
