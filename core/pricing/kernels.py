"""
The compiled arithmetic of Black-76: one file, since numba's cache sees changes in no other.

An option is reduced to the value that is out of the money, v = V / min(F, K), of

    a = |ln(F/K)| / s,    t = s / 2,    s = σ√T,    φ, N the normal density and distribution:

    v = N(t - a) - φ(t - a) M(a + t) = φ(a - t) (M(a - t) - M(a + t)),   M(z) = N(-z) / φ(z)

The same for calls and puts. It is never a difference of two numbers that nearly agree:
`_mills_gap` says how. After P. Jäckel (2016), Let's Be Rational, Wilmott; the regions and the
forms within them are our own.
"""

from math import copysign, exp, inf, log, log1p, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from core.kernel import inline, kernel
from ports.columns import Bools, Floats

# What `implied_vol` writes: the codes of core.pricing.implied.IvStatus.
OK, AT_INTRINSIC, BELOW_INTRINSIC, ABOVE_MAX, EXPIRED, INVALID_INPUT = 0, 1, 2, 3, 4, 5

# The rows of `greeks`: the fields of core.pricing.greeks.Greeks in their order.
_DELTA, _NET_DELTA, _GAMMA, _VEGA, _THETA, _EXCHANGE_THETA, _RHO, _VANNA = range(8)
_VOLGA, _CHARM, _SPEED, _PREMIUM_COIN, _DELTA_COIN, _GAMMA_COIN, _VEGA_COIN, _THETA_COIN = range(
    8, 16
)

_SQRT_2PI = 2.5066282746310002
_DAYS_A_YEAR = 365.0
_FAR = 40.0  # deviations at which the normal density is below the smallest float
_MAX_DEVIATION = 100.0  # σ√T from which a value is its upper bound, to the last digit

# Polynomial in t = (z - 4) / (z + 4) for (1 + z) M(z), highest power first. Chebyshev
# interpolation in 40 digits, after Shepherd and Laframboise (1981), Math. Comp. 36, 249-253.
_MILLS = (
    4.480233382099169e-10,
    -1.6952996818880583e-09,
    -6.5624402369464745e-09,
    1.3723059452459651e-08,
    5.077844122332048e-08,
    -4.494916382038613e-08,
    -2.869299965207942e-07,
    -3.101083609757584e-09,
    1.390762707984928e-06,
    1.0194890870987357e-06,
    -6.5533544552582505e-06,
    -8.606187876096938e-06,
    3.415881433183821e-05,
    5.3266970938315365e-05,
    -0.0002202155756957516,
    -0.00023670175882712258,
    0.001741848773732585,
    -0.0007159509052838121,
    -0.01253910362039814,
    0.04495912907706981,
    -0.0807080096790523,
    0.07169048120143744,
    0.035091880234748005,
    -0.2423996705218081,
    1.1832619145678034,
)


@kernel
def premium_usd(
    forward: Floats, strike: Floats, tenor: Floats, iv: Floats, is_call: Bools
) -> Floats:
    """Return the undiscounted value in USD; see black76.premium_usd."""
    out = np.empty(forward.size)
    for i in range(forward.size):
        s = _deviation(forward[i], strike[i], tenor[i], iv[i])
        out[i] = _value(forward[i], strike[i], s, is_call[i])
    return out


@kernel
def premium_coin(
    forward: Floats, strike: Floats, tenor: Floats, iv: Floats, is_call: Bools
) -> Floats:
    """Return the value divided by the forward; see black76.premium_coin."""
    out = np.empty(forward.size)
    for i in range(forward.size):
        s = _deviation(forward[i], strike[i], tenor[i], iv[i])
        out[i] = _value(forward[i], strike[i], s, is_call[i]) / forward[i]
    return out


@kernel
def delta(forward: Floats, strike: Floats, tenor: Floats, iv: Floats, is_call: Bools) -> Floats:
    """Return ∂V/∂F; see black76.delta."""
    out = np.empty(forward.size)
    for i in range(forward.size):
        s = _deviation(forward[i], strike[i], tenor[i], iv[i])
        d1 = _moneyness(forward[i], strike[i], s) + 0.5 * s
        out[i] = _delta(d1, is_call[i])
        if tenor[i] <= 0.0 and s == 0.0:
            out[i] = 0.0
    return out


@kernel
def net_delta(forward: Floats, strike: Floats, tenor: Floats, iv: Floats, is_call: Bools) -> Floats:
    """Return delta less premium; see black76.net_delta."""
    out = np.empty(forward.size)
    for i in range(forward.size):
        s = _deviation(forward[i], strike[i], tenor[i], iv[i])
        d2 = _moneyness(forward[i], strike[i], s) - 0.5 * s
        out[i] = _net_delta(strike[i] / forward[i], d2, is_call[i])
        if tenor[i] <= 0.0 and s == 0.0:
            out[i] = 0.0
    return out


