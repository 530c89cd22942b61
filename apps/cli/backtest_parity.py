"""`options-agent backtest parity`: do fast simulator, tick, paper and exchange agree?"""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from attrs import asdict
from rich.table import Table

from apps.cli import figures
from apps.cli.backtest_options import (
    CoinList,
    Data,
    Market,
    Since,
    Styles,
    Until,
    flags_of,
    require_past,
)
from apps.cli.backtest_run import bars
from apps.cli.book_view import end
from apps.cli.console import mode_line, output, show_json, show_text, table
from apps.cli.exits import ExitCode
from apps.cli.left_out import of_each, tell_left_out
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest import CoinBacktest
from apps.wiring.backtest_parity import WorldName, run_worlds
from apps.wiring.backtest_past import Hooks, prepared_coin
from core.analysis.parity import Cause, ParityReport, compare_worlds
from ports.errors import PortError


def command(
    market: Market = None,
    data: Data = None,
    coins: CoinList = None,
    since: Since = None,
    until: Until = None,
    style: Styles = None,
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
    given = locals()  # the options by name, before anything else has one
    settings = settings_from(config, [*flags_of(given), *(overrides or [])]).settings
    require_past(settings)
    try:
        wanted = [WorldName(name.strip()) for name in worlds.split(",")]
    except ValueError as error:
        end(f"--worlds: {error}; there are {', '.join(WorldName)}", ExitCode.MISUSE)
    if len(set(wanted)) != len(wanted) or len(wanted) < 2:
        end(f"--worlds: found {worlds}, two or more different ones are wanted", ExitCode.MISUSE)
    reports: list[tuple[str, ParityReport]] = []
    try:
        asyncio.run(_compare(settings, wanted, reports, quiet=as_json))
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    except PortError:
        if reports:
            _show_all(settings, reports, as_json=as_json)  # main() says what failed
        raise
    _show_all(settings, reports, as_json=as_json)
    exact = {WorldName.FAST, WorldName.TICK}
    if any({each.ours, each.theirs} == exact and not each.agrees for _, each in reports):
        raise typer.Exit(ExitCode.FAILED)


async def _compare(
    settings: Settings,
    worlds: list[WorldName],
    reports: list[tuple[str, ParityReport]],
    *,
    quiet: bool,
) -> None:
    with bars(quiet=quiet) as shown:
        hooks = Hooks(watch=shown.watch)

        async def run(coin: Coin) -> None:
            prepared = await prepared_coin(settings, coin, hooks)
            tell_left_out(prepared.omissions)
            backtest = CoinBacktest.new(settings, coin, prepared, "")
            results = await run_worlds(backtest, worlds, hooks)
            first = worlds[0]
            for other in worlds[1:]:
                trades = results[first].trades, results[other].trades
                reports.append((coin, compare_worlds((first, other), *trades)))

        await of_each(settings.venue.underlyings, run)


def _show_all(
    settings: Settings, reports: Sequence[tuple[str, ParityReport]], *, as_json: bool
) -> None:
    if as_json:
        show_json({"mode": mode_line(settings), "reports": [_record(*each) for each in reports]})
        return
    show_text(f"PARITY  {mode_line(settings)}")
    for coin, report in reports:
        _show(coin, report)


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
