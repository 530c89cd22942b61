"""
Implied volatility of Black-76 as compiled columns; kernels.py has the terms of the formulas.

A rational guess, then two steps of Householder's third-order method for every option alike. The
few that a third step could still move are gone over one by one; so are the few whose volatility,
put into the kernel of the premium itself, does not return the quote to 4 units in the last place.
"""

from math import inf, nan, sqrt
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.kernel import inline, kernel
from core.pricing.arithmetic import (
    arguments,
    density_factors,
    deviations,
    exp_factors,
    fma,
    is_market,
    log_ratio,
    mills,
    polynomial,
    premium,
    spacing,
)
from ports.columns import Bools, Floats

# The digest of arithmetic.py: numba's cache sees a change of this file, not of that one.
ARITHMETIC = "7654eef75f8d3b56"

Statuses: TypeAlias = NDArray[np.int8]

# The codes of core.pricing.implied.IvStatus.
OK, AT_INTRINSIC, BELOW_INTRINSIC, ABOVE_MAX, EXPIRED, INVALID_INPUT = 0, 1, 2, 3, 4, 5

BLOCK = 2048
_UPPER_HALF = 0.516  # v from which 1 - v is solved for; below it -d < 0.7, where `mirror` holds
_SQRT_2PI = 2.5066282746310002
_LN_ROUNDING = -4.157e-17  # ln of its product with 1 / sqrt(2 pi), both as floats
# The guess: from v at the money to s / sqrt(2 pi), and s of Bachelier's option of the same price.
_INVERSE_ERF = (0.0977, 0.1439, 0.2618, 1.0)
_ROOT_4_PI = 1.1283791670955126
_GUESS_TOP = (0.01893516, 0.03509544, 0.00746896, 0.39882716)
_GUESS_BOTTOM = (0.01343959, 0.02321075, 0.10912392, 0.01255555, 1.0)
_TRIALS = 24  # of volatilities, for the few whose first premium is not near enough
_TINY, _LIFT, _LN_LIFT = 1e-250, 2.0**256, 177.445678223346


class Quotes(NamedTuple):
    """Columns of one length: what implied_vol takes."""

    premium_coin: Floats
    forward: Floats
    strike: Floats
    tenor: Floats
    is_call: Bools


@kernel
def implied_vol(quotes: Quotes, out: Floats, status: Statuses) -> None:
    """Write the volatility that gives a premium in coin, and its code; see implied.implied_vol."""
    for start in range(0, out.size, BLOCK):
        part = slice(start, min(start + BLOCK, out.size))
        block = Quotes(
            quotes.premium_coin[part],
            quotes.forward[part],
            quotes.strike[part],
            quotes.tenor[part],
            quotes.is_call[part],
        )
        work = np.empty((5, out[part].size))
        _normalise(block, work, status[part])
        _guess(work)
        _improve(work)
        _improve(work)
        _rescue(work, status[part])
        _conclude(block, work, status[part], out[part])
        _settle(block, work, status[part], out[part])


@kernel
def _normalise(quotes: Quotes, work: Floats, status: Statuses) -> None:
    """Write |ln(F/K)|, v and 1 - v into the first rows of *work*, and the status."""
    for i in range(status.size):
        f, k, is_call = quotes.forward[i], quotes.strike[i], quotes.is_call[i]
        price, tenor = quotes.premium_coin[i], quotes.tenor[i]
        gain = f - k if is_call else k - f
        intrinsic = (gain if gain > 0.0 else 0.0) / f
        highest = 1.0 if is_call else k / f
        scale = f / (f if f < k else k)
        work[0, i] = abs(log_ratio(f, k))
        work[1, i] = scale * (price - intrinsic)
        work[2, i] = scale * (highest - price)
        code = ABOVE_MAX if price >= highest else OK
        code = AT_INTRINSIC if price <= intrinsic else code
        code = BELOW_INTRINSIC if price < intrinsic * (1.0 - 2.3e-16) else code  # two roundings
        code = EXPIRED if tenor <= 0.0 else code
        is_valid = is_market(f, k) & (abs(price) < inf) & (abs(tenor) < inf)
        status[i] = code if is_valid else INVALID_INPUT


@kernel
def _guess(work: Floats) -> None:
    """
    Write what an improvement needs of v into row 3 and a guess of s, within a quarter, into 4.

    At the money v = erf(s / √8), inverted by a series or by Winitzki's formula. Elsewhere
    Bachelier's option of the same price, by our own rational fit of its inverse.
    """
    for i in range(work.shape[1]):
        x, value, rest = work[0, i], work[1, i], work[2, i]
        size = value if value <= _UPPER_HALF else rest
        work[3, i] = _SQRT_2PI * (size * _LIFT if size < _TINY else size)
        series = value * polynomial(_INVERSE_ERF, value * value)
        half = 0.5 * log_ratio(rest * (1.0 + value), 1.0)
        shift = 4.330746750799873 + half
        formula = _ROOT_4_PI * sqrt(sqrt(fma(shift, shift, -13.605442176870748 * half)) - shift)
        front, back = exp_factors(-0.5 * x, 0.0, 1.0)
        normal = (series if value < 0.5 else formula) * front * back
        normal = normal if normal > 1e-300 else 1e-300
        x = x if x > 1e-9 * normal else 1e-9 * normal
        y = log_ratio(normal + x, normal)
        w = sqrt(y)
        top, bottom = polynomial(_GUESS_TOP, w), polynomial(_GUESS_BOTTOM, w)
        work[4, i] = x * bottom / (y * top)


