"""The volatility index: flat smiles, its three lines, and what makes it silent."""

from math import isnan

import numpy as np
import pytest
from attrs import evolve

from core.surface.fit import FitParams
from core.surface.prepare import PrepareParams, prepare
from core.surface.surface import fit_surface
from core.surface.vol_index import VolIndex, vol_index
from ports.market_data import MarketSnapshot
from tests.support.smiles import Smile, market, skewed

STRIKES = np.arange(20_000.0, 400_000.0, 1_000.0)


def flat(iv: float) -> Smile:
    """The smile that is none."""
    return lambda k: np.full(np.shape(k), iv)


def index(shown: MarketSnapshot) -> VolIndex:
    """The index of *shown* with its own surface."""
    prepared = prepare(shown, PrepareParams())
    fitted = fit_surface(prepared, shown.taken_at, shown.index_usd, FitParams())
    return vol_index(shown, prepared, fitted.surface)


@pytest.mark.parametrize("iv", [0.3, 0.8])
def test_a_flat_smile_is_its_own_index(iv: float) -> None:
    """Where all volatilities are one, so are all three lines, but for what the wings carry."""
    found = index(market({20.0: flat(iv), 41.0: flat(iv)}, STRIKES, half_spread=0.001))

    assert found.full == pytest.approx(100.0 * iv, rel=2e-3)
    assert found.atm == pytest.approx(100.0 * iv, rel=1e-4)
    assert found.atm - 3.0 < found.dvol_like < found.full


def test_lines_are_ordered_by_what_they_count() -> None:
    """On a smile the full strip is worth most; the cut one lies between it and the money."""
    found = index(market({20.0: skewed(0.5), 41.0: skewed(0.5)}, STRIKES, half_spread=0.001))

    assert found.dvol_like < found.full
    assert found.atm < found.full


def test_thirty_days_lie_between_two_expiries() -> None:
    """Between two expiries total variance is linear: 10 days of 20 and 20 of the other."""
    shown = market({20.0: flat(0.4), 40.0: flat(0.6)}, STRIKES, half_spread=0.001)
    total = 0.5 * (0.16 * 20.0 + 0.36 * 40.0)

    assert index(shown).full == pytest.approx(100.0 * np.sqrt(total / 30.0), rel=2e-3)


@pytest.mark.parametrize("days", [{10.0: flat(0.5)}, {40.0: flat(0.5)}, {}])
def test_silent_without_expiries_on_both_sides(days: dict[float, Smile]) -> None:
    """Thirty days that are not between two expiries have no index: none is extrapolated."""
    assert isnan(index(market(days, STRIKES)).full)


def test_a_one_sided_option_is_not_in_the_strip() -> None:
    """Taking the bids of half the strikes away leaves the strip of the others."""
    shown = market({20.0: flat(0.5), 41.0: flat(0.5)}, STRIKES, half_spread=0.001)
    is_kept = shown.chain.strike % 2_000.0 == 0.0
    thinned = evolve(shown.chain, bid=np.where(is_kept, shown.chain.bid, np.nan))
    alone = shown.chain.where(is_kept)

    one, other = (index(evolve(shown, chain=chain)) for chain in (thinned, alone))

    assert one.full == pytest.approx(other.full, rel=1e-12)
