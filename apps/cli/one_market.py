"""The market of one coin as a command asks for it: now, or as it was."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import typer

from apps.cli.book_view import end
from apps.cli.exits import ExitCode
from apps.settings.root import Settings
from apps.wiring.market_view import market_view
from ports.market_data import MarketSnapshot

At: TypeAlias = Annotated[
    str | None, typer.Option(metavar="INSTANT", help="UTC, such as 2026-01-20T09:30.")
]


def market_asked(settings: Settings, coin: str, at: str | None) -> MarketSnapshot:
    """
    Return *coin* at the instant that *at* says, None for now or the end of a recording.

    Ends the command with MISUSE where the coin is not traded, or the venue tells no past.
    """
    if coin not in settings.venue.underlyings:
        known = ", ".join(settings.venue.underlyings)
        end(f"{coin} is not traded; venue.underlyings is {known}", ExitCode.MISUSE)
    instant = _instant(at) if at else None
    if instant is not None and settings.venue.is_deribit:
        end("Deribit does not tell past chains: leave --at out", ExitCode.MISUSE)

    async def read() -> MarketSnapshot:
        async with market_view(settings, instant) as market:
            return await market.snapshot(coin)

    return asyncio.run(read())


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not an instant: {error}") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
