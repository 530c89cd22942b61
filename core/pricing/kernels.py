"""
Premiums and greeks of Black-76 as compiled columns.

An option is reduced to the value that is out of the money, v = V / min(F, K), of

    a = |ln(F/K)| / s,    t = s / 2,    s = σ√T,    d = a - t,    z = a + t,

    v = φ(d) (M(d) - M(z)),    1 - v = φ(d) (M(-d) + M(z)),    M(y) = N(-y) / φ(y),

the same for calls and puts, after P. Jäckel (2016), Let's Be Rational, Wilmott; core.pricing.
arithmetic has the functions. Loops have no branches, so that LLVM makes vector code of them
(a test reads it), and work by blocks that stay in the cache.
"""

from math import nan
from typing import Any, NamedTuple

import numpy as np

from core.kernel import inline, kernel
from core.pricing.arithmetic import (
    arguments,
    density_factors,
    deviations,
    fma,
    is_market,
    log_ratio,
    mills,
    premium,
    scales,
)
from ports.columns import Bools, Floats

# The digest of arithmetic.py: numba's cache sees a change of this file, not of that one.
ARITHMETIC = "7654eef75f8d3b56"

BLOCK = 2048
_DAYS_A_YEAR = 365.0
_LEAST_FORWARD = 2.3e-308  # whose inverse is finite


class Options(NamedTuple):
    """Columns of one length: what the greek and premium kernels take."""

    forward: Floats
    strike: Floats
    tenor: Floats
    iv: Floats
    is_call: Bools


@kernel
def premium_usd(options: Options, out: Floats) -> None:
    """Write the undiscounted value in USD; see black76.premium_usd."""
    work = np.empty((2, min(BLOCK, out.size)))
    for start in range(0, out.size, BLOCK):
        part = slice(start, min(start + BLOCK, out.size))
        block = _block(options, part)
        _deviations(block, work)
        _premiums(block, work, out[part])


@kernel
def premium_coin(options: Options, out: Floats) -> None:
    """Write the value divided by the forward; see black76.premium_coin."""
    for start in range(0, out.size, BLOCK):
        part = slice(start, min(start + BLOCK, out.size))
        premium_usd(_block(options, part), out[part])
        _divide(out[part], options.forward[part])


@kernel
def deltas(options: Options, out: Floats) -> None:
    """Write ∂V/∂F and that less the premium in coin, (2, n); see black76.delta."""
    work = np.empty((4, min(BLOCK, out.shape[1])))
    for start in range(0, out.shape[1], BLOCK):
        part = slice(start, min(start + BLOCK, out.shape[1]))
        block = _block(options, part)
        _scales(block, work)
        _write_deltas(block, work, (out[0, part], out[1, part]))


@kernel
def main_greeks(options: Options, out: Floats) -> None:
    """Write a row for each field of greeks.MainGreeks, in its unit, (8, n)."""
    work = np.empty((4, min(BLOCK, out.shape[1])))
    for start in range(0, out.shape[1], BLOCK):
        part = slice(start, min(start + BLOCK, out.shape[1]))
        block = _block(options, part)
        _scales(block, work)
        low, high = _four(out[:4], part), _four(out[4:], part)
        _write_main(block, work, low, high)


@kernel
def other_greeks(options: Options, out: Floats) -> None:
    """Write a row for each field that greeks.Greeks has beyond MainGreeks, (9, n)."""
    work = np.empty((4, min(BLOCK, out.shape[1])))
    for start in range(0, out.shape[1], BLOCK):
        part = slice(start, min(start + BLOCK, out.shape[1]))
        block = _block(options, part)
        _scales(block, work)
        low, high = _four(out[:4], part), _four(out[4:], part)
        _write_others(block, work, low, high, out[8, part])


@inline
def _block(options: Options, part: slice) -> Options:
    return Options(
        options.forward[part],
        options.strike[part],
        options.tenor[part],
        options.iv[part],
        options.is_call[part],
    )


@inline
def _four(rows: Floats, part: slice) -> Any:
    return rows[0, part], rows[1, part], rows[2, part], rows[3, part]


@kernel
def _deviations(options: Options, work: Floats) -> None:
    """Write a and t of the module's formula into the rows of *work*."""
    for i in range(options.iv.size):
        forward, strike, tenor = options.forward[i], options.strike[i], options.tenor[i]
        iv = options.iv[i]
        iv = iv if is_market(forward, strike) & (iv >= 0.0) else nan
        work[0, i], work[1, i] = deviations(abs(log_ratio(forward, strike)), tenor, iv)


@kernel
def _scales(options: Options, work: Floats) -> None:
    """Write, besides the rows of `_deviations`, √T and 1/s: a division costs as much as an exp."""
    for i in range(options.iv.size):
        forward, strike, tenor = options.forward[i], options.strike[i], options.tenor[i]
        iv = options.iv[i]
        iv = iv if is_market(forward, strike) & (iv >= 0.0) else nan
        row = scales(abs(log_ratio(forward, strike)), tenor, iv)
        work[0, i], work[1, i], work[2, i], work[3, i] = row


