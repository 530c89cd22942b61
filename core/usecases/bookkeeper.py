"""The bookkeeper: whatever becomes known is written down first and then folded into the book."""

from collections.abc import Callable
from datetime import datetime

from core.execution.book import after
from ports.decision_log import DecisionLog, Entry, Opened
from ports.errors import StoreDamaged, StoreForeign, StoreUnwritable
from ports.positions import Book, BookSnapshot, PositionStore


class Bookkeeper:
    """Holds the book of one run; nothing else changes it."""

    def __init__(
        self,
        log: DecisionLog,
        store: PositionStore,
        environment: str,
        watch: Callable[[Entry], None] = lambda _: None,
    ) -> None:
        """*watch* is shown every entry once it is in the book."""
        self._log = log
        self._store = store
        self._environment = environment
        self._watch = watch
        self._saved_seq = 0
        self.book = Book(environment=environment)
        self.has_written = False  # whether this process has written anything yet
        self.unwritable = ""  # why journal or snapshot did not take what was written last
        self.seq = 0
        self.checksum = ""
        self.at: datetime | None = None  # the instant of the last record

    async def record(self, entry: Entry) -> None:
        """
        Write *entry* and fold it into the book.

        Raises:
            StoreUnwritable: It is not safely written, and the book is as before.
        """
        try:
            written = await self._log.append(entry)
        except StoreUnwritable as error:
            self.unwritable = f"journal: {error}"
            raise
        self.book, self.has_written = after(entry, self.book), True
        self.seq, self.checksum, self.at = written.seq, written.checksum, entry.at
        self._watch(entry)

    async def recall(self, snapshot: BookSnapshot | None) -> None:
        """
        Take up the book from *snapshot* if the journal has that very record, else from the start.

        Raises:
            StoreDamaged: The journal cannot be read to its end, or ends before *snapshot*.

            StoreForeign: It is the journal of another environment.
        """
        if snapshot is None or not await self._take_up(snapshot):
            self.book, self.seq, self.checksum = Book(environment=self._environment), 0, ""
        async for written in self._log.records(after=self.seq):
            self._refuse_foreign(written.entry)
            self.book = after(written.entry, self.book)
            self.seq, self.checksum, self.at = written.seq, written.checksum, written.entry.at
        if snapshot is not None and self.seq < snapshot.seq:
            raise StoreDamaged(
                f"the journal ends at number {self.seq}, but was at {snapshot.seq} "
                f"when the book was saved: lines are missing"
            )

    def _refuse_foreign(self, entry: Entry) -> None:
        if isinstance(entry, Opened) and entry.environment != self._environment:
            raise StoreForeign(
                f"the journal is of {entry.environment}, this is {self._environment}"
            )

    async def _take_up(self, snapshot: BookSnapshot) -> bool:
        """Whether the journal has the record that *snapshot* was made at; if so, start there."""
        async for written in self._log.records(after=snapshot.seq - 1):
            if (written.seq, written.checksum) != (snapshot.seq, snapshot.checksum):
                return False
            self.book, self.seq, self.checksum = snapshot.book, written.seq, written.checksum
            self._saved_seq, self.at = written.seq, written.entry.at
            return True
        return False

    async def save(self, at: datetime) -> None:
        """
        Keep a snapshot of the book, if anything was recorded since the last.

        Raises:
            StoreUnwritable: It could not be kept; the journal still has everything.
        """
        if self.seq == self._saved_seq:
            return
        snapshot = BookSnapshot(
            environment=self._environment,
            seq=self.seq,
            checksum=self.checksum,
            saved_at=at,
            book=self.book,
        )
        try:
            await self._store.save(snapshot)
        except StoreUnwritable as error:
            self.unwritable = f"snapshot: {error}"
            raise
        self._saved_seq = self.seq
