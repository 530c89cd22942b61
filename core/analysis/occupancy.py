"""Where the market spends its time across two sensors, and where strategies do well."""

from collections.abc import Iterable

import numpy as np
from attrs import field, frozen

from core.analysis.sensor_series import SensorSeries
from core.greg.catalogue import StrategyCode
from core.stats.proportions import ShareBounds, wilson
from ports.columns import Bools, Floats, Ints

# Funding is left out: the waterfall does not read it.
METRICS = (
    "vrp_30d",
    "chop_factor_7d",
    "iv_rank_6m",
    "term_structure_spread",
    "skew_25d",
    "adx_14d",
    "rsi_14d",
    "price_vs_ma200",
)
PAIRS = tuple((x, y) for place, x in enumerate(METRICS) for y in METRICS[place + 1 :])
_MARGIN = 0.05  # of the range of the data, on both sides


@frozen(eq=False)
class Bins:
    """Cells of one sensor: *edges* (n + 1,) rising; a cell has its lower edge and not its upper."""

    metric: str
    edges: Floats

    @property
    def count(self) -> int:
        """How many cells."""
        return len(self.edges) - 1

    def place(self, values: Floats) -> Ints:
        """The cell of each value, in its shape; -1 where it is unknown or in none."""
        cell = np.searchsorted(self.edges, values, side="right") - 1
        is_inside = (cell >= 0) & (cell < self.count) & np.isfinite(values)
        return np.where(is_inside, cell, -1)


def bins_over(series: SensorSeries, metric: str, count: int = 20) -> Bins:
    """
    *count* equal cells over all that *metric* does in *series*, and a margin.

    Raises:
        ValueError: It is never known.
    """
    values = series.column(metric)
    known = values[np.isfinite(values)]
    if not known.size:
        raise ValueError(f"{metric} of {series.underlying} is never known in {series.source}")
    low, high = float(known.min()), float(known.max())
    margin = _MARGIN * (high - low) or 0.5  # a sensor that never moves has one cell around it
    return Bins(metric, np.linspace(low - margin, high + margin, count + 1))


@frozen(eq=False, kw_only=True)
class Occupancy:
    """
    How often each cell was visited: *counts* (y cells, x cells) of *steps* in all.

    *unknown* steps had one of the sensors missing, *outside* ones were in no cell.
    """

    underlying: str
    source: str
    x: Bins
    y: Bins
    steps: int
    unknown: int
    outside: int
    counts: Ints
    cells: Ints  # the cell of each step, y-major, (paths, steps); -1 where it is in none

    @property
    def inside(self) -> int:
        """Steps that were in a cell."""
        return self.steps - self.unknown - self.outside

    @property
    def shares(self) -> Floats:
        """The share of the steps inside that each cell has; NaN where none was inside."""
        return self.counts / np.where(self.inside, self.inside, np.nan)


def occupancy(series: SensorSeries, x: Bins, y: Bins) -> Occupancy:
    """Count the steps of *series* in the cells of *x* and *y*."""
    across, up = series.column(x.metric), series.column(y.metric)
    column, row = x.place(across), y.place(up)
    cells = np.where((column >= 0) & (row >= 0), row * x.count + column, -1)
    is_unknown = ~(np.isfinite(across) & np.isfinite(up))
    return Occupancy(
        underlying=series.underlying,
        source=series.source,
        x=x,
        y=y,
        steps=cells.size,
        unknown=int(is_unknown.sum()),
        outside=int(((cells < 0) & ~is_unknown).sum()),
        counts=_counted(cells, x.count * y.count).reshape(y.count, x.count),
        cells=cells,
    )


def smoothed(found: Occupancy, passes: int) -> Floats:
    """
    Return the shares of *found*, each cell averaged *passes* times with its neighbours.

    Weights are 1/4, 1/2, 1/4 along either axis, a spread of √(passes / 2) cells. At an edge the
    cell stands in for the neighbour it lacks: shares still sum to 1 and an even map stays even.
    """
    shares: Floats = _spread(found.y.count, passes) @ found.shares @ _spread(found.x.count, passes)
    return shares


