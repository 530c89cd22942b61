"""Ranks, percentiles and premium: by counting and by their definitions."""

from math import isnan, log, nan, sqrt

import numpy as np
import pytest

from core.stats.premium import variance_premium
from core.stats.ranks import percentile, rank, z_score

WINDOW = np.array([10.0, 30.0, 20.0, 20.0])


def test_rank_and_percentile_of_a_window() -> None:
    """Half way between lowest and highest; one of four strictly below."""
    assert rank(WINDOW) == 0.5
    assert percentile(WINDOW) == 0.25
    assert z_score(WINDOW) == pytest.approx(0.0)
    assert z_score(np.array([0.0, 0.0, 0.0, 4.0])) == pytest.approx(3.0 / sqrt(3.0))


def test_the_value_itself_is_in_its_window() -> None:
    """A new high ranks 1, and three of four lie below it."""
    top = np.array([10.0, 30.0, 20.0, 50.0])
    assert (rank(top), percentile(top)) == (1.0, 0.75)


@pytest.mark.parametrize(
    "window",
    [[], [1.0], [1.0, 2.0, nan], [3.0, nan, nan, 2.0]],
)
def test_too_little_is_nothing(window: list[float]) -> None:
    """One value, an unknown last one, or less than 60 % known."""
    column = np.array(window, dtype=np.float64)
    assert isnan(rank(column))
    assert isnan(percentile(column))
    assert isnan(z_score(column))


def test_a_flat_window_has_no_rank() -> None:
    """Nothing lies below, and there is no scale."""
    flat = np.array([2.0, 2.0, 2.0])
    assert isnan(rank(flat))
    assert isnan(z_score(flat))
    assert percentile(flat) == 0.0


def test_premium_in_its_three_units() -> None:
    """80 % against a variance of 0.36: twenty points, 0.28, and ln of 16/9."""
    found = variance_premium(0.8, 0.36)

    assert found.points == pytest.approx(20.0)
    assert found.variance == pytest.approx(0.28)
    assert found.log_ratio == pytest.approx(log(16.0 / 9.0))
    with pytest.raises(ValueError, match="positive"):
        variance_premium(0.8, 0.0)
