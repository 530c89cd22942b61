"""Backtests: which call is sold and how it ends, at what quotes, within which limits."""

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from apps.settings.kinds import (
    Allowed,
    BalanceByCoin,
    Count,
    CountOrZero,
    Fraction,
    NotNegative,
    Positive,
    PositiveFraction,
    PositivePercent,
    Section,
    SizeByCoin,
)

ExitStyleName: TypeAlias = Literal[
    "hold_to_expiry",
    "take_profit",
    "tp_and_roll",
    "defensive_roll",
    "time_exit",
    "delta_exit",
    "gregbot_managed",
]


def _without_repeats(styles: tuple[ExitStyleName, ...]) -> tuple[ExitStyleName, ...]:
    if len(set(styles)) != len(styles):
        raise ValueError("an item is repeated")
    return styles


ExitStyles: TypeAlias = Annotated[
    tuple[ExitStyleName, ...],
    Field(min_length=1),
    AfterValidator(_without_repeats),
    Allowed(
        "a list of hold_to_expiry, take_profit, tp_and_roll, defensive_roll, time_exit, "
        "delta_exit, gregbot_managed; at least one, none twice"
    ),
]


class BacktestSettings(Section):
    """What `backtest run` does unless its options say otherwise."""

    backtest_engine: Literal["tick", "fast"] = Field(
        "tick",
        description="the agent's own tick, or the compiled simulator of the call rule",
    )
    backtest_strategy: Literal["call_rule_v1", "covered_call_v1", "gregbot"] = Field(
        "call_rule_v1",
        description="the call rule below, the strategy that trades live, or Greg's structures",
    )
    backtest_preset: Literal["CUSTOM", "ULTRA_SAFE", "BALANCED", "AGGRESSIVE"] = Field(
        "CUSTOM",
        description="limits and windows taken from a preset; what is set otherwise wins",
    )
    backtest_exit_styles: ExitStyles = Field(
        ("hold_to_expiry",),
        description="exit styles that are run, each on its own; the first is the primary one",
    )
    backtest_latency: Literal["previous", "same"] = Field(
        "previous",
        description="snapshot a decision sees, of the one it trades at: the one before, or itself",
    )
    backtest_fill_price: Literal["quotes", "model"] = Field(
        "quotes",
        description="recorded quotes only, or the usual spread about the mark where none is",
    )
    backtest_fill_size: Literal["whole", "shown"] = Field(
        "whole",
        description="whole orders fill at the quote, or no more than is shown",
    )
    backtest_spread_share: NotNegative = Field(
        1.0,
        description="half-spreads between the middle and a fill: 1 takes, 0.5 is patient",
    )
    backtest_fee_share: NotNegative = Field(
        1.0,
        description="share of the venue's fees that is charged",
    )
    backtest_limits: Literal["research", "live"] = Field(
        "research",
        description="no limits on liquidity and size, or those of [risk]",
    )
    backtest_deposits: BalanceByCoin = Field(
        {"BTC": 1.0, "ETH": 10.0},
        description="coins a run starts with",
    )
    backtest_order_size: SizeByCoin = Field(
        {"BTC": 1.0, "ETH": 10.0},
        description="contracts sold at a time; never more than the coin held covers",
    )
    backtest_expiry_share: PositiveFraction = Field(
        1.0,
        description="share of the coins of the start that may be short on one expiry",
    )
    backtest_interval_minutes: Count = Field(
        60,
        description="time from tick to tick where the market is invented, minutes",
    )
    call_schedule: Literal["weekly", "always"] = Field(
        "weekly",
        description="sell in the day from Friday 08:05 UTC, or whenever nothing is held",
    )
    call_expiries: Literal["fridays", "all"] = Field(
        "fridays",
        description="expiries that are looked at",
    )
    call_target_dte: Positive = Field(7.0, description="days to the expiry that is sold")
    call_dte_min: NotNegative = Field(3.5, description="least days to expiry")
    call_dte_max: NotNegative = Field(10.5, description="most days to expiry")
    call_target_delta: Fraction = Field(0.25, description="delta of the call that is sold")
    call_delta_min: Fraction = Field(0.10, description="smallest delta of a call")
    call_delta_max: Fraction = Field(0.40, description="largest delta of a call")
    call_premium_min_usd: NotNegative = Field(
        0.0,
        description="least bid per coin of notional, USD",
    )
    call_ivrv_min: NotNegative = Field(
        0.0,
        description="least implied over realised volatility; 0 asks for none",
    )
    exit_take_profit_pct: PositivePercent = Field(
        80.0,
        description="premium captured at which a call is bought back or rolled, percent",
    )
    exit_min_dte_to_roll: NotNegative = Field(
        2.0,
        description="days left at which nothing is rolled any more",
    )
    exit_defend_near_strike: Positive = Field(
        0.98,
        description="index over strike at which a call is rolled in defence",
    )
    exit_max_rolls: CountOrZero = Field(3, description="rolls in one chain")
    exit_time_dte: NotNegative = Field(
        1.0,
        description="days left at which time_exit buys back",
    )
    exit_delta_stop: Fraction = Field(
        0.50,
        description="delta at which delta_exit buys back",
    )
    backtest_memory_mb: Count = Field(
        2_000,
        description="chains a fast run holds at a time; a longer past is run over in parts, MB",
    )
