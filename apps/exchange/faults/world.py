"""Faults inside the exchange: of its clock and of the market it stands on."""

from datetime import datetime

import numpy as np
from attrs import evolve, frozen

from apps.exchange.faults.kinds import FaultKind
from apps.exchange.faults.runtime import Faults
from apps.wiring.exchange import ExchangeWorld
from ports.chain import ChainTable
from ports.clock import Clock
from ports.market_data import MarketData, MarketSnapshot


def faulty_world(world: ExchangeWorld, faults: Faults) -> ExchangeWorld:
    """Return *world* with the faults of *faults* in it."""
    return evolve(
        world,
        clock=_SkewedClock(world.clock, faults),
        market=_FaultyMarket(world.market, faults),
    )


@frozen(eq=False)
class _SkewedClock:
    """A clock that is ahead while a fault says so, and can go back."""

    clock: Clock
    faults: Faults

    def now(self) -> datetime:
        return self.clock.now() + self.faults.offset

    def next_tick(self, after: datetime | None) -> datetime | None:
        return self.clock.next_tick(after)

    async def sleep_until(self, instant: datetime) -> None:
        await self.clock.sleep_until(instant - self.faults.offset)


@frozen(eq=False)
class _FaultyMarket:
    """A market with thin quotes, or without some instruments, while a fault says so."""

    market: MarketData
    faults: Faults

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        snapshot = await self.market.snapshot(underlying)
        gone = {fault.instrument for fault in self.faults.holding(FaultKind.DELISTED)}
        if gone:
            snapshot = evolve(snapshot, chain=_without(snapshot, gone))
        if self.faults.holding(FaultKind.THIN):
            snapshot = evolve(snapshot, chain=_thin(snapshot))
        return snapshot


def _without(snapshot: MarketSnapshot, names: set[str]) -> ChainTable:
    chain = snapshot.chain
    return chain.where(np.array([each.symbol not in names for each in chain.contracts]))


def _thin(snapshot: MarketSnapshot) -> ChainTable:
    """The chain with no more than the smallest amount in any quote."""
    chain, least = snapshot.chain, snapshot.rules.min_amount
    return evolve(
        chain,
        bid_amount=np.minimum(chain.bid_amount, least),
        ask_amount=np.minimum(chain.ask_amount, least),
    )
