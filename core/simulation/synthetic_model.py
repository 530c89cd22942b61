"""What an invented market asks of a coin: its price, its surface, and how it stood before."""

from datetime import datetime
from typing import Protocol

import numpy as np
from attrs import frozen

from core.pricing.black76 import tenor_years
from core.simulation.synthetic_params import CoinParams
from core.simulation.synthetic_path import SyntheticPath
from core.simulation.synthetic_surface import at_the_money_variance, slices
from ports.checks import epoch_ms
from ports.columns import Floats, Ints

_HOUR_MS = 3_600_000


class Smiles(Protocol):
    """The smiles of one instant, a row an expiry."""

    @property
    def theta(self) -> Floats:
        """Total variance at the money of each expiry, (m,)."""
        ...

    def total_variance(self, row: Ints, log_moneyness: Floats) -> Floats:
        """Return total variance of the expiries *row* at *log_moneyness*; both (n,)."""
        ...


@frozen(eq=False)
class StoodAt:
    """The index, and the deviation to one expiry, at full hours; columns (n,)."""

    index_usd: Floats
    deviation: Floats  # volatility to the expiry x √years left


class CoinModel(Protocol):
    """One invented coin from the epoch on: the same answers to the same questions, always."""

    def index_usd(self, now: datetime) -> float:
        """Return the index."""
        ...

    def minute_prices(self, first: datetime, last: datetime) -> Floats:
        """Return the index at every full minute from *first* to *last*, both full minutes."""
        ...

    def surface(self, now: datetime, expiries_ms: Ints) -> Smiles:
        """Return the smiles of *expiries_ms*, (m,), ascending and after *now*."""
        ...

    def stood(self, first: datetime, last: datetime, expiry: datetime) -> StoodAt:
        """Return how *expiry* stood at every full hour from *first* to *last*, both full hours."""
        ...


@frozen(eq=False)
class SyntheticCoin:
    """A coin of SyntheticParams as a CoinModel."""

    coin: CoinParams
    path: SyntheticPath

    def index_usd(self, now: datetime) -> float:
        """See CoinModel."""
        return self.path.state(now).index_usd

    def minute_prices(self, first: datetime, last: datetime) -> Floats:
        """See CoinModel."""
        return self.path.minute_prices(first, last)

    def surface(self, now: datetime, expiries_ms: Ints) -> Smiles:
        """See CoinModel."""
        return slices(self.coin, self.path.state(now), tenor_years(expiries_ms, epoch_ms(now)))

    def stood(self, first: datetime, last: datetime, expiry: datetime) -> StoodAt:
        """See CoinModel."""
        hours = self.path.hours(first, last)
        years = tenor_years(epoch_ms(expiry), hours_ms(first, len(hours.index_usd)))
        variance = at_the_money_variance(self.coin, hours.fast, hours.slow, years)
        return StoodAt(hours.index_usd, np.sqrt(variance))


def hours_ms(first: datetime, count: int) -> Ints:
    """Return *count* hours from *first* on, in milliseconds from 1970."""
    return epoch_ms(first) + _HOUR_MS * np.arange(count, dtype=np.int64)
