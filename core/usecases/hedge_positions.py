"""Hedge positions that lean beyond their band: a dry run unless a sender is there and asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.greg.catalogue import StrategyCode
from core.greg.hedge_results import (
    HedgeHistory,
    HedgeResult,
    acknowledged,
    failed,
    simulated,
)
from core.greg.hedging import HedgedPosition, HedgeOrder, HedgeTerms, hedge_orders
from core.greg.management import HedgeRule
from ports.errors import PortError

NO_CLIENT = "no exchange client"


class HedgeSender(Protocol):
    """Who carries a hedge to the venue; it passes every gate on the way."""

    async def send(self, order: HedgeOrder) -> str:
        """
        Return the venue's id of *order*, once it is filled whole.

        Raises:
            PortError: It was not, or it is not known.
        """
        ...


async def hedge_positions(
    positions: Sequence[HedgedPosition],
    rules: Mapping[StrategyCode, HedgeRule],
    now: datetime,
    history: HedgeHistory,
    *,
    terms: HedgeTerms | None = None,
    sender: HedgeSender | None = None,
    dry_run: bool = True,
) -> tuple[HedgeResult, ...]:
    """
    Return what became of the hedges that *positions* need, one each at most; note all of them.

    A failure of the venue is a result, and the rest goes on.
    """
    results = [
        simulated(order) if dry_run else await _sent(order, sender)
        for order in hedge_orders(positions, rules, now, terms=terms)
    ]
    history.add(results)
    return tuple(results)


async def _sent(order: HedgeOrder, sender: HedgeSender | None) -> HedgeResult:
    if sender is None:
        return failed(order, NO_CLIENT)
    try:
        return acknowledged(order, await sender.send(order))
    except PortError as error:
        return failed(order, str(error))
