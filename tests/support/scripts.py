"""A short life of an agent: it opens, rolls, takes profit, is filled in part, and is delivered."""

from datetime import UTC, datetime

from attrs import evolve

from ports.history import DeliveryPrice
from ports.market_data import MarketSnapshot
from tests.support.calls import priced
from tests.support.markets import NOW, call, snapshot
from tests.support.worlds import Stage

FIRST = datetime(2026, 3, 6, 8, tzinfo=UTC)  # Fridays
SECOND = datetime(2026, 3, 13, 8, tzinfo=UTC)
THIRD = datetime(2026, 3, 20, 8, tzinfo=UTC)
DELIVERIES = {FIRST: 103_000.0, SECOND: 100_000.0}


def shown(
    at: datetime, index_usd: float, *calls: tuple[datetime, float], bid_amount: float = 10.0
) -> MarketSnapshot:
    """The market at *at*: *calls* by expiry and strike, priced on *index_usd*."""
    rows = (
        evolve(
            priced(call(strike, expiry), now=at, index_usd=index_usd),
            bid_amount=bid_amount,
        )
        for expiry, strike in calls
    )
    return snapshot(*rows, taken_at=at, index_usd=index_usd)


MARKETS = (
    shown(NOW, 100_000.0, (FIRST, 104_000.0)),
    # the call is near with hours left: rolled out and up for a credit
    shown(
        datetime(2026, 3, 5, 12, tzinfo=UTC),
        103_500.0,
        (FIRST, 104_000.0),
        (SECOND, 108_000.0),
    ),
    # far away from it, most of the premium is earned: bought back
    shown(datetime(2026, 3, 9, 12, tzinfo=UTC), 95_000.0, (SECOND, 98_000.0), (SECOND, 108_000.0)),
    # the bid is for less than the order: filled in part, the rest is cancelled in time
    shown(
        datetime(2026, 3, 9, 18, tzinfo=UTC),
        95_000.0,
        (SECOND, 98_000.0),
        (SECOND, 108_000.0),
        bid_amount=0.3,
    ),
    # delivered in the money, and the next one is sold
    shown(datetime(2026, 3, 13, 12, tzinfo=UTC), 100_500.0, (THIRD, 106_000.0)),
    shown(datetime(2026, 3, 13, 18, tzinfo=UTC), 100_000.0, (THIRD, 106_000.0)),
)


def scripted() -> Stage:
    """The stage of that life."""
    return Stage(
        shown=MARKETS,
        ticks=[each.taken_at for each in MARKETS],
        deliveries={at: DeliveryPrice(usd, "told") for at, usd in DELIVERIES.items()},
    )
