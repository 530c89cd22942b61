"""RiskLimits: every figure the pre-trade controls compare with, and how controls change them."""

from collections.abc import Mapping
from datetime import timedelta
from math import floor, isfinite

from attrs import evolve, field, frozen

from ports.checks import not_negative, positive
from ports.controls import RuntimeControls
from ports.instruments import ContractRules

_ROUNDED = 1e-12  # of a figure: above float rounding, below anything a venue or person writes


@frozen(kw_only=True)
class RiskLimits:
    """
    The limits in force; sizes in contracts, by underlying where coins differ.

    Percentages are percent: 80.0 is 80 %. A drawdown limit of zero is off. *only_calls_open* is
    false in backtests of structures alone: no setting says so.
    """

    order_size: Mapping[str, float]  # largest order
    max_expiry_exposure: float = field(validator=positive)  # short contracts per coin and expiry
    max_calls_per_underlying: int
    max_open_positions: int = 10
    max_order_notional_usd: float = field(default=100_000.0, validator=positive)
    max_margin_used_pct: float = 80.0
    max_net_delta_abs: float = 5.0
    price_collar_pct: float = field(default=20.0, validator=not_negative)
    price_collar_ticks: int = 4
    price_collar_ask_pct: float = field(default=10.0, validator=not_negative)
    quote_age: timedelta = timedelta(seconds=30)
    index_age: timedelta = timedelta(seconds=30)
    account_age: timedelta = timedelta(seconds=60)
    iv_min: float = field(default=0.01, validator=not_negative)
    iv_max: float = field(default=5.0, validator=positive)
    max_spread_pct: float = 5.0
    min_open_interest: float = 50.0
    unknown_liquidity_blocks: bool = True
    only_calls_open: bool = True
    before_expiry: timedelta = timedelta(minutes=60)
    duplicate_window: timedelta = timedelta(seconds=60)
    requests_per_s: float = field(default=2.0, validator=positive)
    request_burst: int = 5
    max_opens_per_10_min: int = 10
    max_opens_per_day: int = 50
    max_fills_per_10_min: int = 5
    max_rejections_per_10_min: int = 5
    daily_drawdown_limit_pct: float = 0.0
    reconciliation_age: timedelta = timedelta(minutes=10)
    unknown_age: timedelta = timedelta(seconds=60)
    clock_skew: timedelta = timedelta(seconds=5)


def within(figure: float, limit: float) -> bool:
    """
    Whether *figure* is at most *limit*; it is not where either is missing, NaN or infinite.

    Figures that float rounding alone holds apart are equal.
    """
    known = isfinite(figure) and isfinite(limit)
    return known and figure <= limit + _ROUNDED * abs(limit)


def lots_within(limit: float, rules: ContractRules) -> int:
    """
    The most lots that are at most *limit* contracts.

    Raises:
        ArithmeticError: *limit* is infinite.

        ValueError: *limit* is NaN.
    """
    return floor(limit / rules.amount_step * (1 + _ROUNDED))


def in_force(limits: RiskLimits, controls: RuntimeControls) -> RiskLimits:
    """*limits* with what a person has set while running."""

    def either(control: float | None, limit: float) -> float:
        return limit if control is None else control

    return evolve(
        limits,
        max_margin_used_pct=either(controls.max_margin_used_pct, limits.max_margin_used_pct),
        max_net_delta_abs=either(controls.max_net_delta_abs, limits.max_net_delta_abs),
        max_spread_pct=either(controls.liquidity_max_spread_pct, limits.max_spread_pct),
        min_open_interest=either(controls.liquidity_min_open_interest, limits.min_open_interest),
        daily_drawdown_limit_pct=either(
            controls.daily_drawdown_limit_pct, limits.daily_drawdown_limit_pct
        ),
    )
