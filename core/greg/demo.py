"""Four invented positions that show what advice looks like; they can never be executed."""

from core.greg.advice import GregPosition
from core.greg.catalogue import StrategyCode

_PREFIX = "demo:"


def is_demo(position_id: str) -> bool:
    """Whether *position_id* is of a demonstration."""
    return position_id.startswith(_PREFIX)


DEMO_POSITIONS = (
    GregPosition(
        position_id="demo:BTC-straddle",
        code=StrategyCode.STRADDLE,
        underlying="BTC",
        net_delta=0.22,
        dte=32.0,
        profit_pct=0.18,
        loss_pct=0.0,
    ),
    GregPosition(
        position_id="demo:ETH-strangle",
        code=StrategyCode.STRANGLE,
        underlying="ETH",
        net_delta=0.05,
        dte=28.0,
        profit_pct=0.55,
        loss_pct=0.0,
    ),
    GregPosition(
        position_id="demo:BTC-short-put",
        code=StrategyCode.SHORT_PUT,
        underlying="BTC",
        delta_abs=0.85,
        profit_pct=-0.9,
        funding_rate=0.0001,
    ),
    GregPosition(
        position_id="demo:ETH-iron-fly",
        code=StrategyCode.IRON_BUTTERFLY,
        underlying="ETH",
        spot_price=3500.0,
        center_strike=3500.0,
        lower_wing=3000.0,
        upper_wing=4100.0,
        profit_pct=0.34,
    ),
)
