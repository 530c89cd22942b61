"""
The elementary functions of the pricing kernels, and the premium made of them, as vector code:
no library call, no branch.

Numba compiles them into each kernel that names them. Its cache does not notice a change in this
file: after one, run the tests, which say what to write into the files of the kernels.
"""

from collections.abc import Callable
from math import inf, sqrt
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from core.kernel import inline

_DENSITY = 0.3989422804014327  # 1 / sqrt(2 pi)
_ONE_BITS = 0x3FF0000000000000
_LN2, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # the first in 33 bits
_LOG2_E = 1.4426950408889634
_LEAST, _GREATEST = 2.2250738585072014e-308, 6e307  # whose bits are logarithms, and sums finite
_ROUNDER = 6755399441055744.0  # 1.5 * 2**52: a sum with it ends in the nearest integer's bits
_ROUNDER_BITS = 0x4338000000000000
_HALF_OCTAVE = 1 << 51
_EXPONENT_BITS, _EPSILON = 0x7FF0000000000000, 2.0**-52
_FAR = 39.5  # deviations at which the normal density counts as zero
_MAX_DEVIATION = 100.0  # σ√T from which a value is its upper bound, to the last digit
_NEAR_BOUND = 0.7  # -d from which 1 - v is computed and subtracted
LEAST_DEVIATION = 1e-305  # divides in place of zero

# fmt: off
# Highest power first. M(y) = P(y) / (y P(y) + A(y)), by 60-digit interpolation at Chebyshev points
# of (y - 3) / (y + 3), y in [-0.05, 45], scaled so that rounding harms neither M (4e-17) nor M'
# (3e-16). The lowest two coefficients stand apart, _E0 is P0² + P0 A1 - P1 A0.
_P = (
    1.0644295228549462e-06, 3.2192894025882764e-05, 0.00047957026066222305, 0.004572408222598,
    0.030664295204979822, 0.15050426401986536, 0.5466332030888236, 1.45215092013659,
    2.711463838234906,
)
_A = (
    1.0644295228003607e-06, 3.219289403737229e-05, 0.00047744140053910703, 0.004508022494659057,
    0.02971579672624783, 0.14168143726100577, 0.49002031391133616, 1.1945036741672006,
)
_P0, _P1, _A0, _A1 = 1.9160700372192188, 3.2412224079832623, 1.5288027001141862, 1.8898593511737543
_E0 = 2.3372376958764263
# S(w), -0.25 <= w <= 0; (exp(r) - 1 - r) / r², |r| <= ln(2) / 2; (2 artanh(q) - 2 q) / q³ in q²,
# |q| <= 0.2. Interpolation at Chebyshev points; the functions are right to 6e-17.
_S = (
    1.673249825227977e-05, -0.00012539669843016253, 0.0009474298925069173, -0.006156772234482787,
    0.033862436808538135, -0.15238095223741077, 0.5333333333368336, -1.3333333333333004, 2.0,
)
_EXP = (
    2.510038549551032e-08, 2.7620088445409746e-07, 2.7557268459997064e-06, 2.4801521295954376e-05,
    0.00019841269863053618, 0.0013888888917213717, 0.008333333333330062, 0.04166666666662413,
    0.16666666666666669, 0.5000000000000001,
)
_LOG = (
    0.13604015707124079, 0.1321036048513262, 0.15388834677801916, 0.18181738454723026,
    0.22222223037807243, 0.2857142856733919, 0.400000000000078, 0.6666666666666666,
)
# fmt: on


def _emit_bits(_context: Any, _number: Any) -> Any:
    return types.int64(types.float64), lambda _c, to, _s, given: to.bitcast(*given, ir.IntType(64))


def _emit_float(_context: Any, _bits: Any) -> Any:
    return types.float64(types.int64), lambda _c, to, _s, given: to.bitcast(*given, ir.DoubleType())


def _emit_fma(_context: Any, _x: Any, _y: Any, _z: Any) -> Any:
    signature = types.float64(types.float64, types.float64, types.float64)
    return signature, lambda _c, to, _s, given: to.fma(*given)


_bits_of = cast(Callable[[float], int], intrinsic(_emit_bits))
_float_of = cast(Callable[[int], float], intrinsic(_emit_float))
fma = cast(Callable[[float, float, float], float], intrinsic(_emit_fma))  # x y + z, rounded once


@inline
def polynomial(coefficients: tuple[float, ...], x: float) -> float:
    total = 0.0
    for coefficient in coefficients:
        total = fma(total, x, coefficient)
    return total


