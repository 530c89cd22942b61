"""A paper exchange on a free loopback port, in this process, on a clock that is stepped."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from attrs import define, field
from websockets.asyncio.client import ClientConnection, connect

from apps.exchange.app import exchange_app
from apps.exchange.door import Door
from apps.exchange.exchange import Exchange, ExchangeParams
from apps.exchange.faults.runtime import Faults
from apps.exchange.faults.world import faulty_world
from apps.exchange.hub import Hub
from apps.exchange.limits import Allowance, Cost
from apps.exchange.sessions import Credentials
from apps.exchange.sockets import Sockets
from apps.settings.root import Settings
from apps.wiring.exchange import Pace, exchange_world

START = datetime(2025, 3, 3, 10, tzinfo=UTC)  # a Monday
KEY = Credentials(
    client_id="paper",
    client_secret="paper-secret",  # noqa: S106
    access="account:read_write trade:read_write wallet:read",
)
Fields = dict[str, Any]


class Answered(Exception):
    """An error that the exchange answered."""

    def __init__(self, code: int, message: str, data: Fields | None) -> None:
        super().__init__(f"{code} {message} {data or ''}")
        self.code = code
        self.message = message
        self.data = data


@define(eq=False)
class ExchangeRig:
    """A served exchange, and a client with one keep-alive connection."""

    exchange: Exchange
    hub: Hub
    port: int
    http: httpx.AsyncClient
    faults: Faults | None = None
    token: str = ""
    ids: int = 0

    async def envelope(self, method: str, params: Fields) -> Fields:
        """The whole answer to a POST."""
        self.ids += 1
        body = {"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params}
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        response = await self.http.post(f"/api/v2/{method}", json=body, headers=headers)
        answer: Fields = orjson.loads(response.content)
        assert answer["id"] == self.ids
        return answer

    async def call(self, method: str, **params: Any) -> Any:
        """The result of a POST; Answered if it is an error."""
        return result_of(await self.envelope(method, params))

    async def sign_in(self, scope: str = "session:test") -> Fields:
        """Get a token and use it from now on."""
        key = {"client_id": KEY.client_id, "client_secret": KEY.client_secret}
        told: Fields = await self.call(
            "public/auth", grant_type="client_credentials", scope=scope, **key
        )
        self.token = told["access_token"]
        return told

    async def alone(self) -> None:
        """Return when the exchange has seen all websockets end."""
        async with asyncio.timeout(5):
            while self.hub.connections:
                await self.call("public/test")

    async def step(self, **time: float) -> None:
        """Let the exchange's time pass."""
        await self.call("paper/advance", seconds=timedelta(**time).total_seconds())

    async def quoted(self, kind: str = "C", least_bid: float = 0.006) -> Fields:
        """The ticker of a BTC option with quotes on both sides, not far in the money."""
        for summary in await self.call("public/get_book_summary_by_currency", currency="BTC"):
            name, bid = summary["instrument_name"], summary["bid_price"]
            if name.endswith(kind) and bid and least_bid < bid < 0.05:
                ticker: Fields = await self.call("public/ticker", instrument_name=name)
                return ticker
        raise AssertionError("the chain has no such option")


@define(eq=False)
class Socket:
    """A websocket client; messages that are no answers are kept in *said*."""

    connection: ClientConnection
    said: list[Fields] = field(factory=list)
    ids: int = 0

    async def call(self, method: str, **params: Any) -> Any:
        """The result of a request; Answered if it is an error."""
        self.ids += 1
        await self.send({"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params})
        while True:
            message = await self.message()
            if message.get("id") == self.ids:
                return result_of(message)
            self.said.append(message)

    async def send(self, message: Fields) -> None:
        """Send *message* as it is."""
        await self.connection.send(orjson.dumps(message).decode())

    async def message(self) -> Fields:
        """The next message, whatever it is."""
        async with asyncio.timeout(5):
            read: Fields = orjson.loads(await self.connection.recv())
            return read

    async def heard(self, channel: str) -> Any:
        """The data of the next message in *channel*."""
        while True:
            for number, message in enumerate(self.said):
                if message.get("params", {}).get("channel") == channel:
                    del self.said[number]
                    return message["params"]["data"]
            self.said.append(await self.message())

    async def sign_in(self) -> Fields:
        """Authenticate the connection."""
        key = {"client_id": KEY.client_id, "client_secret": KEY.client_secret}
        told: Fields = await self.call("public/auth", grant_type="client_credentials", **key)
        return told


def result_of(answer: Fields) -> Any:
    """The result in an envelope; Answered if it holds an error."""
    if "error" in answer:
        error = answer["error"]
        raise Answered(error["code"], error["message"], error.get("data"))
    return answer["result"]


class _Server(uvicorn.Server):
    """A server that leaves Ctrl-C to the test's own loop, which is gone before the server is."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(
    *,
    allowed: dict[Cost, Allowance] | None = None,
    directory: Path | None = None,
    token_lifetime_s: int = 10**8,
    is_faulty: bool = False,
) -> AsyncIterator[ExchangeRig]:
    """An exchange on the synthetic market, standing at START, which takes faults or does not."""
    settings = Settings()
    world = await exchange_world(settings, directory, pace=Pace.STEPPED, start=START)
    params = ExchangeParams(
        coins=tuple(settings.venue.underlyings),
        credentials=KEY,
        token_lifetime_s=token_lifetime_s,
        allowed=allowed,
        can_be_stepped=True,
    )
    faults = Faults(world.clock) if is_faulty else None
    if faults is not None:
        world = faulty_world(world, faults)
    async with serving(await Exchange.opened(params, world), faults) as rig:
        yield rig


@asynccontextmanager
async def serving(exchange: Exchange, faults: Faults | None = None) -> AsyncIterator[ExchangeRig]:
    """*exchange* on a free port of loopback."""
    hub, sockets = Hub(exchange), Sockets()
    # asyncio sends small answers at once only where the protocol is named
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(
            exchange_app(Door(hub=hub, faults=faults), sockets),
            http="auto" if faults is None else sockets.protocol,
            log_level="error",
            access_log=False,
            ws="websockets-sansio",
        )
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        port = listener.getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
            yield ExchangeRig(exchange, hub, port, http, faults)
        server.should_exit = True
        await task


@asynccontextmanager
async def websocket(rig: ExchangeRig) -> AsyncIterator[Socket]:
    """A websocket to the exchange of *rig*."""
    async with connect(f"ws://127.0.0.1:{rig.port}/ws/api/v2") as connection:
        yield Socket(connection)


async def refusal(rig: ExchangeRig, method: str, **params: Any) -> Answered:
    """The error that a call is answered with; AssertionError if it is granted."""
    try:
        granted = await rig.call(method, **params)
    except Answered as error:
        return error
    raise AssertionError(f"{method} was granted: {granted}")
