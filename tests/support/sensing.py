"""Markets for sensors: smooth price paths, chains by formula, and what a venue publishes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from attrs import define, field

from core.context.sensor_values import DataSource, SensorInputs
from core.pricing.black76 import premium_coin
from ports.checks import epoch_ms
from ports.errors import PortError
from ports.history import Candles
from ports.instruments import OptionContract, OptionKind
from ports.market_data import MarketSnapshot
from ports.volatility import VolIndexSeries
from tests.support.markets import Listed, snapshot

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def hourly(now: datetime, days: int, seed: int = 5, coin: str = "BTC") -> Candles:
    """Whole hourly bars of a random path over the *days* before *now*, which is a full hour."""
    count = days * 24
    rng = np.random.default_rng(seed)
    close = 1e5 * np.exp(np.cumsum(rng.normal(0.0, 0.005, count)))
    opened = np.append(1e5, close[:-1])
    ends = [epoch_ms(now - number * HOUR) for number in range(count - 1, -1, -1)]
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    return Candles(coin, ends, opened, top * 1.001, bottom * 0.999, close)


def smile(days: float, moneyness: float) -> float:
    """A volatility that falls with the strike and with maturity, a fraction."""
    return 0.60 - 0.25 * moneyness + 0.4 * moneyness**2 - 0.002 * (days - 30.0)


def chain_at(
    taken_at: datetime, days: Sequence[float], index_usd: float = 100_000.0, coin: str = "BTC"
) -> MarketSnapshot:
    """A chain of expiries so many *days* away, strikes 60 % to 160 % of the index by 2 %."""
    rows = []
    for away in days:
        expiry = taken_at + timedelta(days=away)
        for share in np.arange(0.60, 1.6001, 0.02):
            strike = round(float(share) * index_usd, 6)
            iv = smile(away, float(np.log(strike / index_usd)))
            for kind in OptionKind:
                contract = OptionContract(coin, expiry, strike, kind)
                mark = float(
                    premium_coin(index_usd, strike, away / 365.0, iv, kind is OptionKind.CALL)
                )
                rows.append(
                    Listed(
                        contract=contract,
                        bid=max(mark - 0.0005, 0.0001),
                        ask=mark + 0.0005,
                        mark=mark,
                        mark_iv=iv,
                        forward=index_usd,
                    )
                )
    return snapshot(*rows, taken_at=taken_at, index_usd=index_usd, underlying=coin)


def daily_index(now: datetime, closes: Sequence[float], coin: str = "BTC") -> VolIndexSeries:
    """Daily closes of the index, the last at the midnight before *now*."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    ends = [epoch_ms(midnight - number * DAY) for number in range(len(closes) - 1, -1, -1)]
    return VolIndexSeries(coin, ends, list(closes))


def known_inputs(now: datetime, **told: object) -> SensorInputs:
    """Everything that sensors need, with what is *told* in its place."""
    whole: dict[str, object] = {
        "underlying": "BTC",
        "now": now,
        "data_source": DataSource.RECORDED,
        "candles": hourly(now, 260),
        "snapshot": chain_at(now, (2.0, 7.0, 14.0, 30.0, 58.0)),
        "vol_index": daily_index(now, [40.0 + number % 21 for number in range(200)]),
        "funding": 0.0001,
    }
    return SensorInputs(**{**whole, **told})  # type: ignore[arg-type]


@define(eq=False)
class ToldVolatility:
    """A venue that publishes what it was told, or fails as it was told to."""

    closes: VolIndexSeries | None = None
    published: float | None = None
    funding: float | None = None
    failure: PortError | None = None
    asked: int = field(default=0, init=False)

    async def vol_index(
        self, underlying: str, step: timedelta, start: datetime, end: datetime
    ) -> VolIndexSeries:
        """See Volatility."""
        self._answer()
        return self.closes or VolIndexSeries(underlying, [], [])

    async def published_vol(self, underlying: str) -> float | None:
        """See Volatility."""
        self._answer()
        return self.published

    async def predicted_funding(self, underlying: str) -> float | None:
        """See Volatility."""
        self._answer()
        return self.funding

    def _answer(self) -> None:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
