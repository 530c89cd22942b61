"""The files of one book: which folder, whose lock, and what lies in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, frozen

from adapters.files.controls import FileControlStore
from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.lock import BookLock
from adapters.files.positions import FilePositionStore
from adapters.files.venue_log import FileVenueLog
from apps.settings.root import Settings
from apps.wiring.clock import system_now
from apps.wiring.gates import sends_real_orders
from apps.wiring.params import settings_hash
from core.usecases.agent import FINISHED
from ports.decision_log import Closed

JOURNAL, VENUE, POSITIONS = "journal", "venue", "positions.json"
EXCHANGE = "exchange"  # the memory of a paper exchange that we serve ourselves
_STEPPED = ("-replay", "-stepped")  # how environments end in which time is not ours


@frozen
class BookPlace:
    """Where a book lies and what it is of: books of different environments never share one."""

    environment: str
    directory: Path
    data_dir: Path

    @property
    def is_stepped(self) -> bool:
        """Whether the book's time is not ours: that of a recording, or of a stepped clock."""
        return self.environment.endswith(_STEPPED)


def place_of(settings: Settings) -> BookPlace:
    """
    The place of the book that *settings* and the gates lead to.

    A run in stepped time gets a folder for its period, seed and settings: the same one finds
    its own book again, another one never mixes with it.
    """
    venue = settings.venue
    environment = _environment(settings)
    place = BookPlace(environment, venue.data_dir / environment, venue.data_dir)
    if not place.is_stepped:
        return place
    first = venue.replay_from.isoformat() if venue.replay_from else "start"
    last = venue.replay_to.isoformat() if venue.replay_to else "end"
    run = f"{first}_{last}_seed{venue.seed}_{settings_hash(settings)[:8]}"
    return evolve(place, directory=place.directory / run)


def _environment(settings: Settings) -> str:
    """Who takes orders, and in which market: a dry run is never a book of real orders."""
    venue = settings.venue
    if venue.is_deribit:
        sends = sends_real_orders(settings, os.environ)
        return venue.deribit_env if sends else f"dry-run-{venue.deribit_env}"
    if venue.market == "replay":
        return f"{venue.venue_kind}-replay"
    if venue.is_stepped:
        return f"{venue.venue_kind}-stepped"
    return f"{venue.venue_kind}-{venue.market}-seed{venue.seed}"  # another seed, another market


@frozen(eq=False)
class BookFiles:
    """The stores of one book; *log* and *venue* are opened by the process that holds the lock."""

    place: BookPlace
    log: FileDecisionLog
    venue: FileVenueLog
    positions: FilePositionStore
    controls: FileControlStore


@contextmanager
def locked_book(place: BookPlace, command: str) -> Iterator[None]:
    """
    Hold the book at *place* while *command* works on it.

    Raises:
        StoreLocked: Another process holds it.

        StoreForeign: The folder is the book of another environment.
    """
    since = f"{system_now():%Y-%m-%dT%H:%M:%SZ}"
    with BookLock.take(Disk(), place.directory, place.environment, command=command, since=since):
        yield


def files_of(place: BookPlace) -> BookFiles:
    """
    The stores at *place*; the journal and the venue's log are read through and checked.

    Raises:
        StoreDamaged: One of them is not as it was written.
    """
    disk = Disk()
    return BookFiles(
        place=place,
        log=FileDecisionLog(disk, place.directory / JOURNAL),
        venue=FileVenueLog(disk, place.directory / VENUE),
        positions=FilePositionStore(disk, place.directory / POSITIONS, place.environment),
        controls=controls_of(place),
    )


def controls_of(place: BookPlace) -> FileControlStore:
    """The controls at *place*: they may be read and changed without the lock."""
    disk = Disk()
    journal = place.directory / JOURNAL
    return FileControlStore(
        disk,
        place.directory,
        kill_paths=(place.data_dir / "KILL", place.directory / "KILL"),
        journal_exists=lambda: disk.exists(journal) and bool(disk.names(journal)),
    )


async def set_aside_if_finished(place: BookPlace) -> Path | None:
    """
    Rename the folder of a replay that came to its end, so that it can be run anew.

    Returns the new name, or None if there is nothing finished.

    Raises:
        StoreLocked: Another process holds it.

        StoreDamaged: Its journal is not as it was written.
    """
    if not (place.directory / JOURNAL).is_dir():
        return None
    with locked_book(place, "run"):
        last = None
        async for record in FileDecisionLog(Disk(), place.directory / JOURNAL).records():
            last = record.entry
    return set_aside(place) if isinstance(last, Closed) and last.reason == FINISHED else None


def set_aside(place: BookPlace) -> Path:
    """Rename the folder of a book and return its new name."""
    number = 1
    while (aside := place.directory.with_name(f"{place.directory.name}.{number}")).exists():
        number += 1
    return place.directory.rename(aside)
