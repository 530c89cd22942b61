"""Implied volatility from a premium, and why there may be none."""

from enum import IntEnum
from math import inf
from typing import overload

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from core.kernel import common_shape, flat_bools, flat_floats
from core.pricing import implied_kernels as kernels
from core.pricing.implied_kernels import Statuses
from ports.columns import Floats

__all__ = ["IvInterval", "IvStatus", "Statuses", "implied_interval", "implied_vol"]


class IvStatus(IntEnum):
    """What became of a premium; the volatility is NaN unless it says otherwise."""

    OK = kernels.OK
    AT_INTRINSIC = kernels.AT_INTRINSIC  # no time value: volatility 0
    BELOW_INTRINSIC = kernels.BELOW_INTRINSIC
    ABOVE_MAX = kernels.ABOVE_MAX  # at or over 1 for a call, strike / forward for a put
    EXPIRED = kernels.EXPIRED  # tenor <= 0
    INVALID_INPUT = kernels.INVALID_INPUT  # NaN or infinite, or forward or strike <= 0


@frozen(eq=False)
class IvInterval:
    """All volatilities whose premium rounds to a quote, columns of one shape; NaN where none."""

    low: Floats  # 0 where half a tick less has no time value
    high: Floats  # infinite where half a tick more is at the bound of a premium


@overload
def implied_vol(
    premium_coin: float, forward: float, strike: float, tenor: float, is_call: bool
) -> tuple[float, IvStatus]: ...


@overload
def implied_vol(
    premium_coin: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    tenor: ArrayLike,
    is_call: ArrayLike,
) -> tuple[Floats, Statuses]: ...


def implied_vol(
    premium_coin: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    tenor: ArrayLike,
    is_call: ArrayLike,
) -> tuple[float | Floats, IvStatus | Statuses]:
    """
    Return the volatility at which Black-76 gives *premium_coin*, and an IvStatus code.

    The intrinsic value compared with and subtracted is (F - K)/F in floats, which premium_coin
    returns at zero volatility. A premium at it, or one rounding below, has no time value; so
    a premium that is possible but for its rounding is never BELOW_INTRINSIC.

    Shapes: five that broadcast; both results have their common shape, iv float64 and status
        int8. Numbers give a float and an IvStatus.
    Units: premium in coin; forward, strike USD per coin; tenor years of 365 days; iv 0.65 is 65 %.
    Error: |σ - exact| <= 8 eps σ + 6 eps |x| M / √T + 8 eps V / vega + 3 r / vega, with eps =
        2^-53, x = ln(F/K), M = N(d)/φ(d) of the out-of-the-money side, V its value, vega per
        1.00, r the rounding of the premium and of the intrinsic value, USD (test_implied.py).
    Round trip: premium_coin at σ is within 4 units in the last place of a premium that it gave.
        Of any other it is, too, or σ is the float whose own premium is the nearest, give or take
        the 10 units by which those of neighbouring floats may err (test_implied.py).
    Source: the objective of P. Jäckel (2016), Let's Be Rational, Wilmott; the initial guess
        and the arithmetic are our own (implied_kernels.py).
    """
    shape = common_shape(premium_coin, forward, strike, tenor, is_call)
    quotes = kernels.Quotes(
        flat_floats(premium_coin, shape),
        flat_floats(forward, shape),
        flat_floats(strike, shape),
        flat_floats(tenor, shape),
        flat_bools(is_call, shape),
    )
    iv, status = np.empty(quotes.forward.size), np.empty(quotes.forward.size, dtype=np.int8)
    kernels.implied_vol(quotes, iv, status)
    if shape:
        return iv.reshape(shape), status.reshape(shape)
    return float(iv[0]), IvStatus(int(status[0]))


def implied_interval(
    premium_coin: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    tenor: ArrayLike,
    is_call: ArrayLike,
    *,
    tick_coin: ArrayLike,
) -> IvInterval:
    """
    Return what is known of the volatility of a quote that was rounded to a tick.

    The volatilities of half a tick less and half a tick more. Shapes: six that broadcast;
    units and error as in implied_vol.
    """
    half = np.multiply(0.5, tick_coin)
    terms = forward, strike, tenor, is_call
    low, low_status = implied_vol(np.atleast_1d(np.subtract(premium_coin, half)), *terms)
    high, high_status = implied_vol(np.atleast_1d(np.add(premium_coin, half)), *terms)
    return IvInterval(
        low=np.where(low_status == IvStatus.BELOW_INTRINSIC, 0.0, low),
        high=np.where(high_status == IvStatus.ABOVE_MAX, inf, high),
    )
