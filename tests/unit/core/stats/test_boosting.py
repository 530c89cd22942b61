"""Boosted trees and the area under their curve."""

import numpy as np
import pytest

from core.stats.boosting import area_under_curve, boosted


def test_area_by_counting_pairs() -> None:
    """The share of pairs in which the row of the class scores higher; a tie counts half."""
    rng = np.random.default_rng(1)
    score, is_class = rng.integers(0, 6, 40).astype(float), rng.random(40) < 0.4
    pairs = [
        1.0 if a > b else 0.5 if a == b else 0.0 for a in score[is_class] for b in score[~is_class]
    ]

    assert area_under_curve(score, is_class) == pytest.approx(np.mean(pairs), abs=1e-12)


def test_area_of_one_class_is_unknown() -> None:
    """There is no pair to compare."""
    assert np.isnan(area_under_curve(np.arange(3.0), np.ones(3, dtype=np.bool_)))


def test_a_difference_in_two_figures_together_is_learned() -> None:
    """The sign of a product, which no single figure shows, is told apart on other rows."""
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((1200, 4))
    is_class = rows[:, 0] * (rows[:, 2] + 0.3) > 0.0
    model = boosted(rows[:800], is_class[:800], np.ones(800))

    assert area_under_curve(model.score(rows[800:]), is_class[800:]) > 0.9


def test_nothing_is_learned_of_noise() -> None:
    """On other rows the area stays near a half."""
    rng = np.random.default_rng(3)
    rows, is_class = rng.standard_normal((1600, 6)), rng.random(1600) < 0.5
    model = boosted(rows[:800], is_class[:800], np.ones(800))

    assert area_under_curve(model.score(rows[800:]), is_class[800:]) == pytest.approx(0.5, abs=0.06)


def test_scores_are_log_odds() -> None:
    """Where nothing can be told, the score is that of the class's share."""
    is_class = np.arange(100) < 20
    model = boosted(np.zeros((100, 1)), is_class, np.ones(100))

    assert model.score(np.zeros((1, 1)))[0] == pytest.approx(np.log(0.2 / 0.8), abs=1e-12)


def test_one_class_is_refused() -> None:
    """There is nothing to learn."""
    with pytest.raises(ValueError, match="one class"):
        boosted(np.zeros((5, 1)), np.zeros(5, dtype=np.bool_), np.ones(5))
