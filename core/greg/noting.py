"""Suggestions as lines of the decision log: sensors, figures and words of one moment."""

from datetime import datetime

from attrs import evolve, frozen

from core.context.sensors import Sensors
from core.greg.advice import GregPosition, Suggestion
from core.greg.holdings import Holding, profit_coin
from core.greg.modes import Mode
from core.greg.reading import EntryReading
from ports.greg_log import GregEntry
from ports.market_data import MarketSnapshot


@frozen(kw_only=True)
class Figures:
    """What a position has earned and leans at a moment; None is unknown."""

    pnl_pct: float | None = None  # a fraction of the credit or debit
    pnl_usd: float | None = None
    net_delta: float | None = None
    spot_price: float | None = None


def figures_of(holding: Holding, facts: GregPosition, snapshot: MarketSnapshot) -> Figures:
    """Return the figures of *holding*, of which *facts* were measured on *snapshot*."""
    profit = profit_coin(holding, snapshot, snapshot.taken_at)
    return Figures(
        pnl_pct=facts.profit_pct,
        pnl_usd=None if profit is None else profit * snapshot.index_usd,
        net_delta=facts.net_delta,
        spot_price=snapshot.index_usd,
    )


def suggestion_entry(
    suggestion: Suggestion, at: datetime, mode: Mode, figures: Figures, reading: EntryReading | None
) -> GregEntry:
    """
    Return *suggestion* as it is logged, with what guards told beside it; without a *reading* its
    sensors are unknown.
    """
    entry = GregEntry(
        timestamp=at,
        underlying=suggestion.underlying,
        strategy_type=suggestion.code,
        position_id=suggestion.position_id,
        action_type=suggestion.action,
        mode=mode,
        priority=suggestion.priority,
        reason=suggestion.reason,
        pnl_pct=figures.pnl_pct,
        pnl_usd=figures.pnl_usd,
        net_delta=figures.net_delta,
        spot_price=figures.spot_price,
        extra_info={
            name: told for name, told in suggestion.metrics.items() if name.startswith("guard")
        },
    )
    return entry if reading is None else with_sensors(entry, reading.bundle.sensors)


def with_sensors(entry: GregEntry, sensors: Sensors) -> GregEntry:
    """Return *entry* beside the *sensors* of its moment."""
    return evolve(
        entry,
        vrp_30d=sensors.vrp_30d,
        chop_factor_7d=sensors.chop_factor_7d,
        adx_14d=sensors.adx_14d,
        term_structure_spread=sensors.term_structure_spread,
        skew_25d=sensors.skew_25d,
        rsi_14d=sensors.rsi_14d,
    )
