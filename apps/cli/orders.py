"""`options-agent orders`: what works at the venue, and what was traded."""

import asyncio
from collections.abc import Iterable
from typing import Annotated

import typer
from attrs import asdict
from rich.table import Table

from apps.cli import figures
from apps.cli.book_view import (
    BookFolder,
    age_line,
    age_record,
    heading,
    heading_record,
    latest,
    place_from,
)
from apps.cli.console import show_json, show_table, show_text, table
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.reading import RECENT, BookReader, BookState
from ports.decision_log import OrderUpdated
from ports.positions import OrderRecord
from ports.trading import Fill

_SHOWN = 20  # newest trades
_WHOLE = ("sent", "traded", "symbol")


def command(
    book: BookFolder = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Ended orders of the last days, and every trade.")
    ] = False,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Working orders and the newest trades, as the journal knows them.

    The book forgets orders eight days after their end. Nothing is locked or changed.
    """
    settings = settings_from(config, overrides, venue).settings
    place = place_from(settings, book)

    async def read() -> BookState:
        return await latest(await BookReader.opened(place, None if show_all else RECENT))

    _show(settings, asyncio.run(read()), show_all, as_json)


def _show(settings: Settings, state: BookState, show_all: bool, as_json: bool) -> None:
    known = state.book.orders.values() if show_all else state.book.working
    orders = sorted(known, key=lambda record: record.sent_at, reverse=True)
    fills = _fills(state)
    fills = fills if show_all else fills[:_SHOWN]
    if as_json:
        show_json(
            {
                **heading_record(settings, state.place),
                **age_record(state),
                "orders": [_order_record(order) for order in orders],
                "fills": [asdict(fill) | {"contract": fill.contract.symbol} for fill in fills],
            }
        )
        return
    show_text(heading(settings, state.place))
    show_text(age_line(state))
    if orders:
        show_table(_orders_table(orders))
    else:
        show_text("no orders" if show_all else "no working orders")
    if fills:
        show_table(_fills_table(fills))
    else:
        show_text("no trades" if show_all else "no trades lately")


def _fills(state: BookState) -> list[Fill]:
    """The trades among the entries read, newest first, each once."""
    found: dict[str, Fill] = {}
    for each in state.recent:
        if isinstance(each.entry, OrderUpdated):
            found.update({fill.trade_id: fill for fill in each.entry.fills})
    return sorted(found.values(), key=lambda fill: fill.at, reverse=True)


def _order_record(order: OrderRecord) -> dict[str, object]:
    return {
        "label": order.intent.label,
        "order_id": order.order_id,
        "strategy_id": order.intent.strategy_id,
        "position_id": order.intent.position_id,
        "symbol": order.intent.contract.symbol,
        "side": order.intent.side,
        "amount": order.intent.amount,
        "filled": order.filled_amount,
        "booked": order.booked_amount,
        "price": order.intent.price,
        "reduce_only": order.intent.reduce_only,
        "state": order.state,
        "reason": order.reason,
        "sent_at": order.sent_at,
        "updated_at": order.updated_at,
        "expires_at": order.intent.expires_at,
    }


def _orders_table(orders: Iterable[OrderRecord]) -> Table:
    numbers = ("amount", "filled", "price")
    made = table(
        "sent",
        "symbol",
        "side",
        *numbers,
        "state",
        "label",
        "reason",
        numbers=numbers,
        whole=_WHOLE,
    )
    for order in orders:
        intent = order.intent
        made.add_row(
            figures.instant(order.sent_at),
            intent.contract.symbol,
            intent.side,
            figures.size(intent.amount),
            figures.size(order.filled_amount),
            figures.price(intent.price),
            order.state,
            intent.label,
            order.reason,
        )
    return made


def _fills_table(fills: Iterable[Fill]) -> Table:
    numbers = ("amount", "price", "fee coin", "index USD")
    made = table("traded", "symbol", "side", *numbers, "as", "label", numbers=numbers, whole=_WHOLE)
    for fill in fills:
        made.add_row(
            figures.instant(fill.at),
            fill.contract.symbol,
            fill.side,
            figures.size(fill.amount),
            figures.price(fill.price),
            f"{fill.fee_coin:.6f}",
            figures.index(fill.index_usd),
            "maker" if fill.is_maker else "taker",
            fill.label or "not ours",
        )
    return made
