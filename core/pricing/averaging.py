"""What the delivery price changes: it is the mean of the index over the half hour before expiry."""

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from ports.columns import Floats

WINDOW_YEARS = 30.0 / (365.0 * 24.0 * 60.0)


@frozen(eq=False)
class MeanTerms:
    """What Black-76 is to be given for an option on the mean; columns of one shape."""

    forward: Floats  # USD per coin: the expected mean
    tenor: Floats  # years of 365 days


def mean_terms(forward: ArrayLike, tenor: ArrayLike, mean_so_far: ArrayLike) -> MeanTerms:
    """
    Return the terms of options whose delivery price is the mean of the last half hour.

        before it   F, T - ⅔ τ                                     τ = 30 minutes
        within it   F* = (1 - α) A + α F,  T* = (α F / F*)² u / 3,  α = u / τ

    with u left and the mean *mean_so_far* A, in USD per coin, of what has passed; A is not looked
    at before the window.

    Shapes: three that broadcast.
    Units: forward USD per coin; tenor years of 365 days, not negative.
    Error: the mean is taken as lognormal with the variance of the sum of its parts: with two
        hours left a value at the money is right to 0.2 %.
    Source: variance of the mean of a Brownian path, its half hour from 0 to u: u / 3.
    """
    forward, tenor, mean_so_far = np.broadcast_arrays(
        *(np.asarray(each, dtype=np.float64) for each in (forward, tenor, mean_so_far))
    )
    share = open_share(tenor)
    is_before = share >= 1.0
    expected = np.where(is_before, forward, (1.0 - share) * mean_so_far + share * forward)
    weight = np.where(is_before, 1.0, forward / expected)
    return MeanTerms(expected, weight**2 * averaging_years(tenor))


def open_share(tenor: ArrayLike) -> Floats:
    """
    Return the share of the mean that is still open, 1 before the window begins.

    A move of the index by one USD moves the expected mean by so much: the venue shows that times
    delta.
    """
    return np.minimum(np.asarray(tenor, dtype=np.float64) / WINDOW_YEARS, 1.0)


def averaging_years(years: Floats) -> Floats:
    """
    Return the time that counts for a mean of the last half hour: 20 minutes less than *years*.

    Within the half hour a share α of the mean is open and u is left: α² u / 3.
    """
    inside = (years / WINDOW_YEARS) ** 2 * years / 3.0
    return np.where(years < WINDOW_YEARS, inside, years - 2.0 / 3.0 * WINDOW_YEARS)
