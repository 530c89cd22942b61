"""A market that walks at random and shows calls of the next days: small, fast, seeded."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from attrs import define, field

from core.pricing.black76 import premium_coin
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.clock import Clock
from ports.columns import Floats
from ports.history import Candles, DeliveryPrice
from ports.instruments import YEAR, ContractRules
from ports.market_data import MarketSnapshot
from tests.support.markets import RULES
from tests.support.worlds import quiet_past

_SHOWN_FOR = timedelta(seconds=10)  # a quote stands so long
_KNOT = timedelta(minutes=30)  # the index walks from knot to knot in straight lines
_STEP = 0.004  # relative standard deviation of one knot
_IV = 0.6
_AHEAD = 3  # days with an expiry, from the next 08:00 on
_STRIKES = np.arange(80_000.0, 121_000.0, 4_000.0)


@define(eq=False)
class WalkingMarket:
    """MarketData and History of BTC, from *start* on, all of it drawn when it is made."""

    clock: Clock
    start: datetime
    index_usd: Floats
    bid_amount: Floats
    rules: ContractRules = RULES
    _seen: MarketSnapshot | None = field(default=None, init=False)

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
        ago = (self.clock.now() - self.start) // _SHOWN_FOR
        taken_at = self.start + ago * _SHOWN_FOR
        if self._seen is None or self._seen.taken_at != taken_at:
            self._seen = self._shown(underlying, taken_at)
        return self._seen

    async def candles(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> Candles:
        """See History; a quiet past, told once."""
        return quiet_past(until=self.start)

    async def funding(self, underlying: str, start: datetime, end: datetime) -> float:
        """See History; there is none."""
        return 0.0

    async def delivery_price(self, underlying: str, expiry: datetime) -> DeliveryPrice | None:
        """See History."""
        if self.clock.now() < expiry:
            return None
        return DeliveryPrice(round(self._index(expiry), 2), "walked")

    def _index(self, at: datetime) -> float:
        return float(
            np.interp((at - self.start) / _KNOT, np.arange(len(self.index_usd)), self.index_usd)
        )

    def _shown(self, underlying: str, at: datetime) -> MarketSnapshot:
        index_usd = round(self._index(at), 2)
        expiries = _expiries(at)
        count = len(expiries) * len(_STRIKES)
        tenor = np.repeat([(expiry - at) / YEAR for expiry in expiries], len(_STRIKES))
        strike = np.tile(_STRIKES, len(expiries))
        ones = np.ones(count)
        mark = premium_coin(index_usd * ones, strike, tenor, _IV * ones, ones > 0)
        amount = float(self.bid_amount[(at - self.start) // _KNOT])
        chain = ChainTable(
            underlying=underlying,
            expiry_ms=np.repeat([epoch_ms(expiry) for expiry in expiries], len(_STRIKES)),
            strike=strike,
            is_call=ones > 0,
            forward=index_usd * ones,
            bid=[self.rules.price_down(price * 0.98) or np.nan for price in mark.tolist()],
            ask=[self.rules.price_up(price * 1.02 + 1e-5) for price in mark.tolist()],
            bid_amount=amount * ones,
            ask_amount=amount * ones,
            mark=mark,
            mark_iv=_IV * ones,
            open_interest=100.0 * ones,
            volume=0.0 * ones,
            quoted_at_ms=np.full(count, epoch_ms(at)),
        )
        return MarketSnapshot(underlying, at, index_usd, chain, self.rules)


def _expiries(at: datetime) -> Sequence[datetime]:
    """The next expiries behind *at*, one a day at 08:00."""
    first = at.replace(hour=8, minute=0, second=0, microsecond=0)
    first += timedelta(days=0 if first > at else 1)
    return [first + timedelta(days=day) for day in range(_AHEAD)]
