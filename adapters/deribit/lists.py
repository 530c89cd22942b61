"""The venue's long private lists, read page by page: the recent part and the historical one."""

from datetime import datetime, timedelta

from attrs import frozen

from adapters.deribit.client import DeribitClient
from adapters.deribit.models import (
    PlacedOrder,
    SettlementRecord,
    Settlements,
    UserTrade,
    UserTrades,
)
from adapters.deribit.parse import is_single, read_as, rows_as
from ports.checks import epoch_ms
from ports.errors import Refused, Unavailable

_ORDER_NOT_FOUND = 10004  # of an unknown label: the same as an empty list
_RECENT = timedelta(hours=23)  # trades that the recent list has; the venue says 24
_ROWS_PER_CALL = 1000
_MOST_CALLS = 20  # of one list; a longer one is not read to its end, which is Unavailable


async def labelled_orders(client: DeribitClient, underlying: str, label: str) -> list[PlacedOrder]:
    """
    Return what the two lists by label say of *label*; orders in both come twice.

    Raises:
        Unavailable: One of them did not answer.
    """
    orders: list[PlacedOrder] = []
    for method in ("private/get_order_state_by_label", "private/get_open_orders_by_label"):
        try:
            answer = await client.read(method, currency=underlying, label=label)
        except Refused as error:
            if error.code != _ORDER_NOT_FOUND:
                raise
        else:
            orders += rows_as(PlacedOrder, answer)
    return orders


async def all_orders(client: DeribitClient, underlying: str) -> list[PlacedOrder]:
    """
    Return every order on *underlying* that has ended, recent and historical.

    Raises:
        Unavailable: One of the two lists is not complete.
    """
    return [
        *await _past_orders(client, underlying, historical=False),
        *await _past_orders(client, underlying, historical=True),
    ]


async def trade_labels(client: DeribitClient, underlying: str) -> frozenset[str]:
    """
    Return the labels of the trades of the last 24 hours.

    Raises:
        Unavailable: The list is not complete.
    """
    trades = await _trades(client, underlying, start_ms=0, historical=False)
    return frozenset(trade.label for trade in trades.by_id.values())


async def trades_since(
    client: DeribitClient, underlying: str, since: datetime
) -> tuple[UserTrade, ...]:
    """
    Return our trades on *underlying* from about *since* on, each once.

    Raises:
        Unavailable: A list is not complete: the recent one, or that of what is older than it.
    """
    start_ms = epoch_ms(since)
    recent = await _trades(client, underlying, start_ms, historical=False)
    if since > recent.answered_at - _RECENT:
        return tuple(recent.by_id.values())
    historical = await _trades(client, underlying, start_ms, historical=True)
    return tuple((historical.by_id | recent.by_id).values())


async def settlements_since(
    client: DeribitClient, underlying: str, since: datetime
) -> tuple[SettlementRecord, ...]:
    """
    Return the settlement records of *underlying* of all kinds, from before *since* on.

    Raises:
        Unavailable: The list is not complete.
    """
    records: list[SettlementRecord] = []
    continuation: dict[str, str] = {}
    for _ in range(_MOST_CALLS):
        answer = await client.read(
            "private/get_settlement_history_by_currency",
            currency=underlying,
            count=_ROWS_PER_CALL,
            **continuation,
        )
        page = read_as(Settlements, answer)
        records += page.settlements
        is_last = page.continuation in (None, "", "none") or not page.settlements
        if is_last or page.settlements[-1].timestamp < epoch_ms(since):
            return tuple(records)
        continuation = {"continuation": str(page.continuation)}
    raise Unavailable(f"settlements of {underlying}: more than {len(records)} since {since}")


async def _past_orders(
    client: DeribitClient, underlying: str, *, historical: bool
) -> list[PlacedOrder]:
    orders: list[PlacedOrder] = []
    found = 0
    for _ in range(_MOST_CALLS):
        answer = await client.read(
            "private/get_order_history_by_currency",
            currency=underlying,
            count=_ROWS_PER_CALL,
            offset=found,
            include_old=True,
            include_unfilled=True,
            historical=historical,
        )
        page = rows_as(PlacedOrder, answer)
        found += len(page)
        orders += [row for row in page if is_single(row)]
        if len(page) < _ROWS_PER_CALL:
            return orders
    raise Unavailable(f"orders on {underlying}: more than {found} have ended")


@frozen
class _Trades:
    """Trades by id, oldest first, and the venue's time of the last answer."""

    by_id: dict[str, UserTrade]
    answered_at: datetime


async def _trades(
    client: DeribitClient, underlying: str, start_ms: int, *, historical: bool
) -> _Trades:
    """One list from *start_ms* on; pages overlap at the last instant of the one before."""
    trades: dict[str, UserTrade] = {}
    for _ in range(_MOST_CALLS):
        answer = await client.read(
            "private/get_user_trades_by_currency",
            currency=underlying,
            start_timestamp=start_ms,
            count=_ROWS_PER_CALL,
            sorting="asc",
            historical=historical,
        )
        page = read_as(UserTrades, answer)
        trades |= {trade.trade_id: trade for trade in page.trades if is_single(trade)}
        if not page.has_more:
            return _Trades(trades, answer.answered_at)
        latest_ms = max((trade.timestamp for trade in page.trades), default=start_ms)
        if latest_ms <= start_ms:
            break
        start_ms = latest_ms
    raise Unavailable(f"trades on {underlying}: the list of {len(trades)} does not end")
