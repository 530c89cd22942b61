"""The Deribit adapter over a paper exchange on loopback, by HTTP and by websocket."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import httpx
from attrs import define, frozen
from pydantic import SecretStr

from adapters.deribit.auth import Credentials
from adapters.deribit.client import DeribitClient, RetryParams
from adapters.deribit.history import DeribitHistory
from adapters.deribit.market_data import DeribitMarketData
from adapters.deribit.rpc import Answer, Param, Rpc
from adapters.deribit.session import DeribitSession
from adapters.deribit.throttle import UNLIMITED, Throttle
from adapters.memory.venue_log import MemoryVenueLog
from apps.exchange.exchange import Exchange, ExchangeParams
from apps.wiring.exchange import ExchangeWorld
from core.simulation.synthetic import SyntheticMarket
from ports.chain import ChainTable
from ports.errors import NeverSent, Unavailable
from ports.history import Candles, DeliveryPrice
from ports.market_data import MarketSnapshot
from ports.venue_log import Deposit
from tests.support.exchanges import KEY, ExchangeRig, serving
from tests.support.markets import MovableMarket, StillClock, ToldHistory
from tests.support.rigs import MarketRig, invented

OUR_KEY = Credentials(
    KEY.client_id, SecretStr(KEY.client_secret), access="account:read trade:read_write"
)
_AT_ONCE = RetryParams(first_wait_s=0.0, longest_wait_s=0.0, jitter_s=0.0)


@define(eq=False)
class Cable:
    """An Rpc that can be pulled out: what is sent then does not leave."""

    rpc: Rpc
    is_out: bool = False

    def pull_out(self) -> None:
        """Nothing leaves from here on."""
        self.is_out = True

    def put_in(self) -> None:
        """It leaves again."""
        self.is_out = False

    async def send(self, method: str, params: dict[str, Param], token: str | None = None) -> Answer:
        """See Rpc."""
        if self.is_out:
            raise NeverSent("the cable is out")
        return await self.rpc.send(method, params, token)

    async def close(self) -> None:
        """See Rpc."""
        await self.rpc.close()


@asynccontextmanager
async def http_client(rig: ExchangeRig) -> AsyncIterator[DeribitClient]:
    """A client of *rig* over HTTP that retries without waiting, and for which no time passes."""
    http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.port}", timeout=20)
    async with DeribitClient.over_http(
        http, OUR_KEY, throttle=_timeless(), retries=_AT_ONCE
    ) as client:
        yield client


@asynccontextmanager
async def websocket_session(rig: ExchangeRig) -> AsyncIterator[DeribitSession]:
    """A session with *rig* over a websocket: retries do not wait, and no time passes for it."""
    async with DeribitSession.opened(
        f"http://127.0.0.1:{rig.port}", OUR_KEY, throttle=_timeless()
    ) as session:
        session.client.retries = _AT_ONCE
        yield session


def _timeless() -> Throttle:
    """An order that a busy machine is slow to send is not late."""
    return Throttle(limits=UNLIMITED, now_s=lambda: 0.0)


@frozen(eq=False)
class WireMarket:
    """MarketData and History in one, over the wire."""

    data: DeribitMarketData
    history: DeribitHistory

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData."""
        return await self.data.snapshot(underlying)

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """See History."""
        return await self.history.candles(underlying, step, start, end)

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """See History."""
        return await self.history.funding(underlying, start, end)

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """See History."""
        return await self.history.delivery_price(underlying, expiry)


async def market_over_http(stack: AsyncExitStack) -> MarketRig:
    """The rig of seed 5, asked over HTTP, until *stack* ends."""
    rig = invented(5)
    client = await stack.enter_async_context(http_client(await _invented_exchange(stack, rig)))
    rig.market = WireMarket(DeribitMarketData(client=client), DeribitHistory(client))
    return rig


async def market_over_websocket(stack: AsyncExitStack) -> MarketRig:
    """The rig of seed 5, its first rows and index as the venue says them by itself."""
    rig = invented(5)
    session = await stack.enter_async_context(
        websocket_session(await _invented_exchange(stack, rig))
    )
    data = DeribitMarketData(client=session.client, quotes=session.quotes, focus=_first_rows)
    rig.market = WireMarket(data, DeribitHistory(session.client))
    return rig


async def exchange_on(
    stack: AsyncExitStack, market: MovableMarket, history: ToldHistory, clock: StillClock
) -> ExchangeRig:
    """An exchange with ten coins on a market made by hand, until *stack* ends."""
    world = ExchangeWorld(
        clock=clock,
        market=market,
        history=history,
        past=_NoPast(),
        log=MemoryVenueLog(),
        deposits=(Deposit("BTC", 10.0),),
    )
    return await _served(stack, world, ("BTC",))


def _first_rows(chain: ChainTable) -> range:
    return range(min(5, len(chain)))


async def _invented_exchange(stack: AsyncExitStack, rig: MarketRig) -> ExchangeRig:
    if not isinstance(rig.market, SyntheticMarket):
        raise TypeError("the exchange stands on the synthetic market")
    world = ExchangeWorld(
        clock=rig.clock,
        market=rig.market,
        history=rig.market,
        past=_NoPast(),
        log=MemoryVenueLog(),
        deposits=(Deposit("BTC", 1.0), Deposit("ETH", 10.0)),
    )
    return await _served(stack, world, ("BTC", "ETH"))


async def _served(
    stack: AsyncExitStack, world: ExchangeWorld, coins: tuple[str, ...]
) -> ExchangeRig:
    params = ExchangeParams(coins=coins, credentials=KEY, token_lifetime_s=10**8)
    return await stack.enter_async_context(serving(await Exchange.opened(params, world)))


class _NoPast:
    async def snapshot(self, underlying: str, at: datetime) -> MarketSnapshot:
        raise Unavailable(f"nothing is known of {underlying} at {at}")
