"""Forwards from parity and basis, against the laws they rest on."""

from math import exp, nan

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.black76 import premium_coin
from core.surface.forwards import basis_forward, parity_forward, with_forwards
from tests.support.smiles import market, skewed

STRIKES = np.arange(70_000.0, 130_001.0, 5_000.0)


def pairs(forward: float, shift: float = 0.0) -> tuple[np.ndarray, ...]:
    """Call and put quotes of STRIKES about fair values, those of calls moved by *shift*."""
    call, put = (premium_coin(forward, STRIKES, 0.1, 0.6, side) for side in (True, False))
    return call + shift - 0.001, call + shift + 0.001, put - 0.001, put + 0.001


@settings(derandomize=True, deadline=None)
@given(forward=st.floats(80_000.0, 120_000.0))
def test_parity_gives_the_forward(forward: float) -> None:
    """Quotes about the values of one forward give it back, with no error to speak of."""
    found = parity_forward(STRIKES, *pairs(forward))

    assert found is not None
    assert found.usd == pytest.approx(forward, rel=1e-12)
    assert found.standard_error_usd < 1e-6


def test_one_wrong_pair_hardly_counts() -> None:
    """A pair that misses by twenty half-spreads moves the forward by less than its error."""
    quotes = [column.copy() for column in pairs(100_000.0)]
    for column in quotes[:2]:
        column[6] += 0.02
    found = parity_forward(STRIKES, *quotes)

    assert found is not None
    assert abs(found.usd - 100_000.0) < 3.0 * found.standard_error_usd
    assert found.standard_error_usd < 500.0


def test_wide_pairs_count_less() -> None:
    """Of two forwards in the quotes, that of the tight pairs wins."""
    tight, wide = pairs(100_000.0), pairs(101_000.0)
    is_wide = np.arange(len(STRIKES)) % 2 == 0
    side = (-1, 1, -1, 1)
    mixed = [
        np.where(is_wide, far + 0.02 * sign, near)
        for near, far, sign in zip(tight, wide, side, strict=True)
    ]
    found = parity_forward(STRIKES, *mixed)

    assert found is not None
    assert found.usd == pytest.approx(100_000.0, abs=20.0)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_pairs(count: int) -> None:
    """Fewer than three two-sided pairs give no forward."""
    quotes = [column[:count] for column in pairs(100_000.0)]

    assert parity_forward(STRIKES[:count], *quotes) is None


def test_one_sided_pairs_are_no_pairs() -> None:
    """A missing or crossed side leaves its pair out."""
    call_bid, call_ask, put_bid, put_ask = pairs(100_000.0)
    call_bid[:6] = nan
    put_ask[6:11] = 0.0

    assert parity_forward(STRIKES, call_bid, call_ask, put_bid, put_ask) is None


def test_a_chain_without_forwards() -> None:
    """An expiry whose rows have no forward takes that of its quotes; others keep theirs."""
    shown = market({10.0: skewed(0.5), 40.0: skewed(0.5)}, forward=100_500.0)
    is_near = shown.chain.expiry_ms == shown.chain.expiry_ms[0]
    blank = np.where(is_near, nan, shown.chain.forward)

    forward = with_forwards(evolve(shown.chain, forward=blank))

    assert forward == pytest.approx(np.full(len(forward), 100_500.0), rel=1e-6)
    assert (forward[~is_near] == 100_500.0).all()


def test_basis_is_linear_in_tenor() -> None:
    """Between listed futures and beyond them a constant carry stays what it is."""
    carry = 0.07
    listed = np.array([0.1, 0.5])
    found = basis_forward(
        100.0, np.array([0.05, 0.1, 0.3, 0.5, 1.0]), listed, 100.0 * np.exp(carry * listed)
    )

    assert found == pytest.approx(
        [100.0 * exp(carry * tenor) for tenor in (0.05, 0.1, 0.3, 0.5, 1.0)], rel=1e-12
    )


def test_no_futures_no_forward() -> None:
    """Without one listed future nothing is made up."""
    found = basis_forward(100.0, np.array([0.1]), np.array([0.5]), np.array([nan]))

    assert np.isnan(found).all()
