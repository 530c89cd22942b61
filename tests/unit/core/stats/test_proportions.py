"""Bounds of counted shares against a published table and 50 digits."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stats.proportions import wilson


# R. G. Newcombe (1998), Two-sided confidence intervals for the single proportion, Statistics in
# Medicine 17, 857-872, table I: the score method, without continuity correction.
@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_bounds(hits: int, count: int, low: float, high: float) -> None:
    """The four examples of Newcombe's table, to its four digits."""
    bounds = wilson(np.array([hits]), np.array([count]))

    assert bounds.low[0] == pytest.approx(low, abs=5e-5)
    assert bounds.high[0] == pytest.approx(high, abs=5e-5)


@given(count=st.integers(1, 10_000), share=st.floats(0.0, 1.0))
@settings(derandomize=True, deadline=None)
def test_a_bound_is_where_the_test_turns(count: int, share: float) -> None:
    """At a bound p the share found lies just z deviations from p, in 50 digits."""
    hits = round(share * count)
    bounds = wilson(np.array([hits]), np.array([count]))
    with mp.workdps(50):
        z = mp.sqrt(2) * mp.erfinv(mp.mpf("0.95"))
        found = mp.mpf(hits) / count
        for bound in (bounds.low[0], bounds.high[0]):
            p = mp.mpf(float(bound))
            if 0 < p < 1:
                off = (found - p) ** 2 - z**2 * p * (1 - p) / count
                assert abs(off) < mp.mpf("1e-14")
    assert 0.0 <= bounds.low[0] <= hits / count <= bounds.high[0] <= 1.0


def test_nothing_counted_is_unknown() -> None:
    """No trials, no bounds; a share of none or all has one bound at its end."""
    bounds = wilson(np.array([0, 0, 7]), np.array([0, 7, 7]))

    assert np.isnan(bounds.low[0])
    assert np.isnan(bounds.high[0])
    assert (bounds.low[1], bounds.high[2]) == (0.0, 1.0)
