"""The exchange as a web application: HTTP GET and POST, and the websocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from attrs import frozen
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from apps.exchange import rpc
from apps.exchange.dispatch import Answer, Dispatch
from apps.exchange.hub import Hub, keep_going
from apps.exchange.rpc import RpcError
from apps.exchange.websocket import Websockets

HTTP_PATH, WEBSOCKET_PATH = "/api/v2", "/ws/api/v2"
_PULSE_S = 0.1
_MOST_READ = 64 * 1024 * 1024  # bytes; whoever sends more is cut off
_STATUS = {10028: 429}  # of errors; all others are answered with 400


def exchange_app(hub: Hub) -> Starlette:
    """Return the application that serves the exchange of *hub*; it pulses while it is served."""
    dispatch = Dispatch(hub.exchange)
    http = _Http(dispatch, hub)

    @asynccontextmanager
    async def pulsing(_: Starlette) -> AsyncIterator[None]:
        pulse = asyncio.create_task(keep_going(hub, _PULSE_S))
        yield
        pulse.cancel()
        with suppress(asyncio.CancelledError):
            await pulse

    return Starlette(
        routes=[
            Route(f"{HTTP_PATH}/{{method:path}}", http.get, methods=["GET"]),
            Route(f"{HTTP_PATH}/{{method:path}}", http.post, methods=["POST"]),
            Route(HTTP_PATH, http.post, methods=["POST"]),
            WebSocketRoute(WEBSOCKET_PATH, Websockets(dispatch, hub).serve),
        ],
        lifespan=pulsing,
    )


@frozen(eq=False)
class _Http:
    dispatch: Dispatch
    hub: Hub

    async def get(self, request: Request) -> Response:
        """A GET carries its parameters in the query, or a request as its body."""
        body = await _body(request)
        if body:
            return await self._answered(request, body)
        asked = rpc.request_from_query(request.path_params["method"], request.query_params)
        return await self._response(request, asked, b"")

    async def post(self, request: Request) -> Response:
        """A POST carries a request."""
        return await self._answered(request, await _body(request))

    async def _answered(self, request: Request, body: bytes | None) -> Response:
        us_in = self.dispatch.exchange.now_us
        try:
            if body is None:
                raise rpc.too_large()
            asked = rpc.request_from(body, request.path_params.get("method"))
        except RpcError as error:
            request_id = None if body is None else rpc.id_of(body)
            return _as_response(self.dispatch.failed(request_id, error, us_in))
        return await self._response(request, asked, body)

    async def _response(self, request: Request, asked: rpc.Request, body: bytes) -> Response:
        header = request.headers.get("authorization")
        signed = "" if header is None else _signed_text(request, body)
        answer = await self.dispatch.over_http(asked, header, signed)
        await self.hub.say_news()
        return _as_response(answer)


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


def _signed_text(request: Request, body: bytes) -> str:
    """What a signature in the header covers: method, target and body, a line each."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.method}\n{request.url.path}{query}\n{body.decode(errors='replace')}\n"


def _as_response(answer: Answer) -> Response:
    status = 200 if answer.code is None else _STATUS.get(answer.code, 400)
    return Response(answer.body, status_code=status, media_type="application/json")
