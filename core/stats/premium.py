"""The variance premium: what options ask for beyond what the price does."""

from math import log, sqrt

from attrs import frozen


@frozen(kw_only=True)
class VariancePremium:
    """
    Implied volatility against a forecast of realised variance, in three units.

    *points* of volatility, *variance* per year, and *log_ratio* of the variances, which alone
    compares calm and wild times.
    """

    points: float
    variance: float
    log_ratio: float


def variance_premium(implied_vol: float, expected_variance: float) -> VariancePremium:
    """
    Return the premium of *implied_vol* (a fraction) over *expected_variance* per year.

    Raises:
        ValueError: One of them is not positive.
    """
    if not (implied_vol > 0.0 and expected_variance > 0.0):
        raise ValueError(f"must be positive, were {implied_vol} and {expected_variance}")
    implied = implied_vol**2
    return VariancePremium(
        points=100.0 * (implied_vol - sqrt(expected_variance)),
        variance=implied - expected_variance,
        log_ratio=log(implied / expected_variance),
    )
