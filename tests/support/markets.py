"""Small markets by hand: a few listed options, a clock that is moved, prices that are told."""

from datetime import UTC, datetime, timedelta
from math import nan

import numpy as np
from attrs import define, field, frozen

from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.errors import PortError, Unavailable
from ports.history import Candles, DeliveryPrice
from ports.instruments import ContractRules, OptionContract, OptionKind, TickStep
from ports.market_data import MarketSnapshot

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday
DAILY = datetime(2026, 3, 4, 8, tzinfo=UTC)  # a Wednesday: delivered free
FRIDAY = datetime(2026, 3, 27, 8, tzinfo=UTC)
RULES = ContractRules(
    tick_size=0.0001, tick_steps=(TickStep(0.005, 0.0005),), amount_step=0.1, min_amount=0.1
)


def call(strike: float, expiry: datetime = FRIDAY, underlying: str = "BTC") -> OptionContract:
    """A call, on BTC and for Friday unless told."""
    return OptionContract(underlying, expiry, strike, OptionKind.CALL)


def put(strike: float, expiry: datetime = FRIDAY, underlying: str = "BTC") -> OptionContract:
    """A put, on BTC and for Friday unless told."""
    return OptionContract(underlying, expiry, strike, OptionKind.PUT)


@frozen(kw_only=True)
class Listed:
    """One row of a chain; NaN is not quoted."""

    contract: OptionContract
    bid: float = nan
    ask: float = nan
    bid_amount: float = 10.0
    ask_amount: float = 10.0
    mark: float = nan
    mark_iv: float = nan
    forward: float = 100_000.0
    open_interest: float = 100.0


def snapshot(
    *listed: Listed,
    taken_at: datetime = NOW,
    index_usd: float = 100_000.0,
    rules: ContractRules = RULES,
    underlying: str = "BTC",
) -> MarketSnapshot:
    """The market that shows *listed*, in any order."""
    rows = sorted(listed, key=lambda row: row.contract)
    chain = ChainTable(
        underlying=underlying,
        expiry_ms=[epoch_ms(row.contract.expiry) for row in rows],
        strike=[row.contract.strike for row in rows],
        is_call=[row.contract.is_call for row in rows],
        forward=[row.forward for row in rows],
        bid=[row.bid for row in rows],
        ask=[row.ask for row in rows],
        bid_amount=[row.bid_amount for row in rows],
        ask_amount=[row.ask_amount for row in rows],
        mark=[row.mark for row in rows],
        mark_iv=[row.mark_iv for row in rows],
        open_interest=[row.open_interest for row in rows],
        volume=np.zeros(len(rows)),
        quoted_at_ms=np.full(len(rows), epoch_ms(taken_at)),
    )
    return MarketSnapshot(underlying, taken_at, index_usd, chain, rules)


@define
class StillClock:
    """A clock that stands until it is moved."""

    instant: datetime = NOW

    def now(self) -> datetime:
        """See Clock."""
        return self.instant

    def next_tick(self, after: datetime | None) -> datetime | None:
        """See Clock; there is none."""
        return None

    async def sleep_until(self, instant: datetime) -> None:
        """See Clock; the clock is there at once."""
        self.instant = max(self.instant, instant)

    def step(self, **amounts: float) -> datetime:
        """Move on by *amounts*, the keywords of timedelta, and return the instant."""
        self.instant += timedelta(**amounts)
        return self.instant


@define(eq=False)
class MovableMarket:
    """A market that shows what it was last told to, or fails as it was told to."""

    shown: dict[str, MarketSnapshot] = field(factory=dict)
    failure: PortError | None = None

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData."""
        if self.failure is not None:
            raise self.failure
        if underlying not in self.shown:
            raise Unavailable(f"no market in {underlying}")
        return self.shown[underlying]

    def show(self, seen: MarketSnapshot) -> None:
        """Let *seen* be the market of its underlying from here on."""
        self.shown[seen.underlying] = seen


@define(eq=False)
class ToldHistory:
    """
    A history that knows only the delivery prices and hourly closes it was told; funding has
    *funding_8h*, a fraction of eight hours, at all times.
    """

    deliveries: dict[datetime, DeliveryPrice] = field(factory=dict)
    closes: dict[datetime, float] = field(factory=dict)
    funding_8h: float = 0.0

    async def candles(
        self,
        underlying: str,
        step: timedelta,
        start: datetime,
        end: datetime,
    ) -> Candles:
        """See History; a bar is its close."""
        known = sorted(each for each in self.closes.items() if start < each[0] <= end)
        closes = [price for _, price in known]
        at_ms = [epoch_ms(at) for at, _ in known]
        return Candles(underlying, at_ms, closes, closes, closes, closes)

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """See History."""
        return self.funding_8h * ((end - start) / timedelta(hours=8))

    async def delivery_price(
        self,
        underlying: str,
        expiry: datetime,
    ) -> DeliveryPrice | None:
        """See History."""
        return self.deliveries.get(expiry)
