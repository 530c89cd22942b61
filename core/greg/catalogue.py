"""The strategies that Greg knows: their legs, windows and the way they are hedged."""

from enum import StrEnum

from attrs import frozen

from ports.instruments import OptionKind
from ports.trading import Side

BOT_NAME, EXPERT_ID, BOT_ID = "GregBot", "greg_mandolini", "gregbot"
STRATEGY_ID = "greg_vrp_harvester"


class StrategyCode(StrEnum):
    """What the entry engine may choose."""

    STRADDLE = "STRATEGY_A_STRADDLE"
    STRANGLE = "STRATEGY_A_STRANGLE"
    CALENDAR = "STRATEGY_B_CALENDAR"
    SHORT_PUT = "STRATEGY_C_SHORT_PUT"
    IRON_BUTTERFLY = "STRATEGY_D_IRON_BUTTERFLY"
    BULL_PUT = "STRATEGY_F_BULL_PUT_SPREAD"
    BEAR_CALL = "STRATEGY_F_BEAR_CALL_SPREAD"
    NO_TRADE = "NO_TRADE"


class HedgeMode(StrEnum):
    """How closely the delta of a strategy is held."""

    DYNAMIC_DELTA = "DYNAMIC_DELTA"
    LIGHT_DELTA = "LIGHT_DELTA"
    LOOSE_DELTA = "LOOSE_DELTA"
    NONE = "NONE"


@frozen
class Window:
    """Days to expiry, both ends included."""

    low: int
    high: int


@frozen
class LegPlan:
    """One leg as it is looked for: *delta* is absolute in percent, None at the money."""

    side: Side
    kind: OptionKind
    delta: float | None
    dte: Window


@frozen(kw_only=True)
class StrategyInfo:
    """One line of the catalogue."""

    code: StrategyCode
    label: str
    idea: str
    legs: tuple[LegPlan, ...] = ()
    hedge: HedgeMode = HedgeMode.NONE


_MONTH, _SPREAD, _FRONT = Window(30, 45), Window(20, 35), Window(7, 14)
_BUY, _SELL, _CALL, _PUT = Side.BUY, Side.SELL, OptionKind.CALL, OptionKind.PUT

CATALOGUE = {
    info.code: info
    for info in (
        StrategyInfo(
            code=StrategyCode.STRADDLE,
            label="Strategy A: ATM Straddle",
            idea="rich premium, still market, neutral skew",
            legs=(LegPlan(_SELL, _CALL, None, _MONTH), LegPlan(_SELL, _PUT, None, _MONTH)),
            hedge=HedgeMode.DYNAMIC_DELTA,
        ),
        StrategyInfo(
            code=StrategyCode.STRANGLE,
            label="Strategy A: OTM Strangle",
            idea="good premium, drifting market, neutral skew",
            legs=(LegPlan(_SELL, _CALL, 15.0, _MONTH), LegPlan(_SELL, _PUT, 15.0, _MONTH)),
            hedge=HedgeMode.DYNAMIC_DELTA,
        ),
        StrategyInfo(
            code=StrategyCode.CALENDAR,
            label="Strategy B: Calendar Spread",
            idea="premium of an event in the front",
            legs=(LegPlan(_SELL, _CALL, None, _FRONT), LegPlan(_BUY, _CALL, None, _MONTH)),
            hedge=HedgeMode.LIGHT_DELTA,
        ),
        StrategyInfo(
            code=StrategyCode.SHORT_PUT,
            label="Strategy C: Short Put",
            idea="paid to accumulate; needs cash for the whole strike",
            legs=(LegPlan(_SELL, _PUT, 22.5, _MONTH),),
        ),
        StrategyInfo(
            code=StrategyCode.IRON_BUTTERFLY,
            label="Strategy D: Iron Butterfly",
            idea="volatility too high to be naked",
            legs=(
                LegPlan(_SELL, _CALL, None, _MONTH),
                LegPlan(_SELL, _PUT, None, _MONTH),
                LegPlan(_BUY, _PUT, 10.0, _MONTH),
                LegPlan(_BUY, _CALL, 10.0, _MONTH),
            ),
            hedge=HedgeMode.LOOSE_DELTA,
        ),
        StrategyInfo(
            code=StrategyCode.BULL_PUT,
            label="Strategy F: Bull Put Spread",
            idea="oversold, dear puts",
            legs=(LegPlan(_SELL, _PUT, 25.0, _SPREAD), LegPlan(_BUY, _PUT, 10.0, _SPREAD)),
        ),
        StrategyInfo(
            code=StrategyCode.BEAR_CALL,
            label="Strategy F: Bear Call Spread",
            idea="overbought, dear calls",
            legs=(LegPlan(_SELL, _CALL, 25.0, _SPREAD), LegPlan(_BUY, _CALL, 10.0, _SPREAD)),
        ),
        StrategyInfo(
            code=StrategyCode.NO_TRADE,
            label="No Trade",
            idea="a market to stay out of, or nothing there",
        ),
    )
}
