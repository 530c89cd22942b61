"""Our own adapter on an exchange, over sockets or in this process, impatient and at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx
from attrs import define, field
from pydantic import SecretStr

from adapters.deribit.auth import Credentials
from adapters.deribit.client import DeribitClient, RetryParams
from adapters.deribit.trading import DeribitTrading
from apps.exchange.door import Door
from apps.exchange.faults.carrying import Process, Severed, Waits
from apps.exchange.faults.kinds import Cut, Fault, FaultKind
from ports.instruments import OptionContract
from ports.trading import Order, OrderIntent, Side
from tests.support.exchanges import KEY, ExchangeRig
from tests.support.venues import intent

PATIENCE_S = 0.25
_LABELS = (f"order-{number}" for number in count())


@define(eq=False)
class AdapterRig:
    """An exchange, and the adapter that trades on it."""

    exchange: ExchangeRig
    client: DeribitClient
    trading: DeribitTrading
    contract: OptionContract
    price: float  # at which a buy rests

    def arm(self, kind: FaultKind, method: str, **fields: Any) -> None:
        """Let *kind* happen to the next request for *method*."""
        assert self.exchange.faults is not None
        self.exchange.faults.arm(Fault(kind=kind, method=method, **fields))

    def resting(self) -> OrderIntent:
        """A buy with a new label that rests, valid for a minute."""
        return intent(
            self.contract,
            Side.BUY,
            0.3,
            self.price,
            at=self.now + timedelta(minutes=1),
            label=next(_LABELS),
        )

    @property
    def now(self) -> datetime:
        """The exchange's time."""
        return self.exchange.exchange.now

    def known(self, label: str) -> list[Order]:
        """What the exchange's own books hold under *label*."""
        records = self.exchange.exchange.books("BTC").orders.values()
        return [each.order for each in records if each.order.label == label]


def client_of(http: httpx.AsyncClient, *, tries: int = 1) -> DeribitClient:
    """A client with the exchange's key that waits for nothing between its *tries*."""
    return DeribitClient.over_http(
        http,
        Credentials(KEY.client_id, SecretStr(KEY.client_secret)),
        retries=RetryParams(tries=tries, first_wait_s=0.0, longest_wait_s=0.0, jitter_s=0.0),
    )


@asynccontextmanager
async def adapter_on(rig: ExchangeRig) -> AsyncIterator[AdapterRig]:
    """Our adapter on the exchange of *rig*, with connections of its own."""
    ticker = await rig.quoted()
    address = f"http://127.0.0.1:{rig.port}"
    async with client_of(httpx.AsyncClient(base_url=address, timeout=PATIENCE_S)) as client:
        yield AdapterRig(
            exchange=rig,
            client=client,
            trading=DeribitTrading(client=client),
            contract=OptionContract.from_symbol(ticker["instrument_name"]),
            price=ticker["min_price"],
        )


@define(eq=False)
class DoorTransport(httpx.AsyncBaseTransport):
    """The exchange behind *door* without a socket; its client waits for *patience_s*."""

    door: Door
    patience_s: float
    _left: set["asyncio.Task[None]"] = field(factory=set, init=False)  # nobody waits for them

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.AsyncBaseTransport."""
        method = request.url.path.removeprefix("/api/v2/")
        header = request.headers.get("authorization")
        waits = Waits(patience_s=self.patience_s, later=self._later)
        try:
            answer = await self.door.posted(await request.aread(), method, header, "", waits)
        except Severed as severed:
            raise _ERRORS[severed.cut](method, request=request) from severed
        return httpx.Response(answer.status, content=answer.body or b"")

    def _later(self, seconds: float, process: Process) -> None:
        async def arrive() -> None:
            await asyncio.sleep(seconds)
            await process()

        task = asyncio.ensure_future(arrive())
        self._left.add(task)
        task.add_done_callback(self._left.discard)


_ERRORS: dict[Cut, type[httpx.TransportError]] = {
    Cut.REFUSED: httpx.ConnectError,
    Cut.DROPPED: httpx.RemoteProtocolError,
    Cut.TIMED_OUT: httpx.ReadTimeout,
}