@kernel
def _improve(work: Floats) -> None:
    """Improve s once, and write the relative size of the step over 1 - v, which is not needed."""
    for i in range(work.shape[1]):
        s = work[4, i]
        work[4, i] = _better(work[0, i], work[1, i], work[3, i], s)
        work[2, i] = abs(work[4, i] / s - 1.0)


@kernel
def _rescue(work: Floats, status: Statuses) -> None:
    """Go on where the last step was so large that the fourth power of it may count."""
    for i in range(status.size):
        if status[i] == OK and not work[2, i] < 2e-4:
            for _ in range(12):
                s = work[4, i]
                work[4, i] = _better(work[0, i], work[1, i], work[3, i], s)
                if abs(work[4, i] / s - 1.0) < 1e-5:
                    break


@kernel
def _conclude(quotes: Quotes, work: Floats, status: Statuses, out: Floats) -> None:
    """Write the volatility, and into row 2 by how much its premium misses more than allowed."""
    for i in range(out.size):
        found = work[4, i] / sqrt(quotes.tenor[i])
        miss, allowed, _ = _miss(quotes, i, work[0, i], found)
        work[2, i] = abs(miss) - allowed
        found = 0.0 if status[i] == AT_INTRINSIC else found
        out[i] = nan if status[i] > AT_INTRINSIC else found


@kernel
def _settle(quotes: Quotes, work: Floats, status: Statuses, out: Floats) -> None:
    """
    Where the premium misses by more than allowed, search for a volatility that returns it.

    The rounding of a premium differs from one float of volatility to the next. Newton's method
    may end between two that both miss, so the floats on either side are tried after it.
    """
    for i in range(out.size):
        if status[i] == OK and work[2, i] > 0.0:
            iv = out[i]
            miss, allowed, vega = _miss(quotes, i, work[0, i], iv)
            least = abs(miss)
            for n in range(_TRIALS):
                floats_aside = n - 3 if n % 2 else 3 - n  # from n = 4: -1, 2, -3, 4
                iv += miss / vega if n < 4 else floats_aside * spacing(iv)
                miss, allowed, vega = _miss(quotes, i, work[0, i], iv)
                if abs(miss) < least:
                    out[i], least = iv, abs(miss)
                if least <= allowed:
                    break


@inline
def _miss(quotes: Quotes, i: int, x: float, iv: float) -> Any:
    """
    By how much premium_coin at *iv* misses the quote, how much is allowed, and vega per 1.00.

    All times the forward. Allowed are 4 units in the last place of the quote, or of what vega
    makes of one of *iv*, where that is more than 4 times as much.
    """
    forward, strike, quote = quotes.forward[i], quotes.strike[i], quotes.premium_coin[i]
    root = sqrt(quotes.tenor[i])
    a, t = deviations(x, quotes.tenor[i], iv)
    y, gap, _ = given = arguments(a, t)
    found = premium(forward, strike, quotes.is_call[i], given, mills(y, gap)) / forward
    front, back = density_factors(y)
    vega = (forward if forward < strike else strike) * root * front * back
    is_steep = vega * iv > 4.0 * (forward * quote)
    allowed = 4.0 * (2.0**-53 * (vega * iv) if is_steep else forward * spacing(quote))
    return forward * (quote - found), allowed, vega


@inline
def _better(x: float, value: float, goal: float, s: float) -> float:
    """
    One step of Householder's third-order method on ln v, or on ln(1 - v) in the upper half.

    As v' = φ(d), v / v' is M(d) - M(z) and (1 - v) / v' is M(-d) + M(z): no exponential.
    """
    a, t = x / s, 0.5 * s
    d = a - t
    is_low = value <= _UPPER_HALF
    _, _, joint, apart, both = mills(d if is_low else -d, 2.0 * (t if is_low else a))
    size = apart if is_low else joint
    miss = fma(0.5 * d, d, log_ratio(goal * both, size))
    miss -= _LN_LIFT if value < _TINY else _LN_ROUNDING
    rate = s * both / size
    rate = rate if is_low else -rate
    newton = miss / rate
    second = fma(d, a + t, -rate)
    third = fma(second, second - rate, -fma(3.0 * a, a, t * t))
    step = fma(0.5 * second, newton, 1.0)
    step /= fma(newton, fma(third, newton / 6.0, second), 1.0)
    better = fma(s, newton * step, s)
    better = better if better > 0.5 * s else 0.5 * s
    return better if better < 2.0 * s else 2.0 * s
