"""Raw SVI and its jump-wings against the published example and densities in 50 digits."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.surface.repair import repaired, without_skew_arbitrage
from core.surface.svi import SviSlice, from_jump_wings, jump_wings
from core.surface.violations import butterfly_shortfall
from tests.support.smiles import MONTH, VOGT, density

WIDE = np.linspace(-3.0, 3.0, 1201)
SMILES = st.builds(
    SviSlice,
    a=st.floats(0.001, 0.05),
    b=st.floats(0.01, 0.5),
    rho=st.floats(-0.9, 0.9),
    m=st.floats(-0.3, 0.3),
    q=st.floats(0.05, 0.5),
)


def test_axel_vogt_in_jump_wings() -> None:
    """The published jump-wings of Vogt's smile, to the digits printed (example 5.1)."""
    wings = jump_wings(VOGT, 1.0)

    assert wings.variance == pytest.approx(0.01742625, abs=5e-9)
    assert wings.skew == pytest.approx(-0.1752111, abs=5e-8)
    assert wings.put_wing == pytest.approx(0.6997381, abs=5e-8)
    assert wings.call_wing == pytest.approx(1.316798, abs=5e-7)
    assert wings.lowest_variance == pytest.approx(0.0116249, abs=5e-8)


def test_axel_vogt_is_flagged() -> None:
    """Vogt's smile allows a butterfly though each wing alone is flat enough."""
    assert VOGT.steepest() < 2.0
    assert butterfly_shortfall(VOGT, WIDE) > 0.03


def test_the_published_safe_choice() -> None:
    """c' and the least variance of the paper, to the digits printed; no butterfly is left."""
    safe = without_skew_arbitrage(jump_wings(VOGT, 1.0))

    assert safe.call_wing == pytest.approx(0.3493158, abs=5e-8)
    assert safe.lowest_variance == pytest.approx(0.01548182, abs=5e-9)
    assert butterfly_shortfall(from_jump_wings(safe), WIDE) == 0.0


def test_the_published_optimum_passes() -> None:
    """The paper's own repaired smile, (c*, lowest*) = (0.8564763, 0.0116249), is not flagged."""
    wings = jump_wings(VOGT, 1.0)
    printed = from_jump_wings(
        type(wings)(
            variance=wings.variance,
            skew=wings.skew,
            put_wing=wings.put_wing,
            call_wing=0.8564763,
            lowest_variance=0.0116249,
            tenor=1.0,
        )
    )

    assert butterfly_shortfall(printed, WIDE) == 0.0


def test_repair_as_in_the_paper() -> None:
    """The repair leaves the least variance alone, lowers the call wing, and keeps the rest."""
    before, after = jump_wings(VOGT, 1.0), jump_wings(repaired(VOGT, 1.0), 1.0)

    assert butterfly_shortfall(repaired(VOGT, 1.0), WIDE) == 0.0
    assert after.lowest_variance == pytest.approx(0.0116249, abs=5e-8)
    assert 0.8564763 <= after.call_wing < before.call_wing  # no further down than the paper goes
    assert (after.variance, after.skew, after.put_wing) == pytest.approx(
        (before.variance, before.skew, before.put_wing), rel=1e-9
    )


def test_a_sound_smile_is_not_repaired() -> None:
    """What allows no butterfly comes back as it is."""
    assert repaired(MONTH, 30 / 365) is MONTH


@settings(derandomize=True, deadline=None)
@given(smile=SMILES, tenor=st.floats(0.01, 2.0))
def test_jump_wings_and_back(smile: SviSlice, tenor: float) -> None:
    """A smile is recovered from its jump-wings, unless its minimum is at the money."""
    assume(abs(smile.rho - smile.m / sqrt(smile.m**2 + smile.q**2)) > 1e-2)

    again = from_jump_wings(jump_wings(smile, tenor))

    assert again.raw == pytest.approx(smile.raw, rel=1e-6, abs=1e-8)


def test_a_minimum_at_the_money_is_not_determined() -> None:
    """Many smiles share the jump-wings of one that is lowest at the money: none is made up."""
    wings = jump_wings(SviSlice(a=0.01, b=0.1, rho=0.0, m=0.0, q=0.1), 0.1)

    with pytest.raises(ValueError, match="lowest at the money"):
        from_jump_wings(wings)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(smile=SMILES, k=st.floats(-1.5, 1.5))
def test_g_is_the_sign_of_the_density(smile: SviSlice, k: float) -> None:
    """Where g is clearly positive or negative, so is the second derivative of 50-digit prices."""
    g = float(smile.butterfly(k))
    w = float(smile.total_variance(k))
    d2 = -k / sqrt(w) - sqrt(w) / 2
    expected = g / sqrt(2 * np.pi * w) * np.exp(-d2 * d2 / 2) / np.exp(k)

    assert density(smile, k) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@settings(derandomize=True, deadline=None)
@given(smile=SMILES, k=st.floats(-2.0, 2.0))
def test_slope(smile: SviSlice, k: float) -> None:
    """dw/dk is the limit of differences of w."""
    step = 1e-5
    difference = float(smile.total_variance(k + step) - smile.total_variance(k - step)) / (2 * step)

    assert float(smile.slope(k)) == pytest.approx(difference, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [("rho", 1.5, "rho"), ("q", 0.0, "q must"), ("b", -0.1, "b must"), ("a", -1.0, "negative")],
)
def test_what_is_no_smile(field: str, value: float, says: str) -> None:
    """A correlation beyond 1, no width, a falling wing and negative variance are refused."""
    good = {"a": 0.01, "b": 0.1, "rho": 0.0, "m": 0.0, "q": 0.1}

    with pytest.raises(ValueError, match=says):
        SviSlice(**(good | {field: value}))
