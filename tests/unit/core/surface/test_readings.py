"""What is read off a surface: deltas, risk reversals and butterflies by their definitions."""

from datetime import timedelta
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.black76 import delta as black_delta
from core.surface.readings import log_moneyness_at_delta, smile_at
from core.surface.surface import VolSurface
from core.surface.svi import SviSlice
from ports.checks import epoch_ms
from tests.support.markets import NOW
from tests.support.smiles import MONTH


def surface(smile: SviSlice) -> VolSurface:
    """A surface of one smile in thirty days."""
    return VolSurface(
        taken_ms=epoch_ms(NOW),
        index_usd=100_000.0,
        expiry_ms=[epoch_ms(NOW + timedelta(days=30))],
        forward=[100_000.0],
        smiles=(smile,),
    )


FLAT = SviSlice(a=0.02, b=0.0, rho=0.0, m=0.0, q=1.0)


@settings(derandomize=True, deadline=None)
@given(delta=st.floats(0.01, 0.99), is_call=st.booleans(), days=st.floats(3.0, 60.0))
def test_the_strike_has_the_delta(delta: float, is_call: bool, days: float) -> None:
    """Black's delta at the strike that is found, with its volatility there, is the one asked."""
    section = surface(MONTH).section(epoch_ms(NOW + timedelta(days=days)))
    k = log_moneyness_at_delta(section, delta, is_call)
    iv = float(section.iv(k))
    found = black_delta(1.0, float(np.exp(k)), section.tenor, iv, is_call)

    assert abs(found) == pytest.approx(delta, abs=1e-10)


def test_readings_follow_their_definitions() -> None:
    """Risk reversal and butterfly are call less put, and their mean less the money."""
    reading = smile_at(surface(MONTH), 30.0)
    atm = float(np.sqrt(MONTH.total_variance(0.0) * 365.0 / 30.0))

    assert reading.atm_iv == pytest.approx(atm, rel=1e-12)
    for wing in (reading.wing_25, reading.wing_10):
        assert wing.risk_reversal == wing.call_iv - wing.put_iv
        assert wing.butterfly == pytest.approx(0.5 * (wing.call_iv + wing.put_iv) - atm, rel=1e-12)
        assert wing.risk_reversal < 0.0  # this smile falls to the right
        assert wing.butterfly > 0.0
    assert reading.wing_10.butterfly > reading.wing_25.butterfly


def test_a_flat_smile_has_no_wings() -> None:
    """Without a smile there is neither skew nor butterfly, at any maturity."""
    for days in (10.0, 30.0, 90.0):
        reading = smile_at(surface(FLAT), days)

        assert reading.wing_25.risk_reversal == pytest.approx(0.0, abs=1e-12)
        assert reading.wing_10.butterfly == pytest.approx(0.0, abs=1e-12)


def test_a_delta_that_no_strike_has() -> None:
    """Where forward variance runs below zero there is nothing to read, and no number."""
    falling = VolSurface(
        taken_ms=epoch_ms(NOW),
        index_usd=100_000.0,
        expiry_ms=[epoch_ms(NOW + timedelta(days=days)) for days in (10, 20)],
        forward=[100_000.0, 100_000.0],
        smiles=(FLAT, SviSlice(a=0.005, b=0.0, rho=0.0, m=0.0, q=1.0)),
    )
    section = falling.section(epoch_ms(NOW + timedelta(days=60)))

    assert isnan(log_moneyness_at_delta(section, 0.25, True))
