"""The energy distance of two samples: how far apart two clouds of points lie."""

import numpy as np

from ports.columns import Floats


def energy_distance(one: Floats, other: Floats) -> float:
    """
    Return 2 E|X - Y| - E|X - X'| - E|Y - Y'| of samples (n, d) and (m, d); 0 for the same law.

    Source: G. Szekely, M. Rizzo (2013), Energy statistics, J. of Statistical Planning and
        Inference 143.
    """
    return 2.0 * mean_distance(one, other) - mean_distance(one, one) - mean_distance(other, other)


def mean_distance(one: Floats, other: Floats) -> float:
    """Return the mean Euclidean distance of a row of *one* from a row of *other*."""
    apart = one[:, None, :] - other[None, :, :]
    return float(np.mean(np.sqrt((apart**2).sum(axis=2))))
