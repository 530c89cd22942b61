"""Sensors over time: one recorded path, or many invented ones."""

from collections.abc import Mapping

import numpy as np
from attrs import evolve, field, frozen

from core.context.sensors import SENSORS, Sensors
from core.greg.catalogue import StrategyCode
from ports.columns import Floats


def _share(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    made = {}
    for name, values in columns.items():
        column = np.array(values, dtype=np.float64, ndmin=2)
        column[~np.isfinite(column)] = np.nan
        column.flags.writeable = False
        made[name] = column
    return made


@frozen(eq=False, kw_only=True)
class SensorSeries:
    """
    The sensors of one coin at equal steps: columns (paths, steps) in the units of Sensors.

    NaN is unknown; so is a whole sensor that has no column. *source* says where they come from:
    `baseline`, `recorded`, or the name of a universe. *pnl* is, where somebody has computed it,
    what each strategy opened at a step would have earned: same shape, NaN where not known.
    """

    underlying: str
    source: str
    columns: dict[str, Floats] = field(converter=_share)
    pnl: dict[str, Floats] = field(factory=dict, converter=_share)  # by StrategyCode

    @columns.validator
    def _are_sensors(self, _: object, columns: dict[str, Floats]) -> None:
        if not columns:
            raise ValueError(f"a series of {self.underlying} without any sensor")
        if unknown := sorted(set(columns) - set(SENSORS)):
            raise ValueError(f"no sensors: {', '.join(unknown)}")
        shapes = {column.shape for column in columns.values()}
        if len(shapes) > 1 or 0 in next(iter(shapes)):
            raise ValueError(f"columns of several shapes, or empty: {sorted(shapes)}")

    @pnl.validator
    def _is_of_strategies(self, _: object, pnl: dict[str, Floats]) -> None:
        if unknown := sorted(set(pnl) - set(StrategyCode)):
            raise ValueError(f"P&L of no strategies: {', '.join(unknown)}")
        if any(column.shape != self.shape for column in pnl.values()):
            raise ValueError(f"P&L is not of the shape of the sensors, {self.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """Paths and steps."""
        paths, steps = next(iter(self.columns.values())).shape
        return paths, steps

    @property
    def missing(self) -> tuple[str, ...]:
        """The sensors that are never known, in their order."""
        return tuple(name for name in SENSORS if not np.any(np.isfinite(self.column(name))))

    def column(self, metric: str) -> Floats:
        """The sensor *metric*, (paths, steps)."""
        if metric not in SENSORS:
            raise ValueError(f"{metric} is no sensor; there are {', '.join(SENSORS)}")
        unknown = np.full(self.shape, np.nan)
        return self.columns.get(metric, unknown)

    def sensors(self, path: int, step: int) -> Sensors:
        """All that is known at *step* of *path*."""
        return Sensors(**{name: column[path, step] for name, column in self.columns.items()})

    def part(self, paths: slice, every: int = 1) -> "SensorSeries":
        """Those *paths*, every so many steps."""
        cut = {name: column[paths, ::every] for name, column in self.columns.items()}
        pnl = {name: column[paths, ::every] for name, column in self.pnl.items()}
        return evolve(self, columns=cut, pnl=pnl)
