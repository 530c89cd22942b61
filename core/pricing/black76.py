"""Premium and delta of European options on a forward, in coin and in USD; time to expiry."""

from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeAlias, cast, overload

import numpy as np
from numpy.typing import ArrayLike

from core.kernel import common_shape, flat_bools, flat_floats
from core.pricing import kernels
from ports.columns import Bools, Floats, Ints

YEAR_MS = 31_536_000_000  # 365 days, the year of Deribit's volatilities

_Columns: TypeAlias = Callable[[Floats, Floats, Floats, Floats, Bools], Floats]


class Formula(Protocol):
    """A value per option: floats give a float, anything else a column of their common shape."""

    @overload
    def __call__(
        self, forward: float, strike: float, tenor: float, iv: float, is_call: bool
    ) -> float: ...

    @overload
    def __call__(
        self,
        forward: ArrayLike,
        strike: ArrayLike,
        tenor: ArrayLike,
        iv: ArrayLike,
        is_call: ArrayLike,
    ) -> Floats: ...


def formula(columns: _Columns) -> Formula:
    """Let *columns*, a function of aligned columns, take arrays and numbers that broadcast."""

    @wraps(columns)
    def broadcast(
        forward: ArrayLike,
        strike: ArrayLike,
        tenor: ArrayLike,
        iv: ArrayLike,
        is_call: ArrayLike,
    ) -> Floats | float:
        shape = common_shape(forward, strike, tenor, iv, is_call)
        values = columns(
            flat_floats(forward, shape),
            flat_floats(strike, shape),
            flat_floats(tenor, shape),
            flat_floats(iv, shape),
            flat_bools(is_call, shape),
        )
        return values.reshape(shape) if shape else float(values[0])

    return cast(Formula, broadcast)


@formula
def premium_usd(
    forward: Floats, strike: Floats, tenor: Floats, iv: Floats, is_call: Bools
) -> Floats:
    """
    Price options of one coin, in USD, not discounted.

        call = F N(d1) - K N(d2)      d1 = ln(F/K) / (σ√T) + σ√T / 2
        put  = K N(-d2) - F N(-d1)    d2 = d1 - σ√T

    The out-of-the-money side is computed and parity, call - put = F - K, gives the other.

    Shapes: five that broadcast; the result has their common shape.
    Units: forward, strike USD per coin; tenor years of 365 days; iv 0.65 is 65 %.
    Edges: intrinsic value where tenor <= 0 or σ√T = 0, exactly; 0 on underflow;
        NaN where an input is NaN, iv is negative, or forward or strike is not positive.
    Error: of the out-of-the-money side, relative, below 1.5e-16 (4 + cond), cond = (|F ∂V/∂F| +
        |K ∂V/∂K| + 1.5 σ ∂V/∂σ) / V, for V >= 1e-300 (test_black76.py).
    Source: F. Black (1976), The pricing of commodity contracts, J. Financial Economics 3,
        167-179, with r = 0.
    """
    out = np.empty(forward.size)
    kernels.premium_usd(kernels.Options(forward, strike, tenor, iv, is_call), out)
    return out


@formula
def premium_coin(
    forward: Floats, strike: Floats, tenor: Floats, iv: Floats, is_call: Bools
) -> Floats:
    """
    Price inverse options, in coin per contract: premium_usd / forward, rounded once more.

    Shapes, units of the inputs, edges, error and source as in premium_usd.
    """
    out = np.empty(forward.size)
    kernels.premium_coin(kernels.Options(forward, strike, tenor, iv, is_call), out)
    return out


@formula
def delta(forward: Floats, strike: Floats, tenor: Floats, iv: Floats, is_call: Bools) -> Floats:
    """
    Return the Black-Scholes delta, N(d1) of a call and -N(-d1) of a put.

    Shapes and units of the inputs as in premium_usd; coin of forward per contract.
    Edges: 0 where tenor <= 0; the exercised side's ±1, and half at the money, where σ√T = 0;
        NaN as in premium_usd.
    Error: relative, below 1e-12 of a value above 1e-300 (test_greeks.py).
    """
    out = np.empty((2, forward.size))
    kernels.deltas(kernels.Options(forward, strike, tenor, iv, is_call), out)
    deltas: Floats = out[0]
    return deltas


@formula
def net_delta(forward: Floats, strike: Floats, tenor: Floats, iv: Floats, is_call: Bools) -> Floats:
    """
    Return delta - premium_coin, which hedges an inverse option: ±(K/F) N(±d2).

    Shapes, units, edges and error as in delta. Source: C. Alexander, D. Chen, A. Imeraj
    (2023), Crypto quanto and inverse options, Mathematical Finance 33.
    """
    out = np.empty((2, forward.size))
    kernels.deltas(kernels.Options(forward, strike, tenor, iv, is_call), out)
    net_deltas: Floats = out[1]
    return net_deltas


@overload
def tenor_years(expiry_ms: int, now_ms: int) -> float: ...


@overload
def tenor_years(expiry_ms: Ints, now_ms: int | Ints) -> Floats: ...


@overload
def tenor_years(expiry_ms: int, now_ms: Ints) -> Floats: ...


def tenor_years(expiry_ms: int | Ints, now_ms: int | Ints) -> float | Floats:
    """
    Return the time from *now_ms* to *expiry_ms* in years of 365 days; 0 once it has passed.

    Both are integer milliseconds since 1970 UTC. No other place computes a tenor.
    """
    years = np.maximum(np.subtract(expiry_ms, now_ms, dtype=np.int64), 0) / YEAR_MS
    return years if np.ndim(years) else float(years)
