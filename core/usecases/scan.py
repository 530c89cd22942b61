"""Scans of the selector as sweeps: paths or grid points are cells."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import asdict, frozen

from core.analysis.scan import FrequencyScan, frequency_scan, selected
from core.analysis.sensor_series import SensorSeries
from core.analysis.threshold_grid import (
    GridAxis,
    GridCell,
    ThresholdGrid,
    grid_cell,
    grid_rules,
    require_axes,
    threshold_grid,
)
from core.greg.catalogue import StrategyCode
from core.greg.thresholds import EntryRules
from core.usecases.sweep import Sweep, sweep_name
from ports.columns import Ints
from ports.sweeps import Cell

_PATHS_A_CELL = 10  # of a year each: a tenth of a second
_OF_SETTINGS = frozenset({"by_underlying", "terms"})  # of EntryRules


@frozen(kw_only=True)
class Origin:
    """
    What a series came from: everything that its figures depend on, as JSON holds it.

    It names the sweep, so that results of another series, seed or program are never taken up.
    """

    fields: dict[str, Any]


def selection_sweep(series: Sequence[SensorSeries], rules: EntryRules, origin: Origin) -> Sweep:
    """The sweep that finds what the waterfall chooses on every path of *series*, one a coin."""
    cells = [
        Cell(
            key=f"{each.underlying} paths {start}",
            compute=_selections,
            arguments=(each.part(slice(start, start + _PATHS_A_CELL)), rules),
        )
        for each in series
        for start in range(0, each.shape[0], _PATHS_A_CELL)
    ]
    return Sweep(name=sweep_name("selections", _named(rules, origin)), cells=tuple(cells))


def selections(series: SensorSeries, values: dict[str, Any]) -> Ints:
    """The choices on *series*, (paths, steps), from the *values* of its selection_sweep."""
    starts = range(0, series.shape[0], _PATHS_A_CELL)
    return np.concatenate(
        [np.array(values[f"{series.underlying} paths {start}"], np.int64) for start in starts]
    )


def frequency(series: SensorSeries, rules: EntryRules, values: dict[str, Any]) -> FrequencyScan:
    """The scan of *series* from the *values* of its selection_sweep."""
    return frequency_scan(series, rules.thresholds, selections(series, values))


@frozen(kw_only=True)
class GridPlan:
    """
    One strategy over two of its thresholds.

    Raises:
        ValueError: An axis names no threshold of the strategy, or both name the same.
    """

    code: StrategyCode
    x: GridAxis
    y: GridAxis

    def __attrs_post_init__(self) -> None:
        require_axes(self.code, self.x, self.y)


def grid_sweep(series: SensorSeries, plan: GridPlan, rules: EntryRules, origin: Origin) -> Sweep:
    """The sweep of *plan* over *series*: paths are made once, and each cell reads them all."""
    each_rules = grid_rules(plan.code, rules, plan.x, plan.y)
    cells = [
        Cell(key=str(number), compute=_grid_cell, arguments=(series, each, plan.code))
        for number, each in enumerate(each_rules)
    ]
    parameters = {**_named(rules, origin), "grid": asdict(plan)}
    return Sweep(name=sweep_name("heatmap", parameters), cells=tuple(cells))


def grid(plan: GridPlan, values: dict[str, Any]) -> ThresholdGrid:
    """The grid of *plan* from the *values* of its grid_sweep."""
    cells = [GridCell(**values[str(number)]) for number in range(plan.x.points * plan.y.points)]
    return threshold_grid(plan.code, plan.x, plan.y, cells)


def _named(rules: EntryRules, origin: Origin) -> dict[str, Any]:
    """A scan goes by the document: neither variants nor limits of single coins are in it."""
    document = asdict(rules, filter=lambda each, _: each.name not in _OF_SETTINGS)
    return {"rules": document, **origin.fields}


def _selections(series: SensorSeries, rules: EntryRules) -> list[list[int]]:
    found: list[list[int]] = selected(series, rules).tolist()
    return found


def _grid_cell(series: SensorSeries, rules: EntryRules, code: StrategyCode) -> dict[str, int]:
    return asdict(grid_cell(series, rules, code))
