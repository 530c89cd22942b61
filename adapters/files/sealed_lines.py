"""SealedLines: an append-only log in files of JSON lines, each sealed to the line before."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson
from attrs import evolve, frozen

from adapters.files.disk import Disk
from ports.codec import Fields
from ports.errors import PortError, StoreDamaged, StoreForeign, StoreUnwritable
from ports.sealing import LINE_VERSION, NOTHING_BEFORE, SealedLine, seal, unseal

_PLACE_EVERY_LINES = 1000  # reading on from a number verifies at most so many lines before it


class LineDamaged(StoreDamaged):
    """The log is not as it was written: the file, the line in it, and the number it should have."""

    def __init__(self, path: Path, line_number: int, seq: int, what: str) -> None:
        super().__init__(f"{path} line {line_number}, number {seq} of the log: {what}")
        self.path = path
        self.line_number = line_number
        self.seq = seq


@frozen
class Line:
    """A line that was verified: its number, its checksum and what it says."""

    seq: int
    checksum: str
    payload: Fields


@frozen
class TornTail:
    """What a crash left behind the last whole line: *seq* is the number it would have had."""

    path: Path
    size: int  # bytes of whole lines before it
    seq: int
    kept: Path  # where it is kept once it is cut off


@frozen(kw_only=True)
class _Place:
    """A place between two lines: what must come next, and behind which checksum."""

    path: Path
    offset: int = 0
    line_number: int = 1
    seq: int = 1
    previous: str = NOTHING_BEFORE

    def at_start_of(self, path: Path) -> "_Place":
        return evolve(self, path=path, offset=0, line_number=1)

    def behind(self, checksum: str, size: int) -> "_Place":
        return evolve(
            self,
            offset=self.offset + size,
            line_number=self.line_number + 1,
            seq=self.seq + 1,
            previous=checksum,
        )


@frozen
class _Step:
    """A line and the place behind it."""

    line: Line
    behind: _Place


class SealedLines:
    """
    The log *stem* in *directory*, a file a UTC day: `<stem>-<day>-<seq of its first line>.jsonl`.

    Opening verifies every line and changes nothing. A torn tail, the bytes of an append that
    never finished, is left out and reported in *torn*; the first append cuts it off and keeps
    it beside the file. Everything else that is not as it was written is LineDamaged: the
    files stay as they are and the log stays shut, at every opening, until a person has looked.
    quarantine() marks the file; a file in quarantine keeps the log shut as well.

    One process may append; others may open the log and read what was there. A last line whose
    append was interrupted may be whole: it counts, and is synced by the first append.

    Raises:
        StoreDamaged: A line is missing or not as it was written, or a file is in quarantine.

        StoreForeign: A newer program wrote it.
    """

    def __init__(self, disk: Disk, directory: Path, stem: str) -> None:
        self.torn: TornTail | None = None
        self._disk = disk
        self._directory = directory
        self._stem = stem
        self._shut = ""  # why nothing more is taken
        self._is_ours = False  # whether the tail was made safe to write behind
        self._files = self._find_files()
        self._places: list[_Place] = []
        self._end = self._scan()

    def append(self, at: datetime, payload: Fields) -> SealedLine:
        """
        Write *payload* behind the last line and return the line once it is synced.

        Raises:
            ValueError: There is a number in *payload* that JSON does not have; nothing happened.

            StoreUnwritable: It is not safely written, now and for ever after.
        """
        if self._shut:
            raise StoreUnwritable(self._shut)
        line = seal(self._end.previous, self._end.seq, at, payload)
        self._shut = f"the log {self._stem} in {self._directory} was interrupted in an append"
        try:
            self._write(f"{at:%Y%m%d}", line)
        except PortError as error:
            self._shut = f"the log takes nothing more since number {line.seq}: {error}"
            raise StoreUnwritable(self._shut) from error
        self._shut = ""
        return line

    def lines(self, after: int = 0) -> Iterator[Line]:
        """
        Yield the lines numbered above *after*, each verified again.

        Raises:
            StoreDamaged: A line is missing or not as it was written.
        """
        if not self._places:
            return
        place = self._places[bisect_right(self._places, after + 1, key=lambda place: place.seq) - 1]
        for path in self._files[self._files.index(place.path) :]:
            place = place if path == place.path else place.at_start_of(path)
            for step in self._walk(place):
                place = step.behind
                if step.line.seq > after:
                    yield step.line

    def follow(self) -> Iterator[Line]:
        """
        Yield what another process has written since the opening, or since the last time asked.

        For readers only: an append that is still under way is left for the next time.

        Raises:
            StoreDamaged: A line is missing or not as it was written.
        """
        known, self._files = self._files, self._find_files()
        if self._files[: len(known)] != known:
            raise StoreDamaged(f"files of the log {self._stem} in {self._directory} are gone")
        for path in self._files[max(len(known) - 1, 0) :]:
            place = self._end if path == self._end.path else self._end.at_start_of(path)
            for step in self._walk(place):
                self._end = step.behind
                yield step.line

    def _find_files(self) -> list[Path]:
        """The files of the log in the order of their first lines."""
        name_form = re.compile(rf"{re.escape(self._stem)}-(\d{{8}})-(\d{{8,}})\.jsonl(.*)")
        found = []
        for name in self._disk.names(self._directory):
            match = name_form.fullmatch(name)
            if match is None:
                continue
            if match[3].startswith(".corrupt-"):
                raise StoreDamaged(
                    f"{self._directory / name} is in quarantine: put it right and give it its name "
                    "back, or take it out of the directory"
                )
            if not match[3]:
                found.append((int(match[2]), match[1], self._directory / name))
        return [path for _, _, path in sorted(found)]

    def _scan(self) -> _Place:
        """Verify everything, note places to read on from, and return the place behind it all."""
        place = _Place(path=self._directory)
        for path in self._files:
            place = place.at_start_of(path)
            self._places.append(place)
            for step in self._walk(place):
                place = step.behind
                self._note(place)
        if self._files and self._disk.size(place.path) > place.offset:
            kept = place.path.with_name(f"{place.path.name}.torn-{place.seq}")
            self.torn = TornTail(place.path, place.offset, place.seq, kept)
        return place

    def _note(self, place: _Place) -> None:
        if place.line_number % _PLACE_EVERY_LINES == 0:
            self._places.append(place)

    def _walk(self, place: _Place) -> Iterator[_Step]:
        """The lines of one file from *place* on."""
        if place.offset == 0:
            _check_name(place)
        for text in self._disk.lines(place.path, place.offset):
            if self._is_torn(place, text):
                return
            line = _verified(place, text)
            place = place.behind(line.checksum, len(text))
            yield _Step(line, place)

    def _is_torn(self, place: _Place, text: bytes) -> bool:
        """
        Whether *text* was never written whole.

        It has no line end, or NUL bytes: a page whose size reached the disk before its content.
        A whole last line that cannot be read was synced once: that is damage.
        """
        if place.path != self._files[-1]:
            return False
        if not text.endswith(b"\n"):
            return True
        return b"\0" in text and self._disk.size(place.path) == place.offset + len(text)

    def _write(self, day: str, line: SealedLine) -> None:
        if not self._is_ours:
            self._take_over()
        if not self._files or self._day_of(self._files[-1]) < day:
            self._begin_file(day)
        data = f"{line.text}\n".encode()
        self._disk.append(self._end.path, data)
        self._end = self._end.behind(line.checksum, len(data))
        self._note(self._end)

    def _take_over(self) -> None:
        """Cut off a torn tail, and sync what another process wrote and may not have synced."""
        if self.torn is not None:
            self._disk.cut(self.torn.path, self.torn.size, self.torn.kept)
        elif self._files:
            self._disk.sync(self._files[-1])
        self._is_ours = True

    def _begin_file(self, day: str) -> None:
        path = self._directory / f"{self._stem}-{day}-{self._end.seq:08d}.jsonl"
        self._disk.make_directory(self._directory)
        self._disk.create(path)
        self._files.append(path)
        self._end = self._end.at_start_of(path)
        self._places.append(self._end)

    def _day_of(self, path: Path) -> str:
        return path.name[len(self._stem) + 1 :][:8]


def quarantine(disk: Disk, damage: LineDamaged) -> Path:
    """
    Move the damaged file to `<name>.corrupt-<n>` and return its new name.

    Raises:
        StoreUnwritable: It could not be moved; it keeps the log shut where it is.
    """
    return disk.move_aside(damage.path)


def _check_name(place: _Place) -> None:
    first_seq = int(place.path.name.removesuffix(".jsonl").rpartition("-")[2])
    if first_seq != place.seq:
        raise LineDamaged(place.path, 1, place.seq, f"the file begins with number {first_seq}")


def _verified(place: _Place, text: bytes) -> Line:
    """The line *text* at *place*; every byte of it is under the seal."""

    def damaged(what: object) -> LineDamaged:
        return LineDamaged(place.path, place.line_number, place.seq, f"{what}")

    if not text.endswith(b"\n"):
        raise damaged("it has no line end")
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise damaged(f"it cannot be read: {error}") from error
    seq = fields.get("seq") if isinstance(fields, dict) else None
    if seq != place.seq:
        raise damaged(f"it says it is number {seq}")
    try:
        checksum = unseal(place.previous, text.removesuffix(b"\n"))
    except ValueError as error:
        raise damaged(error) from error
    if fields["schema_version"] != LINE_VERSION:
        raise StoreForeign(
            f"{place.path} line {place.line_number} has version {fields['schema_version']}; "
            f"this program knows {LINE_VERSION}"
        )
    return Line(place.seq, checksum, fields["payload"])
