"""Black-76 in 50 digits, and the grids and bounds of the accuracy tests."""

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import mpmath
import numpy as np
from attrs import frozen

from ports.columns import Bools, Floats

EPS = 2.0**-53  # relative error of one rounding, at most
MINUTE = 1.0 / 525_600.0
HOUR, DAY = 60.0 * MINUTE, 1440.0 * MINUTE

# A context of its own, ten digits beyond fifty: the two terms of a premium cancel to seven.
mp = mpmath.mp.clone()
mp.dps = 60

Market: TypeAlias = tuple[float, float, float, float]  # forward, strike, tenor, iv
Row: TypeAlias = dict[str, mpmath.mpf]


@frozen(eq=False)
class Grid:
    """Options as columns, out of the money: a call where the strike is not below the forward."""

    forward: Floats
    strike: Floats
    tenor: Floats
    iv: Floats

    @property
    def is_call(self) -> Bools:
        """The out-of-the-money side."""
        return self.strike >= self.forward

    @property
    def rows(self) -> list[Market]:
        """Every option as forward, strike, tenor, iv."""
        columns = (self.forward, self.strike, self.tenor, self.iv)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def where(self, mask: Bools) -> "Grid":
        """The options of *mask*."""
        return Grid(self.forward[mask], self.strike[mask], self.tenor[mask], self.iv[mask])


@frozen(eq=False)
class Exact:
    """An out-of-the-money option in 50 digits."""

    value: mpmath.mpf  # USD
    vega: mpmath.mpf  # USD per 1.00
    condition: mpmath.mpf  # (|F dV/dF| + |K dV/dK| + 1.5 sigma vega) / V
    mills: mpmath.mpf  # N(d) / phi(d) of its side
    log_moneyness: mpmath.mpf
    deviation: mpmath.mpf  # sigma sqrt(T)


def premium(
    forward: mpmath.mpf, strike: mpmath.mpf, tenor: mpmath.mpf, iv: mpmath.mpf, is_call: bool
) -> mpmath.mpf:
    """The undiscounted premium in USD, by the textbook formula in the working precision."""
    s = iv * mp.sqrt(tenor)
    d1 = mp.log(forward / strike) / s + s / 2
    side = 1 if is_call else -1
    return side * (forward * mp.ncdf(side * d1) - strike * mp.ncdf(side * (d1 - s)))


def exact(market: Market) -> Exact:
    """The out-of-the-money option of these terms, taken as exact."""
    f, k, years, vol = map(mp.mpf, market)
    s = vol * mp.sqrt(years)
    d1 = mp.log(f / k) / s + s / 2
    side = 1 if k >= f else -1
    first, second = f * mp.ncdf(side * d1), k * mp.ncdf(side * (d1 - s))
    value = side * (first - second)
    forward_density = f * mp.npdf(d1)  # = k phi(d2)
    vega = forward_density * mp.sqrt(years)
    return Exact(
        value=value,
        vega=vega,
        condition=(first + second + mp.mpf(1.5) * vol * vega) / value,
        mills=(first if side == 1 else second) / forward_density,
        log_moneyness=mp.log(f / k),
        deviation=s,
    )


def exact_iv(premium_coin: float, option: Exact, market: Market) -> mpmath.mpf:
    """The volatility at which *option* costs *premium_coin*, its own price but for rounding."""
    forward, strike, tenor, _ = market
    value, vol = mp.mpf(premium_coin) * forward, option.deviation / mp.sqrt(tenor)
    for _ in range(2):  # Newton on the logarithm; each step squares the error
        now = exact((forward, strike, tenor, vol))
        vol -= mp.log(now.value / value) * now.value / now.vega
    return vol


def exact_greeks(market: Market, is_call: bool) -> Row:
    """
    Every field of Greeks, by differences of the premium in 50 digits.

    What the two sides have in common is taken from the smaller one.
    """
    f, k, t, vol = map(mp.mpf, market)
    is_otm_call = bool(k >= f)

    def value(f: mpmath.mpf, vol: mpmath.mpf, t: mpmath.mpf) -> mpmath.mpf:
        return premium(f, k, t, vol, is_call)

    def otm_value(f: mpmath.mpf, vol: mpmath.mpf, t: mpmath.mpf) -> mpmath.mpf:
        return premium(f, k, t, vol, is_otm_call)

    def in_coin(f: mpmath.mpf) -> mpmath.mpf:
        return value(f, vol, t) / f

    def at_rate(rate: mpmath.mpf) -> mpmath.mpf:
        growth = mp.exp(rate * t)
        return value(f * growth, vol, t) / growth

    def slope(forwards: int, vols: int, tenors: int) -> mpmath.mpf:
        return mp.diff(otm_value, (f, vol, t), (forwards, vols, tenors))

    vega, theta = slope(0, 1, 0) / 100, -slope(0, 0, 1) / 365
    return {
        "delta": mp.diff(value, (f, vol, t), (1, 0, 0)),
        "net_delta": f * mp.diff(in_coin, f),
        "gamma": slope(2, 0, 0),
        "vega": vega,
        "theta": theta,
        "exchange_theta": theta * min(1, 365 * t),
        "rho": mp.diff(at_rate, 0) / 100,
        "vanna": slope(1, 1, 0),
        "volga": slope(0, 2, 0),
        "charm": -slope(1, 0, 1) / 365,
        "speed": slope(3, 0, 0),
        "premium_coin": in_coin(f),
        "delta_coin": mp.diff(in_coin, f),
        "gamma_coin": mp.diff(in_coin, f, 2),
        "vega_coin": vega / f,
        "theta_coin": theta / f,
    }


