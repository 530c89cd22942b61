"""`options-agent positions`: what is held, what it is worth, and what has ended."""

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
from apps.wiring.reading import BookReader, BookState
from core.analysis.position_view import (
    ClosedView,
    FutureView,
    OpenView,
    Total,
    closed_totals,
    closed_views,
    future_views,
    open_totals,
    open_views,
)

_WHOLE = ("symbol", "entered", "closed", "strategy")


def command(
    book: BookFolder = None,
    closed: Annotated[bool, typer.Option("--closed", help="Those that have ended.")] = False,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Open positions at their last marks, or ended ones, in coin and in USD.

    Unrealised profit is before fees, realised after. Nothing is locked or changed.
    """
    settings = settings_from(config, overrides, venue).settings
    place = place_from(settings, book)

    async def read() -> BookState:
        return await latest(await BookReader.opened(place))

    _show(settings, asyncio.run(read()), closed, as_json)


def _show(settings: Settings, state: BookState, closed: bool, as_json: bool) -> None:
    held, ended = open_views(state.book, state.now), closed_views(state.book)
    futures = () if closed else future_views(state.book)
    totals = closed_totals(ended) if closed else open_totals(held)
    if as_json:
        show_json(
            {
                **heading_record(settings, state.place),
                **age_record(state),
                "positions": [asdict(view) for view in (ended if closed else held)],
                "futures": [asdict(view) for view in futures],
                "totals": [asdict(total) for total in totals],
            }
        )
        return
    show_text(heading(settings, state.place))
    show_text(age_line(state))
    if not totals and not futures:
        show_text(f"no {'closed' if closed else 'open'} positions")
    if totals:
        show_table(_closed_table(ended) if closed else _open_table(held))
        show_table(_totals_table(totals, "realised" if closed else "unrealised"))
    if futures:
        show_table(_futures_table(futures))


def _open_table(views: Iterable[OpenView]) -> Table:
    numbers = ("size", "entry", "mark", "P&L coin", "P&L USD", "P&L %", "DTE", "rolls")
    made = table(
        "symbol", "side", *numbers, "entered", "strategy", "position", numbers=numbers, whole=_WHOLE
    )
    for view in views:
        made.add_row(
            view.symbol,
            view.side,
            figures.size(view.size),
            figures.price(view.entry_price),
            figures.price(view.mark),
            figures.coin(view.unrealised_coin),
            figures.usd(view.unrealised_usd),
            figures.percent(view.unrealised_pct),
            figures.decimals(view.dte, 1),
            str(view.rolls),
            figures.day(view.entered_at),
            view.strategy_id,
            view.position_id,
        )
    return made


def _futures_table(views: Iterable[FutureView]) -> Table:
    numbers = ("size USD", "entry", "mark", "P&L coin", "of funding", "fees")
    made = table("future", *numbers, "strategy", "position", numbers=numbers, whole=_WHOLE)
    for view in views:
        made.add_row(
            view.symbol,
            figures.usd(view.size_usd),
            figures.usd(view.entry_price),
            figures.usd(view.mark),
            figures.coin(view.gained_coin),
            figures.coin(view.funding_coin),
            figures.coin(-view.fees_coin),
            view.strategy_id,
            view.position_id,
        )
    return made


def _closed_table(views: Iterable[ClosedView]) -> Table:
    numbers = ("days", "rolls", "P&L coin", "P&L USD", "P&L %", "worst %", "fees")
    made = table(
        "symbols", "closed", *numbers, "exit", "strategy", "position", numbers=numbers, whole=_WHOLE
    )
    for view in views:
        made.add_row(
            " ".join(view.symbols),
            figures.day(view.closed_at),
            figures.decimals(view.holding_days, 1),
            str(view.rolls),
            figures.coin(view.realised_coin),
            figures.usd(view.realised_usd),
            figures.percent(view.realised_pct),
            figures.percent(view.worst_pct),
            figures.coin(-view.fees_coin),
            view.exit_style,
            view.strategy_id,
            view.position_id,
        )
    return made


def _totals_table(totals: Iterable[Total], word: str) -> Table:
    numbers = ("positions", f"{word} coin", f"{word} USD", "fees coin")
    made = table("coin", *numbers, numbers=numbers)
    for total in totals:
        made.add_row(
            total.underlying,
            str(total.positions),
            figures.coin(total.coin),
            figures.usd(total.usd),
            figures.coin(-total.fees_coin),
        )
    return made
