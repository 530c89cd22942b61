"""A Deribit at the other end of a websocket on loopback, which does as a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import define, field, frozen
from pydantic import SecretStr
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from adapters.deribit.auth import Credentials
from adapters.deribit.client import DeribitClient, RetryParams
from adapters.deribit.session import DeribitSession
from adapters.deribit.socket_line import LineParams
from adapters.deribit.sockets import DeribitSocket
from adapters.deribit.streams import DeribitStreams
from adapters.deribit.throttle import UNLIMITED, Throttle
from ports.errors import PortError
from tests.support.deribit_venue import KEY_WORDS, Watch

READ, OTHER, SUBMIT = "public/get_time", "public/status", "private/buy"
AUTH, TEST, BEAT = "public/auth", "public/test", "public/set_heartbeat"
ARM, SUBSCRIBE = "private/enable_cancel_on_disconnect", "private/subscribe"
UNSUBSCRIBE = "private/unsubscribe"
Body = dict[str, Any]


@frozen(eq=False)
class Asked:
    """A request: on which connection it came, the first being 1, and what it says."""

    venue: "SocketVenue"
    connection: ServerConnection
    number: int
    body: Body

    @property
    def method(self) -> str:
        return str(self.body["method"])

    @property
    def params(self) -> Body:
        return dict(self.body["params"])

    async def answer(self, **content: Any) -> None:
        """Send an envelope with *content* back."""
        await self.frame(json.dumps({"jsonrpc": "2.0", "id": self.body["id"], **content}))

    async def frame(self, text: str) -> None:
        """Send *text*, whatever it is."""
        await self.connection.send(text)


Reply = Callable[[Asked], Awaitable[None]]


def result(value: Any) -> Reply:
    """The result *value*."""
    return lambda asked: asked.answer(result=value, usOut=1_789_732_800_000_000, testnet=True)


def error(code: int, message: str = "told so") -> Reply:
    """The venue's error *code*."""
    return lambda asked: asked.answer(error={"code": code, "message": message})


def frame(text: str) -> Reply:
    """Any frame at all; %d in it is the id."""
    return lambda asked: asked.frame(text.replace("%d", str(asked.body["id"])))


async def silence(_: Asked) -> None:
    """No answer."""


async def hang_up(asked: Asked) -> None:
    """The connection is cut, without an answer."""
    asked.connection.transport.abort()


async def say_goodbye(asked: Asked) -> None:
    """The connection is closed in good order, without an answer."""
    await asked.connection.close()


async def _granted(asked: Asked) -> None:
    """A token named after its connection and the grants on it, that dies with it."""
    venue = asked.venue
    venue.grants += 1
    token = {
        "access_token": f"token-{asked.number}-{venue.grants}",
        "refresh_token": f"refresh-{asked.number}-{venue.grants}",
        "expires_in": 900,
        "scope": "connection trade:read_write account:read",
        "token_type": "bearer",
    }
    await asked.answer(result=token)


async def _channels(asked: Asked) -> None:
    """All channels that were asked for, but those that do not exist."""
    wanted = asked.params["channels"]
    await asked.answer(result=[each for each in wanted if each not in asked.venue.unknown])


def _manners() -> dict[str, list[Reply]]:
    return {
        AUTH: [_granted],
        BEAT: [result("ok")],
        ARM: [result("ok")],
        TEST: [result({"version": "2.1.1"})],
        "public/subscribe": [_channels],
        "public/unsubscribe": [_channels],
        SUBSCRIBE: [_channels],
        UNSUBSCRIBE: [_channels],
    }


@define(eq=False)
class SocketVenue:
    """
    Replies by method: the next of its list, the last one again and again.

    *asked* keeps every request in order; *unknown* are channels that do not exist.
    """

    server: Server = field(init=False)
    replies: dict[str, list[Reply]] = field(factory=_manners)
    asked: list[Asked] = field(factory=list)
    connections: list[ServerConnection] = field(factory=list)
    unknown: set[str] = field(factory=set)
    grants: int = 0
    _news: asyncio.Condition = field(factory=asyncio.Condition)

    def on(self, method: str, *replies: Reply) -> "SocketVenue":
        """Let *method* be answered by *replies*."""
        self.replies[method] = list(replies)
        return self

    def methods(self, number: int) -> list[str]:
        """What was asked on connection *number*, in order."""
        return [each.method for each in self.asked if each.number == number]

    def params(self, method: str) -> list[Body]:
        """The parameters of every request of *method*."""
        return [each.params for each in self.asked if each.method == method]

    async def say(self, channel: str, data: Any) -> None:
        """Say *data* in *channel* on the newest connection."""
        told = {"channel": channel, "data": data}
        await self.frame(json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": told}))

    async def frame(self, text: str) -> None:
        """Send *text* on the newest connection, whatever it is."""
        await self.connections[-1].send(text)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Return when *happened*, which is asked at every request and new connection."""
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(happened)

    async def serve(self, connection: ServerConnection) -> None:
        """Answer what is asked on *connection*."""
        self.connections.append(connection)
        number = len(self.connections)
        try:
            async for text in connection:
                asked = Asked(self, connection, number, json.loads(text))
                self.asked.append(asked)
                script = self.replies[asked.method]
                reply = script.pop(0) if len(script) > 1 else script[0]
                await self._tell()
                await reply(asked)
        except ConnectionClosed:
            return
        finally:
            await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


@asynccontextmanager
async def scripted() -> AsyncIterator[SocketVenue]:
    """A venue that answers politely until it is told otherwise."""
    venue = SocketVenue()
    async with serve(venue.serve, "127.0.0.1", 0, compression=None) as server:
        venue.server = server
        yield venue


def port_of(server: Server | asyncio.Server) -> int:
    """The port that *server* listens on."""
    return int(next(iter(server.sockets)).getsockname()[1])


@asynccontextmanager
async def session(
    venue: SocketVenue,
    *,
    credentials: Credentials | None = Credentials("key-1", SecretStr(KEY_WORDS)),  # noqa: B008
    tries: int = 3,
    waits: list[float] | None = None,
    **params: Any,
) -> AsyncIterator[DeribitSession]:
    """
    A session with *venue* that never waits: it notes its *waits*; *params* are LineParams.

    Time passes for it by its own limits only, so that no connection counts as one that lasted.
    """

    async def sleep(wait_s: float) -> None:
        if waits is not None:
            waits.append(wait_s)
        await asyncio.sleep(0)

    watch = Watch()
    throttle = Throttle(limits=UNLIMITED, now_s=watch.now_s, sleep=watch.sleep)
    socket = DeribitSocket(
        url=f"ws://127.0.0.1:{port_of(venue.server)}/ws/api/v2",
        credentials=credentials,
        throttle=throttle,
        line_params=LineParams(**{"opening_s": 2.0, "answer_s": 2.0, **params}),
        sleep=sleep,
        draw=lambda: 0.5,
    )
    client = DeribitClient(
        rpc=socket,
        access=None if credentials is None else socket,
        throttle=throttle,
        retries=RetryParams(tries=tries, first_wait_s=0.0, longest_wait_s=0.0, jitter_s=0.0),
    )
    async with DeribitSession(client, DeribitStreams(socket)) as opened:
        yield opened


async def failure(opened: DeribitSession, method: str) -> PortError:
    """How calling *method* fails, an order or a read."""
    client = opened.client
    with pytest.raises(PortError) as caught:
        await (client.submit(method) if method == SUBMIT else client.read(method))
    return caught.value