@kernel
def greeks(forward: Floats, strike: Floats, tenor: Floats, iv: Floats, is_call: Bools) -> Floats:
    """Return a row for each field of greeks.Greeks, in its unit, (16, n)."""
    out = np.zeros((16, forward.size))
    for i in range(forward.size):
        f, k, years, vol = forward[i], strike[i], tenor[i], iv[i]
        s = _deviation(f, k, years, vol)
        out[_PREMIUM_COIN, i] = _value(f, k, s, is_call[i]) / f
        if years <= 0.0 and s == 0.0:
            continue
        h = _moneyness(f, k, s)
        d1, d2 = h + 0.5 * s, h - 0.5 * s
        net = _net_delta(k / f, d2, is_call[i])
        density = 0.0 if s == 0.0 else _density(d1)
        out[_DELTA, i] = _delta(d1, is_call[i])
        out[_NET_DELTA, i] = net
        out[_RHO, i] = 0.01 * years * (f * net)
        out[_DELTA_COIN, i] = net / f
        if density == 0.0:  # where d1 and 1 / s may be infinite
            out[_GAMMA_COIN, i] = -2.0 * net / f / f
            continue
        root = sqrt(years)
        out[_GAMMA, i] = density / s / f
        out[_VEGA, i] = 0.01 * root * (f * density)
        out[_THETA, i] = -0.5 / _DAYS_A_YEAR * vol / root * (f * density)
        out[_EXCHANGE_THETA, i] = out[_THETA, i] * min(1.0, years * _DAYS_A_YEAR)
        out[_VANNA, i] = -density * d2 / vol
        out[_VOLGA, i] = f * density * root * (d1 * d2 / vol)
        out[_CHARM, i] = 0.5 / _DAYS_A_YEAR * density * d2 / years
        out[_SPEED, i] = -density / s * (1.0 + d1 / s) / f / f
        out[_GAMMA_COIN, i] = (density / s - 2.0 * net) / f / f
        out[_VEGA_COIN, i] = out[_VEGA, i] / f
        out[_THETA_COIN, i] = out[_THETA, i] / f
    return out


@kernel
def implied_vol(
    premium_coin: Floats, forward: Floats, strike: Floats, tenor: Floats, is_call: Bools
) -> tuple[Floats, NDArray[np.int8]]:
    """Return the implied volatility and its status code; see implied.implied_vol."""
    out = np.full(forward.size, nan)
    status = np.full(forward.size, INVALID_INPUT, dtype=np.int8)
    for i in range(forward.size):
        f, k, price, years = forward[i], strike[i], premium_coin[i], tenor[i]
        if not (0.0 < f < inf and 0.0 < k < inf and abs(price) < inf and abs(years) < inf):
            continue
        intrinsic = max(f - k if is_call[i] else k - f, 0.0) / f
        highest = 1.0 if is_call[i] else k / f
        status[i] = _status(price, intrinsic, highest, years)
        if status[i] == AT_INTRINSIC:
            out[i] = 0.0
        if status[i] == OK:
            scale = f / min(f, k)
            value, remainder = scale * (price - intrinsic), scale * (highest - price)
            out[i] = _implied_deviation(abs(_log_ratio(f, k)), value, remainder) / sqrt(years)
    return out, status


@inline
def _status(price: float, intrinsic: float, highest: float, tenor: float) -> int:
    if tenor <= 0.0:
        return EXPIRED
    if price < intrinsic * (1.0 - 2.3e-16):  # by more than the rounding of both
        return BELOW_INTRINSIC
    if price <= intrinsic:
        return AT_INTRINSIC
    return ABOVE_MAX if price >= highest else OK


@inline
def _deviation(forward: float, strike: float, tenor: float, iv: float) -> float:
    """σ√T: 0 for an option that has expired, NaN where an input makes no sense."""
    if not (0.0 < forward < inf and 0.0 < strike < inf and iv >= 0.0):
        return nan
    if tenor <= 0.0:
        return 0.0
    s = iv * sqrt(tenor)
    return _MAX_DEVIATION if s > _MAX_DEVIATION else s


@inline
def _log_ratio(forward: float, strike: float) -> float:
    """ln(F/K); near the money from F - K, which is exact."""
    ratio = forward / strike
    return log1p((forward - strike) / strike) if 0.5 < ratio < 2.0 else log(ratio)


@inline
def _moneyness(forward: float, strike: float, s: float) -> float:
    """ln(F/K) / s; infinite on the side of exercise where s = 0."""
    if s == 0.0:
        return 0.0 if forward == strike else copysign(inf, forward - strike)
    return _log_ratio(forward, strike) / s


@inline
def _value(forward: float, strike: float, s: float, is_call: bool) -> float:
    gain = forward - strike if is_call else strike - forward
    time_value = 0.0 if s == 0.0 else _time_value(forward, strike, s)
    return time_value + gain if gain > 0.0 else time_value


