"""One strategy over a grid of two of its thresholds."""

from math import isclose

import numpy as np
from attrs import evolve, field, frozen

from core.analysis.scan import STRATEGIES, passes, selected
from core.analysis.sensor_series import SensorSeries
from core.greg.catalogue import StrategyCode
from core.greg.evaluations import criteria_of
from core.greg.thresholds import FIELD_OF, EntryRules, EntryThresholds
from core.stats.proportions import ShareBounds, wilson
from ports.columns import Floats, float_column

LEAST_POINTS, MOST_POINTS = 2, 20


def _points(_: object, attribute: object, value: int) -> None:  # noqa: ARG001  as attrs calls it
    if not LEAST_POINTS <= value <= MOST_POINTS:
        raise ValueError(f"an axis has {LEAST_POINTS} to {MOST_POINTS} points, was {value}")


@frozen(kw_only=True)
class GridAxis:
    """Equal steps of one quantity: *name* is a threshold such as vrp_30d_min, or a sensor."""

    name: str
    start: float
    step: float
    points: int = field(validator=_points)

    @property
    def values(self) -> Floats:
        """The points, (points,)."""
        return float_column(self.start + self.step * np.arange(self.points))


@frozen(kw_only=True)
class GridCell:
    """Counts at one point of the grid, of *steps* in all."""

    steps: int
    passes: int
    selections: int


@frozen(kw_only=True, eq=False)
class ThresholdGrid:
    """
    Shares of steps at which a strategy passes and is chosen, (y points, x points).

    *bounds* are Wilson's, of the passes.
    """

    code: StrategyCode
    x: GridAxis
    y: GridAxis
    passing: Floats
    selecting: Floats
    bounds: ShareBounds


def grid_rules(code: StrategyCode, base: EntryRules, x: GridAxis, y: GridAxis) -> list[EntryRules]:
    """
    *base* with the thresholds of each point of the grid, x fastest.

    Raises:
        ValueError: An axis names no threshold of the strategy, or both name the same.
    """
    keys = require_axes(code, x, y)
    return [
        evolve(
            base,
            thresholds=base.thresholds.overridden({keys.x: float(across), keys.y: float(up)}),
        )
        for up in y.values
        for across in x.values
    ]


@frozen
class AxisKeys:
    """The keys of the rule document that two axes move."""

    x: str
    y: str


def require_axes(code: StrategyCode, x: GridAxis, y: GridAxis) -> AxisKeys:
    """
    Return the keys that *x* and *y* move.

    Raises:
        ValueError: One is no threshold of the strategy, or both are the same.
    """
    keys = AxisKeys(threshold_key(code, x.name), threshold_key(code, y.name))
    if keys.x == keys.y:
        raise ValueError(f"both axes are {keys.x}")
    return keys


def threshold_key(code: StrategyCode, name: str) -> str:
    """
    Return the key of the rule document that *name* means: itself, or a sensor and _min or _max.

    Which key bounds which sensor is not written down here: each is moved, and the criteria of
    the strategy show what moved.

    Raises:
        ValueError: The strategy has no such threshold.
    """
    offered = {key: _bound_of(code, key) for key in FIELD_OF}
    of_strategy = {key: bound for key, bound in offered.items() if bound}
    for key, bound in of_strategy.items():
        if name in (key, bound):
            return key
    raise ValueError(f"{code} has no threshold {name}; it has {', '.join(of_strategy.values())}")


def _bound_of(code: StrategyCode, key: str) -> str:
    """The bound that *key* moves in the criteria of *code*, such as adx_14d_max; empty if none."""
    base = EntryThresholds()
    moved = base.overridden({key: base.by_key()[key] + 1.0})
    for before, after in zip(criteria_of(code, base), criteria_of(code, moved), strict=True):
        if not _same(before.least, after.least):
            return f"{before.metric}_min"
        if not _same(before.most, after.most):
            return f"{before.metric}_max"
        if not _same(before.most_abs, after.most_abs):
            return f"{before.metric}_abs_max"
    return ""


def _same(first: float | None, second: float | None) -> bool:
    return first is second or (first is not None and second is not None and isclose(first, second))


def grid_cell(series: SensorSeries, rules: EntryRules, code: StrategyCode) -> GridCell:
    """Count the steps of *series* at which *code* passes and is chosen under *rules*."""
    paths, steps = series.shape
    held = passes(series, rules.thresholds)[code]
    return GridCell(
        steps=paths * steps,
        passes=int(held.sum()),
        selections=int((selected(series, rules) == STRATEGIES.index(code)).sum()),
    )


def threshold_grid(
    code: StrategyCode, x: GridAxis, y: GridAxis, cells: list[GridCell]
) -> ThresholdGrid:
    """Lay *cells*, one for each of grid_rules(), out as a grid."""
    shape = (y.points, x.points)
    steps = np.array([cell.steps for cell in cells], dtype=np.int64).reshape(shape)
    held = np.array([cell.passes for cell in cells], dtype=np.int64).reshape(shape)
    chosen = np.array([cell.selections for cell in cells], dtype=np.int64).reshape(shape)
    return ThresholdGrid(
        code=code,
        x=x,
        y=y,
        passing=held / steps,
        selecting=chosen / steps,
        bounds=wilson(held, steps),
    )
