"""The exchange as a web application: HTTP GET and POST, and the websocket."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress

from attrs import frozen
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from apps.exchange import rpc
from apps.exchange.door import Door
from apps.exchange.faults.carrying import OVER_SOCKETS, Severed
from apps.exchange.hub import keep_going
from apps.exchange.rpc import Answer
from apps.exchange.sockets import Sockets
from apps.exchange.websocket import Websockets

HTTP_PATH, WEBSOCKET_PATH = "/api/v2", "/ws/api/v2"
_PULSE_S = 0.1
_MOST_READ = 64 * 1024 * 1024  # bytes; whoever sends more is cut off


def exchange_app(door: Door, sockets: Sockets) -> Starlette:
    """Return the application that serves the exchange behind *door*; it pulses while served."""
    http, websockets = _Http(door, sockets), Websockets(door, sockets)

    @asynccontextmanager
    async def pulsing(_: Starlette) -> AsyncIterator[None]:
        pulses = [asyncio.create_task(keep_going(door.hub, _PULSE_S))]
        if door.faults is not None:
            pulses.append(asyncio.create_task(_keep_silent(door)))
        for pulse in pulses:
            pulse.add_done_callback(_end_if_failed)
        yield
        for pulse in pulses:
            pulse.cancel()
        for pulse in pulses:
            with suppress(asyncio.CancelledError):
                await pulse

    return Starlette(
        routes=[
            Route(f"{HTTP_PATH}/{{method:path}}", http.get, methods=["GET"]),
            Route(f"{HTTP_PATH}/{{method:path}}", http.post, methods=["POST"]),
            Route(HTTP_PATH, http.post, methods=["POST"]),
            WebSocketRoute(WEBSOCKET_PATH, websockets.serve),
            WebSocketRoute(f"{WEBSOCKET_PATH}/", websockets.serve),  # as many clients have it
        ],
        lifespan=pulsing,
    )


def _end_if_failed(pulse: "asyncio.Task[None]") -> None:
    """An exchange whose time stands still must not go on answering: end; it is raised then."""
    if not pulse.cancelled() and pulse.exception() is not None:
        signal.raise_signal(signal.SIGTERM)


async def _keep_silent(door: Door) -> None:
    """End every websocket while nothing answers, for ever."""
    while True:
        await asyncio.sleep(_PULSE_S)
        if door.is_dead:
            for connection in door.hub.connections.values():
                connection.close_now()


@frozen(eq=False)
class _Http:
    door: Door
    sockets: Sockets

    async def get(self, request: Request) -> Response:
        """A GET carries its parameters in the query, or a request as its body."""
        body = await _body(request)
        if body == b"":
            query = request.query_params.multi_items()
            asked = rpc.request_from_query(_method(request), query)
            return await self._told(
                request, self.door.asked(asked, *_signed(request, b""), OVER_SOCKETS)
            )
        return await self._posted(request, body)

    async def post(self, request: Request) -> Response:
        """A POST carries a request."""
        return await self._posted(request, await _body(request))

    async def _posted(self, request: Request, body: bytes | None) -> Response:
        if body is None:
            return _as_response(self.door.misread(None, rpc.too_large()))
        answering = self.door.posted(
            body, _method(request) or None, *_signed(request, body), OVER_SOCKETS
        )
        return await self._told(request, answering)

    async def _told(self, request: Request, answering: Awaitable[Answer]) -> Response:
        try:
            return _as_response(await answering)
        except Severed:
            await self.sockets.cut(request.scope)
            return Response(status_code=503)  # to nobody: the client is gone


def _method(request: Request) -> str:
    """The method in the path, which may end with a slash; empty where there is none."""
    method: str = request.path_params.get("method", "")
    return method.rstrip("/")


async def _body(request: Request) -> bytes | None:
    """The body; None if it is larger than it may be: it is then read to its end, and not kept."""
    parts: list[bytes] = []
    size = 0
    with suppress(ClientDisconnect):
        async for part in request.stream():
            size += len(part)
            if size <= rpc.LARGEST_BODY:
                parts.append(part)
            elif size > _MOST_READ:
                break
    return None if size > rpc.LARGEST_BODY else b"".join(parts)


def _signed(request: Request, body: bytes) -> tuple[str | None, str]:
    """The Authorization, and what a signature in it covers: method, target and body."""
    header = request.headers.get("authorization")
    if header is None:
        return None, ""
    query = f"?{request.url.query}" if request.url.query else ""
    return header, f"{request.method}\n{request.url.path}{query}\n{body.decode(errors='replace')}\n"


def _as_response(answer: Answer) -> Response:
    kind = "application/json" if answer.is_json else "text/html"
    return Response(answer.body, status_code=answer.status, media_type=kind)
