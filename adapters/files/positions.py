"""PositionStore in a file."""

from pathlib import Path

from adapters.files.disk import Disk
from adapters.files.documents import document, fields_of
from ports.codec import Fields, instant_from, instant_text
from ports.errors import StoreDamaged, StoreForeign
from ports.positions import BOOKS, BookSnapshot

_VERSION = 1


class FilePositionStore:
    """
    The newest snapshot of the book in *path*, the one before as `<name>.previous`.

    Of a store of *environment*; the snapshot of another one is neither read nor replaced.
    """

    def __init__(self, disk: Disk, path: Path, environment: str) -> None:
        self._disk = disk
        self._path = path
        self._environment = environment

    async def load(self) -> BookSnapshot | None:
        """
        Return the newest snapshot, or None if there is none.

        Raises:
            StoreDamaged: There is one and it cannot be read. It lies in `<name>.corrupt-<n>`.

            StoreForeign: It belongs to another environment or a newer program; it stays.

            StoreUnwritable: It is damaged and could not be moved aside.
        """
        try:
            data = self._disk.read(self._path)
            fields = None if data is None else fields_of(data)
        except (StoreDamaged, ValueError) as error:
            aside = self._disk.move_aside(self._path)
            raise StoreDamaged(f"{self._path} is damaged: {error}; it is now {aside}") from error
        return None if fields is None else self._snapshot(fields)

    async def peek(self) -> BookSnapshot | None:
        """
        Return the newest snapshot like load(), for a reader: nothing is moved.

        Raises:
            StoreDamaged: There is one and it cannot be read; it stays.

            StoreForeign: It belongs to another environment or a newer program.
        """
        data = self._disk.read(self._path)
        try:
            fields = None if data is None else fields_of(data)
        except ValueError as error:
            raise StoreDamaged(f"{self._path} is damaged: {error}") from error
        return None if fields is None else self._snapshot(fields)

    async def save(self, snapshot: BookSnapshot) -> None:
        """
        Keep *snapshot* in place of the one before, whole or not at all.

        Raises:
            ValueError: It is of another environment, or a number in it is infinite.

            StoreUnwritable: It is not safely written.
        """
        if snapshot.environment != self._environment:
            raise ValueError(
                f"a book of {snapshot.environment!r} cannot be kept as one of {self._environment!r}"
            )
        fields = {
            "version": _VERSION,
            "environment": snapshot.environment,
            "saved_at": instant_text(snapshot.saved_at),
            "seq": snapshot.seq,
            "journal_checksum": snapshot.checksum,
            "book": BOOKS.encode(snapshot.book),
        }
        self._disk.make_directory(self._path.parent)
        self._disk.replace(self._path, document(fields))

    def free_bytes(self) -> int | None:
        """
        Return the room left on the disk.

        Raises:
            StoreDamaged: It does not say.
        """
        return self._disk.free_bytes(self._path.parent)

    def _snapshot(self, fields: Fields) -> BookSnapshot:
        """The snapshot in *fields*, which are as some program wrote them."""
        if fields.get("version") != _VERSION:
            raise StoreForeign(
                f"{self._path} has version {fields.get('version')}; this program knows {_VERSION}"
            )
        if fields["environment"] != self._environment:
            raise StoreForeign(
                f"{self._path} is a book of {fields['environment']!r}, not of {self._environment!r}"
            )
        try:
            book = BOOKS.decode(fields["book"])
        except ValueError as error:
            raise StoreForeign(f"{self._path}: {error}") from error
        return BookSnapshot(
            environment=self._environment,
            seq=fields["seq"],
            checksum=fields["journal_checksum"],
            saved_at=instant_from(fields["saved_at"]),
            book=book,
        )
