"""One rule on an invented past and on a recorded one: may the invented one be believed?"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from attrs import evolve, field, frozen

from core.backtest.metrics_columns import DAY_MS
from core.pricing.black76 import premium_coin
from core.stats.bootstrap import Interval, intervals
from ports.backtest_runs import BacktestTrade, EquityCurve, StyleResult
from ports.checks import positive
from ports.columns import Floats, float_column

_WEEK_MS = 7 * DAY_MS
_BP = 1e4
_LEAST_WEEKS = 8  # that an interval needs
_KEPT_SCORE = 0.5  # a mean score below it is not believed


class Verdict(StrEnum):
    """Whether results on the invented market may stand for results on the recorded one."""

    TRUSTED = "TRUSTED"
    WARNING = "WARNING"
    UNTRUSTED = "UNTRUSTED"


@frozen(kw_only=True)
class Tolerances:
    """How far the figures of both may be apart: points of percent, and a ratio."""

    net_profit_points: float = field(default=5.0, validator=positive)
    drawdown_points: float = field(default=5.0, validator=positive)
    win_rate_points: float = field(default=10.0, validator=positive)
    profit_factor: float = field(default=0.3, validator=positive)
    least_trades: int = 5  # of either side
    least_window: float = field(default=3.0, validator=positive)  # times the target days


@frozen(kw_only=True)
class MetricParity:
    """One figure of both sides; None is undefined there."""

    name: str
    recorded: float | None
    invented: float | None
    tolerance: float

    @property
    def score(self) -> float:
        """One within the tolerance, falling to none at twice of it, or where one is undefined."""
        if self.recorded is None or self.invented is None:
            return 1.0 if self.recorded is self.invented else 0.0
        excess = abs(self.invented - self.recorded) / self.tolerance
        return min(1.0, max(0.0, 2.0 - excess))


@frozen(eq=False)
class Entries:
    """What was sold, columns (n,): moneyness strike / forward, tenor in years, volatilities."""

    moneyness: Floats = field(converter=float_column)
    tenor: Floats = field(converter=float_column)
    iv: Floats = field(converter=float_column)
    atm_iv: Floats = field(converter=float_column)  # of the same expiry, at the money


@frozen(kw_only=True)
class Gap:
    """
    Mean profit of a trade, invented less recorded, in basis points of notional, by cause.

    *level* and *smile* are what the recorded calls would have brought more at the invented
    level, and then also at the invented smile; *rest* is the path of the coin, fills and fees.
    """

    total_bp: float
    level_bp: float
    smile_bp: float

    @property
    def rest_bp(self) -> float:
        """What neither level nor smile explain."""
        return self.total_bp - self.level_bp - self.smile_bp


@frozen(kw_only=True)
class PairReport:
    """Both sides held against each other; an interval is None where weeks are too few."""

    recorded_trades: int
    invented_trades: int
    metrics: tuple[MetricParity, ...]
    weeks: int
    weekly_bp: Interval | None  # invented less recorded, of notional a week
    gap: Gap | None
    failure: str = ""  # why nothing can be said: a side that never traded
    warnings: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """The mean score of the figures."""
        return float(np.mean([each.score for each in self.metrics]))

    @property
    def verdict(self) -> Verdict:
        """Trusted where every figure is within its tolerance and enough was traded."""
        if self.failure or self.score < _KEPT_SCORE:
            return Verdict.UNTRUSTED
        if self.warnings or self.score < 1.0:
            return Verdict.WARNING
        return Verdict.TRUSTED


@frozen(kw_only=True, eq=False)
class Side:
    """What one market made of the rule, and what the calls sold there were like."""

    result: StyleResult
    entries: Entries


def paired(
    recorded: Side,
    invented: Side,
    notional_coin: float,
    rng: np.random.Generator,
    tolerances: Tolerances,
) -> PairReport:
    """Return how *invented* compares with *recorded*; a week's profit is of *notional_coin*."""
    counts = [len(side.result.trades) for side in (recorded, invented)]
    weeks = [weekly_bp(side.result.equity, notional_coin) for side in (recorded, invented)]
    length = min(len(each) for each in weeks)
    found = PairReport(
        recorded_trades=counts[0],
        invented_trades=counts[1],
        metrics=tuple(_metrics(recorded.result, invented.result, tolerances)),
        weeks=length,
        weekly_bp=_difference(weeks[0][:length], weeks[1][:length], rng),
        gap=_gap(recorded, invented) if all(counts) else None,
    )
    if not all(counts):
        names = [name for name, count in zip(_SIDES, counts, strict=True) if not count]
        return evolve(found, failure=f"no trade on the {' and the '.join(names)} market")
    few = [
        f"{count} trades on the {name} market, {tolerances.least_trades} are wanted"
        for name, count in zip(_SIDES, counts, strict=True)
        if count < tolerances.least_trades
    ]
    return evolve(found, warnings=tuple(few))


