"""`options-agent backtest run`: a rule over a past, told as it goes, and kept."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from attrs import frozen
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from apps.cli.backtest_options import (
    CoinList,
    Data,
    Engine,
    LatencyName,
    Limits,
    Market,
    Notes,
    Preset,
    Resume,
    Seed,
    Since,
    StrategyName,
    Styles,
    TargetDelta,
    TargetDte,
    Until,
    flags_of,
    require_past,
)
from apps.cli.backtest_summary import summary_lines, summary_record, summary_table
from apps.cli.book_view import end
from apps.cli.console import mode_line, output, show_json, show_text, tell
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, read_settings, settings_from
from apps.settings.kinds import Coin
from apps.settings.load import Loaded
from apps.settings.presets import preset_flags
from apps.settings.root import Settings
from apps.wiring.backtest import CoinBacktest, Hooks, Past, run_coin, to_resume
from apps.wiring.backtest_stream import past_of
from apps.wiring.database import open_runs
from apps.wiring.training import CollectRequest, collect_prepared
from core.backtest.streaming import StreamedCoin
from ports.backtest_runs import BacktestRun, BacktestRuns, RunStatus


def command(
    market: Market = None,
    data: Data = None,
    coins: CoinList = None,
    since: Since = None,
    until: Until = None,
    engine: Engine = None,
    strategy: StrategyName = None,
    style: Styles = None,
    preset: Preset = None,
    target_delta: TargetDelta = None,
    target_dte: TargetDte = None,
    latency: LatencyName = None,
    limits: Limits = None,
    seed: Seed = None,
    notes: Notes = "",
    resume: Resume = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Sell calls over a past and say what that came to, in coin and in USD.

    Without options the rule is: each Friday, at the first snapshot after 08:05 UTC, the call of
    the next Friday nearest to delta 0.25, sold at the bid, held to delivery. Every parameter is
    a setting: see `config explain backtest.call_target_delta` and its neighbours.

    Ctrl-C stops after the tick under way: what is done is kept, and --resume goes on.
    """
    given = locals()  # the options by name, before anything else has one
    flags = [*flags_of(given), *(overrides or [])]
    settings = _with_preset(settings_from(config, flags), config, flags)
    require_past(settings)
    asked = Asked(settings=settings, notes=notes, resume=resume, as_json=as_json)
    runs: list[BacktestRun] = []
    try:
        asyncio.run(_run_all(asked, runs))
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    _show(runs, asked)
    if any(run.summary.status is RunStatus.STOPPED for run in runs):
        raise typer.Exit(ExitCode.INTERRUPTED)


@frozen(kw_only=True)
class Asked:
    """What one invocation is to do."""

    settings: Settings
    notes: str
    resume: str | None
    as_json: bool


def _with_preset(loaded: Loaded, config: ConfigFiles, flags: list[str]) -> Settings:
    """The settings with what the preset sets, under everything that was given."""
    preset = [f"{path}={value}" for path, value in preset_flags(loaded).items()]
    if not preset:
        return loaded.settings
    return read_settings(config, [*preset, *flags]).settings


async def _run_all(asked: Asked, done: list[BacktestRun]) -> None:
    """Run coin after coin, each to the end of *done*; one that is stopped is the last."""
    stop = _stop_on_signals()

    async def proceed() -> bool:
        await asyncio.sleep(0)  # lets a signal in
        return not stop.is_set()

    async with open_runs(asked.settings) as runs:
        with bars(quiet=asked.as_json) as shown:
            hooks = Hooks(watch=shown.watch, proceed=proceed)
            if asked.resume is not None:
                done.append(await _resume(asked, asked.resume, runs, hooks))
                return
            for coin in asked.settings.venue.underlyings:
                prepared = await past_of(asked.settings, coin, hooks)
                backtest = CoinBacktest.new(asked.settings, coin, prepared, asked.notes)
                done.append(await run_coin(backtest, runs, hooks))
                _keep_rows(asked.settings, done[-1], prepared, hooks)
                if stop.is_set():
                    break


async def _resume(asked: Asked, run_id: str, runs: BacktestRuns, hooks: Hooks) -> BacktestRun:
    earlier = await runs.load(run_id)
    coin: Coin = "BTC" if earlier.summary.underlying == "BTC" else "ETH"
    prepared = await past_of(asked.settings, coin, hooks)
    backtest = to_resume(asked.settings, earlier, prepared)
    run = await run_coin(backtest, runs, hooks, earlier)
    _keep_rows(asked.settings, run, prepared, hooks)
    return run


def _keep_rows(settings: Settings, run: BacktestRun, prepared: Past, hooks: Hooks) -> None:
    """Leave training rows of the past of a finished *run*, where settings ask for them."""
    if not settings.policy.save_training_data or run.summary.status is not RunStatus.FINISHED:
        return
    if isinstance(prepared, StreamedCoin):
        tell("no training rows: the past was larger than backtest.backtest_memory_mb")
        return
    coin: Coin = "BTC" if prepared.underlying == "BTC" else "ETH"
    request = CollectRequest(folder=settings.policy.training_data_dir)
    collect_prepared(settings, coin, prepared, request, hooks)


def _stop_on_signals() -> asyncio.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


class Shown:
    """Bars on stderr, a phase each, with what is left."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def watch(self, phase: str, done: int, total: int) -> None:
        """Say that *done* of *total* of *phase* are done."""
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total)
        if done == total or done % 16 == 0:
            self._bars.update(self._tasks[phase], completed=done)


@contextmanager
def bars(*, quiet: bool) -> Iterator[Shown]:
    """Bars on stderr while a block lasts, none if *quiet*."""
    drawn = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quiet,
    )
    with drawn:
        yield Shown(drawn)


def _show(runs: list[BacktestRun], asked: Asked) -> None:
    settings = asked.settings
    if asked.as_json:
        show_json({"mode": mode_line(settings), "runs": [summary_record(run) for run in runs]})
        return
    show_text(f"BACKTEST  {mode_line(settings)}")
    for run in runs:
        show_text("\n".join(summary_lines(run)))
        output().print(summary_table(run))
    for run in runs:
        tell(f"kept as {run.summary.run_id}: options-agent backtest show {run.summary.run_id}")
        if run.summary.status is RunStatus.STOPPED:
            tell(f"stopped: the same command with --resume {run.summary.run_id} goes on")
