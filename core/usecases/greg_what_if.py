"""Read out of a journal what was suggested, of which positions, and at which marks."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import define, evolve, field, frozen

from core.analysis.what_if import NEAR, Marks, StoredMarks, Suggested, instants_of
from core.execution.book import after
from core.greg.holdings import Holding, holding_of
from core.pricing.marks import mark_of
from ports.decision_log import DecisionLog, Marked
from ports.greg_journal import GregEvent, GregNoted
from ports.greg_log import GregEntry
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot
from ports.positions import Book
from ports.snapshots import SnapshotArchive


@frozen(kw_only=True)
class Told:
    """What a journal says: suggestions in their order, and marks by coin."""

    suggested: tuple[Suggested, ...]
    marks: Mapping[str, tuple[Marks, ...]]


@define(eq=False)
class _Reading:
    """A journal as far as it was read."""

    book: Book = field(factory=Book)
    held: list[tuple[GregEntry, Holding]] = field(factory=list)
    followed: set[int] = field(factory=set)  # places in *held*
    marks: dict[str, list[Marks]] = field(factory=dict)

    def take(self, noted: GregNoted) -> None:
        """A suggestion is remembered with its position; an execution marks the newest one."""
        entry = noted.entry
        if noted.event is GregEvent.SUGGESTED:
            position = self.book.positions.get(entry.position_id)
            holding = None if position is None else holding_of(position)
            if holding is not None:
                self.held.append((entry, holding))
        elif noted.event is GregEvent.EXECUTED and entry.extra_info.get("dry_run") is not True:
            asked = (entry.position_id, entry.action_type)
            for place in reversed(range(len(self.held))):
                said = self.held[place][0]
                if (said.position_id, said.action_type) == asked:
                    self.followed.add(place)
                    break


async def told_by(journal: DecisionLog) -> Told:
    """
    Return what *journal* tells.

    Raises:
        StoreDamaged: It cannot be read.
    """
    reading = _Reading()
    async for record in journal.records():
        entry = record.entry
        if isinstance(entry, GregNoted):
            reading.take(entry)
        elif isinstance(entry, Marked):
            coin = {mark.contract: mark.mark_coin for mark in entry.marks}
            stored = Marks(at=entry.at, index_usd=entry.index_usd, coin=coin)
            reading.marks.setdefault(entry.underlying, []).append(stored)
        reading.book = after(entry, reading.book)
    return Told(
        suggested=tuple(
            Suggested(
                entry=entry,
                holding=holding,
                followed=place in reading.followed,
                ended_at=_ended_at(holding, reading.book),
            )
            for place, (entry, holding) in enumerate(reading.held)
        ),
        marks={coin: tuple(each) for coin, each in reading.marks.items()},
    )


async def with_archive(told: Told, archive: SnapshotArchive) -> Told:
    """
    Return *told* with the marks of *archive* nearest to what it is asked for beside its own.

    Raises:
        Unavailable, StoreDamaged: The archive cannot be read.
    """
    marks = dict(told.marks)
    for coin in sorted({each.entry.underlying for each in told.suggested}):
        ours = [each for each in told.suggested if each.entry.underlying == coin]
        contracts = {leg.contract for each in ours for leg in each.holding.legs}
        wanted = {at for each in ours for at in instants_of(each)}
        known = await archive.instants(coin)
        nearest = {found for at in wanted if (found := _nearest(known, at)) is not None}
        more = [_marks_of(await archive.load(coin, at), contracts) for at in sorted(nearest)]
        marks[coin] = (*marks.get(coin, ()), *more)
    return evolve(told, marks=marks)


def stored(told: Told) -> dict[str, StoredMarks]:
    """The marks of *told*, ready to be looked up."""
    return {coin: StoredMarks(marks) for coin, marks in told.marks.items()}


def _ended_at(holding: Holding, book: Book) -> datetime:
    """When the position ended: closed, or its first leg expired."""
    expires_at = min(leg.contract.expiry for leg in holding.legs)
    position = book.positions.get(holding.position_id)
    closed_at = None if position is None else position.closed_at
    return expires_at if closed_at is None else min(closed_at, expires_at)


def _nearest(known: Sequence[datetime], at: datetime) -> datetime | None:
    """The instant of *known* nearest to *at* that lies near enough."""
    near = known[bisect_left(known, at - NEAR) : bisect_left(known, at + NEAR)]
    return min(near, key=lambda each: abs(each - at), default=None)


def _marks_of(snapshot: MarketSnapshot, contracts: set[OptionContract]) -> Marks:
    """What *snapshot* says of those of *contracts* that have not expired."""
    now = snapshot.taken_at
    coin = {each: mark_of(snapshot, each, now) for each in contracts if each.expiry > now}
    return Marks(at=now, index_usd=snapshot.index_usd, coin=coin)
