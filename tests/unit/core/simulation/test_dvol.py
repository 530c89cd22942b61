"""The volatility index of a chain: what a flat smile makes of it, and what makes it silent."""

from datetime import timedelta
from math import isnan

import numpy as np
import pytest
from attrs import evolve

from core.pricing.black76 import premium_coin
from core.simulation.dvol import dvol_percent
from ports.checks import epoch_ms
from ports.market_data import MarketSnapshot
from tests.support.markets import NOW, Listed, call, put, snapshot

INDEX = 100_000.0


def flat(*smiles: tuple[float, float], step_usd: float = 500.0) -> MarketSnapshot:
    """Expiries by days and volatility, with strikes from a quarter to four times the index."""
    strikes = np.arange(25_000.0, 400_000.0, step_usd).tolist()
    rows = [
        Listed(
            contract=make(strike, NOW + timedelta(days=days)), mark=mark, mark_iv=iv, forward=INDEX
        )
        for days, iv in smiles
        for strike in strikes
        for make in (call, put)
        for mark in [premium_coin(INDEX, strike, days / 365.0, iv, make is call)]
    ]
    return snapshot(*rows, index_usd=INDEX)


@pytest.mark.parametrize("iv", [0.3, 0.6, 1.0])
def test_a_flat_smile_is_its_own_index(iv: float) -> None:
    """Where every volatility is one and the same, so is the index, up to the grid of strikes."""
    seen = flat((20.0, iv), (41.0, iv))

    assert dvol_percent(seen) == pytest.approx(100.0 * iv, rel=2e-3)


def test_variance_is_linear_between_expiries() -> None:
    """Halfway between two expiries the total variance is halfway between theirs."""
    seen = flat((20.0, 0.5), (40.0, 0.7))
    total = 0.5 * (0.5**2 * 20.0 + 0.7**2 * 40.0)

    assert dvol_percent(seen) == pytest.approx(100.0 * (total / 30.0) ** 0.5, rel=2e-3)


def test_one_expiry_stands_for_itself() -> None:
    """Without an expiry on the other side of thirty days the nearest one is taken."""
    assert dvol_percent(flat((50.0, 0.4))) == pytest.approx(40.0, rel=2e-3)


def test_a_chain_without_marks_says_nothing() -> None:
    """NaN, rather than a number, where no mark is known."""
    seen = flat((20.0, 0.5))
    chain = evolve(seen.chain, mark=np.full(len(seen.chain), np.nan))

    assert isnan(dvol_percent(evolve(seen, chain=chain)))
    assert epoch_ms(seen.taken_at) < int(seen.chain.expiry_ms[0])
