"""Clusters by k-means."""

import numpy as np
import pytest

from core.stats.clusters import clustered, transition_shares

needs_sklearn = pytest.mark.skipif(
    __import__("importlib.util").util.find_spec("sklearn") is None,
    reason="scikit-learn is not installed",
)


@needs_sklearn
def test_three_heaps_are_found_in_order() -> None:
    """Rows of one heap share a label, labels rise with the first figure."""
    rng = np.random.default_rng(1)
    heap = np.repeat([2, 0, 1], 40)
    rows = np.column_stack([10.0 * heap, -heap]) + 0.1 * rng.standard_normal((120, 2))

    assert clustered(rows, 3).labels.tolist() == heap.tolist()


@needs_sklearn
def test_a_gap_is_filled_from_before() -> None:
    """A missing figure counts as the last known one, or the first there is."""
    rows = np.array([[np.nan], [0.0], [0.1], [9.0], [np.nan], [9.1]])

    assert clustered(rows, 2).labels.tolist() == [0, 0, 0, 1, 1, 1]


@needs_sklearn
def test_the_same_rows_give_the_same_clusters() -> None:
    """The seed is fixed."""
    rows = np.random.default_rng(2).standard_normal((200, 3))

    assert np.array_equal(clustered(rows, 6).centres, clustered(rows, 6).centres)


def test_transitions_count_successive_labels() -> None:
    """Rows sum to 1; a label that is never left is uniform."""
    shares = transition_shares(np.array([0, 0, 1, 0, 2]), 3)

    thirds = [1.0 / 3.0] * 3
    assert shares == pytest.approx(np.array([thirds, [1.0, 0.0, 0.0], thirds]), abs=1e-12)


def test_an_unknown_figure_is_refused() -> None:
    """A column of nothing but gaps has no centre."""
    with pytest.raises(ValueError, match="never known"):
        clustered(np.full((10, 1), np.nan), 2)


def test_more_clusters_than_rows_are_refused() -> None:
    """Some would be empty."""
    with pytest.raises(ValueError, match="3 rows cannot make 4 clusters"):
        clustered(np.zeros((3, 1)), 4)
