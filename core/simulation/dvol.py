"""The volatility index that an invented or recorded chain implies."""

from math import nan, sqrt

import numpy as np

from ports.checks import epoch_ms
from ports.columns import Bools
from ports.market_data import MarketSnapshot

_MS_PER_DAY = 86_400_000
_TARGET_DAYS = 30.0


def dvol_percent(snapshot: MarketSnapshot) -> float:
    """
    Return the volatility expected over thirty days, in percent; NaN where the chain says nothing.

    Of each expiry beside thirty days the fair variance of a swap on the marks,

        w = 2 Σ ΔK/K² Q(K) - (F/K0 - 1)²        K0 the highest strike not above F,

    Q(K) the out-of-the-money mark in USD; total variance is linear in time between the two. The
    venue's own weights and smoothing are not published: this follows its daily close, 2 to 3
    points above it.

    Source: Cboe, VIX white paper (2019), the formula for one expiry, undiscounted.
    """
    chain = snapshot.chain
    now_ms = epoch_ms(snapshot.taken_at)
    days, variance = [], []
    for expiry_ms in np.unique(chain.expiry_ms).tolist():
        left = (expiry_ms - now_ms) / _MS_PER_DAY
        total = _swap_variance(snapshot, chain.expiry_ms == expiry_ms)
        if left > 1.0 and np.isfinite(total):
            days.append(left)
            variance.append(total)
    if not days:
        return nan
    near = max([row for row, left in enumerate(days) if left <= _TARGET_DAYS], default=0)
    far = min(near + 1, len(days) - 1)
    if near == far or days[near] > _TARGET_DAYS:
        return 100.0 * sqrt(variance[near] * 365.0 / days[near])
    share = (_TARGET_DAYS - days[near]) / (days[far] - days[near])
    total = variance[near] + share * (variance[far] - variance[near])
    return 100.0 * sqrt(max(total, 0.0) * 365.0 / _TARGET_DAYS)


def _swap_variance(snapshot: MarketSnapshot, rows: Bools) -> float:
    """The total variance of one expiry; NaN with fewer than three strikes marked."""
    chain = snapshot.chain
    use = rows & np.isfinite(chain.mark) & np.isfinite(chain.forward)
    if not use.any():
        return nan
    forward = float(chain.forward[use][0])
    is_out = use & (chain.is_call == (chain.strike > forward))
    strikes, at = np.unique(chain.strike[is_out], return_index=True)
    if len(strikes) < 3 or not (strikes <= forward).any():
        return nan
    premium_usd = chain.mark[is_out][at] * forward
    pivot = float(strikes[strikes <= forward].max())
    steps = np.gradient(strikes)
    total = 2.0 * float(np.sum(steps / strikes**2 * premium_usd))
    return total - (forward / pivot - 1.0) ** 2
