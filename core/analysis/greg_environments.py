"""The environment matrix: markets as sensors, and the strategy that each of them calls for."""

from attrs import frozen

from core.context.sensors import Sensors
from core.greg.catalogue import StrategyCode
from core.greg.thresholds import EntryRules
from core.greg.waterfall import select

_COLUMNS = (
    *("vrp_30d", "vrp_7d", "front_rv_iv_ratio", "chop_factor_7d", "iv_rank_6m"),
    *("term_structure_spread", "skew_25d", "adx_14d", "rsi_14d", "price_vs_ma200"),
)


@frozen(kw_only=True)
class Regime:
    """One row: a market, and what must be chosen in it; *step* where that matters too."""

    name: str
    sensors: Sensors
    expected: StrategyCode
    step: int | None = None


@frozen(kw_only=True)
class RegimeResult:
    """What was chosen."""

    regime: Regime
    found: StrategyCode
    step_index: int
    step_name: str

    @property
    def matches(self) -> bool:
        """Whether it is what was expected."""
        is_there = self.regime.step in (None, self.step_index)
        return is_there and self.found is self.regime.expected


def _row(name: str, expected: StrategyCode, *values: float, step: int | None = None) -> Regime:
    sensors = Sensors(**dict(zip(_COLUMNS, values, strict=True)))
    return Regime(name=name, sensors=sensors, expected=expected, step=step)


_CALM = (19.0, 18.0, 0.62, 0.52, 0.35, 0.5, 0.5)
CORE = (
    _row("rich and calm", StrategyCode.STRADDLE, *_CALM, 14.0, 51.0, 3.0),
    _row(
        "good and drifting",
        StrategyCode.STRANGLE,
        *(12.5, 9.0, 0.70, 0.68, 0.35, 0.5, -1.0, 24.0, 54.0, 2.0),
    ),
    _row(
        "front event",
        StrategyCode.CALENDAR,
        *(6.0, 11.0, 0.64, 0.70, 0.45, 7.5, 1.0, 21.0, 50.0, 1.0),
    ),
    _row(
        "accumulation",
        StrategyCode.SHORT_PUT,
        *(7.0, 6.0, 0.78, 0.72, 0.45, 0.0, 6.5, 26.0, 48.0, 9.0),
    ),
    _row(
        "oversold fear",
        StrategyCode.BULL_PUT,
        *(6.5, 5.0, 0.80, 0.78, 0.45, 0.0, 7.0, 27.0, 24.0, -11.0),
    ),
    _row(
        "overbought greed",
        StrategyCode.BEAR_CALL,
        *(6.5, 5.0, 0.80, 0.78, 0.45, 0.0, -6.5, 27.0, 77.0, 18.0),
    ),
)
EXTENDED = (
    *CORE,
    _row(
        "extreme volatility",
        StrategyCode.IRON_BUTTERFLY,
        *(17.0, 15.0, 0.66, 0.55, 0.90, 1.0, 2.0, 19.0, 47.0, -4.0),
    ),
    _row("runaway trend", StrategyCode.NO_TRADE, *_CALM, 41.0, 66.0, 12.0, step=0),
    _row(
        "nothing there",
        StrategyCode.NO_TRADE,
        *(4.0, 3.0, 0.90, 0.75, 0.40, 0.0, 1.0, 22.0, 50.0, 0.5),
        step=7,
    ),
)


def regime_results(rules: EntryRules) -> tuple[RegimeResult, ...]:
    """Return what *rules* choose in each market of the matrix, the core set first."""
    found = []
    for regime in EXTENDED:
        selection = select(regime.sensors, rules.thresholds, rules)
        found.append(
            RegimeResult(
                regime=regime,
                found=selection.strategy,
                step_index=selection.step_index,
                step_name=selection.step_name,
            )
        )
    return tuple(found)
