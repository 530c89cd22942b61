"""Hedging bands against their formulas in fifty digits, and the laws of their authors."""

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf

from core.greg.bands import BandInputs, BandRule, band_of, whalley_wilmott, zakamouline

INPUTS = BandInputs(
    forward=90_000.0, gamma=-2.5e-5, iv=0.55, tenor=30.0 / 365.0, cost=0.0006, aversion=1e-4
)


def exact_zakamouline(of: BandInputs) -> tuple[mpf, mpf]:
    """The half-width and the modified volatility, in fifty digits."""
    cost, aversion, forward = mpf(of.cost), mpf(of.aversion), mpf(of.forward)
    iv, tenor, gamma = mpf(of.iv), mpf(of.tenor), abs(mpf(of.gamma))
    least = cost / (aversion * forward * iv**2 * tenor)
    more = (
        mpf("1.12")
        * cost ** mpf("0.31")
        * tenor ** mpf("0.05")
        * iv ** mpf("-0.25")
        * mp.sqrt(gamma / aversion)
    )
    shift = (
        mpf("-4.76")
        * cost ** mpf("0.78")
        * tenor ** mpf("-0.02")
        * iv ** mpf("-0.25")
        * (aversion * forward**2 * gamma) ** mpf("0.15")
    )
    sign = 1 if of.gamma > 0 else -1
    return least + more, iv * mp.sqrt(1 + sign * shift)


@pytest.mark.parametrize("gamma", [2.5e-5, -2.5e-5, 1e-7, -3e-4])
def test_both_formulas_in_fifty_digits(gamma: float) -> None:
    """To twelve digits."""
    inputs = evolve(INPUTS, gamma=gamma)
    with mp.workdps(50):
        width = mp.cbrt(
            mpf("1.5")
            * mpf(inputs.cost)
            * mpf(inputs.forward)
            * mpf(gamma) ** 2
            / mpf(inputs.aversion)
        )
        half, iv = exact_zakamouline(inputs)
        assert whalley_wilmott(inputs) == pytest.approx(float(width), rel=1e-12)
        found = zakamouline(inputs)
        assert found.half_width == pytest.approx(float(half), rel=1e-12)
        assert found.target_iv == pytest.approx(float(iv), rel=1e-12)


@settings(derandomize=True, deadline=None)
@given(st.floats(1e-7, 1e-3), st.floats(1e-5, 1e-2), st.floats(1e-7, 1e-2))
def test_the_law_of_whalley_and_wilmott(gamma: float, cost: float, aversion: float) -> None:
    """Eight times the cost doubles the band; eight times the gamma quadruples it."""
    inputs = evolve(INPUTS, gamma=gamma, cost=cost, aversion=aversion)
    width = whalley_wilmott(inputs)
    assert whalley_wilmott(evolve(inputs, cost=8.0 * cost)) == pytest.approx(2.0 * width)
    assert whalley_wilmott(evolve(inputs, gamma=-8.0 * gamma)) == pytest.approx(4.0 * width)
    assert whalley_wilmott(evolve(inputs, aversion=8.0 * aversion)) == pytest.approx(0.5 * width)


def test_short_gamma_is_hedged_with_more_volatility() -> None:
    """And long gamma with less; without cost neither band nor shift is left."""
    short = zakamouline(INPUTS)
    long = zakamouline(evolve(INPUTS, gamma=-INPUTS.gamma))
    assert long.target_iv < INPUTS.iv < short.target_iv
    free = zakamouline(evolve(INPUTS, cost=0.0))
    assert (free.half_width, free.target_iv) == (0.0, INPUTS.iv)
    assert whalley_wilmott(evolve(INPUTS, cost=0.0)) == 0.0


def test_each_rule_gives_its_band() -> None:
    """The fixed one is that of the document, whatever the market."""
    assert band_of(BandRule.FIXED, INPUTS, 0.15).half_width == 0.15
    assert band_of(BandRule.WHALLEY_WILMOTT, INPUTS, 0.15).half_width == whalley_wilmott(INPUTS)
    assert band_of(BandRule.ZAKAMOULINE, INPUTS, 0.15) == zakamouline(INPUTS)


@pytest.mark.parametrize("rule", [BandRule.WHALLEY_WILMOTT, BandRule.ZAKAMOULINE])
def test_on_the_last_day_no_band_is_narrower_than_the_fixed_one(rule: BandRule) -> None:
    """Gamma leaps there; a wider one stays, and so does the target."""
    late = evolve(INPUTS, tenor=0.99 / 365.0, gamma=1e-7)
    free = band_of(rule, late, 0.0)

    assert free.half_width < 0.15
    assert band_of(rule, late, 0.15) == evolve(free, half_width=0.15)
    assert band_of(rule, late, 0.5 * free.half_width) == free
    day = evolve(late, tenor=1.0 / 365.0)
    assert band_of(rule, day, 0.15).half_width < 0.15
