"""`options-agent universe`: invented markets fitted to history, drawn from, and judged by it."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from apps.cli.book_view import end
from apps.cli.console import show_json, show_text, tell
from apps.cli.exits import ExitCode
from apps.cli.group import command_group
from apps.cli.options import AsJson
from apps.cli.output_file import write_out
from apps.cli.sweep_run import Workers
from apps.cli.universe_fitting import fit_lines, fitted_coin
from apps.cli.universe_paths import Drawing, Rows, write_chains, write_paths
from apps.cli.universe_report import json_text, markdown, record, webpage
from apps.wiring.sweeps import sweep_executor
from apps.wiring.universe import history_of, with_chains
from apps.wiring.universe_file import universe_of, with_coin
from core.analysis.universe_battery import BatteryParams, BatteryReport, battery
from core.analysis.universe_series import MarketHistory, recorded_series
from core.analysis.universe_trades import WeeklyTrades
from core.simulation.listing import COINS
from core.simulation.universe.params import UniverseParams
from core.simulation.universe.stress import Stress, stressed
from core.usecases.fit_universe import FitParams
from core.usecases.judge_universe import judged

_HOUR_MS = 3_600_000

app = command_group("Invented markets: fit one to history, draw from it, hold it against history.")

Coin: TypeAlias = Annotated[str, typer.Argument(metavar="COIN", help="BTC or ETH.")]
Spot: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Hourly prices, CSV or CSV.gz; may be repeated."),
]
Dvol: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Daily closes of DVOL, CSV or JSON; may be repeated."),
]
Chains: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Recorded or harvested option chains.")
]
Until: TypeAlias = Annotated[
    str | None, typer.Option(metavar="DAY", help="Use nothing later, such as 2025-12-31.")
]
Model: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A fitted universe; default: the shipped one.")
]
Seed: TypeAlias = Annotated[int, typer.Option(min=0, help="The same seed gives the same paths.")]


@app.command()
def fit(
    coin: Coin,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The universe to write the coin into.")],
    spot: Spot = None,
    dvol: Dvol = None,
    chains: Chains = None,
    until: Until = None,
    states: Annotated[
        int, typer.Option(min=0, max=6, help="Regimes; 0 leaves it to BIC and stability.")
    ] = 4,
    rounds: Annotated[
        int, typer.Option(min=0, help="Rounds of simulated moments, at most.")
    ] = FitParams().rounds,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the paths that trials are judged on, and of regimes.")
    ] = FitParams().seed,
    workers: Workers = None,
) -> None:
    """
    Fit the invented market of one coin to prices, DVOL and, where there are, chains.

    Regimes, hours, level and drift by closed formulas; everything else by simulated moments on
    the battery's figures, from the same start for every coin, until a round gains less than 2 %
    of the miss. The same files and seed give the same universe, however many processes work on it.
    The smile is fitted to chains of sixty days or more, else to figures of January to May 2026.
    A round takes about six minutes of one core.
    """
    history = _history(coin, spot, dvol, until)
    read = asyncio.run(with_chains(history, chains, _day(until), tell))
    found, result = asyncio.run(
        fitted_coin(
            read.history,
            [*(spot or ()), *(dvol or ())],
            states or None,
            FitParams(seed=seed, rounds=rounds),
            sweep_executor(workers, None),
        )
    )
    if result.misses[-1] == result.misses[0] and rounds:
        tell("no round came closer than the start")
    show_text("\n".join(fit_lines(found, result)))
    write_out(out, with_coin(out, result.coin))


@app.command()
def generate(
    coin: Coin,
    model: Model = None,
    seed: Seed = 1,
    paths: Annotated[int, typer.Option(min=1, help="How many paths.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days of each.")] = 365,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A row a day, or an hour; .csv or .parquet."),
    ] = None,
    hourly: Annotated[bool, typer.Option("--hourly", help="A row an hour, price only.")] = False,
    chains: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Archive of option chains of the first path."),
    ] = None,
    every_hours: Annotated[int, typer.Option(min=1, help="From chain to chain.")] = 6,
    stress: Annotated[
        Stress | None, typer.Option(help="A harder market than the fitted one.")
    ] = None,
) -> None:
    """
    Draw paths of one coin, and option chains that run, backtest and replay can read.

    What is written is invented: never put it beside recorded results.
    """
    if out is None and chains is None:
        end("name what to write: --out FILE, --chains FOLDER or both", ExitCode.MISUSE)
    universe = universe_of(model)
    drawing = Drawing(
        universe=universe if stress is None else stressed(universe, stress),
        underlying=_known(coin),
        seed=seed,
        paths=paths,
        days=days,
    )
    if out is not None:
        if out.suffix not in (".csv", ".parquet"):
            end(f"{out}: the name must end in .csv or .parquet", ExitCode.MISUSE)
        write_paths(out, drawing, Rows.HOURS if hourly else Rows.DAYS)
    if chains is not None:
        asyncio.run(write_chains(chains, drawing, every_hours))


@app.command()
def check(
    coin: Coin,
    model: Model = None,
    spot: Spot = None,
    dvol: Dvol = None,
    chains: Chains = None,
    seed: Seed = 1,
    paths: Annotated[int, typer.Option(min=10, help="Paths to judge.")] = 200,
    days: Annotated[int, typer.Option(min=400, help="Days of each.")] = 1095,
    seeds: Annotated[int, typer.Option(min=1, help="So many batteries, seeds one by one.")] = 1,
    out: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Report, by name: .md, .html, .json; may be repeated."),
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """
    Judge an invented market by the battery: 22 rows, the recording's own figures beside them.

    Ends with 1 where a battery is not accepted: rows 1 to 20 in the outer band and 17 of them
    in the inner one. Rows 21 and 22 need a recording and are told, not judged. Further seeds
    repeat rows 1 to 20.
    """
    universe = universe_of(model)
    history: MarketHistory | None = None
    trades: WeeklyTrades | None = None
    if spot or dvol or chains:
        history = _history(coin, spot, dvol, None)
        read = asyncio.run(with_chains(history, chains, None, tell))
        history, trades = read.history, read.trades
    params = BatteryParams(seed=seed, paths=paths, days=days)
    first = battery(universe, _known(coin), params, history=history, trades=trades, told=_told)
    others = range(seed + 1, seed + seeds)
    executor = sweep_executor(workers, None)
    again = asyncio.run(
        judged(universe, _known(coin), params, seeds=others, executor=executor, told=_told_seed)
    )
    reports = [first, *again]
    for path in out or ():
        write_out(path, _document(path, universe, tuple(reports)))
    if as_json:
        show_json(record(universe, tuple(reports)))
    elif not out:
        show_text(markdown(universe, tuple(reports)))
    if not all(report.is_accepted for report in reports):
        raise typer.Exit(ExitCode.FAILED)


def _told(done: int) -> None:
    tell(f"{done} paths")


def _told_seed(seed: str) -> None:
    tell(f"{seed} is judged")


def _document(path: Path, universe: UniverseParams, reports: tuple[BatteryReport, ...]) -> str:
    """The report in the form that the name of *path* asks for."""
    if path.suffix == ".json":
        return json_text(record(universe, reports))
    if path.suffix == ".html":
        return webpage(universe, reports)
    return markdown(universe, reports)


def _history(
    coin: str, spot: list[Path] | None, dvol: list[Path] | None, until: str | None
) -> MarketHistory:
    if not spot or not dvol:
        end("name the recording: --spot FILE and --dvol FILE", ExitCode.MISUSE)
    history = history_of(_known(coin), spot, dvol, _day(until))
    try:
        recorded_series(history)
    except ValueError as error:
        end(f"{history.underlying}: {error}", ExitCode.FAILED)
    for column, step_ms, lacks in (
        (history.closed_at_ms, _HOUR_MS, "hours have no price: the one before stands in"),
        (history.index_at_ms, 24 * _HOUR_MS, "days have no volatility index"),
    ):
        steps = int(column[-1] - column[0]) // step_ms + 1
        if steps > len(column):
            tell(f"{history.underlying}: {steps - len(column)} of {steps} {lacks}")
    return history


def _known(coin: str) -> str:
    if coin.upper() not in COINS:
        end(f"no universe of {coin}; there are {', '.join(COINS)}", ExitCode.MISUSE)
    return coin.upper()


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        end(f"{text} is no day such as 2025-12-31", ExitCode.MISUSE)
