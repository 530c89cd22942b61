"""Model-free variance against the published tables, flat smiles and integrals in 30 digits."""

from math import exp, log, sqrt

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.black76 import premium_usd
from core.surface.model_free import (
    log_contract_weights,
    replicated_variance,
    smile_variance,
    strip_of,
    strip_variance,
)
from core.surface.svi import SviSlice
from tests.support.smiles import MONTH

RATE, TENOR, SPOT = 0.05, 90.0 / 365.0, 100.0  # the tables count months of 30 days
FORWARD = SPOT * exp(RATE * TENOR)
# Demeterfi et al. (1999), table 1: strike, volatility in per cent, weight, value, contribution.
PUTS = [
    (50, 30, 163.04, 0.000002, 0.0004),
    (55, 29, 134.63, 0.00003, 0.0035),
    (60, 28, 113.05, 0.0002, 0.0241),
    (65, 27, 96.27, 0.0013, 0.1289),
    (70, 26, 82.98, 0.0067, 0.5560),
    (75, 25, 72.26, 0.0276, 1.9939),
    (80, 24, 63.49, 0.0958, 6.0829),
    (85, 23, 56.23, 0.2854, 16.0459),
    (90, 22, 50.15, 0.7384, 37.0260),
    (95, 21, 45.00, 1.6747, 75.3616),
    (100, 20, 20.98, 3.3537, 70.3615),
]
CALLS = [
    (100, 20, 19.63, 4.5790, 89.8691),
    (105, 19, 36.83, 2.2581, 83.1580),
    (110, 18, 33.55, 0.8874, 29.7752),
    (115, 17, 30.69, 0.2578, 7.9130),
    (120, 16, 28.19, 0.0501, 1.4119),
    (125, 15, 25.98, 0.0057, 0.1476),
    (130, 14, 24.02, 0.0003, 0.0075),
    (135, 13, 22.27, 0.000006, 0.0001),
]


def test_demeterfi_table_1() -> None:
    """Every weight, contribution and the total cost of the table, to the digits printed."""
    total = 0.0
    for rows, is_call, step in ((PUTS[::-1], False, -5.0), (CALLS, True, 5.0)):
        strike = np.array([float(row[0]) for row in rows])
        weights = log_contract_weights(np.append(strike, strike[-1] + step), SPOT, TENOR, is_call)
        iv = np.array([row[1] / 100.0 for row in rows])
        value = exp(-RATE * TENOR) * premium_usd(FORWARD, strike, TENOR, iv, is_call)
        contribution = 10_000.0 * weights * value
        printed = np.array([row[2:] for row in rows])

        assert 10_000.0 * weights == pytest.approx(printed[:, 0], abs=0.0051)
        assert value == pytest.approx(printed[:, 1], abs=5.1e-5)
        assert contribution == pytest.approx(printed[:, 2], abs=5.1e-5)
        total += float(contribution.sum())

    assert total == pytest.approx(419.8671, abs=5e-5)
    cost = exp(RATE * TENOR) * total / 10_000.0
    variance = replicated_variance(cost, FORWARD, SPOT, TENOR)
    assert 100.0 * sqrt(variance) == pytest.approx(20.467, abs=5e-4)


@pytest.mark.parametrize(
    ("iv", "days", "lowest", "highest", "printed", "digits"),
    [
        (0.30, 90, 10, 200, 30.01, 2),
        (0.30, 360, 10, 200, 29.97, 2),
        (0.25, 90, 50, 200, 25.0, 1),
        (0.25, 360, 50, 200, 25.0, 1),
        (0.25, 90, 75, 125, 24.9, 1),
        (0.25, 360, 75, 125, 23.0, 1),
    ],
)
def test_demeterfi_tables_2_and_4(
    iv: float, days: int, lowest: int, highest: int, printed: float, digits: int
) -> None:
    """Flat volatility replicated one point apart over wide and narrow strikes, as printed."""
    tenor = days / 365.0
    forward = SPOT * exp(RATE * tenor)
    cost = 0.0
    for strike, is_call in (
        (np.arange(100.0, lowest - 2.0, -1.0), False),
        (np.arange(100.0, highest + 2.0, 1.0), True),
    ):
        weights = log_contract_weights(strike, SPOT, tenor, is_call)
        cost += float(np.sum(weights * premium_usd(forward, strike[:-1], tenor, iv, is_call)))

    variance = replicated_variance(cost, forward, SPOT, tenor)

    assert round(100.0 * sqrt(variance), digits) == printed


