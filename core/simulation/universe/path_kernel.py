"""
The compiled step of an invented market: regimes by day, two volatility factors, spot by hour.

Slow and fast deviate the logarithm of volatility; with ATM30 of the curve of
surface.mean_variance an hour's return is

    (μ - v/2 - κ trend) dt + √(v w dt) η + J,    v = (c ATM30)² exp(Y - s²/2 - premium)

less the part of the last hour's shock that is taken back. η is a Student shock, w the hour's
share of variance, Y noise of days and bursts of hours with variance s², J a jump of double
exponential size that kicks both factors. Factors move in variance time, more while Y is
high, and a day's moves share one scale, which makes them Student as well. Trend is an
exponential mean of returns, skew and bend are first-order autoregressions.
"""

from math import exp, log, sqrt

import numpy as np

from core.kernel import kernel
from ports.columns import Floats, Ints

# Columns of the `regimes` a path is made with, a row a regime.
(
    FAST_KEEP_DAYS,
    FAST_SD,
    SLOW_MEAN,
    SLOW_SD,
    PREMIUM,
    DRIFT,
    RHO,
    SKEW_MEAN,
    SKEW_DAYS,
    DWELL_DAYS,
    DWELL_SHAPE,
) = range(11)

# Entries of the `coin` a path is made with.
(
    LONG_VARIANCE,
    FAST_DAYS,
    SLOW_DAYS,
    INDEX_RATIO,
    NOISE_SD,
    NOISE_DAYS,
    NOISE_LEVERAGE,
    NOISE_FAST,
    BURST_SD,
    BURST_DAYS,
    VOL_LINK,
    FACTOR_CORRELATION,
    JUMPS_PER_YEAR,
    JUMP_DOWN_SHARE,
    JUMP_DOWN,
    JUMP_UP,
    KICK_FAST,
    KICK_SLOW,
    KICK_UP_SHARE,
    TREND_DAYS,
    REVERSAL,
    BOUNCE,
    SKEW_SD,
    BEND_SD,
    BEND_DAYS,
) = range(25)

# Rows of the hourly `shocks`: standard normal but for MIX, the scale of a Student return with
# unit variance, and two uniforms for the jumps.
SPOT, FAST, SLOW, NOISE, BURST, SKEW, BEND, MIX, JUMP, JUMP_SIZE = range(10)

# Rows of the daily `draws`: two uniforms for the regime, and the scale of a day's volatility moves.
NEXT_REGIME, DWELL, DAY_MIX = range(3)

# Rows of the states, and of the hours between them: deviation without its jump, and the jump.
(
    LOG_PRICE,
    FAST_STATE,
    SLOW_STATE,
    NOISE_STATE,
    BURST_STATE,
    TREND_STATE,
    SKEW_STATE,
    BEND_STATE,
) = range(8)
DEVIATION, JUMPED = range(2)

_HOUR = 1.0 / 8760.0  # years
_HOUR_DAYS = 1.0 / 24.0
_INDEX_DAYS = 30.0


@kernel
def walk(  # noqa: PLR0917 - a kernel
    regimes: Floats,
    transitions: Floats,
    coin: Floats,
    weights: Floats,
    first_hour: int,
    shocks: Floats,
    draws: Floats,
    start: Floats,
) -> tuple[Floats, Floats, Ints, float]:
    """
    Return the states at each hour, (8, n + 1), what happens in the hour that follows, (2, n), the
    regime of each day, (d,), and the days that the last of them still has to last.

    Shapes: regimes (k, 11); transitions (k, k) rows that sum to 1; coin (25,); weights (168,) by
    hour of the week from Monday; shocks (10, n); draws (3, d), n = 24 d; start (10,): the states,
    the regime and the days it still lasts, drawn anew where that is zero.
    Units: days, years, log volatility; premium ln of implied over realised variance.
    """
    hours = shocks.shape[1]
    out = np.empty((8, hours + 1))
    out[:, 0] = start[:8]
    inside = np.empty((2, hours))
    labels = np.empty(draws.shape[1], dtype=np.int64)
    regime, left = int(start[8]), start[9]
    loadings = np.array([_loading(coin[FAST_DAYS]), _loading(coin[SLOW_DAYS])])
    diffused = 0.0
    for hour in range(hours):
        day = hour // 24
        if hour % 24 == 0:
            if left <= 0.0:
                regime = _next_regime(transitions, regime, draws[NEXT_REGIME, day])
                left = _dwell(regimes[regime], draws[DWELL, day])
            left -= 1.0
            labels[day] = regime
        share = weights[(first_hour + hour) % 168]
        diffused = _live(
            out[:, hour : hour + 2],
            inside[:, hour],
            regimes[regime],
            coin,
            shocks[:, hour],
            loadings,
            np.array([share, draws[DAY_MIX, day], diffused]),
        )
    return out, inside, labels, left


