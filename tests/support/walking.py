"""A market that walks at random and shows calls of the next days: small, fast, seeded."""

from datetime import datetime, timedelta

import numpy as np
from attrs import define, field, frozen

from core.pricing.black76 import premium_coin
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.clock import Clock
from ports.columns import Floats, Ints
from ports.errors import Unavailable
from ports.history import Candles, DeliveryPrice
from ports.instruments import YEAR, ContractRules
from ports.market_data import MarketSnapshot
from tests.support.markets import RULES

_SHOWN_FOR = timedelta(seconds=10)  # a quote stands so long
_KNOT = timedelta(minutes=30)  # the index walks from knot to knot in straight lines
_STEP = 0.004  # relative standard deviation of one knot
_IV = 0.6
_AHEAD = 3  # days with an expiry, from the next 08:00 on
_GRID_USD = 4000.0  # between strikes
_STRIKES = _GRID_USD * np.arange(4)  # of every expiry, round the index when it was listed
_ONES = np.ones(_AHEAD * len(_STRIKES))
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_YEAR_MS = YEAR // timedelta(milliseconds=1)
_PAST = timedelta(days=8)  # that is known of the time before the start


@frozen(eq=False)
class _Listed:
    """Columns of the contracts that are listed on one day."""

    expiry_ms: Ints
    strike: Floats


@define(eq=False)
class WalkingMarket:
    """
    MarketData, History and past of BTC, from *start* on, all of it drawn when it is made.

    Of the days before there are only hourly closes, which go up and down by 0.4 %: a realised
    volatility of 0.37.
    """

    clock: Clock
    start: datetime
    index_usd: Floats
    bid_amount: Floats
    rules: ContractRules = RULES
    _path: list[float] = field(init=False)  # the index again: single numbers are read from it
    _seen: MarketSnapshot | None = field(default=None, init=False)
    _listed: "dict[datetime, _Listed]" = field(factory=dict, init=False)  # by the next expiry

    def __attrs_post_init__(self) -> None:
        self._path = self.index_usd.tolist()

    @classmethod
    def drawn(
        cls, clock: Clock, start: datetime, length: timedelta, rng: np.random.Generator
    ) -> "WalkingMarket":
        """Return a market with a path as long as *length*."""
        knots = length // _KNOT + 2
        path = 1e5 * np.exp(np.cumsum(rng.normal(0.0, _STEP, knots)))
        amounts = RULES.amount_step * rng.integers(1, 9, knots)
        return cls(clock, start, path, np.round(amounts, 1))

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData."""
        taken_at = self._shown_at(self.clock.now())
        if self._seen is None or self._seen.taken_at != taken_at:
            self._seen = self._shown(underlying, taken_at)
        return self._seen

    async def past(self, underlying: str, at: datetime) -> MarketSnapshot:
        """
        Return the market as it was at *at*.

        Raises:
            Unavailable: That was before the start.
        """
        if at < self.start:
            raise Unavailable(f"the market began at {self.start}")
        return self._shown(underlying, self._shown_at(at))

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """See History; only hourly bars, and only their closes."""
        if step != _HOUR:
            raise Unavailable(f"there are no bars of {step}")
        first = max((start - self.start) // _HOUR + 1, -(_PAST // _HOUR))
        last = (min(end, self.clock.now()) - self.start) // _HOUR
        hours = range(first, last + 1)
        closes = [self._close(hour) for hour in hours]
        ends = [epoch_ms(self.start) + 3_600_000 * hour for hour in hours]
        unknown = np.full(len(closes), np.nan)
        return Candles(underlying, ends, unknown, unknown, unknown, closes)

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """See History; there is none."""
        return 0.0

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """See History."""
        if not self.start < expiry <= self.clock.now():
            return None
        return DeliveryPrice(round(self._index(expiry), 2), "walked")

    def _close(self, hour: int) -> float:
        """The close *hour* hours after the start; the past before it is quiet."""
        if hour <= 0:
            return float(self.index_usd[0]) * (1.004 if hour % 2 else 1.0)
        return self._index(self.start + hour * _HOUR)

    def _shown_at(self, instant: datetime) -> datetime:
        return self.start + (instant - self.start) // _SHOWN_FOR * _SHOWN_FOR

    def _index(self, at: datetime) -> float:
        knot, past = divmod(at - self.start, _KNOT)
        before, after = self._path[knot : knot + 2]
        return before + past / _KNOT * (after - before)

    def _shown(self, underlying: str, at: datetime) -> MarketSnapshot:
        index_usd = round(self._index(at), 2)
        listed = self._listed_at(_first_expiry(at))
        tenor = (listed.expiry_ms - epoch_ms(at)) / _YEAR_MS
        mark = premium_coin(index_usd, listed.strike, tenor, _IV, True)
        amount = float(self.bid_amount[(at - self.start) // _KNOT])
        chain = ChainTable(
            underlying=underlying,
            expiry_ms=listed.expiry_ms,
            strike=listed.strike,
            is_call=_ONES > 0,
            forward=index_usd * _ONES,
            bid=[self.rules.price_down(price * 0.98) or np.nan for price in mark.tolist()],
            ask=[self.rules.price_up(price * 1.02 + 1e-5) for price in mark.tolist()],
            bid_amount=amount * _ONES,
            ask_amount=amount * _ONES,
            mark=mark,
            mark_iv=_IV * _ONES,
            open_interest=100.0 * _ONES,
            volume=0.0 * _ONES,
            quoted_at_ms=np.full(len(_ONES), epoch_ms(at)),
        )
        return MarketSnapshot(underlying, at, index_usd, chain, self.rules)

    def _listed_at(self, first: datetime) -> "_Listed":
        """What is listed while *first* is the next expiry."""
        if first not in self._listed:
            expiries = [first + day * _DAY for day in range(_AHEAD)]
            self._listed[first] = _Listed(
                expiry_ms=np.repeat([epoch_ms(expiry) for expiry in expiries], len(_STRIKES)),
                strike=np.concatenate([self._strikes(expiry) for expiry in expiries]),
            )
        return self._listed[first]

    def _strikes(self, expiry: datetime) -> Floats:
        listed_at = max(self.start, expiry - _AHEAD * _DAY)
        centre_usd = round(self._index(listed_at) / _GRID_USD) * _GRID_USD
        return np.asarray(centre_usd + _STRIKES, dtype=np.float64)


def _first_expiry(at: datetime) -> datetime:
    """The next expiry behind *at*: there is one a day, at 08:00."""
    first = at.replace(hour=8, minute=0, second=0, microsecond=0)
    return first if first > at else first + _DAY
