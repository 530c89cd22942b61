"""The options that everyone prices, and what they are worth in 50 digits."""

import numpy as np
from attrs import fields, frozen
from numpy.typing import NDArray

from core.pricing.black76 import premium_usd
from core.pricing.greeks import MainGreeks
from tests.support.reference import Exact, Grid, exact, exact_greeks, exact_iv

Floats = NDArray[np.float64]


@frozen(eq=False)
class Sample:
    """Options as columns, with their premiums in USD on both sides."""

    forward: Floats
    strike: Floats
    tenor: Floats
    iv: Floats
    is_call: NDArray[np.bool_]
    premium_usd: Floats
    out_usd: Floats  # of the side that is out of the money, given by is_out_call
    is_out_call: NDArray[np.bool_]

    def first(self, count: int) -> "Sample":
        """The first *count* options."""
        columns = (getattr(self, field.name) for field in fields(Sample))
        return Sample(*(column[:count].copy() for column in columns))


def chain_like(count: int, seed: int = 1) -> Sample:
    """Forwards near 60,000, an hour to 1.5 years, 20 to 200 %, within 4 deviations; calls, puts."""
    rng = np.random.default_rng(seed)
    forward = 60_000.0 * np.exp(rng.normal(0.0, 0.001, count))
    tenor, iv = rng.uniform(1 / 8760, 1.5, count), rng.uniform(0.2, 2.0, count)
    strike = forward * np.exp(rng.uniform(-4.0, 4.0, count) * iv * np.sqrt(tenor))
    return sample_of(Grid(forward, strike, tenor, iv), rng.random(count) < 0.5)


def sample_of(grid: Grid, is_call: NDArray[np.bool_]) -> Sample:
    """The options of *grid* on the sides of *is_call*; the premiums are ours, to a few ulp."""
    market = grid.forward, grid.strike, grid.tenor, grid.iv
    premiums = premium_usd(*market, is_call), premium_usd(*market, grid.is_call)
    return Sample(*market, is_call, premiums[0], premiums[1], grid.is_call)


def exact_options(sample: Sample) -> list[Exact]:
    """Every option out of the money, in 50 digits."""
    grid = Grid(sample.forward, sample.strike, sample.tenor, sample.iv)
    return [exact(market) for market in grid.rows]


def exact_ivs(sample: Sample, options: list[Exact]) -> Floats:
    """The volatility of each float premium out of the money."""
    grid = Grid(sample.forward, sample.strike, sample.tenor, sample.iv)
    coin = sample.out_usd / sample.forward
    rows = zip(coin.tolist(), options, grid.rows, strict=True)
    return np.array([float(exact_iv(price, option, market)) for price, option, market in rows])


def exact_main_greeks(sample: Sample) -> Floats:
    """The rows of MainGreeks, by differences in 50 digits."""
    grid = Grid(sample.forward, sample.strike, sample.tenor, sample.iv)
    sides = zip(grid.rows, sample.is_call.tolist(), strict=True)
    exact_rows = [exact_greeks(market, is_call) for market, is_call in sides]
    names = [field.name for field in fields(MainGreeks)][1:]
    rows = [[float(row[name]) for row in exact_rows] for name in names]
    usd = [
        float(row["premium_coin"] * f) for row, f in zip(exact_rows, sample.forward, strict=True)
    ]
    return np.array([usd, *rows])
