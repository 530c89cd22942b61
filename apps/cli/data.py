"""`options-agent data`: harvest option chains, and look after what was harvested."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from attrs import evolve

from apps.cli import data_making
from apps.cli.console import show_json, show_json_line, show_table, show_text, tell
from apps.cli.data_options import (
    Families,
    Root,
    Since,
    Until,
    day_of,
    end_of,
    names_of,
    place_of,
    require_order,
)
from apps.cli.data_views import (
    health_record,
    health_table,
    listing_record,
    listing_table,
    pass_line,
    pass_record,
)
from apps.cli.exits import ExitCode
from apps.cli.group import command_group
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.archive import archive_at, harvester_of, source_name
from apps.wiring.clock import system_now
from core.health.quality import Quality, QualityParams
from core.usecases.harvest import HarvestPass
from core.usecases.survey import (
    FamilyHealth,
    Span,
    judge_archive,
    list_archive,
    quarantine_failed,
)

app = command_group("Harvest option chains, and look after what was harvested.")


@app.command()
def harvest(
    once: Annotated[bool, typer.Option("--once", help="One pass, then exit.")] = False,
    coins: Annotated[
        list[str] | None,
        typer.Option("--coins", metavar="LIST", help="Of BTC, ETH and USDC, such as BTC,ETH."),
    ] = None,
    root: Root = None,
    interval: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="From one pass to the next.")
    ] = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Record chains, index, DVOL, futures, funding and delivery prices, until Ctrl-C.

    Deribit's production is read, without credentials; with --venue exchange the paper exchange.
    A pass that fails in part is told on stderr and the loop goes on; with --once it ends with 1.
    """
    named = {
        "currencies": _json_list(names_of(coins)) if coins else None,
        "data_root": root,
        "interval_seconds": interval,
    }
    given = [
        f"harvest.harvester_{key}={value}" for key, value in named.items() if value is not None
    ]
    settings = settings_from(config, [*given, *(overrides or ())], venue).settings
    tell(f"harvest of {source_name(settings)} into {settings.harvest.harvester_data_root}")
    passes: list[HarvestPass] = []

    def report(done: HarvestPass) -> None:
        passes.append(done)
        _show_pass(done, as_json=as_json)

    try:
        asyncio.run(_harvest(settings, report, 1 if once else None))
    except KeyboardInterrupt:
        tell(f"ended by Ctrl-C after {len(passes)} passes; what was kept is whole")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if not passes[-1].is_whole:
        raise typer.Exit(ExitCode.FAILED)


def _show_pass(done: HarvestPass, *, as_json: bool) -> None:
    """The pass on stdout, and what it lacks on stderr."""
    if as_json:
        show_json_line(pass_record(done))
    else:
        show_text(pass_line(done))
    for failed in done.failed:
        tell(f"not kept: {failed.what}, tried {failed.tries} times: {failed.reason}")
    for currency in done.empty:
        tell(f"{currency}: no option is listed")
    for kept in done.kept:
        for note in kept.notes:
            tell(f"{kept.family}: {note}")


async def _harvest(
    settings: Settings, report: Callable[[HarvestPass], None], passes: int | None
) -> None:
    async with harvester_of(settings) as harvester:
        await harvester.on(report, passes)


app.command("import")(data_making.import_command)
app.command()(data_making.compact)
app.command()(data_making.exam)
app.command("vol-history")(data_making.vol_history)


@app.command("list")
def list_command(
    root: Root = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """What was harvested: families, days, snapshots, gaps, age of the newest, and size."""
    settings = settings_from(config, overrides).settings
    place = place_of(settings, root)
    listings = asyncio.run(list_archive(archive_at(place), settings.harvest.interval, system_now()))
    if as_json:
        show_json({"root": str(place), "families": [listing_record(each) for each in listings]})
        return
    if not listings:
        show_text(f"nothing was harvested into {place}: options-agent data harvest begins it")
        return
    show_text(f"archive {place}, a snapshot every {settings.harvest.interval} is meant")
    show_table(listing_table(listings))


@app.command()
def health(
    root: Root = None,
    coins: Families = None,
    since: Since = None,
    until: Until = None,
    quarantine: Annotated[
        bool,
        typer.Option("--quarantine", help="Move files that failed aside, with the reason."),
    ] = False,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Judge every snapshot: schema, values, arbitrage, repeats, gaps; 1 unless all is well enough.

    Failed and no_data end with 1, degraded with 0. Nothing is deleted.
    """
    settings = settings_from(config, overrides).settings
    place = place_of(settings, root)
    require_order(since, until)
    span = Span(
        since=day_of(since) if since else None,
        until=end_of(until) if until else system_now(),
        interval=settings.harvest.interval,
    )
    found = asyncio.run(_judge(place, coins, span, is_moving=quarantine))
    if as_json:
        show_json({"root": str(place), "families": [health_record(each) for each in found]})
    elif not found:
        show_text(f"no_data: nothing was harvested into {place}")
    else:
        show_text(f"archive {place}")
        show_table(health_table(found))
        for each in found:
            for moved in each.quarantined:
                show_text(f"quarantined {moved.file} as {moved.moved_to}: {moved.reason}")
    bad = (Quality.FAILED, Quality.NO_DATA)
    if not found or any(each.summary.status in bad for each in found):
        raise typer.Exit(ExitCode.FAILED)


async def _judge(
    place: Path, coins: list[str] | None, span: Span, *, is_moving: bool
) -> list[FamilyHealth]:
    archive, found = archive_at(place), list[FamilyHealth]()
    for family in names_of(coins) or await archive.families():
        judged = await judge_archive(archive, family, span, QualityParams())
        if is_moving:
            moved = await quarantine_failed(archive, judged, await archive.kept(family))
            judged = evolve(judged, quarantined=moved)
        found.append(judged)
    return found


def _json_list(names: list[str]) -> str:
    return "[" + ",".join(f'"{each}"' for each in names) + "]"
