"""Inference against the worked examples of its authors, and by the laws of chance."""

from math import inf, sqrt

import numpy as np
import pytest

from core.stats.bootstrap import block_length, interval, resampled_rows, superior_ability
from core.stats.overfitting import backtest_overfitting
from core.stats.sharpe import (
    SharpeStats,
    deflated_sharpe,
    expected_maximum,
    independent_trials,
    least_backtest_years,
    least_track_record,
    probabilistic_sharpe,
)
from core.stats.splits import combinatorial_purged, walk_forward
from ports.columns import Floats

# Bailey and Lopez de Prado (2012): a fund of two years by month, with a ratio of 0.458.
FUND = SharpeStats(ratio=0.458, count=24)
FAT = SharpeStats(ratio=0.458, count=24, skew=-2.448, kurtosis=10.164)
# Bailey and Lopez de Prado (2014): five years by day at an annual ratio of 2.5.
DEFLATED = SharpeStats(ratio=2.5 / sqrt(250), count=1250, skew=-3.0, kurtosis=10.0)
TRIAL_SPREAD = sqrt(0.5 / 250)


def averages(series: Floats) -> Floats:
    """The mean of each row."""
    return series.mean(axis=1)


def persistent(rng: np.random.Generator, count: int, phi: float) -> Floats:
    """An AR(1) series of unit innovations."""
    noise = rng.normal(size=count)
    found = np.zeros(count)
    for row in range(1, count):
        found[row] = phi * found[row - 1] + noise[row]
    return found


def test_the_authors_fund() -> None:
    """98.2 % if its returns were normal, 91.3 % with the tails they had."""
    assert probabilistic_sharpe(FUND) == pytest.approx(0.982, abs=5e-4)
    assert probabilistic_sharpe(FAT) == pytest.approx(0.913, abs=5e-4)


def test_the_authors_hundred_trials() -> None:
    """The best of a hundred shows 0.1132 a day by luck, which leaves 90.04 %."""
    assert TRIAL_SPREAD * expected_maximum(100) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(DEFLATED, 100, TRIAL_SPREAD) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(DEFLATED, 46, TRIAL_SPREAD) == pytest.approx(0.9505, abs=5e-5)


def test_the_authors_track_record() -> None:
    """2.73 years by day, 2.83 by week, 3.24 by month, to tell an annual 2 from 1."""
    for periods, years in ((252, 2.73), (52, 2.83), (12, 3.24)):
        stats = SharpeStats(ratio=2.0 / sqrt(periods), count=1000)
        found = least_track_record(stats, benchmark=1.0 / sqrt(periods))
        assert found / periods == pytest.approx(years, abs=0.006)
    assert least_track_record(FUND, benchmark=1.0) == inf


def test_the_authors_backtest_length() -> None:
    """Forty-five trials need five years, or the best shows an annual 1 without skill."""
    assert least_backtest_years(45, 1.0) == pytest.approx(5.0, abs=0.1)


def test_the_expected_maximum_is_that_of_draws() -> None:
    """Of the mean of many maxima: the formula is good to 3 %, for many trials to 1 %."""
    rng = np.random.default_rng(1)
    for trials, bound in ((10, 0.03), (50, 0.02), (300, 0.01)):
        drawn = rng.normal(size=(20_000, trials)).max(axis=1).mean()
        assert expected_maximum(trials) == pytest.approx(float(drawn), rel=bound)
    assert expected_maximum(1) == 0.0


def test_the_error_of_a_ratio_is_its_spread() -> None:
    """Over many samples of skewed returns, within 10 %."""
    rng = np.random.default_rng(2)
    samples = rng.exponential(1.0, (4000, 250)) - 0.9
    ratios = samples.mean(axis=1) / samples.std(axis=1, ddof=1)
    stats = SharpeStats.of(rng.exponential(1.0, 200_000) - 0.9)

    at_length = SharpeStats(ratio=stats.ratio, count=250, skew=stats.skew, kurtosis=stats.kurtosis)
    assert at_length.error == pytest.approx(float(np.std(ratios)), rel=0.1)


def test_returns_that_do_not_vary_have_no_ratio() -> None:
    """Neither have two."""
    for excess in (np.full(10, 0.25), np.array([0.1, 0.2])):
        with pytest.raises(ValueError, match="vary"):
            SharpeStats.of(excess)


def test_trials_that_move_together_are_one() -> None:
    """Three ideas with ten shades each; a trial that never moves is one of its own."""
    rng = np.random.default_rng(3)
    ideas = rng.normal(size=(500, 3))
    shades = np.hstack([ideas[:, [k]] + 0.3 * rng.normal(size=(500, 10)) for k in range(3)])

    assert independent_trials(shades) == 3
    assert independent_trials(np.hstack([shades, np.zeros((500, 1))])) == 4
    assert independent_trials(shades[:, :1]) == 1


def test_choosing_among_luck_overfits() -> None:
    """Half of the choices end below the median without skill; none where one has it."""
    rng = np.random.default_rng(4)
    luck = [backtest_overfitting(rng.normal(size=(480, 20))).probability for _ in range(20)]
    assert 0.3 < float(np.mean(luck)) < 0.7

    skilled = rng.normal(size=(960, 20)) + 0.3 * (np.arange(20) == 7)
    found = backtest_overfitting(skilled)
    assert found.probability < 0.02
    assert found.loss_probability < 0.02
    assert len(found.logits) == 12_870


