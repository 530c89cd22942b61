"""The shown chain: laws that its columns keep, and figures from 50 digits."""

from math import isnan

import numpy as np
import pytest
from mpmath import mp, mpf

from core.analysis.chain_view import chain_view
from core.pricing.black76 import premium_coin
from tests.support.markets import DAILY, FRIDAY, NOW, Listed, call, put, snapshot

TENOR = call(105_000.0).years_left(NOW)


def exact_call(strike: int, iv: str) -> float:
    """The premium in coin of a call on a forward of 100,000, from 50 digits."""
    with mp.workdps(50):
        total = mpf(iv) * mp.sqrt(mpf(TENOR))
        d1 = mp.log(mpf(100_000) / strike) / total + total / 2
        return float(mp.ncdf(d1) - mpf(strike) / 100_000 * mp.ncdf(d1 - total))


def test_quotes_come_back_as_the_volatility_they_were_made_with() -> None:
    """A bid at 55 % and an ask at 65 % are shown as 55 and 65."""
    row = Listed(
        contract=call(105_000.0), bid=exact_call(105_000, "0.55"), ask=exact_call(105_000, "0.65")
    )
    view = chain_view(snapshot(row))

    assert view.bid_iv[0] == pytest.approx(0.55, rel=1e-12)
    assert view.ask_iv[0] == pytest.approx(0.65, rel=1e-12)


def test_marks_that_keep_parity_have_no_gap() -> None:
    """Call less put is 1 - K/F: both rows show how far they are from it."""
    rows = (
        Listed(contract=call(105_000.0), mark=0.02),
        Listed(contract=put(105_000.0), mark=0.07),
        Listed(contract=call(110_000.0), mark=0.01),
        Listed(contract=put(110_000.0), mark=0.113),
    )
    view = chain_view(snapshot(*rows))

    assert view.parity_gap_coin == pytest.approx([0.0, 0.0, -0.003, -0.003], abs=1e-15)


def test_without_a_partner_there_is_no_gap() -> None:
    """A call alone, and a put of another expiry, make no pair."""
    rows = (
        Listed(contract=put(105_000.0, DAILY), mark=0.05),
        Listed(contract=call(105_000.0, FRIDAY), mark=0.02),
    )

    assert np.isnan(chain_view(snapshot(*rows)).parity_gap_coin).all()


def test_a_mark_half_a_spread_above_the_model_fits_by_one() -> None:
    """The residual counts half-spreads."""
    model = exact_call(105_000, "0.6")
    row = Listed(contract=call(105_000.0), bid=0.02, ask=0.022, mark=model + 0.001, mark_iv=0.6)

    assert chain_view(snapshot(row)).residual[0] == pytest.approx(1.0, abs=1e-9)


def test_without_a_two_sided_quote_there_is_no_fit() -> None:
    """No spread, no measure; nothing stands in for it."""
    mark = premium_coin(100_000.0, 105_000.0, TENOR, 0.6, True)
    view = chain_view(snapshot(Listed(contract=call(105_000.0), ask=0.03, mark=mark, mark_iv=0.6)))

    assert isnan(view.residual[0])
    assert isnan(view.bid_iv[0])