@kernel
def _premiums(options: Options, work: Floats, out: Floats) -> None:
    for i in range(out.size):
        forward, strike, is_call = options.forward[i], options.strike[i], options.is_call[i]
        given = arguments(work[0, i], work[1, i])
        out[i] = premium(forward, strike, is_call, given, mills(given[0], given[1]))


@kernel
def _divide(out: Floats, forward: Floats) -> None:
    for i in range(out.size):
        out[i] /= forward[i]


@kernel
def _write_deltas(options: Options, work: Floats, rows: Any) -> None:
    for i in range(options.iv.size):
        row = _sensitivities(options, i, work)
        rows[0][i], rows[1][i] = row[1], row[2]


@kernel
def _write_main(options: Options, work: Floats, low: Any, high: Any) -> None:
    for i in range(options.iv.size):
        row = _sensitivities(options, i, work)
        low[0][i], low[1][i], low[2][i], low[3][i] = row[0], row[1], row[3], row[4]
        high[0][i], high[1][i], high[2][i], high[3][i] = row[5], row[6], row[7], row[8]


@kernel
def _write_others(options: Options, work: Floats, low: Any, high: Any, last: Floats) -> None:
    for i in range(options.iv.size):
        row = _sensitivities(options, i, work)
        value, _, net_delta, _, vega, theta, _, _, _, charm, speed, gamma_coin = row
        forward, days = options.forward[i], _DAYS_A_YEAR * options.tenor[i]
        low[0][i], low[1][i] = net_delta, theta * (days if days < 1.0 else 1.0)
        low[2][i], low[3][i] = charm, speed
        high[0][i], high[1][i] = value / forward, net_delta / forward
        high[2][i], high[3][i], last[i] = gamma_coin, vega / forward, theta / forward


@inline
def _sensitivities(options: Options, i: int, work: Floats) -> Any:
    """V, delta, net delta, gamma, vega, theta, rho, vanna, volga, charm, speed, ∂²v/∂F²."""
    f, k, tenor, iv = options.forward[i], options.strike[i], options.tenor[i], options.iv[i]
    a, t, root, inverse = work[0, i], work[1, i], work[2, i], work[3, i]
    is_call, is_upper, is_dead = options.is_call[i], k >= f, (tenor <= 0.0) & (t == 0.0)
    y, gap, is_near_bound = given = arguments(a, t)
    near, far, _, _, both = ratios = mills(y, gap)
    value = premium(f, k, is_call, given, ratios)

    # N(-d) and its complement; N(-z) times F/K or K/F, whichever is more.
    front, back = density_factors(y)
    share = front / both
    tail, far_tail = share * near * back, share * far * back
    likely, unlikely = (1.0 - tail, tail) if is_near_bound else (tail, 1.0 - tail)
    per_usd = 1.0 / (_LEAST_FORWARD if f < _LEAST_FORWARD else f)
    smaller, ratio = f if is_upper else k, k * per_usd
    is_out = is_call == is_upper
    chance = likely if is_out else unlikely
    far_put = ratio * far_tail if is_out else fma(-ratio, far_tail, 1.0)
    far_call = far_tail if is_out else fma(-share * far, back, ratio)
    delta, net_delta = (chance, far_call) if is_upper else (far_put, ratio * chance)
    delta = 0.0 if is_dead else (delta if is_call else -delta)
    net_delta = 0.0 if is_dead else (net_delta if is_call else -net_delta)

    density = 0.0 if t == 0.0 else smaller * (front * back)  # F φ(d1) = min(F, K) φ(d)
    at_forward = density * per_usd  # φ(d1)
    d, z = -y if is_near_bound else y, y + gap
    d1, d2 = (-d, -z) if is_upper else (z, d)
    per_iv, per_root = root * inverse, iv * inverse
    slope, d2_per_iv = density * root, d2 * per_iv
    gamma = at_forward * per_usd * inverse
    vega = 0.01 * slope
    theta = -0.5 / _DAYS_A_YEAR * iv * (density * per_root)
    rho = 0.01 * tenor * (f * net_delta)
    vanna = -at_forward * d2_per_iv
    volga = slope * (d1 * d2_per_iv)
    charm = 0.5 / _DAYS_A_YEAR * (at_forward * d2 * per_root) * per_root
    speed = -gamma * fma(d1, inverse, 1.0) * per_usd
    gamma_coin = fma(at_forward, inverse, -2.0 * net_delta) * per_usd * per_usd
    return value, delta, net_delta, gamma, vega, theta, rho, vanna, volga, charm, speed, gamma_coin
