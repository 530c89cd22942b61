"""The Greg engines and the hedging of their positions; all of it off."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from apps.settings.kinds import Allowed, Count, Positive, PositiveFraction, Section, Words

GregStrategyCode: TypeAlias = Literal[
    "STRATEGY_A_STRADDLE",
    "STRATEGY_A_STRANGLE",
    "STRATEGY_B_CALENDAR",
    "STRATEGY_C_SHORT_PUT",
    "STRATEGY_D_IRON_BUTTERFLY",
    "STRATEGY_F_BULL_PUT_SPREAD",
    "STRATEGY_F_BEAR_CALL_SPREAD",
]


class HedgeSettings(Section):
    """Delta hedging with the perpetual."""

    hedge_enabled: bool = Field(
        False, description="look after the delta of Greg positions in run; orders need every gate"
    )
    hedge_check_interval_sec: Count = Field(60, description="time between checks, seconds")
    hedge_on_price_move_pct: PositiveFraction = Field(
        0.01,
        description="price move that triggers a check, as a fraction: 0.01 is 1 %",
    )
    hedge_band_rule: Literal["fixed", "whalley_wilmott", "zakamouline"] = Field(
        "fixed",
        description="width of the band: of the rule document, or of gamma, cost and volatility",
    )
    hedge_risk_aversion: Positive = Field(
        0.0001,
        description="aversion to risk of the bands that are worked out, per USD",
    )
    hedge_cost: PositiveFraction = Field(
        0.0006,
        description="fee and half-spread of the perpetual, a fraction of what is traded",
    )
    hedge_stop: Literal["target", "edge"] = Field(
        "target",
        description="where a hedge ends: at the target delta, or at the edge of the band",
    )
    hedge_scope: Literal["position", "book"] = Field(
        "position",
        description="what has to lean: the position, or all that is hedged on its coin together",
    )


class GregSettings(Section):
    """Gates and variants of the Greg engines; several must agree before an order goes out."""

    greg_trading_mode: Literal["advice_only", "paper", "live"] = Field(
        "advice_only",
        description="advice, simulated execution on testnet, or orders on mainnet",
    )
    greg_enable_live_execution: bool = Field(
        False,
        description="master switch of live execution",
    )
    greg_strategy_live_enabled: Annotated[
        Mapping[GregStrategyCode, bool],
        Allowed("a map of strategy codes, such as STRATEGY_A_STRADDLE, to true or false"),
    ] = Field(
        {
            "STRATEGY_A_STRADDLE": False,
            "STRATEGY_A_STRANGLE": False,
            "STRATEGY_B_CALENDAR": False,
            "STRATEGY_C_SHORT_PUT": False,
            "STRATEGY_D_IRON_BUTTERFLY": False,
            "STRATEGY_F_BULL_PUT_SPREAD": False,
            "STRATEGY_F_BEAR_CALL_SPREAD": False,
        },
        description="strategies that may trade live; one that is not named may not",
    )
    greg_live_max_notional_usd_per_position: Positive = Field(
        500.0,
        description="largest live position, legs and hedge, USD",
    )
    greg_live_max_notional_usd_per_underlying: Positive = Field(
        2000.0,
        description="largest live exposure per coin, USD",
    )
    assignment_funding_convention: Literal["as_specified", "carry_aware"] = Field(
        "as_specified",
        description="sign of funding that prefers the perpetual when a short put is assigned",
    )
    hedge_band_basis: Literal["absolute", "per_unit"] = Field(
        "absolute",
        description="compare the delta of the position, or of one unit of it, with the band",
    )
    greg_secondary_guards: Words = Field(
        (),
        description="additional entry guards in use, by name",
    )
    greg_sensor_variants: Words = Field(
        (),
        description="better ways to measure sensors in use, by name",
    )
    greg_entry_variants: Words = Field(
        (),
        description="better ways to choose an entry in use, by name",
    )
    greg_scheduled_events: Words = Field(
        (),
        description="instants of scheduled events, such as 2026-03-18T18:00Z",
    )
    greg_thresholds_file: str = Field(
        "",
        description="reviewed thresholds of each coin, used in test; empty for the document's",
    )
    greg_position_variants: Words = Field(
        (),
        description="better rules for open positions in use, by name",
    )
    greg_unknown_flags: Literal["ignored", "refused"] = Field(
        "ignored",
        description="what becomes of a flag update that names an unknown strategy",
    )
    greg_caps_spare_reductions: bool = Field(
        False,
        description="let closings and hedges pass whatever the notional caps say",
    )
