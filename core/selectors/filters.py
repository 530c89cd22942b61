"""Named rules, each a mask over the calls: why a contract is not a candidate."""

from collections.abc import Callable

import numpy as np
from attrs import evolve, field, frozen

from core.selectors.features import Features
from ports.checks import not_negative
from ports.columns import Bools
from ports.controls import RuntimeControls
from ports.decision_log import Skipped


@frozen(kw_only=True)
class FilterParams:
    """What a candidate must be; windows include their ends. Units as in Features."""

    dte_min: float = field(validator=not_negative)
    dte_max: float = field(validator=not_negative)
    delta_min: float = field(validator=not_negative)
    delta_max: float = field(validator=not_negative)
    ivrv_min: float = field(validator=not_negative)
    premium_min_usd: float = field(default=50.0, validator=not_negative)
    max_spread_pct: float = field(default=5.0, validator=not_negative)
    min_open_interest: float = field(default=50.0, validator=not_negative)


def in_force(params: FilterParams, controls: RuntimeControls) -> FilterParams:
    """*params* with what a person has set while running."""
    overlay = {
        "dte_min": controls.dte_min,
        "dte_max": controls.dte_max,
        "delta_min": controls.delta_min,
        "delta_max": controls.delta_max,
        "ivrv_min": controls.ivrv_min,
        "max_spread_pct": controls.liquidity_max_spread_pct,
        "min_open_interest": controls.liquidity_min_open_interest,
    }
    return evolve(params, **{name: value for name, value in overlay.items() if value is not None})


@frozen
class Filter:
    """One rule: *passes* is true where a contract satisfies it; NaN satisfies nothing."""

    code: str
    sentence: str
    passes: Callable[[Features, FilterParams], Bools]


FILTERS = (
    Filter("dte_low", "expires too soon", lambda calls, want: calls.dte >= want.dte_min),
    Filter("dte_high", "expires too late", lambda calls, want: calls.dte <= want.dte_max),
    Filter(
        "not_quoted",
        "has no bid or no ask",
        lambda calls, _: (calls.calls.bid > 0) & (calls.calls.ask > 0),
    ),
    Filter("crossed", "bid is not below ask", lambda calls, _: calls.calls.bid < calls.calls.ask),
    Filter("no_iv", "has no implied volatility", lambda calls, _: calls.calls.mark_iv > 0),
    Filter("delta_low", "delta is too small", lambda calls, want: calls.delta >= want.delta_min),
    Filter("delta_high", "delta is too large", lambda calls, want: calls.delta <= want.delta_max),
    Filter(
        "premium_low",
        "premium is too small",
        lambda calls, want: calls.premium_usd >= want.premium_min_usd,
    ),
    Filter(
        "spread_wide",
        "spread is too wide",
        lambda calls, want: calls.spread_pct <= want.max_spread_pct * (1 + 1e-12),
    ),
    Filter(
        "open_interest_low",
        "open interest is too small",
        lambda calls, want: calls.calls.open_interest >= want.min_open_interest,
    ),
    Filter(
        "rv_unknown",
        "realised volatility is not known yet",
        lambda calls, _: np.full(len(calls), calls.rv > 0),
    ),
    Filter(
        "ivrv_low",
        "implied over realised volatility is too low",
        lambda calls, want: calls.ivrv >= want.ivrv_min,
    ),
)

SENTENCES = {each.code: each.sentence for each in FILTERS} | {
    "already_open": "is held already",
    "no_score": "cannot be scored: a figure is missing",
    "not_best": "another candidate scored higher",
    "position_open": "a call on this coin is open already",
    "order_working": "an order on this coin is still working",
    "too_small": "the coin held does not cover the smallest order",
    "refused": "risk said no",
}


def sift(calls: Features, want: FilterParams) -> tuple[Bools, tuple[Skipped, ...]]:
    """
    The mask of calls that pass every filter, (n,), and the others by the first one they fail.
    """
    passing = np.ones(len(calls), dtype=np.bool_)
    skipped = []
    for rule in FILTERS:
        failing = passing & ~rule.passes(calls, want)
        if failing.any():
            rows = np.flatnonzero(failing)
            symbols = tuple(calls.calls.contract(int(row)).symbol for row in rows)
            skipped.append(Skipped(rule.code, symbols))
        passing &= ~failing
    return passing, tuple(skipped)