def test_a_choice_that_turns_around_is_found_out() -> None:
    """What was best in one half is worst in the other: every split overfits."""
    signs = np.repeat(np.array([1.0, -1.0] * 4), 30)[:, None] * np.array([1.0, -1.0])
    noise = np.random.default_rng(5).normal(0.0, 0.1, (240, 2))
    found = backtest_overfitting(signs + noise, blocks=8)

    assert found.probability > 0.5
    assert found.slope < 0.0


@pytest.mark.parametrize(("rows", "trials", "blocks"), [(480, 1, 16), (480, 5, 7), (60, 5, 16)])
def test_too_little_to_cross_validate(rows: int, trials: int, blocks: int) -> None:
    """One trial, an odd number of blocks, or blocks of a few rows."""
    with pytest.raises(ValueError, match="cannot cut"):
        backtest_overfitting(np.ones((rows, trials)), blocks)


def test_blocks_follow_the_memory_of_the_series() -> None:
    """Noise needs blocks of a row or two; at 0.5 and 0.9 as the optimum for AR(1) says."""
    rng = np.random.default_rng(6)
    count = 4000
    assert block_length(rng.normal(size=count)) < 4.0
    for phi in (0.5, 0.9):
        optimum = (2.0 * phi / (1.0 - phi**2)) ** (2.0 / 3.0) * count ** (1.0 / 3.0)
        found = [block_length(persistent(rng, count, phi)) for _ in range(5)]
        assert float(np.mean(found)) == pytest.approx(optimum, rel=0.35)
    assert block_length(np.ones(100)) == 1.0


def test_blocks_are_as_long_as_asked_for() -> None:
    """Rows follow each other but for one in ten, and each row is drawn as often."""
    rows = resampled_rows(200, 500, 10.0, np.random.default_rng(7))
    follows = (np.diff(rows, axis=1) % 200) == 1

    assert float(np.mean(~follows)) == pytest.approx(0.1, abs=0.01)
    assert np.bincount(rows.ravel(), minlength=200).std() / 500 < 0.15


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_intervals_hold_what_they_promise(phi: float) -> None:
    """Nine of ten 90 % intervals of a mean hold the truth, with memory or without."""
    rng = np.random.default_rng(8)
    held = []
    for _ in range(150):
        found = interval(persistent(rng, 400, phi), averages, rng, draws=500)
        held.append(found.low <= 0.0 <= found.high)

    assert 0.8 < float(np.mean(held)) < 0.97


def test_an_interval_follows_a_skewed_figure() -> None:
    """The interval of a variance reaches further up than down, around its value."""
    rng = np.random.default_rng(9)
    found = interval(rng.standard_t(5, 300), lambda rows: rows.var(axis=1), rng, draws=2000)

    assert found.low < found.value < found.high
    assert found.high - found.value > found.value - found.low
    with pytest.raises(ValueError, match="eight"):
        interval(np.ones(7), averages, rng)


def test_the_best_of_many_without_skill_is_luck() -> None:
    """About one test in ten is below 10 % without skill; with skill p is small."""
    rng = np.random.default_rng(10)
    values = [superior_ability(rng.normal(size=(200, 10)), rng, draws=300) for _ in range(100)]
    assert 0.02 < float(np.mean(np.array(values) < 0.1)) < 0.2

    skilled = rng.normal(size=(200, 10)) + 0.4 * (np.arange(10) == 3)
    assert superior_ability(skilled, rng, draws=1000) < 0.01
    assert superior_ability(np.zeros((50, 3)), rng) == 1.0


def test_poor_trials_do_not_hide_a_good_one() -> None:
    """Twenty hopeless trials more leave the p-value where it was."""
    rng = np.random.default_rng(11)
    good = rng.normal(0.15, 1.0, (300, 1))
    poor = rng.normal(-2.0, 1.0, (300, 20))
    alone = superior_ability(good, np.random.default_rng(1), draws=2000)
    among = superior_ability(np.hstack([good, poor]), np.random.default_rng(1), draws=2000)

    assert among == pytest.approx(alone, abs=0.02)


def test_training_never_touches_its_test() -> None:
    """No outcome of training is known in the test period, and the embargo lies between."""
    decided = np.arange(0, 1000, 10, dtype=np.int64)
    known = decided + 35
    for train_ms in (None, 300):
        splits = list(walk_forward(decided, known, train_ms=train_ms, test_ms=100, embargo_ms=20))
        assert len(splits) > 3
        for split in splits:
            begin = decided[split.test].min()
            assert known[split.train].max() < begin
            assert decided[split.train].max() < begin - 20 + 10
            assert not (split.train & split.test).any()
        assert np.sum([split.test for split in splits], axis=0).max() == 1


def test_every_choice_of_groups_is_purged() -> None:
    """28 splits of eight groups; a training row and a test row never overlap in time."""
    decided = np.arange(0, 800, 10, dtype=np.int64)
    known = decided + 25
    splits = list(combinatorial_purged(decided, known, embargo_ms=15))

    assert len(splits) == 28
    for split in splits:
        starts, ends = decided[split.test], known[split.test]
        for row in np.flatnonzero(split.train):
            assert not ((decided[row] <= ends) & (known[row] >= starts)).any()
            after = decided[row] - ends[ends < decided[row]]
            assert (after > 15).all()
    assert np.sum([split.test for split in splits], axis=0).tolist() == [7] * 80
