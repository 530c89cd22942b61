"""A surface between and beyond its expiries: the laws of total variance."""

from datetime import timedelta
from math import exp

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.surface.fit import FitParams
from core.surface.prepare import PrepareParams, prepare
from core.surface.surface import VolSurface, fit_surface
from core.surface.svi import SviSlice
from core.surface.variance_time import VarianceClock
from ports.checks import epoch_ms
from tests.support.markets import NOW
from tests.support.smiles import MONTH, market, skewed

DAY_MS = 86_400_000
NOW_MS = epoch_ms(NOW)
WEEK = SviSlice(a=0.002, b=0.03, rho=-0.2, m=-0.01, q=0.06)
QUARTER = SviSlice(a=0.03, b=0.10, rho=-0.35, m=-0.03, q=0.25)
DAYS = (7.0, 30.0, 90.0)
BUSY = VarianceClock(
    np.array([1.3, 1.2, 1.2, 1.1, 1.2, 0.4, 0.6]), np.tile([0.5, 1.5, 0.75, 1.25], 6)
)
SURFACE = VolSurface(
    taken_ms=NOW_MS,
    index_usd=100_000.0,
    expiry_ms=[epoch_ms(NOW + timedelta(days=days)) for days in DAYS],
    forward=[100_000.0 * exp(0.05 * days / 365.0) for days in DAYS],
    smiles=(WEEK, MONTH, QUARTER),
)
K = np.linspace(-0.5, 0.5, 41)


def at(days: float) -> int:
    """The instant *days* after the snapshot."""
    return NOW_MS + round(days * DAY_MS)


def test_an_expiry_has_its_own_smile() -> None:
    """At an expiry the surface is the smile that was fitted there, and its forward."""
    for days, smile in zip(DAYS, SURFACE.smiles, strict=True):
        section = SURFACE.section(at(days))

        assert section.total_variance(K) == pytest.approx(smile.total_variance(K), rel=1e-12)
        assert section.forward == pytest.approx(100_000.0 * exp(0.05 * days / 365.0), rel=1e-12)


@settings(derandomize=True, deadline=None)
@given(near=st.floats(0.3, 200.0), later=st.floats(0.01, 100.0))
def test_variance_never_falls(near: float, later: float) -> None:
    """Slices that rise from expiry to expiry rise between them and beyond, on any clock."""
    for surface in (SURFACE, evolve(SURFACE, clock=BUSY)):
        early = surface.section(at(near)).total_variance(K)
        late = surface.section(at(near + later)).total_variance(K)

        assert (late >= early * (1 - 1e-9)).all()


def test_linear_in_variance_time() -> None:
    """Between expiries total variance is linear in the clock's time, not in the calendar's."""
    surface = evolve(SURFACE, clock=BUSY)
    tau = [float(BUSY.years(NOW_MS, at(days))) for days in (7.0, 13.0, 30.0)]
    share = (tau[1] - tau[0]) / (tau[2] - tau[0])
    expected = (1 - share) * WEEK.total_variance(K) + share * MONTH.total_variance(K)

    assert surface.section(at(13.0)).total_variance(K) == pytest.approx(expected, rel=1e-12)
    assert surface.section(at(13.0)).total_variance(K) != pytest.approx(
        SURFACE.section(at(13.0)).total_variance(K), rel=1e-4
    )


def test_before_the_first_expiry() -> None:
    """Before the first expiry volatility is that of its smile: variance runs with time."""
    assert SURFACE.section(at(2.0)).iv(K) == pytest.approx(SURFACE.section(at(7.0)).iv(K), rel=1e-9)


def test_after_the_last_expiry() -> None:
    """After the last expiry the forward variance of the last two stays."""
    rate = (QUARTER.total_variance(K) - MONTH.total_variance(K)) / 60.0
    expected = QUARTER.total_variance(K) + 30.0 * rate

    assert SURFACE.section(at(120.0)).total_variance(K) == pytest.approx(expected, rel=1e-9)


def test_forward_variance_adds_up() -> None:
    """Forward variances, weighted by their spans, are the total variance of the last expiry."""
    spans = np.diff(np.array(DAYS), prepend=0.0) / 365.0

    assert (SURFACE.forward_variance() > 0.0).all()
    assert float(np.sum(spans * SURFACE.forward_variance())) == pytest.approx(
        float(QUARTER.total_variance(0.0)), rel=1e-12
    )


def test_one_expiry_is_a_surface() -> None:
    """With one smile variance runs with time on both sides of its expiry."""
    alone = evolve(SURFACE, expiry_ms=[at(30.0)], forward=[100_000.0], smiles=(MONTH,))

    for days in (10.0, 30.0, 60.0):
        assert alone.section(at(days)).total_variance(K) == pytest.approx(
            days / 30.0 * MONTH.total_variance(K), rel=1e-12
        )


def test_volatility_of_a_strike() -> None:
    """A strike is read at its moneyness against the forward of its own expiry."""
    strike = 100_000.0 * exp(0.05 * 30.0 / 365.0 + 0.1)

    assert float(SURFACE.iv(strike, at(30.0))) == pytest.approx(
        float(np.sqrt(MONTH.total_variance(0.1) * 365.0 / 30.0)), rel=1e-9
    )


def test_no_smile_at_the_instant_itself() -> None:
    """At the snapshot and before it there is no variance to speak of."""
    with pytest.raises(ValueError, match="needs time"):
        SURFACE.section(NOW_MS)


@pytest.mark.parametrize("change", [{"smiles": ()}, {"forward": [1.0]}, {"taken_ms": at(8.0)}])
def test_what_is_no_surface(change: dict[str, object]) -> None:
    """No smiles, missing forwards or an expiry in the past are refused."""
    with pytest.raises(ValueError, match=r"surface|expiries"):
        evolve(SURFACE, **change)


def test_a_market_becomes_its_surface() -> None:
    """Quotes about smiles, prepared and fitted, are read back within a twentieth of a point."""
    level = {7.0: 0.55, 30.0: 0.5, 90.0: 0.48}
    shown = market({days: skewed(iv) for days, iv in level.items()})
    prepared = prepare(shown, PrepareParams())
    fitted = fit_surface(prepared, shown.taken_at, shown.index_usd, FitParams())

    assert fitted.surface is not None
    for days, iv in level.items():
        k = np.linspace(-0.05, 0.05, 11)
        assert fitted.surface.section(at(days)).iv(k) == pytest.approx(skewed(iv)(k), abs=5e-4)


def test_a_market_without_quotes_has_no_surface() -> None:
    """Where nothing can be fitted there is no surface, and every expiry says why."""
    shown = market({7.0: skewed(0.5)})
    nothing = evolve(shown, chain=evolve(shown.chain, bid=np.full(len(shown.chain), np.nan)))
    prepared = prepare(nothing, PrepareParams())
    fitted = fit_surface(prepared, NOW, 100_000.0, FitParams())

    assert fitted.surface is None
    assert [fit.status.name for fit in fitted.slices] == ["NO_QUOTES"]
