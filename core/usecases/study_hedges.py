"""Hedging measured on recorded chains: what a hedge takes off, and what bands cost."""

from attrs import frozen

from core.analysis.hedge_paths import (
    HedgeOutcome,
    HedgeRuleParams,
    outcome,
    straddle_paths,
)
from core.analysis.hedge_study import Reduction, intervals_between, joined, reductions
from core.greg.bands import BandRule
from ports.errors import Unavailable
from ports.market_data import MarketSnapshot
from ports.snapshots import SnapshotArchive

FIXED_WIDTHS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
AVERSIONS = tuple(10.0 ** (power / 4.0) for power in range(-26, -9))  # per USD


@frozen(kw_only=True)
class HedgeStudy:
    """One coin: what hedging takes off single options, and every rule on the same straddles."""

    underlying: str
    snapshots: int
    first_day: str
    last_day: str
    reductions: tuple[Reduction, ...]
    straddles: int
    cost: float
    outcomes: tuple[HedgeOutcome, ...]


async def study_hedges(archive: SnapshotArchive, underlying: str, cost: float) -> HedgeStudy:
    """
    Return the study of every snapshot of *underlying*; *cost* a fraction of what is traded.

    Raises:
        Unavailable: There are too few snapshots for an interval and a straddle.

        StoreDamaged: The archive cannot be read.
    """
    snapshots: list[MarketSnapshot] = []
    parts = []
    for at in await archive.instants(underlying):
        seen = await archive.load(underlying, at)
        if snapshots:
            found = intervals_between(snapshots[-1], seen)
            if found is not None:
                parts.append(found)
        snapshots.append(seen)
    paths = straddle_paths(snapshots)
    if not parts or not paths:
        raise Unavailable(f"{len(snapshots)} snapshots of {underlying} are too few for a study")
    return HedgeStudy(
        underlying=underlying,
        snapshots=len(snapshots),
        first_day=f"{snapshots[0].taken_at:%Y-%m-%d}",
        last_day=f"{snapshots[-1].taken_at:%Y-%m-%d}",
        reductions=reductions(joined(parts)),
        straddles=len(paths),
        cost=cost,
        outcomes=tuple(outcome(paths, params) for params in rules_to_compare(cost)),
    )


def rules_to_compare(cost: float) -> tuple[HedgeRuleParams, ...]:
    """Return fixed bands to their middle and to their edge, and both computed ones."""
    fixed = tuple(
        HedgeRuleParams(rule=BandRule.FIXED, width=width, to_edge=to_edge, cost=cost)
        for to_edge in (False, True)
        for width in FIXED_WIDTHS
    )
    computed = tuple(
        HedgeRuleParams(rule=rule, width=aversion, to_edge=True, cost=cost)
        for rule in (BandRule.WHALLEY_WILMOTT, BandRule.ZAKAMOULINE)
        for aversion in AVERSIONS
    )
    return fixed + computed
