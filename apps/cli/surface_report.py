"""`options-agent surface-report`: how well surfaces fit recorded chains, as tables in a file."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from time import process_time
from typing import Annotated, TypeAlias

import numpy as np
import typer
from attrs import define, field

from apps.cli.console import show_text, tell
from apps.cli.left_out import of_each
from apps.cli.output_file import write_out
from apps.cli.surface_tables import CoinReport, document
from apps.wiring.market import archive_of, left_out_of, nothing_of
from apps.wiring.vol_index import closes_of
from core.analysis.surface_scores import (
    CarryScore,
    MarkMisses,
    Seen,
    SliceScore,
    carry_score,
    left_out_misses,
    mark_misses,
    see,
    slice_scores,
)
from core.analysis.surface_summary import compare_index
from core.surface.fit import FitParams
from core.surface.prepare import RowStatus
from ports.columns import Floats
from ports.snapshots import SnapshotArchive

_NEWS_EVERY = 100  # snapshots
_Closes: TypeAlias = Sequence[tuple[date, float]]  # of DVOL by day


def command(
    chains: Annotated[Path, typer.Argument(metavar="FOLDER", help="Recorded chains.")],
    dvol: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Daily closes of DVOL, to compare with.")
    ] = None,
    coins: Annotated[
        list[str] | None, typer.Option("--coin", metavar="COIN", help="Default: BTC and ETH.")
    ] = None,
    leave_out_every: Annotated[
        int, typer.Option(min=1, help="Leave quotes out one by one in every so many snapshots.")
    ] = 25,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Markdown; default: stdout.")
    ] = None,
) -> None:
    """
    Fit every recorded snapshot and compare with quotes, the next snapshot and DVOL.

    One process and one core; the time a chain takes is CPU time of preparation, fit and index.
    """
    wanted = tuple(coins or ("BTC", "ETH"))

    async def measure() -> list[CoinReport]:
        archive = archive_of(chains, wanted)
        for line in await left_out_of(archive, wanted):
            tell(line)
        reports: list[CoinReport] = []

        async def report(coin: str) -> None:
            told = () if dvol is None else closes_of(dvol, coin)
            closes = [(each.day, each.close) for each in told]
            if not await archive.instants(coin):
                raise await nothing_of(archive, (coin,), str(chains))
            reports.append(await _measured(archive, coin, closes, leave_out_every))

        await of_each(wanted, report)
        return reports

    text = document(asyncio.run(measure()))
    if out is None:
        show_text(text)
        return
    write_out(out, text)


@define(eq=False)
class _Tally:
    """What is kept of the snapshots seen so far."""

    taken_at: list[datetime] = field(factory=list)
    seconds: list[float] = field(factory=list)
    index: list[float] = field(factory=list)
    scores: list[SliceScore] = field(factory=list)
    carries: list[CarryScore] = field(factory=list)
    marks: list[MarkMisses] = field(factory=list)
    left_out: list[Floats] = field(factory=list)
    rows: Counter[str] = field(factory=Counter)
    slices: Counter[str] = field(factory=Counter)

    def add(self, seen: Seen, before: Seen | None, seconds: float, params: FitParams) -> None:
        self.taken_at.append(seen.snapshot.taken_at)
        self.seconds.append(seconds)
        self.index.append(seen.index.dvol_like)
        self.scores.extend(slice_scores(seen, params))
        self.marks.append(mark_misses(seen))
        if before is not None:
            self.carries.append(carry_score(before, seen))
        for status in RowStatus:
            self.rows[status.name] += seen.prepared.count(status)
        self.slices.update(fit.status.name for fit in seen.fit.slices)


async def _measured(
    archive: SnapshotArchive, coin: str, closes: _Closes, leave_out_every: int
) -> CoinReport:
    params, tally, before = FitParams(), _Tally(), None
    instants = await archive.instants(coin)
    for number, instant in enumerate(instants):
        snapshot = await archive.load(coin, instant)
        started = process_time()
        seen = see(snapshot, params)
        tally.add(seen, before, process_time() - started, params)
        if number % leave_out_every == 0:
            tally.left_out.append(left_out_misses(seen, params))
        if number % _NEWS_EVERY == 0:
            tell(f"{coin} {instant:%Y-%m-%d %H:%M}, {number} of {len(instants)}")
        before = seen
    return _report(coin, tally, closes)


def _report(coin: str, tally: _Tally, closes: _Closes) -> CoinReport:
    return CoinReport(
        coin=coin,
        taken_at=tuple(tally.taken_at),
        milliseconds=1000.0 * np.array(tally.seconds),
        scores=tuple(tally.scores),
        carries=tuple(tally.carries),
        mark_days=_joined([marks.days for marks in tally.marks]),
        mark_miss=_joined([marks.miss for marks in tally.marks]),
        left_out=_joined(tally.left_out),
        rows=tuple(tally.rows.items()),
        slices=tuple(sorted(tally.slices.items())),
        index=compare_index(tally.taken_at, np.array(tally.index), closes),
    )


def _joined(columns: Sequence[Floats]) -> Floats:
    return np.concatenate([*columns, np.zeros(0)])
