"""
The compiled arithmetic of smiles: one file, since numba's cache sees changes in no other.

A smile is total variance w in log-moneyness k = ln(K/F), raw SVI:

    w(k) = a + b (ρ(k - m) + √((k - m)² + q²)),    raw = (a, b, ρ, m, q)

A fit moves along free coordinates, in which every point is a smile with w > 0 and slopes below
2: five for SVI, (ln min w, logit of half of either slope, m, ln q), or three for eSSVI, which
also keep above the slice `before`; `_raw_of` has both.
"""

from math import atanh, exp, inf, log, sqrt, tanh

import numpy as np

from core.kernel import kernel
from ports.columns import Floats

# Rows of the `quotes` a smile is fitted to, (5, n); DEVIATION is √w, the volatility times √T.
LOG_MONEYNESS, DEVIATION, SCALE, WEIGHT, KNEE = range(5)

_STEEPEST = 2.0  # the slope of w at which a wing stops being a price (R. Lee, 2004)
_MARGIN = 0.002  # of g: fits stay this far inside, so that a soft penalty ends above zero
_CALENDAR_STIFFNESS = 10.0  # one per cent of w weighs as much as a tenth of g
_NUDGE = 1e-6  # of a coordinate, for slopes of misses
_MOST_STEPS, _LONGEST_STEP = 60, 1.0
_DONE = 1e-7  # relative gain at which a fit ends
_LEVELS = 4  # of the outer search for (m, ln q), each with a third of the width before
_GRID = 7  # points a side


@kernel
def total_variance(raw: Floats, k: Floats) -> Floats:
    """Return w at *k*, (n,); see svi.SviSlice."""
    out = np.empty(k.size)
    for i in range(k.size):
        out[i] = _variance(raw, k[i])
    return out


@kernel
def butterfly(raw: Floats, k: Floats) -> Floats:
    """Return g at *k*, (n,); see svi.SviSlice."""
    out = np.empty(k.size)
    for i in range(k.size):
        out[i] = _butterfly(raw, k[i])
    return out


@kernel
def quasi_explicit(quotes: Floats, width: float) -> Floats:
    """
    Return the raw SVI that fits *quotes* best in least squares of w, (5,).

    For fixed (m, q) w is linear in the rest, solved exactly in `_best_line`; (m, ln q) is
    searched on grids that close in around (0, ln *width*), the deviation of the expiry.
    Source: S. De Marco, C. Martini (2009), Quasi-explicit calibration of Gatheral's SVI model,
        Zeliade; their domain with a >= 0 is taken where a < 0 would make w negative.
    """
    line, best_line = np.zeros(3), np.zeros(3)
    best_m, best_log_q, best = 0.0, log(width), inf
    reach_m, reach_log_q = 1.5 * width, 2.5
    for _ in range(_LEVELS):
        middle_m, middle_log_q = best_m, best_log_q
        for row in range(_GRID):
            for column in range(_GRID):
                m = middle_m + reach_m * (2.0 * row / (_GRID - 1) - 1.0)
                log_q = middle_log_q + reach_log_q * (2.0 * column / (_GRID - 1) - 1.0)
                miss = _best_line(quotes, m, exp(log_q), line)
                if miss < best:
                    best, best_m, best_log_q = miss, m, log_q
                    best_line[:] = line
        reach_m /= 3.0
        reach_log_q /= 3.0
    q = exp(best_log_q)
    raw = np.empty(5)
    left, right = best_line[1] / q, best_line[2] / q
    raw[0], raw[1], raw[3], raw[4] = best_line[0], 0.5 * (left + right), best_m, q
    raw[2] = (right - left) / (right + left) if left + right > 0.0 else 0.0
    return raw