@inline
def _time_value(forward: float, strike: float, s: float) -> float:
    smaller = min(forward, strike)
    a, t = abs(_log_ratio(forward, strike)) / s, 0.5 * s
    if a - t > _FAR:
        return 0.0
    density = _density(a - t)
    if _is_near_bound(a, t):
        return smaller * (1.0 - density * (_mills(t - a) + _mills(a + t)))
    return smaller * density * _mills_gap(a, t)


@inline
def _implied_deviation(x: float, value: float, remainder: float) -> float:
    """
    Solve v(s) = *value* for s, with *remainder* = 1 - *value* known on its own.

    Householder's third-order method on ln v, or on ln(1 - v) for the upper half: v' = φ,
    so that a step needs no more than M. Three steps reach rounding from any guess within a quarter.
    """
    s = _guess(x, value, remainder)
    for _ in range(3):
        a, t = x / s, 0.5 * s
        if value <= 0.5:
            size = _mills_gap(a, t)
            target = value
            rate = 1.0 / size
        else:
            size = _mills(abs(a - t)) + _mills(a + t)
            target = remainder
            rate = -1.0 / size
        miss = _log_quotient(size, _SQRT_2PI * target) - 0.5 * (a - t) ** 2
        newton = -miss / rate
        bend = (a - t) * (a + t) / s
        second = bend - rate
        third = bend * bend - (3.0 * a * a + t * t) / s / s - 3.0 * bend * rate + 2.0 * rate * rate
        step = newton * (1.0 + 0.5 * second * newton)
        step /= 1.0 + newton * (second + third * newton / 6.0)
        s = min(max(s + step, 0.5 * s), 2.0 * s)
    return s


@inline
def _guess(x: float, value: float, remainder: float) -> float:
    """
    Return s within a quarter, from v = erf(s / √8) at the money.

    Below, Bachelier's option of the same value, once the bound on it is undone, by our own
    rational fit of its inverse; above, z = t - a as at the money, and s = z + √(z² + 2x).
    """
    if value < 0.3:
        square = value * value
        root = value * (1.0 + square * (0.2618 + 0.1439 * square))
        normal = max(root * exp(-0.5 * x), 1e-300)
        x = max(x, 1e-9 * normal)
        y = log1p(x / normal)
        w = sqrt(y)
        top = ((0.01893516 * w + 0.03509544) * w + 0.00746896) * w + 0.39882716
        bottom = (((0.01343959 * w + 0.02321075) * w + 0.10912392) * w + 0.01255555) * w + 1.0
        return x * bottom / (y * top)
    half = 0.5 * log(remainder * (1.0 + value))  # Winitzki's inverse of erf
    shifted = 4.330746750799873 + half
    z = sqrt(2.0 * (sqrt(shifted * shifted - 13.605442176870748 * half) - shifted))
    return z + sqrt(z * z + 2.0 * x)


@inline
def _log_quotient(numerator: float, denominator: float) -> float:
    if denominator < 1e-290:  # the quotient may be too large for a float
        return log(numerator) - log(denominator)
    return log(numerator / denominator)


@inline
def _is_near_bound(a: float, t: float) -> bool:
    return a <= t and t >= 0.7


@inline
def _mills_gap(a: float, t: float) -> float:
    """
    M(a - t) - M(a + t) without cancellation.

    For small t the odd Taylor terms 2 t^n/n! M⁽ⁿ⁾(a), n = 1..25, by the recurrence
    M⁽ⁿ⁺¹⁾ = a M⁽ⁿ⁾ + n M⁽ⁿ⁻¹⁾; elsewhere the two differ enough. M(-z) = 1/φ(z) - M(z).
    """
    if t < 0.7 and a * t < 0.75:
        even = _mills(a)
        odd = a * even - 1.0
        total = odd
        weight = 1.0
        for n in range(2, 25, 2):
            even = a * odd + (n - 1) * even
            odd = a * even + n * odd
            weight *= t * t / (n * (n + 1))
            total += weight * odd
        return -2.0 * t * total
    if a > t:
        return _mills(a - t) - _mills(a + t)
    return 1.0 / _density(t - a) - _mills(t - a) - _mills(a + t)


@inline
def _delta(d1: float, is_call: bool) -> float:
    return _normal(d1) if is_call else -_normal(-d1)


@inline
def _net_delta(ratio: float, d2: float, is_call: bool) -> float:
    probability = _delta(d2, is_call)
    return probability if probability == 0.0 else ratio * probability  # K/F may overflow


@inline
def _normal(z: float) -> float:
    """N(z), small tails to full relative accuracy."""
    if abs(z) > _FAR:
        return 1.0 if z > 0.0 else 0.0
    tail = _density(z) * _mills(abs(z))
    return 1.0 - tail if z > 0.0 else tail


@inline
def _density(z: float) -> float:
    return exp(-0.5 * z * z) / _SQRT_2PI


@inline
def _mills(z: float) -> float:
    """M(z) = N(-z) / φ(z) for z >= 0, within 3e-16 of its value."""
    t = (z - 4.0) / (z + 4.0)
    total = 0.0
    for coefficient in _MILLS:
        total = total * t + coefficient
    return total / (1.0 + z)
