"""The scan says what the live code says, step by step, and counts it right."""

import os
import subprocess
import sys

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.scan import (
    STRATEGIES,
    TRADED,
    frequency_scan,
    passes,
    run_lengths,
    selected,
    transitions,
)
from core.analysis.sensor_baseline import baseline_series
from core.analysis.sensor_series import SensorSeries
from core.greg.catalogue import StrategyCode
from core.greg.evaluations import evaluations
from core.greg.thresholds import EntryRules
from core.greg.waterfall import select
from tests.support.sensor_series import held, random_series, series

RULES = EntryRules()


@pytest.mark.parametrize("seed", range(4))
def test_passes_are_those_of_the_live_evaluations(seed: int) -> None:
    """Every criterion at every step, at its limits and with sensors missing."""
    scanned = random_series(seed)
    found = passes(scanned, RULES.thresholds)
    paths, steps = scanned.shape
    for path in range(paths):
        for step in range(steps):
            selection = select(scanned.sensors(path, step), rules=RULES)
            live = {row.code: row for row in evaluations(selection, RULES.thresholds)}
            for code in TRADED:
                is_ok = all(criterion.is_ok for criterion in live[code].criteria)
                assert found[code][path, step] == is_ok


def test_selections_are_those_of_the_live_waterfall() -> None:
    """One strategy a step, by its number."""
    scanned = random_series(9)
    chosen = selected(scanned, RULES)
    live = [
        [select(scanned.sensors(path, step), rules=RULES).strategy for step in range(60)]
        for path in range(3)
    ]

    assert [[STRATEGIES[number] for number in row] for row in chosen.tolist()] == live
    assert len(set(np.unique(chosen).tolist())) >= 6


def test_the_order_of_the_rules_is_followed() -> None:
    """A document with other steps is scanned by its own."""
    rich = series(vrp_30d=[16.0], chop_factor_7d=[0.5], adx_14d=[15.0], skew_25d=[0.0])
    strangle_first = evolve(RULES, steps=("STRANGLE_CHECK", "STRADDLE_CHECK"))

    assert STRATEGIES[selected(rich, RULES)[0, 0]] is StrategyCode.STRADDLE
    assert STRATEGIES[selected(rich, strangle_first)[0, 0]] is StrategyCode.STRANGLE


def test_counts_of_a_series_by_hand() -> None:
    """Four steps: straddle, straddle, nothing, and one at which nothing is known."""
    scanned = series(
        vrp_30d=[16.0, 17.0, 1.0, np.nan],
        chop_factor_7d=[0.5, 0.5, 0.5, np.nan],
        adx_14d=[15.0, 15.0, 15.0, np.nan],
        skew_25d=[0.0, 0.0, 0.0, np.nan],
    )
    scan = frequency_scan(scanned, RULES.thresholds, selected(scanned, RULES))
    by_code = {each.code: each for each in scan.strategies}
    straddle, strangle = by_code[StrategyCode.STRADDLE], by_code[StrategyCode.STRANGLE]
    nothing = by_code[StrategyCode.NO_TRADE]

    assert (straddle.pass_count, straddle.selected_count) == (2, 2)
    assert (strangle.pass_count, strangle.selected_count) == (2, 0)  # pre-empted
    assert (nothing.pass_count, nothing.selected_count) == (0, 2)
    assert straddle.passing.share == 0.5
    assert np.isnan(straddle.passing.low)  # one path has no band
    assert (straddle.mean_dwell, straddle.longest_dwell) == (2.0, 2)
    assert scan.degraded == 0.25
    assert scan.total_steps == 4
    code = STRATEGIES.index
    expected = np.zeros((8, 8), dtype=np.int64)
    expected[code(StrategyCode.STRADDLE), code(StrategyCode.STRADDLE)] = 1
    expected[code(StrategyCode.STRADDLE), code(StrategyCode.NO_TRADE)] = 1
    expected[code(StrategyCode.NO_TRADE), code(StrategyCode.NO_TRADE)] = 1
    assert (scan.transitions == expected).all()


def test_a_band_holds_nine_tenths_of_the_paths() -> None:
    """Twenty-one paths with shares 0, 5, ... 100 %: the band is 5 % to 95 %."""
    steps = 20
    vrp = np.where(np.arange(steps) < np.arange(steps + 1)[:, None], 20.0, -1.0)
    known = np.ones_like(vrp)
    scanned = series(vrp_30d=vrp, iv_rank_6m=known)
    scan = frequency_scan(scanned, RULES.thresholds, selected(scanned, RULES))
    fly = next(each for each in scan.strategies if each.code is StrategyCode.IRON_BUTTERFLY)

    assert fly.passing.share == pytest.approx(0.5)
    assert fly.passing.low == pytest.approx(0.05)
    assert fly.passing.high == pytest.approx(0.95)


