"""Clusters of daily sensors by k-means: the plain way to regimes, against which others are held."""

from importlib import import_module

import numpy as np
from attrs import field, frozen

from ports.columns import Floats, Ints

_SEED, _STARTS = 42, 10


@frozen(eq=False)
class Clusters:
    """
    Centres in standard units, (k, d), the scaler, (d,), and the cluster of each row, (n,).

    Clusters come ordered by the centre's first figure.
    """

    mean: Floats = field(repr=False)
    deviation: Floats = field(repr=False)
    centres: Floats
    labels: Ints = field(repr=False)


def clustered(rows: Floats, count: int, seed: int = _SEED) -> Clusters:
    """
    Return *count* clusters of *rows*, (n, d): k-means of standardised figures, ten starts.

    A missing figure, NaN, is filled forward, then backward, and by the median where a column
    knows nothing else.

    Raises:
        ValueError: A figure is never known, or there are fewer rows than clusters.

        ModuleNotFoundError: scikit-learn is not installed.
    """
    if len(rows) < count:
        raise ValueError(f"{len(rows)} rows cannot make {count} clusters")
    filled = _filled(rows)
    mean, deviation = filled.mean(axis=0), filled.std(axis=0)
    deviation = np.where(deviation > 0.0, deviation, 1.0)  # a constant tells nothing apart
    scaled = (filled - mean) / deviation
    # Imported here: it takes two seconds, and only research needs it.
    model = import_module("sklearn.cluster").KMeans(
        n_clusters=count, random_state=seed, n_init=_STARTS
    )
    found = np.asarray(model.fit_predict(scaled), dtype=np.int64)
    centres = np.asarray(model.cluster_centers_, dtype=np.float64)
    order = np.argsort(centres[:, 0], kind="stable")
    return Clusters(mean, deviation, centres[order], np.argsort(order)[found])


def transition_shares(labels: Ints, count: int) -> Floats:
    """
    Return how often each label follows each, (count, count): rows sum to 1.

    A row that was never left is uniform.
    """
    moves = np.zeros((count, count))
    np.add.at(moves, (labels[:-1], labels[1:]), 1.0)
    totals = moves.sum(axis=1, keepdims=True)
    return np.where(totals > 0.0, moves / np.maximum(totals, 1.0), 1.0 / count)


def _filled(rows: Floats) -> Floats:
    filled = rows.copy()
    for column in filled.T:
        known = np.flatnonzero(np.isfinite(column))
        if not len(known):
            raise ValueError("a figure that is never known cannot be clustered")
        last = np.maximum(np.searchsorted(known, np.arange(len(column)), side="right") - 1, 0)
        column[:] = column[known[last]]
    return filled
