"""One websocket from its opening to its end: requests in, answers and messages out."""

import asyncio
from contextlib import suppress
from functools import partial

from attrs import frozen
from starlette.websockets import WebSocket, WebSocketDisconnect

from apps.exchange import rpc
from apps.exchange.connection import Connection
from apps.exchange.door import Door
from apps.exchange.faults.carrying import OVER_SOCKETS, Severed
from apps.exchange.faults.kinds import PLAIN, Course
from apps.exchange.rpc import Answer, Request, RpcError
from apps.exchange.sockets import Sockets

_TOO_MANY_REQUESTS = 10028  # ends the session
_MOST_CONNECTIONS = 256
_ANSWERS_TEST = "public/test"


@frozen(eq=False)
class Websockets:
    """The endpoint of all websockets."""

    door: Door
    sockets: Sockets

    async def serve(self, socket: WebSocket) -> None:
        """Serve *socket* until either side closes it."""
        hub = self.door.hub
        if self.door.is_dead:
            await self.sockets.cut(socket.scope)
            return
        if len(hub.connections) >= _MOST_CONNECTIONS:
            await socket.close(code=1013)
            return
        await socket.accept()
        connection = hub.opened(_now_s())
        writer = asyncio.create_task(_write(socket, connection))
        late: set[asyncio.Task[None]] = set()
        try:
            await self._read(socket, connection, late)
        finally:
            for task in late:
                task.cancel()
            connection.close_now()
            await asyncio.gather(writer, *late, return_exceptions=True)
            await hub.closed(connection)
            await hub.say_news()

    async def _read(
        self, socket: WebSocket, connection: Connection, late: set[asyncio.Task[None]]
    ) -> None:
        """Take one request after the other; those that something happens to hold up no other."""
        while not connection.is_closing:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            connection.heard_s = _now_s()
            asked = await self._request(message["bytes"] if text is None else text, connection)
            if asked is None:
                continue
            course = self.door.course(asked)
            if course is PLAIN:
                await self._tell(await self.door.said(asked, connection), connection)
            else:
                task = asyncio.create_task(self._try(course, asked, socket, connection))
                late.add(task)
                task.add_done_callback(late.discard)

    async def _request(self, text: str | bytes, connection: Connection) -> Request | None:
        """The request in *text*; None if it is none, which is then answered."""
        try:
            asked = rpc.request_from(text)
        except RpcError as error:
            await self._tell(self.door.misread(rpc.id_of(text), error), connection)
            return None
        if asked.method == _ANSWERS_TEST:
            connection.is_tested = False
        return asked

    async def _try(
        self, course: Course, asked: Request, socket: WebSocket, connection: Connection
    ) -> None:
        process = partial(self.door.said, asked, connection)
        try:
            answer = await self.door.on(course, asked, process, OVER_SOCKETS)
        except Severed:
            connection.close_now()
            await self.sockets.cut(socket.scope)
            return
        for _ in range(course.copies):
            await self._tell(answer, connection)

    async def _tell(self, answer: Answer, connection: Connection) -> None:
        if answer.body is not None:
            connection.send(answer.body)
        if answer.code == _TOO_MANY_REQUESTS:
            connection.close()
        await self.door.hub.join(connection)
        await self.door.hub.say_news()


async def _write(socket: WebSocket, connection: Connection) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # the client went first
        while (message := await connection.outbox.get()) is not None:
            await socket.send_text(message.decode())
        connection.is_closing = True
        await socket.close(connection.farewell.code, connection.farewell.reason)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