def weekly_bp(equity: EquityCurve, notional_coin: float) -> Floats:
    """The gain of each full week, coin, in basis points of *notional_coin*, (w,)."""
    at_ms = equity.at_ms
    if not len(at_ms):
        return np.zeros(0)
    edges = np.arange(at_ms[0], at_ms[-1] + 1, _WEEK_MS)
    rows = np.searchsorted(at_ms, edges, side="right") - 1
    return np.asarray(_BP * np.diff(equity.equity_coin[rows]) / notional_coin)


_SIDES = ("recorded", "invented")


def _metrics(
    recorded: StyleResult, invented: StyleResult, tolerances: Tolerances
) -> list[MetricParity]:
    rows = (
        ("net profit, %", "return_on_capital_coin", tolerances.net_profit_points),
        ("max drawdown, %", "max_drawdown_pct_coin", tolerances.drawdown_points),
        ("percent profitable", "percent_profitable_coin", tolerances.win_rate_points),
        ("profit factor", "profit_factor_coin", tolerances.profit_factor),
    )
    return [
        MetricParity(
            name=name,
            recorded=recorded.metrics.get(key),
            invented=invented.metrics.get(key),
            tolerance=tolerance,
        )
        for name, key, tolerance in rows
    ]


def _difference(recorded: Floats, invented: Floats, rng: np.random.Generator) -> Interval | None:
    if len(recorded) < _LEAST_WEEKS:
        return None
    (found,) = intervals(
        np.stack([recorded, invented]),
        lambda series: (series[1].mean(axis=-1) - series[0].mean(axis=-1))[:, None],
        rng,
    )
    return found


def _gap(recorded: Side, invented: Side) -> Gap:
    sold, other = recorded.entries, invented.entries
    level = float(np.nanmean(other.atm_iv) / np.nanmean(sold.atm_iv))
    smile = float(np.nanmean(other.iv / other.atm_iv) / np.nanmean(sold.iv / sold.atm_iv))
    told, levelled, shaped = (_premium(sold, by) for by in (1.0, level, level * smile))
    total = _mean_pnl(invented.result.trades) - _mean_pnl(recorded.result.trades)
    return Gap(
        total_bp=_BP * total,
        level_bp=_BP * float(np.nanmean(levelled - told)),
        smile_bp=_BP * float(np.nanmean(shaped - levelled)),
    )


def _premium(sold: Entries, by: float) -> Floats:
    """What the calls *sold* are worth at volatilities *by* times theirs, coin, (n,)."""
    forward, is_call = np.ones(len(sold.iv)), np.ones(len(sold.iv), dtype=np.bool_)
    return np.asarray(premium_coin(forward, sold.moneyness, sold.tenor, by * sold.iv, is_call))


def _mean_pnl(trades: Sequence[BacktestTrade]) -> float:
    return float(np.mean([trade.pnl_coin / trade.amount for trade in trades]))
