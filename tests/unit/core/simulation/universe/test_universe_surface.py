"""The surface of a universe: free of arbitrage in every state, with the skew it was given."""

import mpmath
import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.simulation.universe import path_kernel as kernel
from core.simulation.universe.params import Dynamics
from core.simulation.universe.surface import (
    EssviColumns,
    deviation_at_delta,
    mean_variance,
    surfaces,
)
from ports.columns import Floats
from tests.support.universes import STILL

DAYS = np.array([0.02, 0.4, 1.0, 2.0, 3.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0, 365.0])
STRIKES = np.linspace(-1.5, 1.5, 61)
NORMAL_OF_25_DELTA = 0.6744897501960817
LIVELY = evolve(STILL, bend_mean=0.022, skew_decay=0.1)


def one_state(**values: float) -> Floats:
    rows = {name.upper(): value for name, value in values.items()}
    states = np.zeros((8, 1))
    for name, value in rows.items():
        states[getattr(kernel, name)] = value
    return states


def surface_of(states: Floats, dynamics: Dynamics = LIVELY) -> EssviColumns:
    return surfaces(dynamics, states, DAYS, np.broadcast_to(DAYS, (1, len(DAYS))))


def smiles(surface: EssviColumns, k: Floats) -> Floats:
    """Total variance, (expiries, strikes)."""
    columns = EssviColumns(
        theta=surface.theta[0][:, None], rho=surface.rho[0][:, None], psi=surface.psi[0][:, None]
    )
    return columns.total_variance(k)


def density_factor(surface: EssviColumns, k: Floats) -> Floats:
    """g of Gatheral and Jacquier (2014), w' by a complex step and w'' by differences of it."""

    def slope(at: Floats) -> Floats:
        return smiles(surface, at + 1e-30j).imag / 1e-30

    w, first = smiles(surface, k), slope(k)
    second = (slope(k + 1e-5) - slope(k - 1e-5)) / 2e-5
    return (1.0 - k * first / (2.0 * w)) ** 2 - first**2 / 4.0 * (1.0 / w + 0.25) + second / 2.0


@settings(derandomize=True, deadline=None)
@given(
    fast=st.floats(-1.5, 2.0),
    slow=st.floats(-1.2, 1.2),
    trend=st.floats(-0.4, 0.4),
    skew=st.floats(-0.6, 0.6),
    bend=st.floats(-2.0, 2.0),
    decay=st.floats(0.0, 0.6),
)
def test_every_state_is_free_of_arbitrage(
    fast: float, slow: float, trend: float, skew: float, bend: float, decay: float
) -> None:
    """No smile crosses the one before it, and no butterfly costs less than nothing."""
    states = one_state(
        fast_state=fast, slow_state=slow, trend_state=trend, skew_state=skew, bend_state=bend
    )
    surface = surface_of(states, evolve(LIVELY, skew_decay=decay))

    assert np.all(np.diff(smiles(surface, STRIKES), axis=0) >= -1e-12)
    assert np.all(density_factor(surface, STRIKES) > -1e-4)


def test_what_is_bent_back_is_counted() -> None:
    """A convexity that no price could have is clipped at some expiry, and said so."""
    surface = surface_of(one_state(bend_state=4.0))

    assert surface.clipped > 0


def test_an_ordinary_state_is_not_clipped() -> None:
    """The skew and convexity of a usual day fit inside all conditions."""
    assert surface_of(one_state(skew_state=-0.12)).clipped == 0


@pytest.mark.parametrize("days", [0.5, 7.0, 30.0, 200.0])
@pytest.mark.parametrize(("fast", "slow"), [(0.0, 0.0), (0.6, -0.3), (-0.5, 0.4)])
def test_mean_variance_is_the_integral_of_the_forward_curve(
    days: float, fast: float, slow: float
) -> None:
    """By quadrature of ξ in 50 digits."""
    mpmath.mp.dps = 50
    front, middle = mpmath.exp(2 * mpmath.mpf(fast)), mpmath.exp(2 * mpmath.mpf(slow))

    def forward(u: mpmath.mpf) -> mpmath.mpf:
        near = mpmath.exp(-u / mpmath.mpf(STILL.fast_days))
        far = mpmath.exp(-u / mpmath.mpf(STILL.slow_days))
        return mpmath.mpf("0.36") * (1 - far + middle * (far - near) + middle * front * near)

    expected = mpmath.quad(forward, [0, mpmath.mpf(days)]) / mpmath.mpf(days)

    found = mean_variance(STILL, np.array(fast), np.array(slow), np.array(days))

    assert float(found) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("skew", [-0.2, -0.1, 0.0, 0.1])
def test_the_smile_at_thirty_days_has_the_skew_of_the_state(skew: float) -> None:
    """Call less put of 25 delta, over the money, within 0.02; convexity within 0.01."""
    surface = surface_of(one_state(skew_state=skew))
    call, put = (
        deviation_at_delta(surface, side, NORMAL_OF_25_DELTA)[0, 7] for side in (True, False)
    )
    money = np.sqrt(surface.theta[0, 7])

    assert (call - put) / money == pytest.approx(skew, abs=0.02)
    assert 0.5 * (call + put) / money - 1.0 == pytest.approx(0.022, abs=0.01)


@settings(derandomize=True, deadline=None)
@given(skew=st.floats(-0.3, 0.2), bend=st.floats(-0.8, 0.8), is_call=st.booleans())
def test_the_strike_has_the_delta_asked_for(skew: float, bend: float, is_call: bool) -> None:
    """Where √w is reached, d1 = -k/√w + √w/2 is the normal quantile, to 1e-6."""
    surface = surface_of(one_state(skew_state=skew, bend_state=bend))
    root = deviation_at_delta(surface, is_call, NORMAL_OF_25_DELTA)
    d1 = -NORMAL_OF_25_DELTA if is_call else NORMAL_OF_25_DELTA

    w = surface.total_variance(-d1 * root + 0.5 * root**2)

    assert np.sqrt(w) == pytest.approx(root, rel=1e-6)
