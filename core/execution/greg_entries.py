"""What the entries of Greg's desk do to the book: advice is remembered, the sandbox kept apart."""

from datetime import datetime

from attrs import evolve

from ports.greg_journal import GregEvent, GregNoted, SandboxClosed, SandboxLeg, SandboxOpened
from ports.positions import Book, Leg, TrackedPosition

EXIT_STYLE = "hold_to_expiry"


def greg_noted(entry: GregNoted, book: Book) -> Book:
    """*book* with the newest suggestion of the position; other events only explain."""
    if entry.event is not GregEvent.SUGGESTED:
        return book
    return evolve(book, advised={**book.advised, entry.entry.position_id: entry.entry})


def sandbox_opened(entry: SandboxOpened, book: Book) -> Book:
    """*book* with one more position of the sandbox."""
    position = TrackedPosition(
        position_id=entry.position_id,
        strategy_id=entry.strategy_id,
        underlying=entry.underlying,
        opened_at=entry.at,
        legs=tuple(_leg(each, entry.at, entry.index_usd) for each in entry.legs),
        exit_style=EXIT_STYLE,
        origin=entry.origin,
        sandbox=True,
        run_id=entry.run_id,
    )
    return evolve(book, positions={**book.positions, entry.position_id: position})


def sandbox_closed(entry: SandboxClosed, book: Book) -> Book:
    """*book* with those positions ended; what is not of the sandbox stays as it is."""
    gone = {
        key: evolve(
            position,
            closed_at=entry.at,
            legs=tuple(evolve(leg, size=0.0, closed_at=entry.at) for leg in position.legs),
        )
        for key in entry.position_ids
        if (position := book.positions.get(key)) is not None and position.sandbox
    }
    return evolve(book, positions={**book.positions, **gone})


def advised_since(book: Book, oldest: datetime) -> Book:
    """*book* without the advice from before *oldest*: what still holds is repeated within hours."""
    kept = {key: each for key, each in book.advised.items() if each.timestamp >= oldest}
    return book if len(kept) == len(book.advised) else evolve(book, advised=kept)


def _leg(leg: SandboxLeg, at: datetime, index_usd: float) -> Leg:
    cash_coin = abs(leg.size) * leg.price_coin
    is_short = leg.size < 0.0
    return Leg(
        contract=leg.contract,
        opened_at=at,
        size=leg.size,
        contracts_sold=-leg.size if is_short else 0.0,
        sold_coin=cash_coin if is_short else 0.0,
        sold_usd=cash_coin * index_usd if is_short else 0.0,
        bought_coin=0.0 if is_short else cash_coin,
        bought_usd=0.0 if is_short else cash_coin * index_usd,
        mark_coin=leg.price_coin,
    )
