"""Recorded markets lived through again: the clock of a recording, and its market."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import exp, log, sqrt
from typing import Self

import numpy as np
from attrs import field, frozen

from core.simulation.perpetual import hours_in, rate_of
from ports.checks import epoch_ms
from ports.clock import Clock
from ports.columns import Floats, Ints, float_column, int_column
from ports.errors import Unavailable
from ports.history import Candles, DeliveryPrice
from ports.instruments import YEAR
from ports.market_data import MarketSnapshot
from ports.snapshots import SnapshotArchive

_MILLISECOND = timedelta(milliseconds=1)
_WINDOW = timedelta(minutes=30)  # the delivery price is the mean of the index over it
_LOCAL = timedelta(days=7)  # past from which the volatility about a gap is taken


class ReplayClock:
    """A Clock whose ticks are recorded instants; its time moves only by sleeping."""

    def __init__(self, instants: Sequence[datetime], start: datetime) -> None:
        """Stand at *start*; ticks are the *instants*, in any order."""
        self._ticks = sorted(set(instants))
        self._now = start

    def now(self) -> datetime:
        """See Clock."""
        return self._now

    def next_tick(self, after: datetime | None) -> datetime | None:
        """See Clock: the first recorded instant after *after*, None behind the last."""
        later = 0 if after is None else bisect_right(self._ticks, after)
        return self._ticks[later] if later < len(self._ticks) else None

    async def sleep_until(self, instant: datetime) -> None:
        """Be at *instant*; it need not be a recorded one."""
        self._now = max(self._now, instant)


class ReplayMarket:
    """
    MarketData and History from an archive, never later than the clock's now.

    An expiry is delivered at the mean of what was recorded of the index in its last half hour,
    otherwise at a value between the recorded neighbours, with its standard error.
    """

    def __init__(
        self, archive: SnapshotArchive, clock: Clock, recordings: "dict[str, _Recording]"
    ) -> None:
        self._archive = archive
        self._clock = clock
        self._recordings = recordings
        self._rates: dict[tuple[str, datetime], float] = {}

    @classmethod
    async def opened(
        cls, archive: SnapshotArchive, clock: Clock, underlyings: Sequence[str]
    ) -> Self:
        """
        Return the market of *underlyings* as *archive* has it now.

        Raises:
            StoreDamaged: A file of the archive cannot be read.
        """
        recordings = {name: _Recording.of(await archive.index_prices(name)) for name in underlyings}
        return cls(archive, clock, recordings)

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """
        Return the newest snapshot taken at now or before, without what has expired since.

        Raises:
            Unavailable: No such underlying, or nothing was recorded until now.

            StoreDamaged: The archive cannot be read.
        """
        recording, now = self._recording(underlying), self._clock.now()
        taken = bisect_right(recording.instants, now)
        if taken == 0:
            raise Unavailable(f"nothing of {underlying} was recorded until {now:%Y-%m-%d %H:%M}")
        seen = await self._archive.load(underlying, recording.instants[taken - 1])
        alive = seen.chain.expiry_ms > epoch_ms(now)
        return MarketSnapshot(
            underlying, seen.taken_at, seen.index_usd, seen.chain.where(alive), seen.rules
        )

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """
        Return closes only: the first recorded index of each *step*, in line with midnight UTC.

        A bar closes at the very instant of its recording, so none is ever replaced.

        Raises:
            Unavailable: No such underlying.
        """
        recording = self._recording(underlying)
        bars = recording.at_ms // max(step // _MILLISECOND, 1)
        is_first = np.append(True, np.diff(bars) > 0)[: len(bars)]
        after = bisect_right(recording.instants, start)
        until = bisect_right(recording.instants, min(end, self._clock.now()))
        rows = after + np.flatnonzero(is_first[after:until])
        unknown = np.full(len(rows), np.nan)
        return Candles(
            underlying,
            closed_at_ms=recording.at_ms[rows],
            open=unknown,
            high=unknown,
            low=unknown,
            close=recording.index_usd[rows],
        )

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """
        Return the funding by the carry of recorded forwards; an hour has that of the last
        snapshot when it begins, and none before the first one.

        Raises:
            Unavailable: No such underlying.

            StoreDamaged: The archive cannot be read.
        """
        recording = self._recording(underlying)
        total = 0.0
        for hour, share in hours_in(start, min(end, self._clock.now())):
            taken = bisect_right(recording.instants, hour)
            if taken > 0:
                total += share * await self._rate(underlying, recording.instants[taken - 1])
        return total

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """
        Return the delivery price once an instant at *expiry* or later was recorded, by now.

        None for ever where nothing was recorded before the last half hour.

        Raises:
            Unavailable: No such underlying.
        """
        recording = self._recording(underlying)
        after = bisect_left(recording.instants, expiry)
        if after >= bisect_right(recording.instants, self._clock.now()):
            return None
        return _recorded_mean(recording, expiry, after) or _interpolated(recording, expiry, after)

    async def _rate(self, underlying: str, taken_at: datetime) -> float:
        """The funding of eight hours by the snapshot of *taken_at*, worked out once."""
        key = (underlying, taken_at)
        if key not in self._rates:
            self._rates[key] = rate_of(await self._archive.load(underlying, taken_at))
        return self._rates[key]

    def _recording(self, underlying: str) -> "_Recording":
        if underlying not in self._recordings:
            raise Unavailable(f"no recording of {underlying!r} was opened")
        return self._recordings[underlying]


@frozen(eq=False)
class _Recording:
    """When one underlying was recorded, oldest first, and its index then; columns (n,)."""

    instants: tuple[datetime, ...]
    at_ms: Ints = field(converter=int_column)
    index_usd: Floats = field(converter=float_column)

    @classmethod
    def of(cls, prices: Sequence[tuple[datetime, float]]) -> Self:
        instants = tuple(instant for instant, _ in prices)
        at_ms = np.array([epoch_ms(instant) for instant in instants], dtype=np.int64)
        return cls(instants, at_ms, np.array([price for _, price in prices], dtype=np.float64))


def _recorded_mean(recording: _Recording, expiry: datetime, after: int) -> DeliveryPrice | None:
    """
    The mean of the index recorded in the window of τ before *expiry*, None if there is none.

    One value at the share x of the window misses the window's mean by a standard error of
    σ √(τ (1/3 - x + x²)) for a Brownian path; several miss it by no more than the root of the
    mean of their squares.
    """
    inside = slice(
        bisect_left(recording.instants, expiry - _WINDOW), bisect_right(recording.instants, expiry)
    )
    prices = recording.index_usd[inside]
    if len(prices) == 0:
        return None
    share = 1.0 - (epoch_ms(expiry) - recording.at_ms[inside]) / (_WINDOW / _MILLISECOND)
    misses = float(np.mean(1.0 / 3.0 - share + share**2)) * (_WINDOW / YEAR)
    price = float(prices.mean())
    error = price * sqrt(_local_variance(recording, inside.start, after) * misses)
    return DeliveryPrice(price, "recorded index", error)


def _interpolated(recording: _Recording, expiry: datetime, after: int) -> DeliveryPrice | None:
    """
    The index in the middle of the window, log-linear between the recorded neighbours.

    Between instants a and b a Brownian bridge has at m the standard error
    σ √((m - a)(b - m) / (b - a)). The window's mean varies a little less than its middle.
    """
    if after == 0:
        return None
    before = after - 1
    start, end = recording.instants[before], recording.instants[after]
    middle = expiry - _WINDOW / 2
    share = (middle - start) / (end - start)
    low, high = (log(recording.index_usd[row]) for row in (before, after))
    price = exp(low + share * (high - low))
    misses = share * (1.0 - share) * ((end - start) / YEAR)
    error = price * sqrt(_local_variance(recording, before, after) * misses)
    return DeliveryPrice(price, "interpolated", error)


def _local_variance(recording: _Recording, first: int, last: int) -> float:
    """
    The annualised realised variance up to row *last*, over a week or back to row *first*.

    Squared log returns over the time they took; zero where there is no return.
    """
    week_ago = bisect_left(recording.instants, recording.instants[last] - _LOCAL)
    rows = slice(min(first, week_ago), last + 1)
    returns = np.diff(np.log(recording.index_usd[rows]))
    if len(returns) == 0:
        return 0.0
    took = recording.instants[last] - recording.instants[rows.start]
    return float(np.sum(returns**2)) / (took / YEAR)
