"""A book read without its lock, while an agent may be writing it: nothing is changed."""

from collections import deque
from datetime import datetime
from pathlib import Path

from attrs import evolve, frozen

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.lock import environment_of, holder_of
from adapters.files.positions import FilePositionStore
from apps.wiring.book import JOURNAL, POSITIONS, BookPlace, controls_of
from apps.wiring.clock import system_now
from core.execution.book import after
from core.usecases.bookkeeper import Bookkeeper
from ports.controls import RuntimeControls
from ports.decision_log import Record
from ports.errors import StoreDamaged
from ports.positions import Book, BookSnapshot

RECENT = 1000  # entries that are kept to be looked through for decisions and trades


@frozen(kw_only=True)
class BookState:
    """
    A book at the last entry of its journal, and what lies beside it.

    *holder* says which process works on it, None if none does; *recent* are the newest entries,
    oldest first; *damage* says why the snapshot could not be used, empty if it could.
    """

    place: BookPlace
    book: Book
    seq: int
    at: datetime
    read_at: datetime
    controls: RuntimeControls
    holder: str | None
    recent: tuple[Record, ...]
    damage: str

    @property
    def now(self) -> datetime:
        """The present of the book: ours, or in a replay the time of the recording."""
        return self.at if self.place.is_stepped else self.read_at

    @property
    def age_s(self) -> float | None:
        """Seconds since the last entry; None in a replay, whose time is not ours."""
        if self.place.is_stepped:
            return None
        return (self.read_at - self.at).total_seconds()


class BookReader:
    """Reads one book, and again what has come since."""

    def __init__(
        self, place: BookPlace, log: FileDecisionLog, keeper: Bookkeeper, recent: int | None
    ) -> None:
        self._place = place
        self._log = log
        self._book = keeper.book
        self._seq = keeper.seq
        self._at = keeper.at
        self._recent: deque[Record] = deque(maxlen=recent)
        self._damage = ""

    @classmethod
    async def opened(cls, place: BookPlace, recent: int | None = RECENT) -> "BookReader":
        """
        Return the reader of the book at *place*, once its journal is verified.

        It keeps the newest *recent* entries, None for all.

        Raises:
            StoreDamaged: The journal is not as it was written; names the line.

            StoreForeign: It is of another environment or a newer program.
        """
        snapshot, damage = await _snapshot(place)
        store = FilePositionStore(Disk(), place.directory / POSITIONS, place.environment)
        log = FileDecisionLog(Disk(), place.directory / JOURNAL)
        keeper = Bookkeeper(log, store, place.environment)
        await keeper.recall(snapshot)
        reader = cls(place, log, keeper, recent)
        reader._damage = damage
        first = 0 if recent is None else max(keeper.seq - recent, 0)
        async for record in log.records(after=first):
            reader._recent.append(record)
            reader._take(record)
        return reader

    async def state(self) -> BookState | None:
        """
        Return the book as it is now; None while its journal is empty.

        Raises:
            StoreDamaged, StoreForeign, StoreUnwritable: It cannot be read any more.
        """
        async for record in self._log.follow():
            if not self._recent or record.seq > self._recent[-1].seq:
                self._recent.append(record)
                self._take(record)
        if self._at is None:
            return None
        return BookState(
            place=self._place,
            book=self._book,
            seq=self._seq,
            at=self._at,
            read_at=system_now(),
            controls=await controls_of(self._place).read(),
            holder=holder_of(Disk(), self._place.directory),
            recent=tuple(self._recent),
            damage=self._damage,
        )

    def _take(self, record: Record) -> None:
        """Fold *record* unless the book has it: reading runs while the agent writes."""
        if record.seq > self._seq:
            self._book = after(record.entry, self._book)
            self._seq, self._at = record.seq, record.entry.at


def place_at(directory: Path) -> BookPlace | None:
    """
    The place of the book in the folder *directory*; None if there is none.

    A book lies in the data folder, one of stepped time one level deeper; see place_of.

    Raises:
        StoreDamaged: The folder does not say any more what it is.
    """
    environment = environment_of(Disk(), directory)
    if environment is None:
        return None
    path = directory.resolve()
    place = BookPlace(environment, directory, path.parent)
    return evolve(place, data_dir=path.parents[1]) if place.is_stepped else place


def holder(place: BookPlace) -> str | None:
    """Who holds the book at *place* at this moment, in words; None if nobody does."""
    return holder_of(Disk(), place.directory)


async def _snapshot(place: BookPlace) -> tuple[BookSnapshot | None, str]:
    """The newest snapshot, or what is wrong with it: the journal then tells everything."""
    store = FilePositionStore(Disk(), place.directory / POSITIONS, place.environment)
    try:
        return await store.peek(), ""
    except StoreDamaged as error:
        return None, str(error)
