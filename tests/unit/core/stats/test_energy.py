"""The energy distance."""

import numpy as np
import pytest

from core.stats.energy import energy_distance


def test_two_points_each_by_hand() -> None:
    """{0, 1} against {2, 4}: 2 x 2.5 - 0.5 - 1."""
    one, other = np.array([[0.0], [1.0]]), np.array([[2.0], [4.0]])

    assert energy_distance(one, other) == pytest.approx(3.5, abs=1e-12)


def test_a_sample_is_not_apart_from_itself() -> None:
    """Zero."""
    rows = np.random.default_rng(1).standard_normal((50, 2))

    assert energy_distance(rows, rows) == pytest.approx(0.0, abs=1e-12)


def test_in_one_dimension_it_is_twice_the_area_between_the_distributions_squared() -> None:
    """2 ∫ (F - G)² of Szekely and Rizzo, on steps."""
    rng = np.random.default_rng(2)
    one, other = np.sort(rng.random(30)), np.sort(rng.random(40) + 0.2)
    grid = np.sort(np.concatenate([one, other]))
    f, g = (np.searchsorted(each, grid, side="right") / len(each) for each in (one, other))
    area = np.sum((f - g)[:-1] ** 2 * np.diff(grid))

    found = energy_distance(one[:, None], other[:, None])

    assert found == pytest.approx(2.0 * area, rel=1e-9)