@kernel
def _live(  # noqa: PLR0917 - a kernel
    states: Floats,
    inside: Floats,
    regime: Floats,
    coin: Floats,
    shocks: Floats,
    loadings: Floats,
    moment: Floats,
) -> float:
    """
    Move *states* an hour on, from the first column to the second, and fill *inside* it.

    *moment* holds the hour's share of variance, the scale of the day's volatility moves and the
    last hour's diffusion; returns this hour's.
    """
    share, day_mix, last_diffused = moment
    variance = _variance(states[:, 0], regime, coin, loadings)
    jump = 0.0
    if shocks[JUMP] < coin[JUMPS_PER_YEAR] * _HOUR:  # news keeps no hours
        jump = _jump(coin, shocks[JUMP_SIZE])
    taken_back = coin[REVERSAL] * states[TREND_STATE, 0] * _HOUR_DAYS + coin[BOUNCE] * last_diffused
    inside[DEVIATION] = sqrt(variance * share * _HOUR) * shocks[MIX]
    inside[JUMPED] = jump
    diffused: float = inside[DEVIATION] * shocks[SPOT]
    moved = (regime[DRIFT] - 0.5 * variance) * _HOUR + diffused + jump - taken_back
    states[LOG_PRICE, 1] = states[LOG_PRICE, 0] + moved
    scale = sqrt(share) * day_mix * _liveliness(coin, states[NOISE_STATE, 0])
    _move_volatility(states, regime, coin, shocks, scale)
    kick = abs(jump) * (coin[KICK_UP_SHARE] if jump > 0.0 else 1.0)
    states[FAST_STATE, 1] += coin[KICK_FAST] * kick
    states[SLOW_STATE, 1] += coin[KICK_SLOW] * kick
    _move_smile(states, regime, coin, shocks, moved)
    return diffused


@kernel
def _variance(states: Floats, regime: Floats, coin: Floats, loadings: Floats) -> float:
    """What spot realises a year at these *states*, were every hour alike."""
    near, far = loadings
    medium = exp(2.0 * states[SLOW_STATE])
    curve = 1.0 - far + medium * (far - near + exp(2.0 * states[FAST_STATE]) * near)
    level = states[NOISE_STATE] + states[BURST_STATE] - regime[PREMIUM]
    level -= 0.5 * (coin[NOISE_SD] ** 2 + coin[BURST_SD] ** 2)
    variance: float = coin[LONG_VARIANCE] * coin[INDEX_RATIO] ** 2 * curve * exp(level)
    return variance


