"""One coin's past made ready: snapshots, bars and delivery prices that many runs share."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import numpy as np
from attrs import evolve, field, frozen

from core.backtest.columns import CallColumns, columns_of
from core.backtest.rules import realised_vol_of
from core.backtest.tradable import FillParams, TradableMarket
from core.context.regime import HISTORY, context_of
from core.risk.limits import RiskLimits
from ports.backtest_runs import Omission
from ports.checks import epoch_ms, from_epoch_ms, utc
from ports.clock import Clock
from ports.columns import Floats
from ports.errors import PortError, Unavailable
from ports.history import Candles, DeliveryPrice, History
from ports.market_data import MarketData, MarketSnapshot

_BAR = timedelta(hours=1)


class Kinds(StrEnum):
    """Which contracts are kept of the chains."""

    CALLS = "calls"  # nothing else is sold, and memory is half
    ALL = "all"


@frozen
class KnownDelivery:
    """What an expiry was delivered at, and from when on that is known."""

    price: DeliveryPrice
    known_at: datetime = field(validator=utc)


@frozen(kw_only=True, eq=False, repr=False)
class PreparedCoin:
    """
    Everything that runs on *underlying* look at: quotes as orders meet them, oldest first,
    hourly bars, deliveries by expiry, and what was left out while it was made ready.
    """

    underlying: str
    snapshots: tuple[MarketSnapshot, ...]
    candles: Candles
    deliveries: Mapping[datetime, KnownDelivery]
    omissions: tuple[Omission, ...] = ()

    @property
    def instants(self) -> tuple[datetime, ...]:
        """When the snapshots were taken."""
        return tuple(snapshot.taken_at for snapshot in self.snapshots)

    def columns(self, limits: RiskLimits) -> CallColumns:
        """The calls as one table, with what *limits* let be traded."""
        prices = {expiry: known.price for expiry, known in self.deliveries.items()}
        return columns_of(self.snapshots, prices, limits, self._realised())

    def _realised(self) -> Floats:
        """The realised volatility known at each snapshot, (s,)."""
        found = []
        for snapshot in self.snapshots:
            at = snapshot.taken_at
            bars = bars_between(self.candles, at - HISTORY, at)
            found.append(realised_vol_of(context_of(bars, snapshot.index_usd, at)))
        return np.array(found)


async def prepare(
    *,
    underlying: str,
    instants: Sequence[datetime],
    clock: Clock,
    market: MarketData,
    history: History,
    fills: FillParams,
    kinds: Kinds = Kinds.CALLS,
    pending: Iterable[datetime] = (),
    watch: Callable[[int, int], None] = lambda *_: None,
) -> PreparedCoin:
    """
    Read the past of *underlying* at *instants* through *clock*, which stands before them.

    An instant that cannot be read is left out and named; *watch* is told how many are done.
    *pending* are expiries listed before, whose delivery is still to be told.

    Raises:
        ValueError: The instants do not rise, or there are none.

        Unavailable: None of them could be read.
    """
    require_rising(instants)
    tradable = TradableMarket(market, clock, fills)
    snapshots: list[MarketSnapshot] = []
    omissions: list[Omission] = []
    for done, at in enumerate(instants, start=1):
        await clock.sleep_until(at)
        try:
            snapshots.append(_of_kinds(await tradable.snapshot(underlying), kinds))
        except PortError as error:
            reason = f"{type(error).__name__}: {error}"
            omissions.append(Omission(at=at, subject=underlying, reason=reason))
        watch(done, len(instants))
    if not snapshots:
        reason = omissions[0].reason
        raise Unavailable(f"no snapshot of {underlying} can be read, the first says: {reason}")
    for flaw, rows in tradable.flaws.items():
        first = snapshots[0].taken_at
        omissions.append(Omission(at=first, subject=underlying, reason=f"{flaw}: {rows} rows"))
    start, end = snapshots[0].taken_at - HISTORY, snapshots[-1].taken_at
    return PreparedCoin(
        underlying=underlying,
        snapshots=tuple(snapshots),
        candles=await history.candles(underlying, _BAR, start, end),
        deliveries=await _deliveries(underlying, snapshots, history, pending),
        omissions=tuple(omissions),
    )


def _of_kinds(snapshot: MarketSnapshot, kinds: Kinds) -> MarketSnapshot:
    if kinds is Kinds.ALL:
        return snapshot
    return evolve(snapshot, chain=snapshot.chain.where(snapshot.chain.is_call))


def require_rising(instants: Sequence[datetime]) -> None:
    """Refuse, by ValueError, *instants* that do not rise, or none at all."""
    if not instants:
        raise ValueError("there are no instants to run over")
    for before, after in pairwise(instants):
        if after <= before:
            raise ValueError(f"the clock goes back: {after} follows {before}")


async def _deliveries(
    underlying: str,
    snapshots: Sequence[MarketSnapshot],
    history: History,
    pending: Iterable[datetime],
) -> dict[datetime, KnownDelivery]:
    """The expiries that were listed and have passed, known from the first snapshot after them."""
    taken = [snapshot.taken_at for snapshot in snapshots]
    listed = np.unique(np.concatenate([snapshot.chain.expiry_ms for snapshot in snapshots]))
    found = {}
    for expiry in sorted({from_epoch_ms(int(ms)) for ms in listed}.union(pending)):
        later = bisect_right(taken, expiry - timedelta(microseconds=1))
        if later < len(taken):
            price = await history.delivery_price(underlying, expiry)
            if price is not None:
                found[expiry] = KnownDelivery(price, taken[later])
    return found


def seen_bytes(snapshot: MarketSnapshot) -> bytes:
    """What a run can see of *snapshot*, for a checksum."""
    chain = snapshot.chain
    columns = (chain.expiry_ms, chain.strike, chain.forward, chain.bid, chain.ask, chain.mark)
    head = f"{snapshot.taken_at.isoformat()} {snapshot.index_usd!r}\n".encode()
    return head + b"".join(column.tobytes() for column in columns)


def bars_between(candles: Candles, start: datetime, end: datetime) -> Candles:
    """The *candles* that closed in (*start*, *end*]."""
    first, last = np.searchsorted(
        candles.closed_at_ms, [epoch_ms(start), epoch_ms(end)], side="right"
    )
    rows = slice(int(first), int(last))
    return Candles(
        candles.underlying,
        closed_at_ms=candles.closed_at_ms[rows],
        open=candles.open[rows],
        high=candles.high[rows],
        low=candles.low[rows],
        close=candles.close[rows],
    )


class PreparedMarket:
    """
    MarketData and History of one prepared coin, never later than the clock's now.

    Only bars of an hour were prepared, and no funding.
    """

    def __init__(self, coin: PreparedCoin, clock: Clock) -> None:
        self._coin = coin
        self._instants = coin.instants
        self._clock = clock
        self._shown: tuple[datetime, MarketSnapshot] | None = None

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """
        Return the newest snapshot taken at now or before, without what has expired since.

        Raises:
            Unavailable: It is another coin, or there is none yet.
        """
        self._require(underlying)
        now = self._clock.now()
        if self._shown is None or self._shown[0] != now:
            self._shown = (now, self._newest(now))
        return self._shown[1]

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """
        Return the bars that closed in (*start*, *end*] and not after now.

        Raises:
            Unavailable: It is another coin, or bars of another length.
        """
        self._require(underlying)
        if step != _BAR:
            raise Unavailable(f"only bars of an hour were prepared, not of {step}")
        return bars_between(self._coin.candles, start, min(end, self._clock.now()))

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """Raise Unavailable: no run on prepared coins holds a perpetual."""
        raise Unavailable(f"no funding of {underlying} was prepared, {start} to {end}")

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """
        Return what *expiry* was delivered at, once a snapshot was taken after it.

        Raises:
            Unavailable: It is another coin.
        """
        self._require(underlying)
        known = self._coin.deliveries.get(expiry)
        return None if known is None or known.known_at > self._clock.now() else known.price

    def _require(self, underlying: str) -> None:
        if underlying != self._coin.underlying:
            raise Unavailable(f"no {underlying} was prepared, only {self._coin.underlying}")

    def _newest(self, now: datetime) -> MarketSnapshot:
        taken = bisect_right(self._instants, now)
        if taken == 0:
            raise Unavailable(f"nothing was prepared until {now:%Y-%m-%d %H:%M}")
        seen = self._coin.snapshots[taken - 1]
        is_alive = seen.chain.expiry_ms > epoch_ms(now)
        return seen if is_alive.all() else evolve(seen, chain=seen.chain.where(is_alive))