@cache
def exacts(grid: Grid) -> list[Exact]:
    """The exact option of every row."""
    return [exact(market) for market in grid.rows]


@cache
def whole_domain() -> Grid:
    """
    One minute to three years, 1 % to 500 %, K/F of 1e-3 to 1e3, values down to 1e-300.

    Strikes are fixed ratios, among them 1 and its neighbours, and multiples of s to 36.
    """
    ratios = np.array([1e-3, 0.03, 0.3, 0.5, 0.7, 0.99, 1 - 1e-4, 1 - 1e-8, 1 - 1e-12])
    ratios = np.concatenate([ratios, [1.0], 2.0 - ratios[4:], [2.0, 3.0, 30.0, 1e3]])
    deviations = np.array([0.01, 0.3, 1.0, 2.0, 4.0, 8.0, 15.0, 25.0, 36.0])
    deviations = np.concatenate([-deviations, deviations])
    rows = [
        (forward, forward * ratio, tenor, iv)
        for forward, tenor in zip(
            (61_234.5, 0.0187, 98_765.4, 1e7, 3_141.59, 100.0, 4_000.0),
            (MINUTE, HOUR, 7 * HOUR, 3 * DAY, 30 * DAY, 0.7, 3.0),
            strict=True,
        )
        for iv in (0.01, 0.07, 0.33, 0.65, 1.1, 2.4, 5.0)
        for ratio in np.concatenate([ratios, np.exp(deviations * iv * np.sqrt(tenor))]).tolist()
        if 0.999e-3 <= ratio <= 1.001e3
    ]
    return _priced(Grid(*np.array(rows).T))


def random_domain(count: int, seed: int) -> Grid:
    """*count* options of whole_domain's limits, in all sizes of moneyness and deviation."""
    rng = np.random.default_rng(seed)
    forward = np.exp(rng.uniform(-5.0, 15.0, count))
    tenor = np.exp(rng.uniform(np.log(MINUTE), np.log(3.0), count))
    iv = np.exp(rng.uniform(np.log(0.01), np.log(5.0), count))
    spread = 10.0 ** rng.uniform(-6.0, np.log10(37.0), count) * iv * np.sqrt(tenor)
    log_moneyness = np.clip(rng.choice([-1.0, 1.0], count) * spread, -6.907, 6.907)
    return _priced(Grid(forward, forward * np.exp(log_moneyness), tenor, iv))


def worst(name: str, ratios: list[float], options: list[Exact], grid: Grid) -> str:
    """A line for each region: the largest of *ratios*, each an error over its bound, and where."""
    regions: dict[str, Callable[[Exact], bool]] = {
        "at the money": lambda o: abs(o.log_moneyness) < 1e-3 * o.deviation,
        "near": lambda o: abs(o.log_moneyness) < o.deviation,
        "wing": lambda o: abs(o.log_moneyness) < 8 * o.deviation,
        "far wing": lambda _: True,
    }
    found: dict[str, tuple[float, int]] = {}
    for i, option in enumerate(options):
        region = next(label for label, holds in regions.items() if holds(option))
        found[region] = max(found.get(region, (-1.0, 0)), (ratios[i], i))
    return "\n".join(
        f"{name}, {region}: {ratio:.3g} of the bound at F={grid.forward[i]!r}"
        f" K={grid.strike[i]!r} T={grid.tenor[i]!r} iv={grid.iv[i]!r}"
        for region, (ratio, i) in found.items()
    )


def _priced(grid: Grid) -> Grid:
    """The options worth more than 1e-300, by a lower bound of the logarithm."""
    s = grid.iv * np.sqrt(grid.tenor)
    d = np.maximum(np.abs(np.log(grid.forward / grid.strike)) / s - s / 2, 0.0)
    floor = np.log(np.minimum(grid.forward, grid.strike)) - d * d / 2 + np.log(s) - 2 * np.log1p(d)
    return grid.where(floor > np.log(1e-300) + 3.0)
