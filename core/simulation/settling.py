"""The daily settlement of futures: profit since the last one becomes balance."""

from datetime import datetime, timedelta

from core.simulation.future_holding import FutureHolding
from ports.history import History
from ports.venue_log import Funding, FutureSettlement, VenueStep

_DAY = timedelta(days=1)
_LOOK_BACK = timedelta(days=2)  # for the last price that was known at a settlement
_HOUR = timedelta(hours=1)


def last_settlement(now: datetime) -> datetime:
    """The last 08:00 UTC at *now* or before."""
    today = now.replace(hour=8, minute=0, second=0, microsecond=0)
    return today if today <= now else today - _DAY


def settlement_due(held: FutureHolding, now: datetime) -> datetime | None:
    """The first 08:00 after what is booked of *held*; None if it is still to come."""
    following = last_settlement(held.funded_at) + _DAY
    return following if following <= now else None


async def settlement_step(
    held: FutureHolding, at: datetime, now: datetime, history: History
) -> VenueStep | None:
    """
    Return the step that settles *held* for 08:00, *at*; None while its price is not known.

    The price is the index of that moment, or the last one known before.

    Raises:
        Unavailable: The history does not answer.
    """
    contract = held.contract
    bars = await history.candles(contract.underlying, _HOUR, at - _LOOK_BACK, at)
    if len(bars.close) == 0:
        return None
    price = float(bars.close[-1])
    fundings: tuple[Funding, ...] = ()
    if held.size_usd and contract.expiry is None:
        rate = await history.funding(contract.underlying, held.funded_at, at)
        paid_coin = rate * held.size_usd / price
        fundings = (Funding(contract=contract, until=at, rate=rate, amount_coin=0.0 - paid_coin),)
        held = held.funded(fundings[0])
    settlement = FutureSettlement(
        contract=contract,
        at=at,
        size_usd=held.size_usd,
        price=price,
        funding_coin=held.funding_coin,
        profit_coin=held.profit_coin(price),
    )
    return VenueStep(at=now, fundings=fundings, settlements=(settlement,))