@inline
def mills(u: float, gap: float) -> Any:
    """M(u), M(z), M(u) + M(z) and M(u) - M(z), z = u + gap, as numerators over the fifth."""
    z = u + gap
    p2 = p2_slope = a2 = a2_slope = 0.0
    for c in _P:
        p2_slope = fma(p2_slope, z, p2)
        p2 = fma(p2, u, c)
    for c in _A:
        a2_slope = fma(a2_slope, z, a2)
        a2 = fma(a2, u, c)
    p1, p1_slope = fma(u, p2, _P1), fma(z, p2_slope, p2)
    a1, a1_slope = fma(u, a2, _A1), fma(z, a2_slope, a2)
    p1_z, a1_z = fma(gap, p1_slope, p1), fma(gap, a1_slope, a1)
    p, a = fma(u, p1, _P0), fma(u, a1, _A0)
    p_z, a_z = fma(z, p1_z, _P0), fma(z, a1_z, _A0)
    q, q_z = fma(u, p, a), fma(z, p_z, a_z)
    # (P(u) Q(z) - P(z) Q(u)) / gap, multiplied out so that the constant does not cancel
    first = fma(_P0, a2 + p1, -_A0 * p2)
    second = fma(p, p1_z + a1_slope, -p1_slope * a)
    apart = gap * fma(z, second, fma(u, first, _E0))
    return p * q_z, p_z * q, fma(p, q_z, p_z * q), apart, q * q_z


@inline
def mirror(u: float) -> float:
    """(M(-u) - M(u)) / u for 0 <= u <= 0.7; finite beyond."""
    return polynomial(_S, (-0.5 * u) * u)


@inline
def density_factors(u: float) -> Any:
    """φ(u) as the product of two, the second a power of two, so that a tail keeps its digits."""
    half = -0.5 * u
    w = half * u
    return exp_factors(w, fma(half, u, -w), _DENSITY)


@inline
def exp_factors(w: float, lost: float, scale: float) -> Any:
    """exp(w + lost) times *scale*, as the product of two floats; -1000 < w < 700."""
    shifted = fma(w, _LOG2_E, _ROUNDER)
    n = shifted - _ROUNDER
    r = fma(-n, _LN2_LOW, fma(-n, _LN2, w)) + lost
    total = fma(scale * r, fma(r, polynomial(_EXP, r), 1.0), scale)
    power = _bits_of(shifted) - _ROUNDER_BITS
    half = power >> 1
    return total * _float_of((half << 52) + _ONE_BITS), _float_of(
        ((power - half) << 52) + _ONE_BITS
    )


@inline
def log_ratio(x: float, y: float) -> float:
    """ln(x/y) of two that are positive; exact differences where they are near each other."""
    x = min(max(x, _LEAST), _GREATEST)
    y = min(max(y, _LEAST), _GREATEST)
    bits = _bits_of(x)
    octaves = (bits - _bits_of(y) + _HALF_OCTAVE) >> 52
    x = _float_of(bits - (octaves << 52))
    q = (x - y) / (x + y)
    square = q * q
    n = float(octaves)
    return fma(n, _LN2, fma(2.0, q, fma(n, _LN2_LOW, q * square * polynomial(_LOG, square))))


@inline
def is_market(forward: float, strike: float) -> bool:
    return (forward > 0.0) & (forward < inf) & (strike > 0.0) & (strike < inf)


@inline
def spacing(x: float) -> float:
    """The distance to the next float from a positive *x* that is not subnormal."""
    return _EPSILON * _float_of(_bits_of(x) & _EXPONENT_BITS)


@inline
def deviations(x: float, tenor: float, iv: float) -> Any:
    """a and t of the pricing formula (kernels.py); x is |ln(F/K)|."""
    s = iv * sqrt(0.0 if tenor <= 0.0 else tenor)
    s = _MAX_DEVIATION if s > _MAX_DEVIATION else s
    return x / (LEAST_DEVIATION if s < LEAST_DEVIATION else s), 0.5 * s


@inline
def distance(a: float, t: float) -> Any:
    """d, held where the density is not yet zero, and the smaller of a and t."""
    d = a - t
    d = _FAR if d > _FAR else d
    return -_FAR if d < -_FAR else d, a if a < t else t


@inline
def premium(forward: float, strike: float, is_call: bool, d: float, ratios: Any) -> float:
    """V, given what `mills` says of |d| and z."""
    _, _, joint, apart, both = ratios
    u = abs(d)
    front, back = density_factors(u)
    is_near_bound = d < -_NEAR_BOUND
    mirrored = 0.0 if (d >= 0.0) | is_near_bound else u
    size = fma(mirrored, mirror(u), (joint if is_near_bound else apart) / both)
    smaller = forward if forward < strike else strike
    part = front * size * smaller * back
    value: float = smaller - part if is_near_bound else part
    gain = forward - strike if is_call else strike - forward
    return value + gain if gain > 0.0 else value