@kernel
def _move_volatility(
    states: Floats, regime: Floats, coin: Floats, shocks: Floats, scale: float
) -> None:
    """Fast, slow and noise an hour on, from the first column of *states* to the second."""
    spot = shocks[SPOT]
    own = sqrt(1.0 - regime[RHO] * regime[RHO])
    shared = coin[FACTOR_CORRELATION]
    alone = sqrt(1.0 - shared * shared)
    slow_shock = regime[RHO] * spot + own * shocks[SLOW]
    fast_shock = regime[RHO] * spot + own * (shared * shocks[SLOW] + alone * shocks[FAST])
    led = coin[NOISE_LEVERAGE] * spot + coin[NOISE_FAST] * fast_shock
    free = sqrt(max(0.0, 1.0 - coin[NOISE_LEVERAGE] ** 2 - coin[NOISE_FAST] ** 2))
    states[FAST_STATE, 1] = _reverted(
        states[FAST_STATE, 0], 0.0, regime[FAST_KEEP_DAYS], regime[FAST_SD] * scale * fast_shock
    )
    states[SLOW_STATE, 1] = _reverted(
        states[SLOW_STATE, 0],
        regime[SLOW_MEAN],
        coin[SLOW_DAYS],
        regime[SLOW_SD] * scale * slow_shock,
    )
    states[BURST_STATE, 1] = _reverted(
        states[BURST_STATE, 0], 0.0, coin[BURST_DAYS], coin[BURST_SD] * shocks[BURST]
    )
    states[NOISE_STATE, 1] = _reverted(
        states[NOISE_STATE, 0],
        0.0,
        coin[NOISE_DAYS],
        coin[NOISE_SD] * (led + free * shocks[NOISE]),
    )


@kernel
def _move_smile(states: Floats, regime: Floats, coin: Floats, shocks: Floats, moved: float) -> None:
    """Trend, skew and bend an hour on, as above; *moved* is the hour's log return."""
    keep = exp(-_HOUR_DAYS / coin[TREND_DAYS])
    states[TREND_STATE, 1] = keep * states[TREND_STATE, 0] + moved
    states[SKEW_STATE, 1] = _reverted(
        states[SKEW_STATE, 0],
        regime[SKEW_MEAN],
        regime[SKEW_DAYS],
        coin[SKEW_SD] * shocks[SKEW],
    )
    states[BEND_STATE, 1] = _reverted(
        states[BEND_STATE, 0], 0.0, coin[BEND_DAYS], coin[BEND_SD] * shocks[BEND]
    )


@kernel
def _liveliness(coin: Floats, noise: float) -> float:
    """What scales moves of volatility while spot moves more than implied; of mean square 1."""
    link = coin[VOL_LINK]
    return exp(0.5 * link * noise - 0.25 * (link * coin[NOISE_SD]) ** 2)


@kernel
def _reverted(value: float, mean: float, days: float, shock: float) -> float:
    """An hour of reversion to *mean*; *shock* in stationary deviations times their size."""
    keep = exp(-_HOUR_DAYS / days)
    return mean + keep * (value - mean) + sqrt(1.0 - keep * keep) * shock


@kernel
def _loading(days: float) -> float:
    """The mean of exp(-u / days) over the thirty days of the index."""
    return days / _INDEX_DAYS * (1.0 - exp(-_INDEX_DAYS / days))


@kernel
def _next_regime(transitions: Floats, regime: int, uniform: float) -> int:
    """Another regime by its row, the present one left out."""
    away = 1.0 - transitions[regime, regime]
    passed = 0.0
    last = regime
    for other in range(transitions.shape[0]):
        if other != regime and transitions[regime, other] > 0.0:
            last = other
            passed += transitions[regime, other] / away
            if uniform < passed:
                return other
    return last


@kernel
def _dwell(regime: Floats, uniform: float) -> float:
    """Days in a regime: Weibull with its scale and shape, one at least."""
    days: float = max(
        1.0, regime[DWELL_DAYS] * (-log(1.0 - uniform)) ** (1.0 / regime[DWELL_SHAPE])
    )
    return days


@kernel
def _jump(coin: Floats, uniform: float) -> float:
    """A log return: exponential on either side, by one uniform."""
    down = coin[JUMP_DOWN_SHARE]
    if uniform < down:
        fall: float = coin[JUMP_DOWN] * log(max(uniform, 1e-12) / down)
        return fall
    rise: float = -coin[JUMP_UP] * log(max(1.0 - uniform, 1e-12) / (1.0 - down))
    return rise
