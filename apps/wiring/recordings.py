"""Other people's recordings, and what is made of an archive: months, exams, volatility."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from attrs import evolve

from adapters.deribit.history import DeribitHistory
from adapters.deribit.published_vol import DeribitPublishedVol
from adapters.deribit.volatility import DeribitVolatility
from adapters.files.archive_files import ArchiveFiles
from adapters.files.compaction import Compacted, compact, month_named, months_to_compact
from adapters.files.exams import Exam, build_exam
from adapters.files.foreign_tables import read_harvests
from adapters.files.recorded_chains import RecordedChains, is_recorded_chain
from adapters.files.vol_history import ParquetVolHistory
from apps.settings.root import Settings
from apps.wiring.archive import public_source
from core.simulation.listing import COINS, deribit_rules
from core.usecases.vol_history import VolSources
from ports.errors import StoreDamaged
from ports.snapshots import Harvest, Source
from ports.vol_history import VolHistoryStore

__all__ = ["Compacted", "Exam"]  # what compact_months and exam_of return


_READ = (".parquet", ".csv", ".gz")


def recordings_in(paths: Iterable[Path]) -> list[Path]:
    """The files that *paths* name; of a folder those that may be recordings, sorted."""
    found: list[Path] = []
    for path in paths:
        found += (
            sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
        )
    return found


async def foreign_harvests(path: Path, coin: str | None) -> AsyncIterator[Harvest]:
    """
    Yield the snapshots of the file *path*, in the layout of recorded chains or any other.

    *coin* is that of rows which do not say theirs.

    Raises:
        StoreDamaged: The file cannot be read, or lacks a column that nothing can stand in for.
    """
    rules = {each: deribit_rules(each) for each in COINS}
    if not is_recorded_chain(path.name):
        for harvest in read_harvests(path, rules, coin):
            yield harvest
        return
    recording = RecordedChains(path.parent, rules, only=path.name)
    underlying = path.name.partition("_")[0].upper()
    skipped = await recording.skipped(underlying)
    if skipped and not await recording.instants(underlying):
        raise StoreDamaged(f"{path}: {skipped[0].reason}")
    for instant in await recording.instants(underlying):
        market = await recording.load(underlying, instant)
        bare = Harvest.bare(market, Source.IMPORTED)
        left_out = tuple(f"left out of {each.file}: {each.reason}" for each in skipped)
        note = f"imported from {path.name}: forwards by parity of marks"
        yield evolve(bare, notes=(note, *left_out))


def compact_months(
    root: Path, families: Iterable[str], month: str | None, now: datetime, *, keeps_originals: bool
) -> list[Compacted]:
    """
    Compact *month* of *families*, None for every month that is over.

    Raises:
        ValueError: *month* is none.

        StoreDamaged, StoreUnwritable: As compact; the months before it are done.
    """
    files = ArchiveFiles(root)
    done: list[Compacted] = []
    for family in families:
        if month is None:
            wanted = months_to_compact(files, family, now)
        else:
            wanted = (month_named(files, family, month),)
        done += [compact(files, each, keeps_originals=keeps_originals) for each in wanted]
    return done


def exam_of(root: Path, family: str, since: datetime, until: datetime, folder: Path) -> Exam:
    """The exam dataset of *family*; see build_exam."""
    return build_exam(ArchiveFiles(root), family, since, until, folder)


def vol_history_at(folder: Path) -> VolHistoryStore:
    """The volatility histories in *folder*, which need not be there yet."""
    return ParquetVolHistory(folder)


@asynccontextmanager
async def vol_sources(settings: Settings) -> AsyncIterator[VolSources]:
    """Where volatility is read from, connected until the end; see public_source."""
    async with public_source(settings) as client:
        yield VolSources(
            volatility=DeribitVolatility(client),
            history=DeribitHistory(client),
            published=DeribitPublishedVol(client),
        )
