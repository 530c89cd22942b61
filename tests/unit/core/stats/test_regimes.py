"""Hidden regimes: found where they are planted, filtered without a look ahead."""

from itertools import product

import numpy as np
import pytest

from core.stats.regimes import (
    HiddenRegimes,
    adjusted_rand,
    begins_of,
    chosen,
    fitted,
    tried_states,
)
from ports.columns import Bools, Floats, Ints

MEANS = np.array([[-1.5, 0.0], [1.5, 1.0]])
MOVES = np.array([[0.97, 0.03], [0.06, 0.94]])


def planted(rows: int, seed: int) -> tuple[Floats, Ints]:
    """Rows of two states with unit noise, and the states."""
    rng = np.random.default_rng(seed)
    states = np.zeros(rows, dtype=np.int64)
    for row in range(1, rows):
        states[row] = rng.choice(2, p=MOVES[states[row - 1]])
    return MEANS[states] + rng.standard_normal((rows, 2)), states


def unbroken(rows: int) -> Bools:
    return np.arange(rows) == 0


@pytest.fixture(scope="module")
def found() -> HiddenRegimes:
    rows, _ = planted(3000, 1)
    return fitted(rows, unbroken(3000), 2, np.random.default_rng(2))


def test_planted_states_are_found(found: HiddenRegimes) -> None:
    """Means lie within a tenth of the truth, the daily shares within 0.02."""
    means = found.means * found.deviation + found.mean

    assert means == pytest.approx(MEANS, abs=0.1)
    assert found.transitions == pytest.approx(MOVES, abs=0.02)


def test_states_come_in_the_order_of_the_first_figure(found: HiddenRegimes) -> None:
    """The lowest first."""
    assert np.all(np.diff(found.means[:, 0]) > 0.0)


def test_filtered_states_are_mostly_right(found: HiddenRegimes) -> None:
    """On other rows of the same law nine in ten are named rightly."""
    rows, states = planted(2000, 5)

    named = np.argmax(found.filtered(rows, unbroken(2000)), axis=1)

    assert np.mean(named == states) > 0.9


def test_filtering_does_not_look_ahead(found: HiddenRegimes) -> None:
    """What comes later changes no probability, to the last bit."""
    rows, _ = planted(200, 6)
    other = rows.copy()
    other[120:] += 7.0

    before, after = (found.filtered(each, unbroken(200))[:120] for each in (rows, other))

    assert np.array_equal(before, after)


def test_filtering_is_the_sum_over_all_histories(found: HiddenRegimes) -> None:
    """Six rows: every sequence of states by its density, summed by its last state."""
    rows, _ = planted(6, 7)
    scaled = (rows - found.mean) / found.deviation

    def density(row: int, state: int) -> float:
        apart = scaled[row] - found.means[state]
        covariance = found.covariances[state]
        pull = apart @ np.linalg.inv(covariance) @ apart
        return float(np.exp(-0.5 * pull) / np.sqrt(np.linalg.det(covariance)))

    totals = np.zeros(2)
    for states in product(range(2), repeat=6):
        chance = found.start[states[0]] * density(0, states[0])
        for row in range(1, 6):
            chance *= found.transitions[states[row - 1], states[row]] * density(row, states[row])
        totals[states[-1]] += chance

    assert found.filtered(rows, unbroken(6))[-1] == pytest.approx(totals / totals.sum(), rel=1e-10)


def test_a_gap_begins_anew(found: HiddenRegimes) -> None:
    """A row after a gap is judged by itself and the start, as if nothing were before it."""
    rows, _ = planted(50, 8)
    begins = unbroken(50) | (np.arange(50) == 30)

    split = found.filtered(rows, begins)

    assert np.array_equal(split[30:], found.filtered(rows[30:], unbroken(20)))


def test_a_missing_day_is_a_gap() -> None:
    """The first row, and each that is not one day after the row before, begins anew."""
    day = 86_400_000

    begins = begins_of(np.array([0, day, 3 * day, 4 * day]))

    assert begins.tolist() == [True, False, True, False]


def test_two_stable_states_are_chosen() -> None:
    """Where there are two, both halves agree on them, and BIC takes no more."""
    rows, _ = planted(1500, 9)

    best = chosen(tried_states(rows, unbroken(1500), np.random.default_rng(3)))

    assert best.is_stable
    assert best.model.states == 2


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([0, 0, 1, 1], [1, 1, 0, 0], 1.0),
        ([0, 0, 1, 2], [0, 0, 1, 1], 4.0 / 7.0),  # worked out in scikit-learn's documentation
        ([0, 0, 0, 0], [0, 1, 2, 3], 0.0),
    ],
)
def test_agreement_of_labels(one: list[int], other: list[int], expected: float) -> None:
    """Names do not matter; chance agreement is zero."""
    assert adjusted_rand(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-12)


def test_too_few_rows_are_refused() -> None:
    """Ten rows a state are the least."""
    with pytest.raises(ValueError, match="29 rows are too few for 3 states"):
        fitted(np.zeros((29, 2)), unbroken(29), 3, np.random.default_rng(1))


def test_a_constant_figure_is_refused() -> None:
    """It tells no regime from another, and has no standard deviation to scale by."""
    rows, _ = planted(100, 1)
    rows[:, 1] = 4.0

    with pytest.raises(ValueError, match="never changes"):
        fitted(rows, unbroken(100), 2, np.random.default_rng(1))
