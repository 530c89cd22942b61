"""Scores: how good a candidate is, each a column; higher is better."""

from collections.abc import Callable, Mapping
from math import inf

import numpy as np
from attrs import field, frozen

from core.pricing.black76 import premium_coin
from core.selectors.features import Features
from ports.checks import not_negative
from ports.columns import Floats
from ports.decision_log import MarketContext
from ports.instruments import ContractRules

_SHORT_CALL_MARGIN = 0.15  # of the coin at the money, falling to the floor as it moves out
_SHORT_CALL_MARGIN_FLOOR = 0.10


@frozen(kw_only=True)
class ScoreParams:
    """What the target-seeking scores aim at: delta, days to expiry, least IV over RV."""

    target_delta: float = field(default=0.25, validator=not_negative)
    target_dte: float = field(default=7.0, validator=not_negative)
    ivrv_min: float = field(default=1.0, validator=not_negative)


Score = Callable[[Features, ScoreParams, MarketContext, ContractRules], Floats]


def carry(
    calls: Features, _want: ScoreParams, _context: MarketContext, rules: ContractRules
) -> Floats:
    """
    Expected coin per coin of margin and year: the bid less the fee and less what the call is
    worth at realised volatility, over the initial margin, cut by the spread as a share of mid.
    """
    chain = calls.calls
    tenor = calls.dte / 365.0
    rv = np.full(len(calls), calls.rv)
    worth = premium_coin(chain.forward, chain.strike, tenor, rv, chain.is_call)
    fee = np.minimum(rules.trade_fee_coin, rules.fee_cap * chain.bid)
    out_of_the_money = np.maximum(chain.strike / chain.forward - 1.0, 0.0)
    margin = (
        np.maximum(_SHORT_CALL_MARGIN - out_of_the_money, _SHORT_CALL_MARGIN_FLOOR) + chain.mark
    )
    edge = chain.bid - fee - worth
    haircut = 1.0 - np.sign(edge) * calls.spread_pct / 100.0
    return edge / margin / tenor * haircut


def live(
    calls: Features, want: ScoreParams, _context: MarketContext, _rules: ContractRules
) -> Floats:
    """Logarithm of the premium in USD, less the squared misses of delta and dte, plus rich IV."""
    return (
        np.log1p(np.maximum(calls.premium_usd, 0.0))
        - 5.0 * (calls.delta - want.target_delta) ** 2
        - 2.0 * ((calls.dte - want.target_dte) / max(want.target_dte, 1.0)) ** 2
        + np.maximum(calls.ivrv - want.ivrv_min, 0.0)
    )


def backtest(
    calls: Features, want: ScoreParams, context: MarketContext, _rules: ContractRules
) -> Floats:
    """Points for rich IV, delta and dte near target and premium, less penalties by regime."""
    premium_pct = 100.0 * calls.premium_usd / calls.index_usd
    points = (
        3.0 * (np.clip(calls.ivrv, 1.0, 1.5) - 1.0) / 0.5
        + 2.0 * np.maximum(0.0, 1.0 - np.abs(calls.delta - want.target_delta) / 0.10)
        + 1.5 * np.maximum(0.0, 1.0 - np.abs(calls.dte - want.target_dte) / 2.0)
        + 2.0 * np.clip(premium_pct, 0.0, 1.5) / 1.5
    )
    otm_pct = 100.0 * (calls.calls.strike / calls.index_usd - 1.0)
    near = (context.regime == "bull") & (otm_pct < 5.0)
    return np.clip(points - 1.0 * near - _penalty(context), 0.0, 10.0)


def training(
    calls: Features, want: ScoreParams, _context: MarketContext, _rules: ContractRules
) -> Floats:
    """Premium in hundreds of USD, less ten times the miss of delta, plus rich IV."""
    points = training_points(calls.premium_usd, calls.delta, calls.ivrv, want.target_delta)
    return np.asarray(points)


def training_points(
    premium_usd: "Floats | float",
    delta: "Floats | float",
    ivrv: "Floats | float",
    target_delta: float,
) -> "Floats | float":
    """The score `training` of one call or of a column of them."""
    return premium_usd / 100.0 - 10.0 * np.abs(delta - target_delta) + 5.0 * (ivrv - 1.0)


SCORES: Mapping[str, Score] = {
    "carry": carry,
    "live": live,
    "backtest": backtest,
    "training": training,
}


def _penalty(context: MarketContext) -> float:
    """Half a point for each thing in the context that speaks against selling calls now."""
    against = (
        context.regime == "bull" and _is_within(context.return_30d_pct, 25.0, inf),
        context.regime == "bear" and _is_within(context.return_7d_pct, -inf, -10.0),
        _is_within(context.realized_vol_7d, 0.0, 0.3),
        _is_within(context.pct_from_200d_ma, -inf, -20.0),
        _is_within(context.pct_from_200d_ma, 20.0, inf),
    )
    return 0.5 * sum(against)


def _is_within(figure: float | None, low: float, high: float) -> bool:
    """Whether *figure* is known and strictly between *low* and *high*."""
    return figure is not None and low < figure < high
