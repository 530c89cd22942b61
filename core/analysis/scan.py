"""How often each strategy would pass, and how often the waterfall would choose it."""

import numpy as np
from attrs import frozen

from core.analysis.sensor_series import SensorSeries
from core.greg.catalogue import StrategyCode
from core.greg.evaluations import Limit, criteria_of
from core.greg.thresholds import EntryRules, EntryThresholds
from core.greg.waterfall import select
from core.stats.proportions import wilson
from ports.columns import Bools, Floats, Ints

STRATEGIES = tuple(StrategyCode)  # a selection is written as its number here
TRADED = tuple(code for code in STRATEGIES if code is not StrategyCode.NO_TRADE)
BAND = 0.9  # of the paths lie within the band


def selected(series: SensorSeries, rules: EntryRules) -> Ints:
    """
    What the waterfall chooses at every step: numbers in STRATEGIES, (paths, steps).

    It is the select() that decides live, asked step by step.
    """
    number = {code: place for place, code in enumerate(STRATEGIES)}
    paths, steps = series.shape
    chosen = [
        [number[select(series.sensors(path, step), rules=rules).strategy] for step in range(steps)]
        for path in range(paths)
    ]
    return np.array(chosen, dtype=np.int64)


def passes(series: SensorSeries, limits: EntryThresholds) -> dict[StrategyCode, Bools]:
    """Where all criteria of each strategy hold, (paths, steps); NO_TRADE never counts."""
    return {
        code: np.logical_and.reduce(
            [_holds(limit, series.column(limit.metric)) for limit in criteria_of(code, limits)]
        )
        for code in TRADED
    }


def _holds(limit: Limit, column: Floats) -> Bools:
    """As the criteria of live evaluations: limits included, unknown is no."""
    if limit.most_abs is not None:
        return np.abs(column) <= limit.most_abs
    holds = np.isfinite(column)
    if limit.least is not None:
        holds &= column >= limit.least
    if limit.most is not None:
        holds &= column <= limit.most
    return holds


@frozen(kw_only=True)
class Band:
    """The share over all paths, and the shares that BAND of them lie between; NaN for one path."""

    share: float
    low: float
    high: float


@frozen(kw_only=True)
class StrategyFrequency:
    """
    One strategy: counts of steps, their shares with bands over paths, and Wilson bounds.

    Dwell is the length of a run of selections in steps, NaN where there was none; a run that
    the end of a path cuts off counts as long as it was.
    """

    code: StrategyCode
    pass_count: int
    passing: Band
    pass_bounds: tuple[float, float]
    selected_count: int
    selecting: Band
    mean_dwell: float
    longest_dwell: int


@frozen(kw_only=True, eq=False)
class FrequencyScan:
    """
    What a scan found on one coin.

    *transitions* (8, 8): how often a step of the row's strategy was followed by one of the
    column's, in the order of STRATEGIES. *degraded* is the share of steps at which a safety
    sensor was missing.
    """

    underlying: str
    source: str
    paths: int
    steps: int
    missing: tuple[str, ...]
    degraded: float
    strategies: tuple[StrategyFrequency, ...]
    transitions: Ints

    @property
    def total_steps(self) -> int:
        """Steps of all paths."""
        return self.paths * self.steps


def frequency_scan(series: SensorSeries, limits: EntryThresholds, chosen: Ints) -> FrequencyScan:
    """Add up where *limits* hold on *series*, and what was *chosen* there by selected()."""
    passing = passes(series, limits)
    never = np.zeros(series.shape, dtype=np.bool_)
    paths, steps = series.shape
    is_degraded = np.isnan(series.column("adx_14d")) | np.isnan(series.column("chop_factor_7d"))
    return FrequencyScan(
        underlying=series.underlying,
        source=series.source,
        paths=paths,
        steps=steps,
        missing=series.missing,
        degraded=float(np.mean(is_degraded)),
        strategies=tuple(
            _frequency(code, passing.get(code, never), chosen == place)
            for place, code in enumerate(STRATEGIES)
        ),
        transitions=transitions(chosen),
    )


def _frequency(code: StrategyCode, passing: Bools, chosen: Bools) -> StrategyFrequency:
    dwells = run_lengths(chosen)
    bounds = wilson(np.array(passing.sum()), np.array(passing.size))
    return StrategyFrequency(
        code=code,
        pass_count=int(passing.sum()),
        passing=_band(passing),
        pass_bounds=(float(bounds.low), float(bounds.high)),
        selected_count=int(chosen.sum()),
        selecting=_band(chosen),
        mean_dwell=float(np.mean(dwells)) if dwells.size else float("nan"),
        longest_dwell=int(dwells.max(initial=0)),
    )


def _band(held: Bools) -> Band:
    shares = held.mean(axis=1)
    if len(shares) == 1:
        return Band(share=float(shares[0]), low=float("nan"), high=float("nan"))
    tail = (1.0 - BAND) / 2.0
    low, high = np.quantile(shares, [tail, 1.0 - tail])
    return Band(share=float(shares.mean()), low=float(low), high=float(high))


def run_lengths(held: Bools) -> Ints:
    """The lengths of the runs in which *held* (paths, steps) is true, path by path."""
    edges = np.diff(np.pad(held, ((0, 0), (1, 1))).astype(np.int64), axis=1)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    return ends[:, 1] - starts[:, 1]


def transitions(chosen: Ints) -> Ints:
    """Counts (8, 8) of each choice (row) that was followed by each other one (column)."""
    count = len(STRATEGIES)
    pairs = chosen[:, :-1] * count + chosen[:, 1:]
    return np.bincount(pairs.ravel(), minlength=count * count).reshape(count, count)
