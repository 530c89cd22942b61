"""Scores of many surfaces as the few figures a person compares."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from attrs import frozen

from core.analysis.surface_scores import CarryScore, SliceScore
from core.surface.violations import BUTTERFLY_TOLERANCE, CALENDAR_TOLERANCE
from ports.columns import Floats

BUCKET_ENDS = (1.0, 3.0, 7.0, 14.0, 35.0)  # days; a bucket holds what is below its end
BUCKETS = ("< 1 d", "1-3 d", "3-7 d", "7-14 d", "14-35 d", "> 35 d")
_LONGEST_GAP = timedelta(hours=16)  # between snapshots that say what the index was between them


@frozen(kw_only=True)
class FitSummary:
    """
    Fitted expiries together; volatilities in points.

    rmse is the median over expiries, miss vega-weighted over all quotes, inside in per cent of
    the quotes out of the money.
    """

    slices: int
    rmse: float
    miss: float
    inside_pct: float
    butterflies: int  # expiries that break the check grids by more than the tolerances
    crossings: int


@frozen(kw_only=True)
class IndexComparison:
    """Our index less the recorded one, in points, over the days both have."""

    days: int
    bias: float
    mean_absolute: float
    correlation: float


def bucket_of(days: float) -> str:
    """Return the name of the bucket that an expiry *days* away falls in."""
    return BUCKETS[bisect_right(BUCKET_ENDS, days)]


def summarise(scores: Sequence[SliceScore]) -> FitSummary | None:
    """Return the figures of *scores*; None where there is nothing to say."""
    if not scores:
        return None
    out = sum(score.out for score in scores)
    vega = sum(score.vega for score in scores)
    return FitSummary(
        slices=len(scores),
        rmse=100.0 * float(np.median([score.rmse for score in scores])),
        miss=100.0 * sum(score.vega_miss for score in scores) / vega,
        inside_pct=100.0 * sum(score.inside for score in scores) / max(out, 1),
        butterflies=sum(score.butterfly > BUTTERFLY_TOLERANCE for score in scores),
        crossings=sum(score.calendar > CALENDAR_TOLERANCE for score in scores),
    )


def pooled(carries: Sequence[CarryScore]) -> CarryScore:
    """Return the mean of *carries*, each snapshot with the weight of its quotes."""
    known = [carry for carry in carries if carry.quotes]
    count = sum(carry.quotes for carry in known)
    if not count:
        return CarryScore(np.nan, np.nan, np.nan, 0)
    return CarryScore(
        sum(carry.surface_miss * carry.quotes for carry in known) / count,
        sum(carry.moneyness_miss * carry.quotes for carry in known) / count,
        sum(carry.strike_miss * carry.quotes for carry in known) / count,
        count,
    )


def compare_index(
    taken_at: Sequence[datetime], index: Floats, closes: Sequence[tuple[date, float]]
) -> IndexComparison | None:
    """
    Compare *index*, (n,) at the rising *taken_at*, with daily closes at the midnight after.

    Ours is interpolated in time between the snapshots around midnight; a day without one on
    either side, within 16 hours of each other, is left out. None without three days.
    """
    stamps = np.array([at.timestamp() for at in taken_at])
    known = np.isfinite(index)
    stamps, index = stamps[known], index[known]
    pairs = []
    for day, close in closes:
        midnight = datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()
        after = int(np.searchsorted(stamps, midnight))
        if 0 < after < len(stamps):
            gap = stamps[after] - stamps[after - 1]
            if gap <= _LONGEST_GAP.total_seconds():
                pairs.append((float(np.interp(midnight, stamps, index)), close))
    if len(pairs) < 3:
        return None
    ours, theirs = np.array(pairs).T
    return IndexComparison(
        days=len(pairs),
        bias=float(np.mean(ours - theirs)),
        mean_absolute=float(np.mean(np.abs(ours - theirs))),
        correlation=float(np.corrcoef(ours, theirs)[0, 1]),
    )
