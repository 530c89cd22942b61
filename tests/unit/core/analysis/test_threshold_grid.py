"""A grid of thresholds: which is which, and what is counted at each point."""

import numpy as np
import pytest
from attrs import evolve

from core.analysis.scan import STRATEGIES, passes, selected
from core.analysis.threshold_grid import (
    GridAxis,
    grid_cell,
    grid_rules,
    threshold_grid,
    threshold_key,
)
from core.greg.catalogue import StrategyCode
from core.greg.thresholds import EntryRules
from tests.support.sensor_series import random_series

RULES = EntryRules()
VRP = GridAxis(name="vrp_30d_min", start=5.0, step=5.0, points=3)
ADX = GridAxis(name="adx_14d_max", start=15.0, step=10.0, points=2)


@pytest.mark.parametrize(
    ("code", "name", "key"),
    [
        (StrategyCode.STRADDLE, "vrp_30d_min", "straddle_vrp_min"),
        (StrategyCode.STRANGLE, "vrp_30d_min", "strangle_vrp_min"),
        (StrategyCode.STRADDLE, "straddle_adx_max", "straddle_adx_max"),
        (StrategyCode.STRANGLE, "chop_factor_7d_max", "strangle_chop_max"),
        (StrategyCode.STRADDLE, "skew_25d_abs_max", "skew_neutral_threshold"),
        (StrategyCode.CALENDAR, "term_structure_spread_min", "calendar_term_spread_min"),
        (StrategyCode.CALENDAR, "front_rv_iv_ratio_max", "calendar_front_rv_iv_ratio_max"),
        (StrategyCode.SHORT_PUT, "vrp_30d_min", "min_vrp_directional"),
        (StrategyCode.IRON_BUTTERFLY, "iv_rank_6m_min", "iron_fly_iv_rank_min"),
        (StrategyCode.BULL_PUT, "rsi_14d_max", "rsi_thresholds.lower"),
        (StrategyCode.BEAR_CALL, "rsi_14d_min", "rsi_thresholds.upper"),
        (StrategyCode.BEAR_CALL, "skew_25d_max", "skew_neutral_threshold"),
    ],
)
def test_a_bound_is_found_in_the_rules(code: StrategyCode, name: str, key: str) -> None:
    """By the sensor it bounds, or by its own key; the table of section 3 is the source."""
    assert threshold_key(code, name) == key


@pytest.mark.parametrize("name", ["price_vs_ma200_min", "adx_14d_max", "vrp", ""])
def test_what_is_no_threshold_is_refused(name: str) -> None:
    """With the names of those the strategy has."""
    with pytest.raises(ValueError, match="skew_25d_min"):
        threshold_key(StrategyCode.BULL_PUT, name)


def test_two_axes_are_two_thresholds() -> None:
    """The same one by two names is one."""
    twice = evolve(VRP, name="straddle_vrp_min")
    with pytest.raises(ValueError, match="both axes are straddle_vrp_min"):
        grid_rules(StrategyCode.STRADDLE, RULES, VRP, twice)


@pytest.mark.parametrize("points", [0, 1, 21])
def test_an_axis_has_two_to_twenty_points(points: int) -> None:
    """As the request allows."""
    with pytest.raises(ValueError, match="2 to 20 points"):
        evolve(VRP, points=points)


def test_each_cell_is_scanned_under_its_own_limits() -> None:
    """The grid at (y, x) is the scan with those two thresholds and all others as they were."""
    series = random_series(5, paths=4, steps=80, gaps=0.0)
    code = StrategyCode.STRADDLE
    rules = grid_rules(code, RULES, VRP, ADX)
    cells = [grid_cell(series, each, code) for each in rules]
    grid = threshold_grid(code, VRP, ADX, cells)

    for row, adx in enumerate((15.0, 25.0)):
        for column, vrp in enumerate((5.0, 10.0, 15.0)):
            limits = RULES.thresholds.overridden({"straddle_vrp_min": vrp, "straddle_adx_max": adx})
            alone = evolve(RULES, thresholds=limits)
            chosen = selected(series, alone) == STRATEGIES.index(code)
            assert grid.passing[row, column] == passes(series, limits)[code].mean()
            assert grid.selecting[row, column] == chosen.mean()
    assert (grid.bounds.low <= grid.passing).all()
    assert (grid.passing <= grid.bounds.high).all()


def test_a_stricter_limit_passes_less() -> None:
    """Shares fall along a rising minimum and rise along a rising maximum."""
    series = random_series(6, paths=5, steps=100)
    code = StrategyCode.STRADDLE
    cells = [grid_cell(series, each, code) for each in grid_rules(code, RULES, VRP, ADX)]
    grid = threshold_grid(code, VRP, ADX, cells)

    assert (np.diff(grid.passing, axis=1) <= 0.0).all()
    assert (np.diff(grid.passing, axis=0) >= 0.0).all()
