"""Limits on what may be sent and held."""

from pydantic import Field

from apps.settings.kinds import (
    Count,
    CountOrZero,
    NotNegative,
    Percent,
    Positive,
    PositivePercent,
    Section,
)


class RiskSettings(Section):
    """Hard limits of every origin; none is relaxed at run time without an audit line."""

    max_margin_used_pct: PositivePercent = Field(
        80.0,
        description="cap on initial margin over equity after the trade, percent",
    )
    max_net_delta_abs: NotNegative = Field(
        5.0,
        description="cap on the absolute net delta per coin after the trade, coins",
    )
    max_expiry_exposure: Positive = Field(
        0.3,
        description="coins short per coin and expiry, production",
    )
    research_max_expiry_exposure: Positive = Field(
        1.0,
        description="coins short per coin and expiry, research",
    )
    daily_drawdown_limit_pct: Percent = Field(
        0.0,
        description="equity fall from the peak of the UTC day that halts, percent; 0 is off",
    )
    kill_switch_enabled: bool = Field(
        False,
        description="blocks everything that can raise risk",
    )
    liquidity_max_spread_pct: Percent = Field(
        5.0,
        description="widest spread, ask less bid over mid, percent",
    )
    liquidity_min_open_interest: CountOrZero = Field(
        50,
        description="least open interest of the instrument, contracts",
    )
    max_order_notional_usd: Positive = Field(
        100_000.0,
        description="largest order, size times index, USD",
    )
    max_open_chains: Count = Field(
        10,
        description="open positions in all, every coin counted",
    )
    price_collar_pct: PositivePercent = Field(
        20.0,
        description="farthest limit price from the mark, percent of the mark",
    )
    quote_age_limit_sec: Positive = Field(
        30.0,
        description="oldest option quote acted on in research, seconds of venue time",
    )
    quote_age_limit_production_sec: Positive = Field(
        10.0,
        description="oldest option quote acted on in production, seconds of venue time",
    )
    index_age_limit_sec: Positive = Field(
        30.0,
        description="oldest index price acted on, seconds of venue time",
    )
    account_age_limit_sec: Positive = Field(
        60.0,
        description="oldest account reading acted on, seconds of venue time",
    )
    order_requests_per_sec: Positive = Field(
        2.0,
        description="sustained rate of order requests; cancels have a budget of their own",
    )
    order_burst: Count = Field(
        5,
        description="order requests that may go at once after a pause",
    )
    max_opens_per_10_min: Count = Field(
        10,
        description="openings within 10 minutes, all strategies",
    )
    max_opens_per_day: Count = Field(
        50,
        description="openings within a UTC day, all strategies",
    )
    max_fills_per_strategy_10_min: Count = Field(
        5,
        description="fills within 10 minutes that pause a strategy",
    )
    max_rejections_10_min: Count = Field(
        5,
        description="venue rejections within 10 minutes that count as DEGRADED",
    )
    clock_skew_warn_sec: Positive = Field(
        2.0,
        description="difference to venue time that warns, seconds",
    )
    clock_skew_block_sec: Positive = Field(
        5.0,
        description="difference to venue time that blocks, seconds",
    )
    duplicate_window_sec: NotNegative = Field(
        60.0,
        description="time in which the same strategy, symbol and side counts as a repeat, seconds",
    )
