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
# Highest power first. M(y) = P(w) / (w P(w) + B(w)), w = y + 0.75, by 70-digit interpolation at
# Chebyshev points of (w - 3) / (w + 3), y in [-0.75, 45], scaled so that rounding harms neither
# M (2e-17) nor M' (2e-16) there; all of P and, near y = 0, the smallness of B spare the differences
# of `mills` a cancellation.
_SHIFT = 0.75
_P = (
    2.3162324455131103e-07, 6.766246210555197e-06, 0.00010010152429421244, 0.0009713949885453496,
    0.006800746108742957, 0.035867844067566934, 0.1450977708103033, 0.45059946004498763,
    1.0572297935523551, 1.8006542023962664, 2.03572113795009, 1.193578985225244,
)
_B = (
    -1.7371743341348326e-07, -4.843061413358793e-06, -6.813617957814469e-05,
    -0.0006237029907203578, -0.0040647595265816865, -0.019542253788671214, -0.06962862522571098,
    -0.17913272359677648, -0.30645198709925264, -0.259031371291578, 0.12863149795056078,
    0.4647582401437862,
)
# (exp(r) - 1 - r) / r², |r| <= ln(2) / 2; (2 artanh(q) - 2 q) / q³ in q², |q| <= 0.2.
# Interpolation at Chebyshev points; the functions are right to 6e-17.
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
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        total = fma(total, x, coefficient)
    return total


@inline
def mills(y: float, gap: float) -> Any:
    """
    M(y), M(z), M(y) + M(z) and M(y) - M(z), z = y + gap, as numerators over the fifth; y >= -0.75.

    The difference is gap times divided differences of P and B, so that it keeps its digits.
    """
    w = y + _SHIFT
    w_z = w + gap
    p_slope, p = _P[0], fma(_P[0], w, _P[1])
    for c in _P[2:]:
        p_slope = fma(p_slope, w_z, p)
        p = fma(p, w, c)
    b_slope, b = _B[0], fma(_B[0], w, _B[1])
    for c in _B[2:]:
        b_slope = fma(b_slope, w_z, b)
        b = fma(b, w, c)
    p_z, b_z = fma(gap, p_slope, p), fma(gap, b_slope, b)
    q, q_z = fma(w, p, b), fma(w_z, p_z, b_z)
    apart = gap * fma(p, p_z + b_slope, -p_slope * b)
    return p * q_z, p_z * q, fma(p, q_z, p_z * q), apart, q * q_z


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
def scales(x: float, tenor: float, iv: float) -> Any:
    """a and t as `deviations` has them, √T and 1/s, the last zero where s is."""
    root = sqrt(0.0 if tenor <= 0.0 else tenor)
    s = iv * root
    s = _MAX_DEVIATION if s > _MAX_DEVIATION else s
    divisor = LEAST_DEVIATION if s < LEAST_DEVIATION else s
    inverse = 1.0 / divisor
    a = x * inverse
    a = fma(fma(-a, divisor, x), inverse, a)  # rounded as x / s is
    return a, 0.5 * s, root, 0.0 if s < LEAST_DEVIATION else inverse


@inline
def arguments(a: float, t: float) -> Any:
    """
    Those of `mills`, and whether 1 - v is to be made of them rather than v: y is d or -d.

    d is held where the density is not yet zero.
    """
    d = a - t
    d = _FAR if d > _FAR else d
    d = -_FAR if d < -_FAR else d
    is_near_bound = d < -_NEAR_BOUND
    return (-d, 2.0 * a, True) if is_near_bound else (d, 2.0 * t, False)


@inline
def premium(forward: float, strike: float, is_call: bool, given: Any, ratios: Any) -> float:
    """V, of what `arguments` gave and `mills` made of it."""
    y, _, is_near_bound = given
    _, _, joint, apart, both = ratios
    front, back = density_factors(y)
    smaller = forward if forward < strike else strike
    part = front / both * (joint if is_near_bound else apart) * smaller * back
    value: float = smaller - part if is_near_bound else part
    gain = forward - strike if is_call else strike - forward
    return value + gain if gain > 0.0 else value
