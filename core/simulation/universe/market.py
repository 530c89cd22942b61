"""A fitted universe as a market: chains, candles and delivery prices of one of its paths."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from core.pricing.averaging import averaging_years
from core.pricing.black76 import tenor_years
from core.rng import rng_at
from core.simulation.synthetic import SyntheticMarket
from core.simulation.synthetic_model import StoodAt, hours_ms
from core.simulation.synthetic_params import SyntheticParams
from core.simulation.synthetic_path import EPOCH
from core.simulation.universe import path_kernel as kernel
from core.simulation.universe.params import UniverseParams, priced_clock
from core.simulation.universe.paths import CoinPath, extended, first_state
from core.simulation.universe.surface import InstantSmiles, mean_variance, surfaces
from ports.checks import epoch_ms
from ports.clock import Clock
from ports.columns import Floats, Ints

_BLOCK_DAYS = 364
_DAYS_A_YEAR = 365.0
_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_SHARE_OF_HOUR = np.arange(1, 61) / 60.0


def universe_market(
    seed: int, clock: Clock, underlyings: Sequence[str], universe: UniverseParams, path: int = 0
) -> SyntheticMarket:
    """
    Return MarketData and History of path number *path* of *universe*, from the epoch on.

    Carry, displayed amounts and open interest are those of the plain invented market.

    Raises:
        ValueError: *universe* has no figures for one of the *underlyings*.
    """
    models = {name: UniverseCoin(seed, universe, name, path) for name in underlyings}
    return SyntheticMarket.of_models(seed, clock, models, SyntheticParams())


class UniverseCoin:
    """
    One coin of a universe as a CoinModel, worked out as far as it is asked for.

    Between full hours the index is a Brownian bridge by minutes about the hour's own deviation,
    with its jump at one of them; the surface stays where the last full hour left it, so that
    nothing within an hour tells where the rest of it goes.
    """

    def __init__(self, seed: int, universe: UniverseParams, underlying: str, path: int) -> None:
        """
        Begin at the epoch.

        Raises:
            ValueError: *universe* has no such coin.
        """
        self._seed, self._universe, self._path = seed, universe, path
        self._coin = universe.coin(underlying)
        self._clock = priced_clock(self._coin)
        self._blocks: list[CoinPath] = []
        self._minutes: dict[int, Floats] = {}

    def index_usd(self, now: datetime) -> float:
        """See CoinModel."""
        day, of_day = divmod(now - EPOCH, _DAY)
        minute = min(of_day // _MINUTE, 1439)
        prices = self._by_minute(day)
        within = of_day / _MINUTE - minute
        return float(np.exp(prices[minute] + within * (prices[minute + 1] - prices[minute])))

    def minute_prices(self, first: datetime, last: datetime) -> Floats:
        """See CoinModel."""
        start, stop = (first - EPOCH) // _MINUTE, (last - EPOCH) // _MINUTE
        days = range(start // 1440, stop // 1440 + 1)
        joined = np.concatenate([self._by_minute(day)[:1440] for day in days])
        offset = days.start * 1440
        prices: Floats = np.exp(joined[start - offset : stop - offset + 1])
        return prices

    def surface(self, now: datetime, expiries_ms: Ints) -> InstantSmiles:
        """See CoinModel."""
        years = tenor_years(expiries_ms, epoch_ms(now))
        counted = averaging_years(years) / years
        tau_days = _DAYS_A_YEAR * counted * self._clock.years(epoch_ms(now), expiries_ms)
        states = self._states(now, now)
        return InstantSmiles(
            surfaces(self._coin.dynamics, states, _DAYS_A_YEAR * years, tau_days[None, :])
        )

    def stood(self, first: datetime, last: datetime, expiry: datetime) -> StoodAt:
        """See CoinModel."""
        states = self._states(first, last)
        days = _DAYS_A_YEAR * tenor_years(epoch_ms(expiry), hours_ms(first, states.shape[1]))
        variance = mean_variance(
            self._coin.dynamics,
            states[kernel.FAST_STATE],
            states[kernel.SLOW_STATE],
            np.maximum(days, 1e-9),
        )
        deviation = np.sqrt(variance * days / _DAYS_A_YEAR)
        return StoodAt(np.exp(states[kernel.LOG_PRICE]), deviation)

    def vol_index(self, now: datetime) -> float:
        """Return the thirty-day index of implied volatility of the last full hour, points."""
        states = self._states(now, now)
        dynamics = self._coin.dynamics
        variance = mean_variance(
            dynamics, states[kernel.FAST_STATE], states[kernel.SLOW_STATE], np.array([30.0])
        )
        return 100.0 * dynamics.index_ratio * float(np.sqrt(variance[0]))

    def _states(self, first: datetime, last: datetime) -> Floats:
        """The states at the full hours from *first* to *last*, both rounded down."""
        start, stop = (first - EPOCH) // _HOUR, (last - EPOCH) // _HOUR
        self._extend(stop // (24 * _BLOCK_DAYS))
        whole = 24 * _BLOCK_DAYS
        blocks = range(start // whole, stop // whole + 1)
        joined = np.concatenate([self._blocks[at].states[:, :whole] for at in blocks], axis=1)
        offset = blocks.start * whole
        return joined[:, start - offset : stop - offset + 1]

    def _extend(self, block: int) -> None:
        while len(self._blocks) <= block:
            before = (
                self._blocks[-1]
                if self._blocks
                else first_state(self._universe, self._coin.underlying, self._seed, self._path)
            )
            self._blocks.append(
                extended(self._universe, self._seed, self._path, before, _BLOCK_DAYS)
            )

    def _by_minute(self, day: int) -> Floats:
        """The logarithm of the index at the day's 1,441 minutes from 00:00 to 24:00."""
        if day not in self._minutes:
            self._extend(day // _BLOCK_DAYS)
            block = self._blocks[day // _BLOCK_DAYS]
            hours = slice(24 * (day % _BLOCK_DAYS), 24 * (day % _BLOCK_DAYS) + 24)
            nodes = block.states[kernel.LOG_PRICE, hours.start : hours.stop + 1]
            at = EPOCH + day * _DAY
            name = f"universe/{self._path}/minutes/{self._coin.underlying}"
            rng = rng_at(self._seed, name, at)
            self._minutes[day] = _bridge(nodes, block.inside[:, hours], rng)
        return self._minutes[day]


def _bridge(nodes: Floats, inside: Floats, rng: np.random.Generator) -> Floats:
    """Minutes between the hours of *nodes*, (1441,), with what happens *inside* each hour."""
    deviation, jump = inside[kernel.DEVIATION][:, None], inside[kernel.JUMPED][:, None]
    walk = np.cumsum(rng.standard_normal((24, 60)), axis=1) * deviation / np.sqrt(60.0)
    noise = walk - _SHARE_OF_HOUR * walk[:, -1:]
    after = np.arange(1, 61) >= rng.integers(1, 61, size=24)[:, None]
    smooth = (np.diff(nodes)[:, None] - jump) * _SHARE_OF_HOUR
    minutes = nodes[:-1, None] + smooth + noise + jump * after
    return np.concatenate([nodes[:1], minutes.ravel()])