@kernel
def fit(  # noqa: PLR0917 - a kernel
    start: Floats,
    before: Floats,
    quotes: Floats,
    wide: Floats,
    fence: Floats,
    strictness: float,
) -> tuple[Floats, float]:
    """
    Return the coordinates of the best smile reached from *start*, and its loss.

    Levenberg-Marquardt on Σ weight H((√w(k) - deviation) / scale), H Huber's with the row's
    knee, plus half of *strictness* times the squared shortfalls of g at *wide* and of w against
    *fence*.

    Shapes: start (5,) or (3,) coordinates; before (3,) θ, ρ, ψ of the slice before, zeros for
    none, used by eSSVI only; quotes (5, n); wide (p,); fence (3, r) of k, floor and ceiling of w.
    """
    here = start.copy()
    count, rows = here.size, quotes.shape[1] + wide.size + fence.shape[1] + 1
    misses, moved_misses = np.empty(rows), np.empty(rows)
    slopes = np.empty((count, rows))
    _misses(here, before, quotes, wide, fence, strictness, misses)
    loss = _loss(misses, quotes)
    damping = 1e-3
    for _ in range(_MOST_STEPS):
        for p in range(count):
            moved = here.copy()
            moved[p] += _NUDGE
            _misses(moved, before, quotes, wide, fence, strictness, moved_misses)
            slopes[p] = (moved_misses - misses) / _NUDGE
        curvature, descent = _normal_equations(slopes, misses, quotes)
        gain = 0.0
        for _ in range(8):
            moved = _bounded(here, _damped_step(curvature, descent, damping))
            _misses(moved, before, quotes, wide, fence, strictness, moved_misses)
            moved_loss = _loss(moved_misses, quotes)
            if moved_loss < loss:
                gain = loss - moved_loss
                here, loss = moved, moved_loss
                misses[:] = moved_misses
                break
            damping = 6.0 * max(damping, 1e-6)
        damping *= 0.2
        if gain <= _DONE * loss:
            break
    return here, loss


@kernel
def raw_of(coordinates: Floats, before: Floats) -> Floats:
    """Return the raw SVI of SVI or eSSVI *coordinates*, (5,)."""
    raw = np.empty(5)
    _raw_of(coordinates, before, raw)
    return raw


@kernel
def svi_coordinates(raw: Floats) -> Floats:
    """Return the five coordinates of *raw*, moved inside their domain if it is on the edge."""
    a, b, rho, m, q = raw
    lowest = a + b * q * sqrt(1.0 - rho * rho)
    left = min(max(b * (1.0 - rho), 1e-5), 0.999 * _STEEPEST)
    right = min(max(b * (1.0 + rho), 1e-5), 0.999 * _STEEPEST)
    floor = max(lowest, 1e-3 * _variance(raw, 0.0), 1e-12)
    return np.array(
        [log(floor), log(left / (_STEEPEST - left)), log(right / (_STEEPEST - right)), m, log(q)]
    )


@kernel
def essvi_terms(coordinates: Floats, before: Floats) -> Floats:
    """Return θ, ρ, ψ of eSSVI *coordinates* above the slice *before*, (3,)."""
    terms = np.empty(3)
    _essvi_terms(coordinates, before, terms)
    return terms


@kernel
def essvi_coordinates(terms: Floats, before: Floats) -> Floats:
    """Return the coordinates of θ, ρ, ψ *terms*, moved above *before* where they are below."""
    theta, rho, psi = terms
    rho = min(max(rho, -0.99), 0.99)
    lowest, highest, floor = _essvi_domain(theta, rho, before)
    theta = max(theta, 1.0001 * floor, 1e-12)
    lowest, highest, floor = _essvi_domain(theta, rho, before)
    share = (psi - lowest) / max(highest - lowest, 1e-300)
    share = min(max(share, 0.01), 0.99)
    return np.array([log(theta - floor), atanh(rho), log(share / (1.0 - share))])


@kernel
def _variance(raw: Floats, k: float) -> float:
    d = k - raw[3]
    w: float = raw[0] + raw[1] * (raw[2] * d + sqrt(d * d + raw[4] * raw[4]))
    return w


@kernel
def _butterfly(raw: Floats, k: float) -> float:
    d = k - raw[3]
    root = sqrt(d * d + raw[4] * raw[4])
    w = raw[0] + raw[1] * (raw[2] * d + root)
    slope = raw[1] * (raw[2] + d / root)
    bend = raw[1] * raw[4] * raw[4] / (root * root * root)
    tilt = 1.0 - 0.5 * k * slope / w
    g: float = tilt * tilt - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * bend
    return g


