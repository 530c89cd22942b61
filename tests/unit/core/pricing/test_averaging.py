"""Options on the mean of the last half hour, against sums over paths cut into small steps."""

import numpy as np
import pytest

from core.pricing.averaging import WINDOW_YEARS, mean_terms, open_share
from core.pricing.black76 import premium_usd


def variance_of_mean(years: float, prices: int) -> float:
    """Of the share still open of a mean of *prices*, per variance of a year; a plain sum."""
    ends = years - WINDOW_YEARS * np.arange(prices) / prices  # of each price, in years from now
    ends = ends[ends > 0.0]
    later = np.arange(len(ends), 0, -1)  # each step of the path moves all prices behind it
    steps = np.diff(np.concatenate([[0.0], np.sort(ends)]))
    return float(np.sum(steps * (later / prices) ** 2))


@pytest.mark.parametrize("minutes", [2.0, 15.0, 29.0, 31.0, 120.0, 1440.0])
def test_tenor_is_the_variance_of_the_mean(minutes: float) -> None:
    """With a flat price the time that counts is the variance of the mean, within the window too."""
    years = minutes / 525_600.0

    terms = mean_terms(100_000.0, years, 100_000.0)

    assert float(terms.tenor) == pytest.approx(variance_of_mean(years, 60_000), rel=1e-3)


def test_expected_mean_and_what_moves_it() -> None:
    """Half way, half of the mean is fixed, and the index moves the other half."""
    terms = mean_terms(100_000.0, WINDOW_YEARS / 2, 98_000.0)

    assert float(terms.forward) == pytest.approx(99_000.0)
    assert float(open_share(WINDOW_YEARS / 2)) == pytest.approx(0.5)
    assert float(terms.tenor) == pytest.approx((50_000 / 99_000) ** 2 * WINDOW_YEARS / 6)


def test_value_two_hours_before_expiry_by_chance() -> None:
    """An option at the money with two hours left, by 200,000 paths, to their error of 0.3 %."""
    forward, iv, years = 100_000.0, 0.6, 120.0 / 525_600.0
    rng, steps = np.random.default_rng(11), 30
    to_window = rng.standard_normal(200_000) * np.sqrt(years - WINDOW_YEARS)
    inside = rng.standard_normal((200_000, steps)) * np.sqrt(WINDOW_YEARS / steps)
    log_price = iv * (to_window[:, None] + np.cumsum(inside, axis=1))
    times = years - WINDOW_YEARS + WINDOW_YEARS * np.arange(1, steps + 1) / steps
    mean = np.mean(forward * np.exp(log_price - 0.5 * iv**2 * times), axis=1)
    paid = np.maximum(mean - forward, 0.0)
    error = 4.0 * float(paid.std()) / np.sqrt(len(paid))

    terms = mean_terms(forward, years, forward)
    value = premium_usd(terms.forward, forward, terms.tenor, iv, True)

    of_steps = variance_of_mean(years, steps) / float(terms.tenor)  # 30 are no mean yet
    assert float(value) == pytest.approx(float(paid.mean()) / np.sqrt(of_steps), abs=error)


def test_the_end_is_the_mean() -> None:
    """At expiry nothing is open: the option pays against the mean."""
    terms = mean_terms(101_000.0, 0.0, 100_500.0)

    assert (float(terms.forward), float(terms.tenor)) == (100_500.0, 0.0)
    assert float(premium_usd(terms.forward, 100_000.0, terms.tenor, 0.6, True)) == 500.0
