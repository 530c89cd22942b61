"""Implied volatility from a premium, and why there may be none."""

from enum import IntEnum
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.kernel import flat_bools, flat_floats
from core.pricing import kernels
from ports.columns import Floats

Statuses: TypeAlias = NDArray[np.int8]


class IvStatus(IntEnum):
    """What became of a premium; the volatility is NaN unless it says otherwise."""

    OK = kernels.OK
    AT_INTRINSIC = kernels.AT_INTRINSIC  # no time value: volatility 0
    BELOW_INTRINSIC = kernels.BELOW_INTRINSIC
    ABOVE_MAX = kernels.ABOVE_MAX  # at or over 1 for a call, strike / forward for a put
    EXPIRED = kernels.EXPIRED  # tenor <= 0
    INVALID_INPUT = kernels.INVALID_INPUT  # NaN or infinite, or forward or strike <= 0


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
    Source: the objective of P. Jäckel (2016), Let's Be Rational, Wilmott; the initial guess
        and the arithmetic are our own (kernels.py).
    """
    shape = np.broadcast_shapes(*map(np.shape, (premium_coin, forward, strike, tenor, is_call)))
    iv, status = kernels.implied_vol(
        flat_floats(premium_coin, shape),
        flat_floats(forward, shape),
        flat_floats(strike, shape),
        flat_floats(tenor, shape),
        flat_bools(is_call, shape),
    )
    if shape:
        return iv.reshape(shape), status.reshape(shape)
    return float(iv[0]), IvStatus(int(status[0]))
