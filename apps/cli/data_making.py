"""`data import`, `compact`, `exam` and `vol-history`: what is made of recordings."""

import asyncio
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer
from attrs import asdict, frozen

from apps.cli import figures
from apps.cli.book_view import end
from apps.cli.console import problem, show_json, show_table, show_text, table, tell
from apps.cli.data_options import Families, Root, day_of, end_of, names_of, place_of, require_order
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.archive import archive_at, source_name
from apps.wiring.clock import system_now
from apps.wiring.recordings import (
    compact_months,
    exam_of,
    foreign_harvests,
    recordings_in,
    vol_history_at,
    vol_sources,
)
from core.usecases.import_harvests import Imported, import_harvests
from core.usecases.vol_history import VolUpdate, update_vol_history
from ports.checks import from_epoch_ms
from ports.errors import Unavailable


def import_command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Parquet, CSV, CSV.GZ, or folders.")
    ],
    into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Default: real_scraper beside harvester_data_root."),
    ] = None,
    coin: Annotated[
        str | None, typer.Option(help="The coin of rows that do not say theirs.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Take over recordings of others: recorded monthly chains, full tickers, or any table of quotes.

    Units are converted once and told; volatilities of bid and ask, and greeks, are worked out
    anew. A file that cannot be used is named, the others are taken over, and 1 is the end. It
    may be done again: what is there of the same instant is replaced.
    """
    settings = settings_from(config, overrides).settings
    place = into or settings.harvest.harvester_data_root.parent / "real_scraper"
    missing = [str(path) for path in files if not path.exists()]
    if missing:
        end(f"there is no {', '.join(missing)}", ExitCode.MISUSE)
    done = asyncio.run(_import(place, recordings_in(files), coin))
    if as_json:
        show_json({"root": str(place), "files": [asdict(each) for each in done]})
    else:
        show_text(f"into {place}")
        _show_imported(done)
    if not done or any(each.failure for each in done):
        raise typer.Exit(ExitCode.FAILED)


async def _import(place: Path, files: list[Path], coin: str | None) -> list[Imported]:
    archive, done = archive_at(place), list[Imported]()
    for path in files:
        harvests = foreign_harvests(path, coin.upper() if coin else None)
        done.append(await import_harvests(str(path), harvests, archive))
    return done


def _show_imported(done: list[Imported]) -> None:
    made = table("file", "snapshots", "rows", "first", "last", "notes", numbers=("rows",))
    for each in done:
        counts = ", ".join(f"{family} {count}" for family, count in each.snapshots)
        notes = [f"{note} ({count})" for note, count in each.notes]
        made.add_row(
            Path(each.source).name,
            counts or "none",
            str(each.rows),
            figures.instant(each.first) if each.first else "",
            figures.instant(each.last) if each.last else "",
            "\n".join([*notes, *([f"FAILED: {each.failure}"] if each.failure else [])]),
        )
    show_table(made)


def compact(
    root: Root = None,
    coins: Families = None,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Default: every month that is over.")
    ] = None,
    keep_originals: Annotated[
        bool, typer.Option("--keep-originals", help="Leave the files of the days where they are.")
    ] = False,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Make one file of each month, and a copy by instrument: scans are many times as fast.

    The files of the days are removed once the month was read back and is the same.
    """
    settings = settings_from(config, overrides).settings
    place = place_of(settings, root)
    families = names_of(coins) or list(asyncio.run(archive_at(place).families()))
    try:
        done = compact_months(place, families, month, system_now(), keeps_originals=keep_originals)
    except ValueError as error:
        raise typer.BadParameter(f"{month!r} is not a month such as 2026-03") from error
    if as_json:
        show_json({"root": str(place), "months": [asdict(each) for each in done]})
        return
    if not done:
        show_text(f"nothing to compact in {place}")
        return
    numbers = ("snapshots", "rows", "files before", "MB before", "MB after", "removed")
    made = table("month", *numbers, numbers=numbers)
    for each in done:
        made.add_row(
            each.month,
            str(each.snapshots),
            str(each.rows),
            str(each.files_before),
            f"{each.bytes_before / 1e6:.2f}",
            f"{each.bytes_after / 1e6:.2f}",
            str(each.removed),
        )
    show_table(made)


def exam(
    coin: Annotated[str, typer.Argument(metavar="FAMILY", help="BTC, BTC_USDC and so on.")],
    since: Annotated[str, typer.Option("--from", metavar="DAY", help="First UTC day.")],
    until: Annotated[str, typer.Option("--to", metavar="DAY", help="Last UTC day, included.")],
    root: Root = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Default: exams beside the archive.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Stitch the snapshots of some days into one Parquet file, with a summary beside it."""
    settings = settings_from(config, overrides).settings
    place = place_of(settings, root)
    require_order(since, until)
    folder = out or place.parent / "exams"
    built = exam_of(place, coin.upper(), day_of(since), end_of(until), folder)
    if as_json:
        show_json({"path": str(built.path), **asdict(built.summary)})
        return
    told = built.summary
    show_text(f"{told.snapshots} snapshots of {told.files} files, {told.rows} rows")
    show_text(f"{told.instruments} options, {told.dte_min:.2f} to {told.dte_max:.1f} days left")
    show_text(f"from {told.first} to {told.last}")
    if told.missing_columns:
        show_text(f"empty throughout: {', '.join(told.missing_columns)}")
    for skipped in told.skipped_files:
        tell(f"skipped {skipped}")
    show_text(str(built.path))


def vol_history(
    days: Annotated[int, typer.Option(min=1, help="How far back the history should go.")] = 365,
    coins: Annotated[
        list[str] | None, typer.Option("--coins", metavar="LIST", help="Default: BTC,ETH.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Default: volatility_history beside the archive."),
    ] = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Add hours to the history of DVOL, realised volatility of 30 days, and their difference.

    Realised volatility is worked out over the whole time from hourly closes; what the venue
    publishes, sixteen days of it, stands beside it as a check.
    """
    settings = settings_from(config, overrides, venue).settings
    folder = out or settings.harvest.harvester_data_root.parent / "volatility_history"
    wanted = names_of(coins) or ["BTC", "ETH"]
    tell(f"volatility of {source_name(settings)} into {folder}")
    updated = asyncio.run(_update(settings, folder, wanted, days))
    if as_json:
        show_json({"folder": str(folder), "coins": [_record(each) for each in updated.done]})
    else:
        for each in updated.done:
            gap = f", {each.official_gap:+.2f} points from the venue's own"
            show_text(
                f"{each.coin}: {each.added} hours added, {each.rows} in all, realised volatility "
                f"lacks in {each.without_realised}{gap if isfinite(each.official_gap) else ''}"
            )
    for reason in updated.failed:
        problem(reason)
    if updated.failed:
        raise typer.Exit(ExitCode.FAILED)


@frozen
class _Updated:
    """The coins whose history was updated, and why that of others was not."""

    done: tuple[VolUpdate, ...]
    failed: tuple[str, ...]


async def _update(settings: Settings, folder: Path, coins: list[str], days: int) -> _Updated:
    """Update each coin; the failure of one does not stop the next."""
    store, done, failed = vol_history_at(folder), list[VolUpdate](), list[str]()
    async with vol_sources(settings) as sources:
        for coin in coins:
            try:
                done.append(await update_vol_history(sources, store, coin, days, system_now()))
            except Unavailable as error:
                failed.append(f"{coin}: {error}")
    return _Updated(tuple(done), tuple(failed))


def _record(update: VolUpdate) -> dict[str, object]:
    return {
        "coin": update.coin,
        "added": update.added,
        "rows": update.rows,
        "first": None if update.first is None else from_epoch_ms(update.first),
        "last": None if update.last is None else from_epoch_ms(update.last),
        "without_realised": update.without_realised,
        "official_gap_points": update.official_gap,
    }