def _spread(count: int, passes: int) -> Floats:
    step = 0.5 * np.eye(count) + 0.25 * (np.eye(count, k=1) + np.eye(count, k=-1))
    step[0, 0] += 0.25
    step[-1, -1] += 0.25
    spread: Floats = np.linalg.matrix_power(step, passes)
    return spread


def _counted(cells: Ints, count: int, weights: Floats | None = None) -> Ints:
    is_inside = cells >= 0
    inside = None if weights is None else weights[is_inside]
    return np.bincount(cells[is_inside], weights=inside, minlength=count)


@frozen(eq=False, kw_only=True)
class StrategyMap:
    """
    One strategy over the cells of *where*: counts of its passes, the share with Wilson's bounds.

    *pnl* is the mean P&L of what was opened where it passed, NaN where none is known.
    """

    code: StrategyCode
    where: Occupancy
    passes: Ints
    bounds: ShareBounds
    pnl: Floats

    @property
    def shares(self) -> Floats:
        """The share of a cell's steps at which the strategy passes; NaN in an empty cell."""
        return self.passes / np.where(self.where.counts, self.where.counts, np.nan)


def strategy_map(
    where: Occupancy, code: StrategyCode, held: Bools, pnl: Floats | None = None
) -> StrategyMap:
    """Count where *held* (paths, steps) is true; *pnl* is of the same shape."""
    shape = where.counts.shape
    hits = _counted(np.where(held, where.cells, -1), where.counts.size).reshape(shape)
    mean = np.full(shape, np.nan)
    if pnl is not None:
        known = np.where(held & np.isfinite(pnl), where.cells, -1)
        number = _counted(known, where.counts.size)
        total = _counted(known, where.counts.size, pnl)
        mean = (total / np.where(number, number, np.nan)).reshape(shape)
    return StrategyMap(
        code=code, where=where, passes=hits, bounds=wilson(hits, where.counts), pnl=mean
    )


@frozen(kw_only=True)
class SpotParams:
    """What makes a cell a sweet spot."""

    least_occupancy: float = field(default=0.005)
    least_pass: float = field(default=0.4)
    least_count: int = field(default=20)  # fewer steps say nothing of a share
    most: int = field(default=5)


@frozen(kw_only=True)
class SweetSpot:
    """
    A cell that is visited often and where a strategy often passes; *score* is the product.

    *pass_low* and *pass_high* are Wilson's. *pnl* is None where nobody computed it: passing is
    not earning, and such a spot is where to look, no more.
    """

    underlying: str
    code: StrategyCode
    x_metric: str
    x_low: float
    x_high: float
    y_metric: str
    y_low: float
    y_high: float
    count: int
    occupancy: float
    pass_share: float
    pass_low: float
    pass_high: float
    score: float
    pnl: float | None


def sweet_spots(of: StrategyMap, params: SpotParams | None = None) -> tuple[SweetSpot, ...]:
    """The best cells of one map, highest score first."""
    limits = params or SpotParams()
    where = of.where
    is_spot = (
        (where.counts >= limits.least_count)
        & (where.shares >= limits.least_occupancy)
        & (of.shares >= limits.least_pass)
    )
    found = [_spot(of, int(row), int(column)) for row, column in np.argwhere(is_spot)]
    return best_spots(found, limits.most)


def best_spots(spots: Iterable[SweetSpot], most: int) -> tuple[SweetSpot, ...]:
    """The *most* of *spots* with the highest scores."""
    return tuple(sorted(spots, key=lambda spot: -spot.score)[:most])


def _spot(of: StrategyMap, row: int, column: int) -> SweetSpot:
    where, pnl = of.where, float(of.pnl[row, column])
    share, often = float(where.shares[row, column]), float(of.shares[row, column])
    return SweetSpot(
        underlying=where.underlying,
        code=of.code,
        x_metric=where.x.metric,
        x_low=float(where.x.edges[column]),
        x_high=float(where.x.edges[column + 1]),
        y_metric=where.y.metric,
        y_low=float(where.y.edges[row]),
        y_high=float(where.y.edges[row + 1]),
        count=int(where.counts[row, column]),
        occupancy=share,
        pass_share=often,
        pass_low=float(of.bounds.low[row, column]),
        pass_high=float(of.bounds.high[row, column]),
        score=share * often,
        pnl=None if np.isnan(pnl) else pnl,
    )