@kernel
def _best_line(quotes: Floats, m: float, q: float, line: Floats) -> float:
    """
    Fill *line* with (a, u, v) of w = a + u (z - y)/2 + v (z + y)/2, y = (k - m)/q, z = √(1 + y²),
    that fits best, and return its weighted squared miss. Both slopes, u/q and v/q, lie within
    0 and 2, and w is nowhere negative.
    """
    normal, target, total = np.zeros((3, 3)), np.zeros(3), 0.0
    basis = np.ones(3)
    for i in range(quotes.shape[1]):
        y = (quotes[LOG_MONEYNESS, i] - m) / q
        z = sqrt(1.0 + y * y)
        basis[1], basis[2] = 0.5 * (z - y), 0.5 * (z + y)
        deviation = quotes[DEVIATION, i]
        w = deviation * deviation
        weight = quotes[WEIGHT, i] / (2.0 * deviation * quotes[SCALE, i]) ** 2
        total += weight * w * w
        for p in range(3):
            target[p] += weight * basis[p] * w
            for r in range(3):
                normal[p, r] += weight * basis[p] * basis[r]
    highest = _STEEPEST * q
    gain = _best_in_box(normal, target, highest, True, line)
    if line[0] < -sqrt(line[1] * line[2]):
        gain = _best_in_box(normal, target, highest, False, line)
    return total - gain


@kernel
def _best_in_box(
    normal: Floats, target: Floats, highest: float, is_level_free: bool, line: Floats
) -> float:
    """
    Fill *line* with the x = (a, u, v) that has the largest 2 target·x - x·normal·x, and return it.

    u and v lie within 0 and *highest*, a is free or else 0. Exact: a is eliminated, and of what
    is left the inside, the four sides and the four corners are compared.
    """
    share = 1.0 / normal[0, 0] if is_level_free else 0.0
    n11 = normal[1, 1] - normal[0, 1] * normal[0, 1] * share
    n12 = normal[1, 2] - normal[0, 1] * normal[0, 2] * share
    n22 = normal[2, 2] - normal[0, 2] * normal[0, 2] * share
    t1 = target[1] - normal[0, 1] * target[0] * share
    t2 = target[2] - normal[0, 2] * target[0] * share
    best = -inf
    for case in range(9):
        u = highest if case % 3 == 1 else 0.0
        v = highest if case // 3 == 1 else 0.0
        if case == 8:
            determinant = n11 * n22 - n12 * n12
            if determinant <= 1e-14 * n11 * n22:
                continue
            u = (t1 * n22 - t2 * n12) / determinant
            v = (t2 * n11 - t1 * n12) / determinant
            if not (0.0 <= u <= highest and 0.0 <= v <= highest):
                continue
        elif case % 3 == 2:
            u = min(max((t1 - n12 * v) / n11, 0.0), highest)
        elif case // 3 == 2:
            v = min(max((t2 - n12 * u) / n22, 0.0), highest)
        value = 2.0 * (t1 * u + t2 * v) - n11 * u * u - 2.0 * n12 * u * v - n22 * v * v
        if value > best:
            best = value
            line[0] = (target[0] - normal[0, 1] * u - normal[0, 2] * v) * share
            line[1], line[2] = u, v
    gain: float = best + target[0] * target[0] * share
    return gain


@kernel
def _raw_of(coordinates: Floats, before: Floats, raw: Floats) -> None:
    if coordinates.size == 3:
        terms = np.empty(3)
        _essvi_terms(coordinates, before, terms)
        spare, width = 1.0 - terms[1] ** 2, terms[0] / terms[2]
        raw[0], raw[1], raw[2] = 0.5 * terms[0] * spare, 0.5 * terms[2], terms[1]
        raw[3], raw[4] = -terms[1] * width, sqrt(spare) * width
        return
    left = _STEEPEST / (1.0 + exp(-coordinates[1]))
    right = _STEEPEST / (1.0 + exp(-coordinates[2]))
    b, rho, q = 0.5 * (left + right), (right - left) / (right + left), exp(coordinates[4])
    raw[0] = exp(coordinates[0]) - b * q * sqrt(1.0 - rho * rho)
    raw[1], raw[2], raw[3], raw[4] = b, rho, coordinates[3], q


@kernel
def _essvi_terms(coordinates: Floats, before: Floats, terms: Floats) -> None:
    rho = tanh(coordinates[1])
    _, _, floor = _essvi_domain(0.0, rho, before)
    theta = floor + exp(coordinates[0])
    lowest, highest, floor = _essvi_domain(theta, rho, before)
    terms[0], terms[1] = theta, rho
    terms[2] = lowest + (highest - lowest) / (1.0 + exp(-coordinates[2]))


