"""Run-ups and drawdowns of a marked account: the greatest, and those that were completed."""

import numpy as np
from attrs import frozen

from core.backtest.metrics_columns import DAY_MS, Account, Figures, mean
from ports.columns import Bools, Floats, Ints


@frozen(eq=False)
class Phases:
    """Completed phases, columns (n,): how much, and how many calendar days."""

    size: Floats
    days: Floats


def drawdowns(at_ms: Ints, equity: Floats) -> Phases:
    """Those from a peak to its recovery; one that the series ends in is not completed."""
    under = _under_water(equity)
    is_done = under.behind < len(equity)
    first, behind = under.first[is_done], under.behind[is_done]
    lows = np.array([equity[a:b].min() for a, b in zip(first, behind, strict=True)])
    return Phases(equity[first - 1] - lows, (at_ms[behind] - at_ms[first - 1]) / DAY_MS)


def run_ups(at_ms: Ints, equity: Floats) -> Phases:
    """Those from a local minimum to the new peak it led to, once equity has turned from that."""
    under = _under_water(equity)
    peaks = under.first - 1  # a stretch under water begins behind a peak
    before = [(0, 1)] if len(peaks) else []  # the first peak is reached from the first mark
    before += list(zip(under.first[:-1], under.behind[:-1], strict=True))
    troughs = np.array([a + int(np.argmin(equity[a:b])) for a, b in before], dtype=np.int64)
    size = equity[peaks] - equity[troughs]
    rose = size > 0.0
    return Phases(size[rose], ((at_ms[peaks] - at_ms[troughs]) / DAY_MS)[rose])


def max_drawdown(high: Floats, low: Floats) -> float:
    """The greatest of the best so far, in earlier bars, less the worst of a bar; not below 0."""
    return float(np.max(np.maximum.accumulate(high)[:-1] - low[1:], initial=0.0))


def drawdown_shares(equity: Floats) -> Floats:
    """(peak - equity) / peak at every mark (n,)."""
    peak = np.maximum.accumulate(equity)
    shares: Floats = (peak - equity) / peak
    return shares


def under_water_days(at_ms: Ints, equity: Floats) -> float:
    """The longest stretch in days from a peak to its recovery, or to the end."""
    under = _under_water(equity)
    back = np.minimum(under.behind, len(equity) - 1)
    return float(np.max((at_ms[back] - at_ms[under.first - 1]) / DAY_MS, initial=0.0))


def phase_figures(account: Account) -> Figures:
    """Return TradingView's run-ups and drawdowns, by base key."""
    if not len(account.equity):
        return {}
    downs = drawdowns(account.at_ms, account.equity)
    ups = run_ups(account.at_ms, account.equity)
    return {
        "avg_run_up_days": mean(ups.days),
        "avg_run_up": mean(ups.size),
        "max_run_up": max_drawdown(-account.equity, -account.equity),
        "max_run_up_intrabar": max_drawdown(-account.low, -account.high),
        "avg_drawdown_days": mean(downs.days),
        "avg_drawdown": mean(downs.size),
        "max_drawdown": max_drawdown(account.equity, account.equity),
        "max_drawdown_intrabar": max_drawdown(account.high, account.low),
    }


@frozen(eq=False)
class _Stretches:
    """Rows (n,): the first of each stretch, and the first behind it."""

    first: Ints
    behind: Ints


def _under_water(equity: Floats) -> _Stretches:
    """The stretches below the peak so far."""
    is_under: Bools = equity < np.maximum.accumulate(equity)
    edges = np.diff(np.concatenate([[False], is_under, [False]]).astype(np.int8))
    return _Stretches(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1))
