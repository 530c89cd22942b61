"""eSSVI: its conditions suffice, its coordinates keep them, and the march stays inside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.surface import kernels
from core.surface.essvi import EssviSlice, march
from tests.support.smiles import density, quotes

K = np.linspace(-4.0, 4.0, 801)
NONE_BEFORE = np.zeros(3)
COORDINATES = st.tuples(st.floats(-9.0, 0.0), st.floats(-2.0, 2.0), st.floats(-5.0, 5.0))


def slice_of(terms: np.ndarray) -> EssviSlice:
    """The slice of θ, ρ, ψ."""
    return EssviSlice(theta=float(terms[0]), rho=float(terms[1]), psi=float(terms[2]))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(near=COORDINATES, far=COORDINATES)
def test_every_point_is_a_surface(
    near: tuple[float, float, float], far: tuple[float, float, float]
) -> None:
    """Slices from any coordinates keep the published conditions, so far as any ψ can."""
    first = kernels.essvi_terms(np.array(near), NONE_BEFORE)
    second = kernels.essvi_terms(np.array(far), first)
    turn = max((1 + first[1]) / (1 + second[1]), (1 - first[1]) / (1 - second[1]))
    steep = 1.0 + abs(second[1])
    has_room = first[2] * turn <= min(4.0 / steep, np.sqrt(4.0 * second[0] / steep))

    assert not slice_of(first).allows_butterfly()
    if has_room:
        assert not slice_of(second).allows_butterfly()
        assert not slice_of(second).crosses(slice_of(first))
        assert (
            slice_of(second).as_svi().total_variance(K)
            >= slice_of(first).as_svi().total_variance(K) * (1 - 1e-12)
        ).all()


@settings(derandomize=True, deadline=None, max_examples=40)
@given(coordinates=COORDINATES, k=st.floats(-1.0, 1.0))
def test_densities_are_not_negative(coordinates: tuple[float, float, float], k: float) -> None:
    """The 50-digit density of a slice inside the conditions is not negative anywhere."""
    smile = slice_of(kernels.essvi_terms(np.array(coordinates), NONE_BEFORE)).as_svi()

    assert density(smile, k) >= -1e-15


@settings(derandomize=True, deadline=None)
@given(coordinates=COORDINATES)
def test_coordinates_and_back(coordinates: tuple[float, float, float]) -> None:
    """θ, ρ, ψ well inside their domain have the coordinates they came from."""
    inside = np.clip(coordinates, [-9.0, -2.0, -4.0], [0.0, 2.0, 4.0])
    terms = kernels.essvi_terms(inside, NONE_BEFORE)

    assert kernels.essvi_coordinates(terms, NONE_BEFORE) == pytest.approx(inside, abs=1e-6)


def test_as_svi() -> None:
    """Raw SVI of a slice is the closed form of eSSVI."""
    theta, rho, psi = 0.04, -0.3, 0.25
    phi = psi / theta
    root = np.sqrt((phi * K + rho) ** 2 + 1 - rho**2)
    expected = 0.5 * theta * (1 + rho * phi * K + root)

    assert EssviSlice(theta=theta, rho=rho, psi=psi).as_svi().total_variance(K) == pytest.approx(
        expected, rel=1e-12
    )


def test_the_march_recovers_a_surface() -> None:
    """Quotes of an eSSVI surface give back its slices."""
    true = [
        EssviSlice(theta=0.005, rho=-0.2, psi=0.07),
        EssviSlice(theta=0.02, rho=-0.25, psi=0.15),
        EssviSlice(theta=0.08, rho=-0.3, psi=0.30),
    ]
    days = (7.0, 30.0, 120.0)
    expiries = []
    for each, slice_ in zip(days, true, strict=True):
        k = np.linspace(-2.5, 2.5, 21) * np.sqrt(slice_.theta)
        iv = np.sqrt(slice_.as_svi().total_variance(k) * 365.0 / each)
        expiries.append(quotes(each, k, iv))

    found = march(expiries, [_rows(expiry) for expiry in expiries], 6)

    for slice_, fitted in zip(true, found, strict=True):
        assert (fitted.theta, fitted.rho, fitted.psi) == pytest.approx(
            (slice_.theta, slice_.rho, slice_.psi), rel=1e-3
        )


def _rows(expiry) -> np.ndarray:  # type: ignore[no-untyped-def]
    root = np.sqrt(expiry.tenor)
    ones = np.ones(len(expiry.k))
    scale = root * expiry.half_spread
    return np.vstack((expiry.k, root * expiry.iv, scale, ones / len(ones), ones))