@kernel
def _essvi_domain(theta: float, rho: float, before: Floats) -> tuple[float, float, float]:
    """The least and largest ψ of a slice (θ, ρ) above *before*, and its least θ."""
    steepest = min(4.0 / (1.0 + abs(rho)), sqrt(4.0 * theta / (1.0 + abs(rho))))
    if before[0] <= 0.0:
        return 0.0, steepest, 0.0
    turn = max((1.0 + before[1]) / (1.0 + rho), (1.0 - before[1]) / (1.0 - rho))
    lowest = before[2] * turn
    return lowest, min(steepest, before[2] * theta / before[0]), before[0] * turn


@kernel
def _misses(  # noqa: PLR0917 - a kernel
    coordinates: Floats,
    before: Floats,
    quotes: Floats,
    wide: Floats,
    fence: Floats,
    strictness: float,
    out: Floats,
) -> None:
    """Fill *out* with what *coordinates* miss: quotes in their scale, then what is not allowed."""
    raw = np.empty(5)
    _raw_of(coordinates, before, raw)
    stiffness, n = sqrt(strictness), quotes.shape[1]
    for i in range(n):
        w = max(_variance(raw, quotes[LOG_MONEYNESS, i]), 1e-300)
        out[i] = (sqrt(w) - quotes[DEVIATION, i]) / quotes[SCALE, i]
    for i in range(wide.size):
        out[n + i] = stiffness * max(0.0, _MARGIN - _butterfly(raw, wide[i]))
    n += wide.size
    for i in range(fence.shape[1]):
        w = _variance(raw, fence[0, i])
        shortfall = max(0.0, fence[1, i] / w - 1.0) + max(0.0, w / fence[2, i] - 1.0)
        out[n + i] = _CALENDAR_STIFFNESS * stiffness * shortfall
    n += fence.shape[1]
    out[n] = 0.0
    if coordinates.size == 3:  # a turn of ρ may leave no ψ that both slices allow
        lowest, highest, _ = _essvi_domain(raw[0] * 2.0 / (1.0 - raw[2] ** 2), raw[2], before)
        out[n] = 100.0 * max(0.0, lowest / highest - 1.0)


@kernel
def _loss(misses: Floats, quotes: Floats) -> float:
    total = 0.0
    for i in range(misses.size):
        size = abs(misses[i])
        if i < quotes.shape[1]:
            knee = quotes[KNEE, i]
            inside = size <= knee
            bent = 0.5 * size * size if inside else knee * (size - 0.5 * knee)
            total += quotes[WEIGHT, i] * bent
        else:
            total += 0.5 * size * size
    return total


@kernel
def _normal_equations(slopes: Floats, misses: Floats, quotes: Floats) -> tuple[Floats, Floats]:
    count = slopes.shape[0]
    curvature, descent = np.zeros((count, count)), np.zeros(count)
    for i in range(misses.size):
        weight = 1.0
        if i < quotes.shape[1]:
            size = abs(misses[i])
            weight = quotes[WEIGHT, i] * (
                1.0 if size <= quotes[KNEE, i] else quotes[KNEE, i] / size
            )
        elif misses[i] == 0.0:
            continue
        for p in range(count):
            descent[p] -= weight * slopes[p, i] * misses[i]
            for r in range(p + 1):
                curvature[p, r] += weight * slopes[p, i] * slopes[r, i]
    return curvature, descent


@kernel
def _damped_step(curvature: Floats, descent: Floats, damping: float) -> Floats:
    """Solve (curvature + damping · diagonal) step = descent by Cholesky; lower triangles."""
    count = descent.size
    lower, step = np.zeros((count, count)), np.zeros(count)
    for i in range(count):
        for j in range(i + 1):
            rest = curvature[i, j]
            if i == j:
                rest = rest * (1.0 + damping) + 1e-12
            for p in range(j):
                rest -= lower[i, p] * lower[j, p]
            lower[i, j] = sqrt(max(rest, 1e-300)) if i == j else rest / lower[j, j]
        rest = descent[i]
        for p in range(i):
            rest -= lower[i, p] * step[p]
        step[i] = rest / lower[i, i]
    for i in range(count - 1, -1, -1):
        rest = step[i]
        for p in range(i + 1, count):
            rest -= lower[p, i] * step[p]
        step[i] = rest / lower[i, i]
    return step


@kernel
def _bounded(here: Floats, step: Floats) -> Floats:
    """*here* moved by *step*, in each coordinate no further than a step may go."""
    moved = here.copy()
    for p in range(here.size):
        moved[p] += min(max(step[p], -_LONGEST_STEP), _LONGEST_STEP)
        moved[p] = min(max(moved[p], -40.0), 8.0)
    return moved
