"""The share of a bank's paths outside a band."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.universe_bands import Band
from core.analysis.universe_bank import outside

BAND = Band(row=1, name="vol", label="", inner=(0.45, 0.55), outer=(0.0, 1.0))


def test_paths_far_from_the_edges_count_whole() -> None:
    """Four of ten outside, one of them without the figure: both edges, and nothing between."""
    values = np.array([0.45, 0.5, 0.55, 0.5, 0.48, 0.52, -3.0, 4.0, 5.0, np.nan])

    assert outside(BAND, values) == pytest.approx(0.4, abs=1e-12)


@given(at=st.floats(-0.5, 1.5), by=st.floats(0.0, 0.01))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_path_crosses_an_edge_by_and_by(at: float, by: float) -> None:
    """No path's small move changes the share by a whole path; on the edge it counts as half."""
    others = np.linspace(0.2, 0.8, 40)
    here, there, edge = (outside(BAND, np.append(others, each)) for each in (at, at + by, 1.0))

    assert abs(there - here) < 0.1 / 41
    assert edge == pytest.approx(0.5 / 41, abs=1e-12)