@given(flags=held(3, 12))
@settings(derandomize=True, deadline=None)
def test_runs_add_up(flags: np.ndarray) -> None:
    """The runs of a flag are as long together as it was held, and as many as it began."""
    lengths = run_lengths(flags)
    began = flags[:, 0].sum() + (flags[:, 1:] & ~flags[:, :-1]).sum()

    assert lengths.sum() == flags.sum()
    assert len(lengths) == began
    assert (lengths > 0).all()


@given(seed=st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=20)
def test_transitions_add_up(seed: int) -> None:
    """Every step but the last of a path is followed once; ends of paths are not joined."""
    chosen = np.random.default_rng(seed).integers(0, 8, (4, 9))
    counted = transitions(chosen)

    assert counted.sum() == 4 * 8
    assert (counted.sum(axis=1) == np.bincount(chosen[:, :-1].ravel(), minlength=8)).all()
    assert (counted.sum(axis=0) == np.bincount(chosen[:, 1:].ravel(), minlength=8)).all()


def test_a_path_does_not_depend_on_the_others() -> None:
    """More paths or another coin change none; another seed changes all."""
    few = baseline_series("BTC", paths=2, steps=50, seed=3)
    many = baseline_series("BTC", paths=5, steps=50, seed=3)
    other = baseline_series("BTC", paths=2, steps=50, seed=4)

    for name, column in few.columns.items():
        assert (column == many.columns[name][:2]).all()
        assert not (column == other.columns[name]).all()


def test_the_same_seed_gives_the_same_paths_in_every_process() -> None:
    """Python's own hashes differ from process to process, and are not in it."""
    call = "baseline_series('ETH', paths=1, steps=3, seed=7).column('vrp_30d').tolist()"
    program = f"from core.analysis.sensor_baseline import baseline_series; print({call})"
    elsewhere = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    here = baseline_series("ETH", paths=1, steps=3, seed=7).column("vrp_30d").tolist()

    assert elsewhere == [str(here)] * 2


@pytest.mark.parametrize(("coin", "iv", "rv"), [("BTC", 55.0, 45.0), ("ETH", 65.0, 55.0)])
def test_the_baseline_has_its_levels(coin: str, iv: float, rv: float) -> None:
    """Over whole waves the means are those of the generators, within four standard errors."""
    found = baseline_series(coin, paths=20, steps=900, seed=1)
    error = 5.0 * np.hypot(5.0, 4.0) / np.sqrt(18_000)

    assert np.mean(found.column("vrp_30d")) == pytest.approx(iv - rv, abs=error)
    assert np.mean(found.column("skew_25d")) == pytest.approx(2.0, abs=5.0 * 4.0 / 134.0)
    assert found.column("adx_14d").min() >= 10.0
    assert found.column("rsi_14d").max() <= 90.0
    spread = found.column("vrp_7d") - found.column("vrp_30d")
    assert np.isfinite(spread).all()
    assert found.missing == ("predicted_funding_rate",)


def test_an_unknown_coin_has_no_baseline() -> None:
    """It is named with those there are."""
    with pytest.raises(ValueError, match="no baseline of SOL; there are BTC, ETH"):
        baseline_series("SOL", paths=1, steps=1, seed=1)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "without any sensor"),
        ({"vix": [1.0]}, "no sensors: vix"),
        ({"vrp_30d": [1.0], "adx_14d": [1.0, 2.0]}, "several shapes"),
        ({"vrp_30d": []}, "empty"),
    ],
)
def test_a_series_is_whole(columns: dict[str, list[float]], message: str) -> None:
    """What is no series of sensors is refused where it is built."""
    with pytest.raises(ValueError, match=message):
        series(**columns)


def test_infinite_sensors_are_unknown() -> None:
    """As in the sensors of one instant."""
    scanned = series(vrp_30d=[np.inf, 1.0])

    assert np.isnan(scanned.column("vrp_30d")[0, 0])
    assert scanned.sensors(0, 0).vrp_30d is None


def test_parts_are_cut_by_path_and_step() -> None:
    """Every second step of the last path."""
    whole = random_series(1, paths=3, steps=5)
    part: SensorSeries = whole.part(slice(2, 3), every=2)

    assert part.shape == (1, 3)
    expected = whole.column("adx_14d")[2:3, ::2]
    assert np.array_equal(part.column("adx_14d"), expected, equal_nan=True)
