"""What a mark says: positions at new prices, wealth by where it came from, and drawdown."""

from collections.abc import Mapping
from datetime import datetime
from math import fsum

from attrs import evolve

from core.execution.futures import funded
from ports.decision_log import Marked
from ports.instruments import OptionContract
from ports.positions import Drawdown, TrackedPosition, Wealth


def remarked(
    position: TrackedPosition, marks: Mapping[OptionContract, float], entry: Marked
) -> TrackedPosition:
    """*position* at *marks*, those of *entry* by contract, with the funding that it tells of."""
    legs = tuple(
        evolve(leg, mark_coin=marks[leg.contract])
        if leg.size != 0.0 and leg.contract in marks
        else leg
        for leg in position.legs
    )
    future = position.future
    for mark in entry.futures:
        if future is not None and future.contract == mark.contract and future.size_usd != 0.0:
            future = funded(future, mark, entry)
    pnl_coin = sum(leg.pnl_coin for leg in legs) + (future.pnl_coin if future else 0.0)
    worst = min(position.worst_pnl_coin, pnl_coin)
    return evolve(position, legs=legs, future=future, worst_pnl_coin=worst)


def wealth_after(
    before: Wealth | None, positions: Mapping[str, TrackedPosition], entry: Marked
) -> Wealth:
    """
    Attribution of the change since the last mark: coin held through the move of the index, then
    what options, fees and others added, at the new index. The parts sum to the whole.
    """
    counted = [
        position
        for position in positions.values()
        if position.underlying == entry.underlying and not position.sandbox
    ]
    held = [leg for position in counted for leg in position.legs]
    futures = [position.future for position in counted if position.future is not None]
    # fsum: the same bits in any order, and a snapshot brings positions in another
    option_coin = fsum(leg.option_coin for leg in held)
    hedge_coin = fsum(future.gained_coin for future in futures)
    fees_coin = -fsum([*(leg.fees_coin for leg in held), *(each.fees_coin for each in futures)])
    if before is None:
        flows = option_coin + hedge_coin + fees_coin  # traded before the first mark
        before = Wealth(
            first_equity_coin=entry.equity_coin - flows,
            first_index_usd=entry.index_usd,
            equity_coin=entry.equity_coin - flows,
            index_usd=entry.index_usd,
            marked_at=entry.at,
        )
    option_step = option_coin - before.option_coin
    hedge_step = hedge_coin - before.hedge_coin
    fees_step = fees_coin - before.fees_coin
    told = option_step + hedge_step + fees_step
    other_step = entry.equity_coin - before.equity_coin - told
    return evolve(
        before,
        equity_coin=entry.equity_coin,
        index_usd=entry.index_usd,
        marked_at=entry.at,
        option_coin=option_coin,
        hedge_coin=hedge_coin,
        fees_coin=fees_coin,
        other_coin=before.other_coin + other_step,
        coin_usd=before.coin_usd + before.equity_coin * (entry.index_usd - before.index_usd),
        option_usd=before.option_usd + option_step * entry.index_usd,
        hedge_usd=before.hedge_usd + hedge_step * entry.index_usd,
        fees_usd=before.fees_usd + fees_step * entry.index_usd,
        other_usd=before.other_usd + other_step * entry.index_usd,
    )


def drawdown_after(before: Drawdown | None, wealth: Mapping[str, Wealth], at: datetime) -> Drawdown:
    """The peak of *wealth* within the day of *at*, and where it stands."""
    equity_usd = fsum(each.equity_coin * each.index_usd for each in wealth.values())
    day = f"{at:%Y-%m-%d}"
    peak_usd = max(before.peak_usd, equity_usd) if before and before.day == day else equity_usd
    return Drawdown(day=day, peak_usd=peak_usd, equity_usd=equity_usd)
