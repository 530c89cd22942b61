"""A simulated venue on a small market, and orders for it."""

from datetime import datetime, timedelta
from typing import Any

from attrs import define

from adapters.memory.venue_log import MemoryVenueLog
from core.simulation.venue import SimulatedVenue
from ports.instruments import Contract, OptionContract
from ports.market_data import MarketSnapshot
from ports.trading import OrderIntent, Placed, Side
from ports.venue_log import Deposit
from tests.support.markets import NOW, Listed, MovableMarket, StillClock, ToldHistory, snapshot


@define(eq=False)
class VenueRig:
    """A venue with everything it stands on at hand."""

    market: MovableMarket
    history: ToldHistory
    clock: StillClock
    log: MemoryVenueLog
    venue: SimulatedVenue

    @classmethod
    async def opened(cls, *listed: Listed, deposit_coin: float = 10.0) -> "VenueRig":
        """A new venue with a deposit in BTC on the market that shows *listed*."""
        market, history, clock, log = MovableMarket(), ToldHistory(), StillClock(), MemoryVenueLog()
        market.show(snapshot(*listed))
        venue = await SimulatedVenue.opened(
            market=market,
            history=history,
            clock=clock,
            log=log,
            deposits=(Deposit("BTC", deposit_coin),),
        )
        return cls(market, history, clock, log, venue)

    async def reopened(self) -> SimulatedVenue:
        """Another venue on the same log, as after a crash."""
        return await SimulatedVenue.opened(
            market=self.market,
            history=self.history,
            clock=self.clock,
            log=self.log,
            deposits=(Deposit("BTC", 999.0),),
        )

    def show(self, *listed: Listed, later_s: float = 60.0) -> MarketSnapshot:
        """Let *listed* be the market from *later_s* after now."""
        seen = snapshot(*listed, taken_at=self.clock.step(seconds=later_s))
        self.market.show(seen)
        return seen

    async def sell(
        self, contract: OptionContract, amount: float, price: float, **options: Any
    ) -> Placed:
        """Place a sell; *options* are those of `intent`."""
        return await self._place(contract, Side.SELL, amount, price, **options)

    async def buy(
        self, contract: OptionContract, amount: float, price: float, **options: Any
    ) -> Placed:
        """Place a buy; *options* are those of `intent`."""
        return await self._place(contract, Side.BUY, amount, price, **options)

    async def _place(
        self, contract: OptionContract, side: Side, amount: float, price: float, **options: Any
    ) -> Placed:
        order = intent(contract, side, amount, price, at=self.clock.now(), **options)
        return await self.venue.place(order)


def intent(
    contract: Contract,
    side: Side,
    amount: float,
    price: float,
    *,
    at: datetime = NOW,
    label: str = "test",
    reduce_only: bool = False,
    post_only: bool = False,
) -> OrderIntent:
    """An order valid for five seconds from *at*."""
    return OrderIntent(
        label=label,
        strategy_id="test",
        position_id="test",
        contract=contract,
        side=side,
        amount=amount,
        price=price,
        reduce_only=reduce_only,
        post_only=post_only,
        valid_until=at + timedelta(seconds=5),
        expires_at=at + timedelta(seconds=120),
    )
