"""`options-agent backtest pair`: the rule on recorded chains and on an invented market."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Table

from apps.cli.backtest_options import (
    CoinList,
    Data,
    Engine,
    Seed,
    Since,
    Styles,
    Until,
    flags_of,
    require_past,
)
from apps.cli.backtest_run import bars
from apps.cli.book_view import end
from apps.cli.console import mode_line, show_json, show_table, show_text, table, tell
from apps.cli.exits import ExitCode
from apps.cli.left_out import of_each, tell_left_out
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest_pair import INVENTED, Invented, Pair, PairAsked, run_pair
from apps.wiring.backtest_past import Hooks
from apps.wiring.database import open_runs
from core.backtest.pairing import MetricParity, PairReport, Tolerances, Verdict
from ports.errors import PortError


def command(
    data: Data = None,
    coins: CoinList = None,
    since: Since = None,
    until: Until = None,
    engine: Engine = "fast",
    style: Styles = None,
    seed: Seed = None,
    against: Annotated[
        str, typer.Option(help="The invented market: universe, or synthetic.")
    ] = "universe",
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Run one rule on recorded chains and, at the same instants, on an invented market.

    Both runs are kept. Each figure has a tolerance; the verdict is TRUSTED where all are within
    theirs, UNTRUSTED where the mean score is below one half. The difference in profit comes in
    basis points of notional a week with its 90 % interval, and by cause: level of volatility,
    smile, and the rest: path, fills and fees. Ends with 1 where a side never traded or the
    verdict is UNTRUSTED.
    """
    given = {**locals(), "market": "recorded"}  # the options by name
    settings = settings_from(config, [*flags_of(given), *(overrides or [])]).settings
    require_past(settings)
    market = invented_named(against)
    pairs: dict[Coin, Pair] = {}
    try:
        asyncio.run(_run_all(settings, market, pairs, quiet=as_json))
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    except PortError:
        if pairs:
            _show_all(settings, market, pairs, as_json=as_json)  # main() says what failed
        raise
    _show_all(settings, market, pairs, as_json=as_json)
    if any(pair.report.verdict is Verdict.UNTRUSTED for pair in pairs.values()):
        raise typer.Exit(ExitCode.FAILED)


def invented_named(name: str) -> Invented:
    """The invented market *name*; ends with MISUSE where there is none."""
    if name not in INVENTED:
        end(f"--against: no market {name!r}: there are {', '.join(INVENTED)}", ExitCode.MISUSE)
    return INVENTED[name]


async def _run_all(
    settings: Settings, market: Invented, pairs: dict[Coin, Pair], *, quiet: bool
) -> None:
    async with open_runs(settings) as runs:
        with bars(quiet=quiet) as shown:

            async def run(coin: Coin) -> None:
                asked = PairAsked(
                    settings=settings, coin=coin, invented=market, tolerances=Tolerances()
                )
                pairs[coin] = await run_pair(asked, runs, Hooks(watch=shown.watch))

            await of_each(settings.venue.underlyings, run)


def _show_all(
    settings: Settings, market: Invented, pairs: Mapping[Coin, Pair], *, as_json: bool
) -> None:
    if as_json:
        records = {coin: pair_record(pair) for coin, pair in pairs.items()}
        show_json({"mode": mode_line(settings), "against": market, "pairs": records})
        return
    show_text(f"PAIR  {mode_line(settings)}")
    for coin, pair in pairs.items():
        _show(coin, market, pair)


def pair_record(pair: Pair) -> dict[str, object]:
    """What JSON says of *pair*."""
    report = pair.report
    weekly, gap = report.weekly_bp, report.gap
    return {
        "recorded": pair.recorded.summary.run_id,
        "invented": pair.invented.summary.run_id,
        "trades": {"recorded": report.recorded_trades, "invented": report.invented_trades},
        "verdict": report.verdict,
        "score": report.score,
        "failure": report.failure,
        "warnings": list(report.warnings),
        "metrics": {each.name: _metric_record(each) for each in report.metrics},
        "weeks": report.weeks,
        "weekly_bp": None
        if weekly is None
        else {"value": weekly.value, "low": weekly.low, "high": weekly.high},
        "gap_bp": None
        if gap is None
        else {
            "total": gap.total_bp,
            "level": gap.level_bp,
            "smile": gap.smile_bp,
            "rest": gap.rest_bp,
        },
    }


def _metric_record(each: MetricParity) -> dict[str, float | None]:
    return {
        "recorded": each.recorded,
        "invented": each.invented,
        "tolerance": each.tolerance,
        "score": each.score,
    }


def _show(coin: str, market: str, pair: Pair) -> None:
    report = pair.report
    show_text(
        f"\n{coin}: {report.verdict}, score {report.score:.2f}; {report.recorded_trades} trades "
        f"recorded, {report.invented_trades} {market}"
    )
    for line in (report.failure, *report.warnings):
        if line:
            show_text(f"  {line}")
    show_table(_metrics_table(report, market))
    show_text("\n".join(_gap_lines(report)))
    tell_left_out(pair.recorded.results[0].omissions)
    for run in (pair.recorded, pair.invented):
        tell(f"kept as {run.summary.run_id}")


def _metrics_table(report: PairReport, market: str) -> Table:
    numbers = ("recorded", market, "difference", "tolerance", "score")
    made = table("figure, coin", *numbers, numbers=numbers)
    for each in report.metrics:
        sides = each.recorded, each.invented
        change = None if sides[0] is None or sides[1] is None else sides[1] - sides[0]
        cells = ("" if value is None else f"{value:+.2f}" for value in (*sides, change))
        made.add_row(each.name, *cells, f"{each.tolerance:g}", f"{each.score:.2f}")
    return made


def _gap_lines(report: PairReport) -> list[str]:
    lines = []
    weekly, gap = report.weekly_bp, report.gap
    if weekly is None:
        lines.append(f"{report.weeks} full weeks are too few for an interval")
    else:
        lines.append(
            f"profit, invented less recorded, in bp of notional a week: {weekly.value:+.1f} "
            f"[{weekly.low:+.1f}, {weekly.high:+.1f}] over {report.weeks} weeks"
        )
    if gap is not None:
        lines.append(
            f"a trade, bp: {gap.total_bp:+.1f} = level {gap.level_bp:+.1f}, smile "
            f"{gap.smile_bp:+.1f}, path, fills and fees {gap.rest_bp:+.1f}"
        )
    return lines
