"""`options-agent backtest run`: a rule over a past, told as it goes, and kept."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from attrs import field, frozen
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
from apps.cli.backtest_report import omissions_table
from apps.cli.backtest_summary import summary_lines, summary_record, summary_table
from apps.cli.book_view import end
from apps.cli.console import mode_line, output, show_json, show_text, tell
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, read_settings, settings_from
from apps.settings.kinds import Coin
from apps.settings.load import Loaded
from apps.settings.presets import preset_flags
from apps.settings.root import Settings
from apps.wiring.backtest import (
    CoinBacktest,
    Past,
    keep_run,
    measured,
    run_styles,
    to_resume,
)
from apps.wiring.backtest_greg import is_greg
from apps.wiring.backtest_past import Hooks
from apps.wiring.backtest_stream import past_of
from apps.wiring.database import open_runs
from apps.wiring.training import CollectRequest, collect_prepared
from core.backtest.streaming import StreamedCoin
from ports.backtest_runs import BacktestRun, BacktestRuns, RunStatus
from ports.errors import PortError, StoreDamaged, Unavailable

_REASONS_SHOWN = 20  # of what was left out: `backtest show` has all


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

    Ctrl-C stops after the tick under way: what is done is kept, and --resume goes on. Of a past
    that is read in parts it keeps what came of the parts so far, and --resume reads it anew.
    """
    given = locals()  # the options by name, before anything else has one
    flags = [*flags_of(given), *(overrides or [])]
    settings = _with_preset(settings_from(config, flags), config, flags)
    require_past(settings)
    asked = Asked(settings=settings, notes=notes, resume=resume, as_json=as_json)
    done = Done()
    try:
        asyncio.run(_run_all(asked, done))
    except ValueError as error:
        end(str(error), ExitCode.MISUSE)
    except PortError:
        if done.runs or done.left_out:
            _show(done, asked)  # what came before stays readable; main() says what failed
        raise
    _show(done, asked)
    if any(run.summary.status is RunStatus.STOPPED for run in done.runs):
        raise typer.Exit(ExitCode.INTERRUPTED)


@frozen(kw_only=True)
class Asked:
    """What one invocation is to do."""

    settings: Settings
    notes: str
    resume: str | None
    as_json: bool


@frozen(kw_only=True)
class Done:
    """
    What came of one invocation so far.

    *unkept* are the runs that the store has not got, *left_out* the coins that have no past
    here, each with the reason.
    """

    runs: list[BacktestRun] = field(factory=list)
    unkept: set[str] = field(factory=set)
    left_out: dict[str, str] = field(factory=dict)


def _with_preset(loaded: Loaded, config: ConfigFiles, flags: list[str]) -> Settings:
    """The settings with what the preset sets, under everything that was given."""
    preset = [f"{path}={value}" for path, value in preset_flags(loaded).items()]
    if not preset:
        return loaded.settings
    return read_settings(config, [*preset, *flags]).settings


async def _run_all(asked: Asked, done: Done) -> None:
    """
    Run coin after coin; one that is stopped is the last.

    Raises:
        ValueError, PortError: As run_styles and keep_run; or no coin at all has a past.
    """
    stop = _stop_on_signals()

    async def proceed() -> bool:
        await asyncio.sleep(0)  # lets a signal in
        return not stop.is_set()

    async with open_runs(asked.settings) as runs:
        with bars(quiet=asked.as_json) as shown:
            hooks = Hooks(watch=shown.watch, proceed=proceed)
            if asked.resume is not None:
                await _resume(asked, asked.resume, Doing(runs=runs, hooks=hooks, done=done))
                return
            for coin in asked.settings.venue.underlyings:
                await _run_one(asked, coin, Doing(runs=runs, hooks=hooks, done=done))
                if stop.is_set():
                    break


@frozen(kw_only=True, eq=False)
class Doing:
    """Where runs are kept, who is told, and what came of them."""

    runs: BacktestRuns
    hooks: Hooks
    done: Done


async def _run_one(asked: Asked, coin: Coin, doing: Doing) -> None:
    """Run *coin*, or leave it out if it has no past while another coin may have one."""
    try:
        prepared = await past_of(asked.settings, coin, doing.hooks)
    except (Unavailable, StoreDamaged) as error:
        doing.done.left_out[coin] = str(error)
        if len(doing.done.left_out) == len(asked.settings.venue.underlyings):
            raise
        return
    backtest = CoinBacktest.new(asked.settings, coin, prepared, asked.notes)
    await _ran(asked, backtest, doing, None)


async def _resume(asked: Asked, run_id: str, doing: Doing) -> None:
    earlier = await doing.runs.load(run_id)
    coin: Coin = "BTC" if earlier.summary.underlying == "BTC" else "ETH"
    prepared = await past_of(asked.settings, coin, doing.hooks)
    await _ran(asked, to_resume(asked.settings, earlier, prepared), doing, earlier)


async def _ran(
    asked: Asked, backtest: CoinBacktest, doing: Doing, earlier: BacktestRun | None
) -> None:
    """Run *backtest* and keep it; where it cannot be kept, it is there to be shown."""
    ran = await run_styles(backtest, doing.hooks, earlier)
    try:
        run = await keep_run(backtest, ran, doing.runs)
    except PortError:
        doing.done.runs.append(measured(backtest, ran))
        doing.done.unkept.add(backtest.run_id)
        raise
    doing.done.runs.append(run)
    _keep_rows(asked.settings, run, backtest.prepared, doing.hooks)


def _keep_rows(settings: Settings, run: BacktestRun, prepared: Past, hooks: Hooks) -> None:
    """Leave training rows of the past of a finished *run*, where settings ask for them."""
    if not settings.policy.save_training_data or run.summary.status is not RunStatus.FINISHED:
        return
    if is_greg(settings):
        tell("no training rows: they are of single calls")
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


def _show(done: Done, asked: Asked) -> None:
    settings, runs = asked.settings, done.runs
    if asked.as_json:
        show_json(
            {
                "mode": mode_line(settings),
                "runs": [summary_record(run) for run in runs],
                "unkept": sorted(done.unkept),
                "left_out": done.left_out,
            }
        )
    else:
        show_text(f"BACKTEST  {mode_line(settings)}")
        for run in runs:
            show_text("\n".join(summary_lines(run)))
            output().print(summary_table(run))
            if any(result.omissions for result in run.results):
                output().print(omissions_table(run.results, _REASONS_SHOWN))
    for coin, reason in done.left_out.items():
        tell(f"{coin} is left out: {reason}")
    for run in runs:
        tell(_ending(run, done))


def _ending(run: BacktestRun, done: Done) -> str:
    """Where *run* is, and how to go on with it."""
    run_id = run.summary.run_id
    if run_id in done.unkept:
        return f"{run_id} could not be kept: what is shown here is all there is of it"
    if run.summary.status is RunStatus.STOPPED:
        return f"kept as {run_id}: stopped, the same command with --resume {run_id} goes on"
    return f"kept as {run_id}: options-agent backtest show {run_id}"
