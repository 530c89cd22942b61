"""What the exchange shows of a chain."""

from datetime import timedelta

import pytest

from apps.exchange.frames import Frame, Listing
from tests.support.markets import FRIDAY, Listed, call, snapshot


@pytest.mark.parametrize(
    ("minutes_left", "delta"), [(60, 0.5), (30, 0.5), (15, 0.25), (6, 0.1), (0, 0.0)]
)
def test_delta_fades_while_the_delivery_price_is_taken(minutes_left: int, delta: float) -> None:
    """In the last half hour a call at the money moves with what of the mean is still open."""
    at_the_money = Listed(contract=call(88_000.0), mark=0.001, mark_iv=0.2, forward=88_000.0)
    shown = snapshot(
        at_the_money, taken_at=FRIDAY - timedelta(minutes=minutes_left), index_usd=88_000.0
    )

    ((told, *_),) = Frame.of(shown, Listing.of(shown.chain)).greeks

    assert told == pytest.approx(delta, abs=1e-3)
