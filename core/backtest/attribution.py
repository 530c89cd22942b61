"""Where the change of equity came from: delta, gamma, vega, theta, costs, and what is left."""

import numpy as np
from attrs import frozen

from core.backtest.metrics_columns import DAY_MS, Figures, TradeColumns
from core.backtest.names import Numeraire
from ports.backtest_runs import EquityCurve
from ports.columns import Bools, Floats, Ints, float_column

_POINTS = 100.0  # vol points in 1.00 of iv


@frozen(eq=False)
class Attribution:
    """
    The change of equity from each mark to the next, in one numeraire; columns (n - 1,).

    total = coin + delta + gamma + vega + theta + costs + residual. Greeks are those of the mark
    that a step begins at; what is not known of a step is in its residual.
    """

    total: Floats
    coin: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    costs: Floats

    @property
    def residual(self) -> Floats:
        """What the other columns do not explain."""
        parts = self.coin + self.delta + self.gamma + self.vega + self.theta + self.costs
        return float_column(self.total - parts)


def attribution_of(trades: TradeColumns, curve: EquityCurve, numeraire: Numeraire) -> Attribution:
    """
    Return the attribution of *curve*, whose rows stand behind the trades of their instant.

    In USD, with S the index and V the marked options:

        cash dS + delta dS + gamma dS^2 / 2 + vega dIV + theta dt + costs + residual

    In coin each is divided by S at the end of the step, net delta stands for delta, and the
    coin held is the measure itself. Source: the terms of a Taylor series of V.
    """
    is_coin = numeraire is Numeraire.COIN
    rate = np.ones(len(curve.at_ms)) if is_coin else curve.index_usd
    move = np.diff(curve.index_usd)
    per_usd = 1.0 / curve.index_usd[1:] if is_coin else np.ones(len(move))
    delta = curve.net_delta if is_coin else curve.delta
    points = _POINTS * np.diff(curve.mark_iv)
    is_same = ~_traded(trades, curve.at_ms)
    days = np.diff(curve.at_ms) / DAY_MS
    return Attribution(
        total=np.diff(curve.equity_coin * rate),
        coin=np.zeros(len(move)) if is_coin else curve.cash_coin[:-1] * move,
        delta=_known(delta[:-1] * move * per_usd),
        gamma=_known(0.5 * curve.gamma[:-1] * move**2 * per_usd),
        vega=_known(np.where(is_same, curve.vega[:-1] * points * per_usd, 0.0)),
        theta=_known(curve.theta[:-1] * days * per_usd),
        costs=-costs_by_step(trades, curve.at_ms, numeraire),
    )


def costs_by_step(trades: TradeColumns, at_ms: Ints, numeraire: Numeraire) -> Floats:
    """
    Fees and slippage paid between each mark of *at_ms* (n,) and the next, (n - 1,).

    The fees of a trade that was bought back or delivered are paid half at the sale and half at
    the end, others at the sale; slippage without a mark to measure it is left out.
    """
    fees = trades.fees(numeraire)
    late = np.where(trades.is_bought_back | trades.is_assigned, 0.5, 0.0) * fees
    steps = np.zeros(max(len(at_ms) - 1, 0))
    entry = fees - late + _known(trades.entry_slippage(numeraire))
    _add(steps, _steps(at_ms, trades.opened_ms), entry)
    _add(steps, _steps(at_ms, trades.closed_ms), late + _known(trades.exit_slippage(numeraire)))
    return steps


def attribution_figures(found: Attribution) -> Figures:
    """Return the sums of *found*, and theta by its sign, by base key."""
    theta = found.theta
    return {
        "attribution_coin": float(found.coin.sum()),
        "attribution_delta": float(found.delta.sum()),
        "attribution_gamma": float(found.gamma.sum()),
        "attribution_vega": float(found.vega.sum()),
        "attribution_theta": float(theta.sum()),
        "attribution_costs": float(found.costs.sum()),
        "attribution_residual": float(found.residual.sum()),
        "attribution_total": float(found.total.sum()),
        "theta_earned": float(theta[theta > 0.0].sum()),
        "theta_paid": float(np.abs(theta[theta < 0.0]).sum()),
    }


def _traded(trades: TradeColumns, at_ms: Ints) -> Bools:
    """Whether a trade began or ended within each step (n - 1,)."""
    counts = np.zeros(max(len(at_ms) - 1, 0))
    for instants in (trades.opened_ms, trades.closed_ms):
        _add(counts, _steps(at_ms, instants), np.ones(len(instants)))
    return np.asarray(counts > 0.0)


def _steps(at_ms: Ints, instants: Ints) -> Ints:
    """The step that each of *instants* falls in, the end included; -1 or n - 1 is outside."""
    return np.searchsorted(at_ms, instants, side="left") - 1


def _add(steps: Floats, rows: Ints, values: Floats) -> None:
    inside = (rows >= 0) & (rows < len(steps))
    np.add.at(steps, rows[inside], values[inside])


def _known(values: Floats) -> Floats:
    """*values* with zero for what is not known: the residual takes it up."""
    return np.where(np.isfinite(values), values, 0.0)
