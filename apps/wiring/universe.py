"""The recordings that universes are fitted to and held against, and files that are drawn."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
from attrs import evolve, frozen

from adapters.files.close_files import read_hourly_closes, read_index_closes
from adapters.files.column_files import Column, write_columns
from adapters.files.snapshots import ParquetSnapshots
from apps.wiring.market import archive_of
from core.analysis.universe_series import MarketHistory
from core.analysis.universe_smiles import recorded_smiles, smile_day
from core.analysis.universe_trades import WeeklyTrades, one_a_day, recorded_trades
from ports.checks import epoch_ms
from ports.errors import Unavailable
from ports.snapshots import SnapshotArchive

__all__ = ["Column", "write_columns"]  # for commands, which know no adapter


@frozen(eq=False)
class RecordedChainsRead:
    """What the chains of one coin say; None where there are none."""

    history: MarketHistory
    trades: WeeklyTrades | None


def history_of(
    underlying: str, spot: Sequence[Path], dvol: Sequence[Path], until: date | None
) -> MarketHistory:
    """
    Return what *spot* and *dvol* files say of *underlying*, to the end of the day *until*.

    Where files overlap the later one wins.

    Raises:
        Unavailable: A file is missing, or nothing is left.

        StoreDamaged: A file cannot be read.
    """
    prices = _merged(read_hourly_closes, spot)
    index = _merged(read_index_closes, dvol)
    history = MarketHistory(
        underlying=underlying,
        closed_at_ms=sorted(prices),
        close=[prices[at] for at in sorted(prices)],
        index_at_ms=sorted(index),
        vol_index=[index[at] for at in sorted(index)],
    )
    if until is not None:
        history = history.until(_end_ms(until))
    if not len(history.closed_at_ms) or not len(history.index_at_ms):
        span = "" if until is None else f" until {until}"
        raise Unavailable(f"no prices, or no volatility index, of {underlying}{span}")
    return history


def inputs_sha256(paths: Sequence[Path]) -> str:
    """Return the checksum of all *paths* together, in their order."""
    digest = sha256()
    for path in paths:
        digest.update(sha256(path.read_bytes()).digest())
    return digest.hexdigest()


async def with_chains(
    history: MarketHistory, folder: Path | None, until: date | None, told: Callable[[str], None]
) -> RecordedChainsRead:
    """
    Return *history* with the smiles in the chains of *folder*, and the trades made in them.

    Raises:
        Unavailable: There is no such folder.

        StoreDamaged: A file of it cannot be read.
    """
    if folder is None:
        return RecordedChainsRead(history, None)
    coin = history.underlying
    archive = archive_of(folder, (coin,))
    instants = [
        at for at in await archive.instants(coin) if until is None or epoch_ms(at) <= _end_ms(until)
    ]
    for each in await archive.skipped(coin):
        told(f"{coin}: left out of {each.file}: {each.reason}")
    if not instants:
        return RecordedChainsRead(history, None)
    told(f"{coin}: {len(instants)} chains from {instants[0]:%Y-%m-%d} to {instants[-1]:%Y-%m-%d}")
    last_of_day = {at.date(): at for at in instants}
    days = [smile_day(await archive.load(coin, at)) for at in last_of_day.values()]
    trades = await _trades(archive, coin, instants)
    return RecordedChainsRead(evolve(history, smiles=recorded_smiles(days)), trades)


async def _trades(
    archive: SnapshotArchive, coin: str, instants: Sequence[datetime]
) -> WeeklyTrades:
    of_day = [(at.toordinal(), timedelta(hours=at.hour, minutes=at.minute)) for at in instants]
    index_usd = [(await archive.load(coin, at)).index_usd for at in instants]
    entries = [await archive.load(coin, instants[at]) for at in one_a_day(of_day)]
    at_ms = np.array([epoch_ms(at) for at in instants], dtype=np.int64)
    return recorded_trades(entries, at_ms, np.array(index_usd))


def writable_archive(folder: Path) -> SnapshotArchive:
    """Return the archive in *folder*, which is made with its first snapshot."""
    return ParquetSnapshots(folder)


def _merged(
    read: Callable[[Path], Mapping[int, float]], paths: Sequence[Path]
) -> Mapping[int, float]:
    merged: dict[int, float] = {}
    for path in paths:
        merged |= read(path)
    return merged


def _end_ms(day: date) -> int:
    return epoch_ms(datetime.combine(day, time(), UTC) + timedelta(days=1))
