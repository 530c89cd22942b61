"""The strategy against coin held with the same delta, and its regression on the coin."""

from math import erfc, sqrt

import numpy as np
from attrs import frozen

from core.backtest.metrics_columns import (
    DAYS_A_YEAR,
    Figures,
    changes,
    closing_rows,
    days_of,
    known,
    mean,
)
from core.backtest.names import Numeraire
from ports.backtest_runs import EquityCurve
from ports.columns import Floats, Ints

_LEAST_RETURNS = 8  # of a regression: fewer have no error to speak of


@frozen(eq=False)
class DailyReturns:
    """
    Returns from one daily close to the next, columns (n,).

    *exposure* is (equity + net delta) / equity at the close before: what the account gains, of
    itself, when the coin gains. Days whose value or delta is not known are left out.
    """

    from_ms: int  # when the first return begins; 0 without returns
    at_ms: Ints  # the close that each return ends at
    coin_usd: Floats
    strategy_coin: Floats
    strategy_usd: Floats
    exposure: Floats

    @classmethod
    def of(cls, curve: EquityCurve) -> "DailyReturns":
        """Return those of *curve*."""
        equity = curve.equity_coin
        usable = np.isfinite(equity) & np.isfinite(curve.net_delta) & (equity > 0.0)
        at_ms, equity, index = curve.at_ms[usable], equity[usable], curve.index_usd[usable]
        rows = closing_rows(at_ms, days_of(at_ms))
        held = equity[rows]
        return cls(
            from_ms=int(at_ms[0]) if len(rows) else 0,
            at_ms=at_ms[rows][1:],
            coin_usd=changes(index[rows]),
            strategy_coin=changes(held),
            strategy_usd=changes(held * index[rows]),
            exposure=(1.0 + curve.net_delta[usable][rows] / held)[:-1],
        )

    def __len__(self) -> int:
        return len(self.at_ms)

    def strategy(self, numeraire: Numeraire) -> Floats:
        """Returns of the whole account (n,)."""
        return self.strategy_coin if numeraire is Numeraire.COIN else self.strategy_usd

    def benchmark(self, numeraire: Numeraire) -> Floats:
        """Returns of coin and USD with the exposure of the strategy, set anew each day (n,)."""
        return _mixed(self.coin_usd, self.exposure, numeraire)

    def average_benchmark(self, numeraire: Numeraire) -> Floats:
        """The same with the mean exposure all the time (n,)."""
        return _mixed(self.coin_usd, np.full(len(self), np.mean(self.exposure)), numeraire)

    def alpha(self, numeraire: Numeraire) -> Floats:
        """Returns of the strategy less those of the benchmark (n,)."""
        return self.strategy(numeraire) - self.benchmark(numeraire)


@frozen
class Regression:
    """y = alpha + beta x + noise, with Newey-West standard errors over *lag* rows."""

    alpha: float
    beta: float
    alpha_error: float
    beta_error: float
    lag: int

    @property
    def alpha_p(self) -> float:
        """The two-sided p-value of an alpha of zero, normal."""
        return _two_sided(self.alpha, self.alpha_error)


def regression(y: Floats, x: Floats) -> Regression | None:
    """
    Return the regression of *y* on *x* (n,) by least squares; None of too few or constant rows.

    Covariance (X'X)^-1 S (X'X)^-1, S the Bartlett-weighted sums of products of scores up to lag
    4 (n / 100)^(2/9), without a correction for small samples. Source: Newey and West (1987, 1994).
    """
    if len(y) < _LEAST_RETURNS or not np.ptp(x) > 0.0:
        return None
    rows = np.column_stack([np.ones(len(x)), x])
    inverse = np.linalg.inv(rows.T @ rows)
    alpha, beta = (inverse @ rows.T @ y).tolist()
    lag = newey_west_lag(len(y))
    scores = rows * (y - rows @ np.array([alpha, beta]))[:, None]
    covariance = inverse @ _long_run_sum(scores, lag) @ inverse
    alpha_error, beta_error = np.sqrt(np.maximum(np.diag(covariance), 0.0)).tolist()
    return Regression(alpha, beta, alpha_error, beta_error, lag)


def mean_p(values: Floats) -> float | None:
    """The two-sided p-value that the mean of *values* (n,) is zero, Newey-West, normal."""
    if len(values) < _LEAST_RETURNS or not np.ptp(values) > 0.0:
        return None
    centred = (values - np.mean(values))[:, None]
    total = float(_long_run_sum(centred, newey_west_lag(len(values)))[0, 0])
    return _two_sided(float(np.mean(values)), sqrt(max(total, 0.0)) / len(values))


def newey_west_lag(count: int) -> int:
    """The lag that suits *count* rows."""
    return min(int(4.0 * np.power(count / 100.0, 2.0 / 9.0)), count - 1)


def benchmark_figures(daily: DailyReturns, risk_free_rate: float, numeraire: Numeraire) -> Figures:
    """Return benchmark, alpha and regression in *numeraire*, percent a year, by base key."""
    if not len(daily):
        return {}
    free = risk_free_rate / DAYS_A_YEAR
    year_pct = 100.0 * DAYS_A_YEAR
    own = daily.strategy(numeraire)
    found = regression(own - free, daily.coin_usd - free)
    average = daily.average_benchmark(numeraire)
    benchmark = daily.benchmark(numeraire)
    figures: Figures = {
        "benchmark_return_pct": known(100.0 * (float(np.prod(1.0 + benchmark)) - 1.0)),
        "alpha_pct": known(year_pct * float(np.mean(own - benchmark))),
        "alpha_average_pct": known(year_pct * float(np.mean(own - average))),
    }
    if found is not None:
        figures |= {
            "regression_alpha_pct": year_pct * found.alpha,
            "regression_alpha_error": year_pct * found.alpha_error,
            "regression_alpha_p": found.alpha_p,
            "regression_beta": found.beta,
            "regression_beta_error": found.beta_error,
        }
    return figures


def exposure_figures(daily: DailyReturns) -> Figures:
    """Return the average exposure."""
    return {"avg_exposure": mean(daily.exposure)}


def _mixed(coin_usd: Floats, exposure: Floats, numeraire: Numeraire) -> Floats:
    """Returns of *exposure* in coin and the rest in USD, which earns nothing."""
    in_usd = exposure * coin_usd
    return in_usd if numeraire is Numeraire.USD else (1.0 + in_usd) / (1.0 + coin_usd) - 1.0


def _long_run_sum(scores: Floats, lag: int) -> Floats:
    """Sum of products of *scores* (n, k) with those up to *lag* rows before, weights falling."""
    total: Floats = scores.T @ scores
    for back in range(1, lag + 1):
        product = scores[back:].T @ scores[:-back]
        total = total + (1.0 - back / (lag + 1)) * (product + product.T)
    return total


def _two_sided(value: float, error: float) -> float:
    return erfc(abs(value) / error / sqrt(2.0)) if error > 0.0 else float(value == 0.0)
