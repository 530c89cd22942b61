"""`options-agent backtest parity`: do fast simulator, tick, paper and exchange agree?"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from attrs import asdict
from rich.table import Table

from apps.cli import figures
from apps.cli.backtest_run import bars, listed, require_past
from apps.cli.book_view import end
from apps.cli.console import mode_line, output, show_json, show_text, table
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.settings.root import Settings
from apps.wiring.backtest import CoinBacktest, Hooks, prepared_coin
from apps.wiring.backtest_parity import WorldName, run_worlds
from core.analysis.parity import Cause, ParityReport, compare_worlds


def command(
    market: Annotated[str, typer.Option(help="recorded chains, or a synthetic market.")] = "",
    data: Annotated[Path | None, typer.Option("--data", help="Folder of recorded chains.")] = None,
    coins: Annotated[str | None, typer.Option(help="BTC,ETH: a comparison for each.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day.")] = None,
    style: Annotated[str | None, typer.Option(help="Exit style.")] = None,
    worlds: Annotated[
        str, typer.Option(help="Which are held against the first of them.")
    ] = "tick,fast,paper,exchange",
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Run one rule over one past in several worlds, and name every difference with its cause.

    Paper and exchange show the amounts of a recording, a tenth of the day's volume, and take
    no more than that at once: what differs by it is a fill. Ends with 1 where fast simulator
    and tick differ, which they never may.
    """
    flags = [f"{key}={value}" for key, value in _named(market, data, coins, since, until, style)]
    settings = settings_from(config, [*flags, *(overrides or [])]).settings
    require_past(settings)
    try:
        wanted = [WorldName(name.strip()) for name in worlds.split(",")]
    except ValueError as error:
        end(f"--worlds: {error}; there are {', '.join(WorldName)}", ExitCode.MISUSE)
    reports: list[tuple[str, ParityReport]] = []
    try:
        asyncio.run(_compare(settings, wanted, reports, quiet=as_json))
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    if as_json:
        show_json({"mode": mode_line(settings), "reports": [_record(*each) for each in reports]})
    else:
        show_text(f"PARITY  {mode_line(settings)}")
        for coin, report in reports:
            _show(coin, report)
    exact = {WorldName.FAST, WorldName.TICK}
    if any({each.ours, each.theirs} == exact and not each.agrees for _, each in reports):
        raise typer.Exit(ExitCode.FAILED)


def _named(
    market: str,
    data: Path | None,
    coins: str | None,
    since: str | None,
    until: str | None,
    style: str | None,
) -> list[tuple[str, object]]:
    named = {
        "venue.market": {"recorded": "replay"}.get(market, market) or None,
        "venue.venue_clock": "stepped" if market == "synthetic" else None,
        "venue.replay_data": data,
        "venue.underlyings": coins and listed(coins),
        "venue.replay_from": since,
        "venue.replay_to": until,
        "backtest.backtest_exit_styles": style and listed(style),
    }
    return [(key, value) for key, value in named.items() if value is not None]


async def _compare(
    settings: Settings,
    worlds: list[WorldName],
    reports: list[tuple[str, ParityReport]],
    *,
    quiet: bool,
) -> None:
    with bars(quiet=quiet) as shown:
        hooks = Hooks(watch=shown.watch)
        for coin in settings.venue.underlyings:
            prepared = await prepared_coin(settings, coin, hooks)
            backtest = CoinBacktest.new(settings, coin, prepared, "")
            results = await run_worlds(backtest, worlds, hooks)
            first = worlds[0]
            for other in worlds[1:]:
                trades = results[first].trades, results[other].trades
                reports.append((coin, compare_worlds((first, other), *trades)))


def _show(coin: str, report: ParityReport) -> None:
    verdict = "the same trades" if report.agrees else f"{len(report.rows)} trades differ"
    show_text(
        f"\n{coin}, {report.ours} against {report.theirs}: {report.our_trades} and "
        f"{report.their_trades} trades, {report.matched} matched, {verdict}; profit "
        f"{figures.coin(report.our_pnl_coin)} and {figures.coin(report.their_pnl_coin)} {coin}"
    )
    if report.rows:
        output().print(_rows(report))


def _rows(report: ParityReport) -> Table:
    causes = tuple(Cause)
    made = table(
        "opened", "contract", report.ours, report.theirs, *causes, numbers=causes, whole=("opened",)
    )
    for row in report.rows:
        cells = (figures.coin(row.coin.get(cause, 0.0)) for cause in causes)
        made.add_row(row.opened_at, row.symbol, row.ours or "-", row.theirs or "-", *cells)
    made.add_row("sum", "", "", "", *(figures.coin(report.coin[cause]) for cause in causes))
    return made


def _record(coin: str, report: ParityReport) -> dict[str, object]:
    return {
        "underlying": coin,
        **asdict(report),
        "agrees": report.agrees,
        "difference_coin": report.difference_coin,
        "coin": {str(cause): value for cause, value in report.coin.items()},
    }
