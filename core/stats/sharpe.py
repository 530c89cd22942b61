"""How much of a Sharpe ratio is luck: of its length, of its tails, and of the trials before it."""

from math import e, sqrt
from statistics import NormalDist

import numpy as np
from attrs import field, frozen

from ports.checks import finite, not_negative
from ports.columns import Floats

_NORMAL = NormalDist()
_EULER = 0.5772156649015329
_SAME_TRIAL = 0.5  # correlation from which two trials count as one idea


@frozen(kw_only=True)
class SharpeStats:
    """
    The Sharpe ratio of *count* returns, per period, with the moments its error depends on.

    *kurtosis* is 3 for a normal distribution.
    """

    ratio: float = field(validator=finite)
    count: int
    skew: float = field(default=0.0, validator=finite)
    kurtosis: float = field(default=3.0, validator=not_negative)

    @classmethod
    def of(cls, excess: Floats) -> "SharpeStats":
        """
        Return that of the *excess* returns over cash, (n,).

        Raises:
            ValueError: There are fewer than three, or they do not vary.
        """
        spread = float(np.std(excess, ddof=1)) if len(excess) > 2 else 0.0
        if not spread > 0.0:
            raise ValueError(f"a Sharpe ratio needs returns that vary, had {len(excess)}")
        scaled = (excess - np.mean(excess)) / np.std(excess)
        return cls(
            ratio=float(np.mean(excess)) / spread,
            count=len(excess),
            skew=float(np.mean(scaled**3)),
            kurtosis=float(np.mean(scaled**4)),
        )

    @property
    def error(self) -> float:
        """One standard error of the ratio."""
        return sqrt(self._spread / (self.count - 1))

    @property
    def _spread(self) -> float:
        return 1.0 - self.skew * self.ratio + (self.kurtosis - 1.0) / 4.0 * self.ratio**2


def probabilistic_sharpe(stats: SharpeStats, benchmark: float = 0.0) -> float:
    """
    The probability 0..1 that the true ratio is above *benchmark*, per period.

    Source: Bailey and Lopez de Prado (2012).
    """
    return _NORMAL.cdf((stats.ratio - benchmark) / stats.error)


def deflated_sharpe(stats: SharpeStats, trials: int, trial_spread: float) -> float:
    """
    The probability that the ratio is above what the best of *trials* without skill would show.

    *trial_spread* is the standard deviation of the ratios of all trials, per period. Source:
    Bailey and Lopez de Prado (2014).
    """
    return probabilistic_sharpe(stats, trial_spread * expected_maximum(trials))


def expected_maximum(trials: int) -> float:
    """The expected largest of *trials* standard normal draws; zero for one."""
    if trials < 2:
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * e))
    return (1.0 - _EULER) * first + _EULER * second


def least_track_record(
    stats: SharpeStats, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """
    The periods after which such a ratio is above *benchmark* with *confidence*; infinite if not.

    Source: Bailey and Lopez de Prado (2012).
    """
    if stats.ratio <= benchmark:
        return float("inf")
    wanted = _NORMAL.inv_cdf(confidence)
    return 1.0 + (stats.error**2 * (stats.count - 1)) * (wanted / (stats.ratio - benchmark)) ** 2


def least_backtest_years(trials: int, annual_ratio: float) -> float:
    """
    The years below which the best of *trials* without skill shows *annual_ratio* by luck.

    Source: Bailey, Borwein, Lopez de Prado and Zhu (2014).
    """
    return (expected_maximum(trials) / annual_ratio) ** 2


def independent_trials(returns: Floats) -> int:
    """
    The number of ideas among trials whose *returns* are the columns of (n, m).

    Trials that correlate above one half, or are linked by others that do, are one.
    """
    count = int(returns.shape[1])
    if count < 2:
        return count
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.atleast_2d(np.corrcoef(returns, rowvar=False))
    is_linked = np.asarray(correlation > _SAME_TRIAL)  # NaN, of trials that never vary, is not
    left, ideas = set(range(count)), 0
    while left:
        ideas += 1
        found = {left.pop()}
        while found:
            near = {int(row) for row in np.flatnonzero(is_linked[found.pop()])} & left
            left -= near
            found |= near
    return ideas
