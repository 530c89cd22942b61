"""What futures in the book are worth, and what their funding came to."""

from datetime import datetime

from core.usecases.desk import Desk
from ports.decision_log import Alarm
from ports.errors import Malformed, Refused, Unavailable
from ports.instruments import FutureContract
from ports.market_data import MarketSnapshot
from ports.marks import FutureMark
from ports.positions import FutureLeg
from ports.trading import Account


async def future_marks(
    desk: Desk, snapshot: MarketSnapshot, account: Account
) -> tuple[FutureMark, ...]:
    """
    Return the mark of each future that positions of the book hold: the venue's, or the index
    where it holds none; with its funding since the position that waits longest for it.

    Funding that is not told is asked for again with the next mark, and an alarm says so.

    Raises:
        StoreUnwritable: The journal failed.
    """
    held: dict[FutureContract, list[FutureLeg]] = {}
    for position in desk.keeper.book.open_positions(account.underlying):
        if position.future is not None and position.future_usd != 0.0:
            held.setdefault(position.future.contract, []).append(position.future)
    marks = {each.contract: each.mark for each in account.futures}
    return tuple(
        [
            await _mark(desk, contract, marks.get(contract, snapshot.index_usd), legs)
            for contract, legs in held.items()
        ]
    )


async def _mark(
    desk: Desk, contract: FutureContract, mark_usd: float, legs: list[FutureLeg]
) -> FutureMark:
    since: datetime = min(leg.funded_at for leg in legs)
    plain = FutureMark(contract=contract, mark_usd=mark_usd)
    if contract.expiry is not None or desk.now <= since:
        return plain
    try:
        funding = await desk.world.history.funding(contract.underlying, since, desk.now)
    except (Unavailable, Malformed, Refused) as error:
        subject = f"funding of {contract.symbol} is not known"
        await desk.keeper.record(Alarm(at=desk.now, subject=subject, detail=str(error)))
        return plain
    return FutureMark(contract=contract, mark_usd=mark_usd, since=since, funding=funding)
