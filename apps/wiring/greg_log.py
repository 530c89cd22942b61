"""Greg's decision log as the settings have it: the database, or the journal where it is away."""

from pathlib import Path

from attrs import evolve, frozen

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.memory.decision_log import MemoryDecisionLog
from adapters.memory.greg_log import MemoryGregLog
from apps.settings.root import Settings
from apps.wiring.book import JOURNAL, BookPlace, place_of
from apps.wiring.database import open_greg_log
from apps.wiring.market import archive_of
from core.usecases.greg_log import copy_journal
from core.usecases.greg_what_if import Told, told_by, with_archive
from ports.decision_log import DecisionLog
from ports.errors import PortError
from ports.greg_log import GregDecisionLog, GregFilter, GregRecord, GregStats


@frozen(kw_only=True)
class GregHistory:
    """What was asked of the log; *warning* says why it is the journal's own, if it is."""

    records: tuple[GregRecord, ...]
    stats: GregStats
    warning: str = ""


async def greg_history(
    settings: Settings, wanted: GregFilter, limit: int | None = 100
) -> GregHistory:
    """
    Return what the log has, once everything in the book of *settings* is in it.

    Where the database is away the journal of that book answers alone.

    Raises:
        StoreDamaged: The journal cannot be read.
    """

    journal = _journal(place_of(settings))
    try:
        async with open_greg_log(settings) as log:
            return await _read(journal, log, wanted, limit)
    except PortError as error:
        away = f"the decision log is away, this is the journal of one book: {error}"
    return evolve(await _read(journal, MemoryGregLog(), wanted, limit), warning=away)


async def copy_decisions(settings: Settings, place: BookPlace) -> str:
    """Copy what the book at *place* says of Greg; return why that has to wait, if it has to."""
    try:
        async with open_greg_log(settings) as log:
            await copy_journal(_journal(place), log)
    except PortError as error:
        return f"the decision log is behind, the journal has everything: {error}"
    return ""


async def _read(
    journal: DecisionLog, log: GregDecisionLog, wanted: GregFilter, limit: int | None
) -> GregHistory:
    await copy_journal(journal, log)
    return GregHistory(records=await log.history(wanted, limit), stats=await log.stats(wanted))


async def greg_told(settings: Settings, chains: Path | None) -> Told:
    """
    What the journal of the book of *settings* says of suggestions, with the marks in *chains*.

    Raises:
        PortError: Journal or chains cannot be read.
    """
    told = await told_by(_journal(place_of(settings)))
    if chains is None:
        return told
    return await with_archive(told, archive_of(chains, tuple(settings.venue.underlyings)))


def _journal(place: BookPlace) -> DecisionLog:
    """The journal at *place*, an empty one where there is no book."""
    directory = place.directory / JOURNAL
    return FileDecisionLog(Disk(), directory) if directory.is_dir() else MemoryDecisionLog()