@settings(derandomize=True, deadline=None, max_examples=30)
@given(iv=st.floats(0.1, 1.5), tenor=st.floats(0.01, 1.0))
def test_a_flat_smile_is_its_own_variance(iv: float, tenor: float) -> None:
    """All strikes of a constant volatility are worth exactly that variance."""
    flat = SviSlice(a=iv * iv * tenor, b=0.0, rho=0.0, m=0.0, q=1.0)

    assert smile_variance(flat) == pytest.approx(iv * iv * tenor, rel=1e-12)


def test_a_smile_against_quadrature() -> None:
    """The integral over an SVI smile agrees with mpmath's in 30 digits."""
    with mp.workdps(30):

        def integrand(k: mp.mpf) -> mp.mpf:
            d = k - MONTH.m
            w = MONTH.a + MONTH.b * (MONTH.rho * d + mp.sqrt(d * d + MONTH.q**2))
            d1 = -k / mp.sqrt(w) + mp.sqrt(w) / 2
            side = 1 if k >= 0 else -1
            value = mp.ncdf(side * d1) - mp.exp(k) * mp.ncdf(side * (d1 - mp.sqrt(w)))
            return 2 * side * value * mp.exp(-k)

        exact = float(mp.quad(integrand, [-4, -2, -1, -0.5, 0, 0.5, 1, 2, 4]))

    assert smile_variance(MONTH) == pytest.approx(exact, rel=1e-10)


def test_a_dense_strip_is_its_smile() -> None:
    """A strip with many strikes is worth what the integral over its smile is."""
    strike = np.exp(np.linspace(-2.0, 2.0, 4001))
    iv = np.sqrt(MONTH.total_variance(np.log(strike)))
    rows = [
        (premium_usd(1.0, strike, 1.0, iv, side), np.full(4001, side)) for side in (True, False)
    ]
    strip = strip_of(
        np.concatenate((strike, strike)),
        np.concatenate([is_call for _, is_call in rows]),
        np.concatenate([value for value, _ in rows]),
        1.0,
    )

    assert strip is not None
    assert strip_variance(strip) == pytest.approx(smile_variance(MONTH), rel=1e-5)


@pytest.mark.parametrize(
    ("strike", "forward"),
    [([], 100.0), ([90.0], 100.0), ([90.0, 110.0], 100.0), ([110.0, 120.0, 130.0], 100.0),
     ([70.0, 80.0, 90.0], 100.0), ([0.0, -5.0, 90.0], 100.0)],
)  # fmt: skip
def test_no_strip(strike: list[float], forward: float) -> None:
    """Fewer than three strikes, or none on one side of the forward, make no strip."""
    columns = np.array(strike + strike)
    is_call = np.repeat([True, False], len(strike))

    assert strip_of(columns, is_call, np.ones(len(columns)), forward) is None


def test_unquoted_options_are_left_out() -> None:
    """NaN among the values is not quoted: the strip is that of the other strikes."""
    strike = np.array([80.0, 90.0, 100.0, 110.0, 120.0, 130.0])
    iv = np.full(6, 0.5)
    value = premium_usd(100.0, strike, 0.1, iv, strike > 100.0)
    with_gap = np.where(strike == 120.0, np.nan, value)
    kept = strike != 120.0

    one = strip_of(strike, strike > 100.0, with_gap, 100.0)
    other = strip_of(strike[kept], (strike > 100.0)[kept], value[kept], 100.0)

    assert one is not None
    assert other is not None
    assert strip_variance(one) == strip_variance(other)


def test_log_contract_is_matched_at_its_strikes() -> None:
    """The replicating pay-off equals the log contract at every strike, and lies above between."""
    strike = np.arange(100.0, 161.0, 5.0)
    weights = log_contract_weights(strike, 100.0, 0.5, is_call=True)

    for spot in np.arange(100.0, 160.5, 2.5):
        replica = float(np.sum(weights * np.maximum(spot - strike[:-1], 0.0)))
        payoff = 2.0 / 0.5 * ((spot - 100.0) / 100.0 - log(spot / 100.0))
        if spot in strike:
            assert replica == pytest.approx(payoff, abs=1e-12)
        else:
            assert replica > payoff
