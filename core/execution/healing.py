"""Our book of a coin rebuilt from what the venue holds."""

from datetime import datetime

from attrs import evolve

from core.execution.flows import healed_leg, untold
from core.execution.futures import healed_future, untold_future
from ports.decision_log import Healed
from ports.instruments import FutureContract
from ports.positions import Book, FutureLeg, TrackedPosition

_STYLE = "healed_from_exchange"


def healed(entry: Healed, book: Book) -> Book:
    """
    Held legs take the venue's sizes: what matches is kept with its history, what the venue
    does not hold ends, what only the venue holds becomes a position of its own.
    """
    sizes = {position.contract: position for position in entry.positions}
    positions = dict(book.positions)
    for position in book.open_positions(entry.underlying):
        legs = tuple(
            healed_leg(leg, sizes.pop(leg.contract, None), entry.at) if leg.size != 0.0 else leg
            for leg in position.legs
        )
        positions[position.position_id] = evolve(position, legs=legs)
    for found in sizes.values():
        new = untold(found, entry.index_usd, entry.at)
        positions[new.position_id] = new
    return _with_futures(evolve(book, positions=positions), entry)


def _with_futures(book: Book, entry: Healed) -> Book:
    """
    Positions that hedge keep what the venue holds, the oldest first; the rest of it becomes a
    position of its own, and what it does not hold ends.
    """
    theirs = {held.contract: held.size_usd for held in entry.futures}
    ours: dict[FutureContract, float] = {}
    for future in _futures(book, entry.underlying).values():
        ours[future.contract] = ours.get(future.contract, 0.0) + future.size_usd
    positions = dict(book.positions)
    for key, future in _futures(book, entry.underlying).items():
        there = theirs.get(future.contract, 0.0)
        is_same = there == ours[future.contract]
        kept_usd = future.size_usd if is_same else _share(future.size_usd, there)
        ours[future.contract] -= kept_usd
        theirs[future.contract] = there - kept_usd
        positions[key] = evolve(positions[key], future=healed_future(future, kept_usd))
    for found in entry.futures:
        if theirs[found.contract] != 0.0:
            new = untold_future(found, theirs[found.contract], entry.at)
            positions[new.position_id] = new
    ended = {
        key: _ended(position, entry.at) if position.underlying == entry.underlying else position
        for key, position in positions.items()
    }
    return evolve(book, positions=ended)


def _futures(book: Book, underlying: str) -> dict[str, FutureLeg]:
    """What open positions hold in futures, by position, the oldest first."""
    return {
        position.position_id: position.future
        for position in book.open_positions(underlying)
        if position.future is not None and position.future_usd != 0.0
    }


def _share(wanted_usd: float, there_usd: float) -> float:
    """What a position that holds *wanted_usd* keeps of *there_usd*; nothing of the other side."""
    if wanted_usd * there_usd <= 0.0:
        return 0.0
    return min(wanted_usd, there_usd, key=abs)


def _ended(position: TrackedPosition, at: datetime) -> TrackedPosition:
    is_held = position.open_legs or position.future_usd != 0.0
    if position.closed_at is not None or position.sandbox or is_held:
        return position
    return evolve(position, closed_at=at, exit_style=_STYLE)
