"""
Implied volatility of Black-76 as compiled columns; kernels.py has the terms of the formulas.

A rational guess, then two steps of Householder's third-order method for every option alike. The
few that a third step could still move are gone over one by one. Then the kernel of the premium
itself prices what was found; where it does not return the quote to 4 units in the last place,
the floats beside it are priced too, and the one whose premium is the nearest is kept.
"""

from math import inf, nan, sqrt
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.kernel import inline, kernel
from core.pricing.arithmetic import (
    arguments,
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
_Places: TypeAlias = NDArray[np.uint64]

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
_TRIALS = 24  # of volatilities, where the premium of the first is not near enough
_CERTAIN = 2.5  # times what is allowed: no premium falls so far from one float to a greater
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
        _settle(block, work, out[part])


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
    """Improve s once, and write whether by more than 2e-4 over 1 - v, which is not needed."""
    for i in range(work.shape[1]):
        s = work[4, i]
        work[4, i] = _better(work[0, i], work[1, i], work[3, i], s)
        work[2, i] = abs(work[4, i] - s) - 2e-4 * s


@kernel
def _rescue(work: Floats, status: Statuses) -> None:
    """Go on where the last step was so large that the fourth power of it may count."""
    for i in range(status.size):
        if not work[2, i] < 0.0 and status[i] == OK:
            for _ in range(12):
                s = work[4, i]
                work[4, i] = _better(work[0, i], work[1, i], work[3, i], s)
                if abs(work[4, i] / s - 1.0) < 1e-5:
                    break


@kernel
def _conclude(quotes: Quotes, work: Floats, status: Statuses, out: Floats) -> None:
    """Write the volatility, and into row 2 what its premium misses, or 0 where that is allowed."""
    for i in range(out.size):
        tenor = quotes.tenor[i]
        found = work[4, i] / sqrt(0.0 if tenor <= 0.0 else tenor)
        miss = _miss(quotes, i, work[0, i], found)
        is_far = (abs(miss) > _allowed(quotes, i)) & (status[i] == OK)
        work[2, i] = miss if is_far else 0.0
        found = 0.0 if status[i] == AT_INTRINSIC else found
        out[i] = nan if status[i] > AT_INTRINSIC else found


@kernel
def _settle(quotes: Quotes, work: Floats, out: Floats) -> None:
    """
    Where a premium misses by more than allowed, find the float whose premium is the nearest.

    Tried are the floats beside the one found, first towards the quote, until one is past it for
    certain; then on the other side, if the one found was not short of it for certain. Rows 1, 3
    and 4 of *work* become the volatility found, the least miss so far and the next on trial.
    """
    places, count = np.empty(out.size, np.uint64), 0
    for i in range(out.size):
        places[count] = i
        count += work[2, i] != 0.0
    places = places[:count]
    for place in places:
        work[1, place], work[3, place] = out[place], abs(work[2, place])
        work[4, place] = _beside(out[place], work[2, place])
    for _ in range(_TRIALS):
        if places.size == 0:
            break
        places = _go_on(quotes, work, places, _misses(quotes, work, places), out)


@kernel
def _misses(quotes: Quotes, work: Floats, places: _Places) -> Floats:
    """What the premiums on trial miss; the options are copied together first, for vector code."""
    n = places.size
    x, trial, misses = np.empty(n), np.empty(n), np.empty(n)
    few = Quotes(np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n, np.bool_))
    for j in range(n):
        i = places[j]
        x[j], trial[j] = work[0, i], work[4, i]
        few.premium_coin[j], few.forward[j] = quotes.premium_coin[i], quotes.forward[i]
        few.strike[j], few.tenor[j] = quotes.strike[i], quotes.tenor[i]
        few.is_call[j] = quotes.is_call[i]
    for j in range(n):
        misses[j] = _miss(few, j, x[j], trial[j])
    return misses


@kernel
def _go_on(quotes: Quotes, work: Floats, places: _Places, misses: Floats, out: Floats) -> _Places:
    """Keep what is nearer, write the next on trial, and return the places that have one."""
    found, first, least, trial = work[1], work[2], work[3], work[4]
    count = 0
    for j in range(places.size):
        i, miss = places[j], misses[j]
        if abs(miss) < least[i]:
            out[i], least[i] = trial[i], abs(miss)
        allowed = _allowed(quotes, i)
        way = trial[i] - found[i]
        is_past = (-miss if way > 0.0 else miss) > _CERTAIN * allowed
        is_towards = (way > 0.0) == (first[i] > 0.0)
        has_other_side = is_towards and abs(first[i]) <= _CERTAIN * allowed
        trial[i] = _beside(found[i], -way) if is_past else _beside(trial[i], way)
        places[count] = i
        count += least[i] > allowed and (has_other_side or not is_past)
    return places[:count]


@inline
def _beside(iv: float, way: float) -> float:
    """The next float to *iv*, the greater one where *way* is positive."""
    step = 0.6 * spacing(iv)  # the next is a whole spacing away, or half of one
    return iv + (step if way > 0.0 else -step)


@inline
def _allowed(quotes: Quotes, i: int) -> float:
    return 4.0 * spacing(quotes.premium_coin[i])


@inline
def _miss(quotes: Quotes, i: int, x: float, iv: float) -> float:
    """The quote less premium_coin at *iv*, to the bit."""
    forward, strike, is_call = quotes.forward[i], quotes.strike[i], quotes.is_call[i]
    a, t = deviations(x, quotes.tenor[i], iv)
    given = arguments(a, t)
    value = premium(forward, strike, is_call, given, mills(given[0], given[1]))
    miss: float = quotes.premium_coin[i] - value / forward
    return miss


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
