"""Backtests run: one coin's past made ready, each exit style through an engine, the run kept."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias

import numpy as np
from attrs import evolve, frozen

from adapters.memory.controls import MemoryControlStore
from adapters.memory.fleeting_log import FleetingDecisionLog
from adapters.memory.positions import MemoryPositionStore
from adapters.memory.venue_log import MemoryVenueLog
from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest_checkpoints import checkpoint_of, keep_checkpoint
from apps.wiring.backtest_greg import greg_manager, is_greg, with_structures
from apps.wiring.backtest_params import (
    backtest_desk_params,
    backtest_limits,
    call_account,
    call_rule,
    config_hash,
    config_of,
    labels_of,
    scoped,
    strategy_id_of,
)
from apps.wiring.backtest_past import Hooks
from apps.wiring.backtest_strategies import strategies_in
from apps.wiring.clock import system_now
from apps.wiring.code_version import code_version
from core.backtest.covered_call import STRATEGY_ID, run_calls, style_result
from core.backtest.inference import evaluate, trial_of
from core.backtest.latency import DelayedStrategy, Latency
from core.backtest.prepared import PreparedCoin, PreparedMarket, seen_bytes
from core.backtest.streaming import StreamedCoin
from core.rng import rng_at
from core.simulation.replay import ReplayClock
from core.simulation.venue import SimulatedVenue
from core.usecases.backtest import (
    Checkpoint,
    Course,
    Outcome,
    Progress,
    keeper_of,
    ledger_of,
    run_backtest,
)
from core.usecases.desk import Desk, DeskParams
from ports.backtest_runs import (
    BacktestRun,
    BacktestRuns,
    Omission,
    RunStatus,
    RunSummary,
    StyleResult,
    Trial,
)
from ports.errors import Unavailable
from ports.venue_log import Deposit
from ports.world import World

_ENVIRONMENT = "backtest"
Past: TypeAlias = PreparedCoin | StreamedCoin


@frozen(kw_only=True, eq=False)
class CoinBacktest:
    """One coin's run: what was asked for, on what, and under which name it is kept."""

    settings: Settings  # of this coin alone
    coin: Coin
    prepared: Past
    run_id: str
    created_at: datetime
    notes: str = ""

    @classmethod
    def new(cls, settings: Settings, coin: Coin, prepared: Past, notes: str) -> "CoinBacktest":
        """A run that nobody made before; its name tells instant, coin and configuration."""
        now = system_now()
        text = f"{now.isoformat()}{coin}{sorted(config_of(settings, coin).items())}"
        suffix = sha256(text.encode()).hexdigest()[:8]
        return cls(
            settings=scoped(settings, coin),
            coin=coin,
            prepared=prepared,
            run_id=f"{now:%Y%m%dT%H%M%SZ}_{coin}_{suffix}",
            created_at=now,
            notes=notes,
        )

    @property
    def in_memory(self) -> PreparedCoin:
        """
        The past, for those who look at it again.

        Raises:
            Unavailable: It was run over in parts.
        """
        if isinstance(self.prepared, StreamedCoin):
            raise Unavailable(f"the past of {self.coin} was run over in parts, and let go of")
        return self.prepared

    @property
    def styles(self) -> tuple[str, ...]:
        """The exit styles, the primary one first."""
        return tuple(self.settings.backtest.backtest_exit_styles)

    @property
    def family(self) -> str:
        """What was searched, for the count of trials."""
        return f"{strategy_id_of(self.settings)}/{self.coin}/{self.settings.venue.market}"

    @property
    def is_whole(self) -> bool:
        """Whether all of the past was read; in parts, somebody may have stopped that."""
        return not isinstance(self.prepared, StreamedCoin) or self.prepared.is_whole

    @property
    def _hashes(self) -> dict[str, str]:
        """Of a part of the past nothing can be compared with."""
        return {"chains": data_hash(self.prepared)} if self.is_whole else {}

    def summary(self, status: RunStatus, progress: float, error: str = "") -> RunSummary:
        """What is known of the run as it stands."""
        settings, prepared = self.settings, self.prepared
        instants = prepared.instants
        steps = np.diff([at.timestamp() for at in instants])
        return RunSummary(
            run_id=self.run_id,
            created_at=self.created_at,
            status=status,
            strategy_id=strategy_id_of(settings),
            underlying=self.coin,
            source=settings.venue.market,
            start=instants[0],
            end=instants[-1],
            interval_minutes=round(float(np.median(steps)) / 60.0, 1) if len(steps) else 0.0,
            exit_styles=self.styles,
            seed=settings.venue.seed,
            code_version=code_version(),
            config=dict(config_of(settings, self.coin)),
            hashes=self._hashes,
            labels=labels_of(settings, self.coin),
            progress=progress,
            error=error,
            notes=self.notes,
        )


@frozen(kw_only=True, eq=False)
class Ran:
    """What each exit style came to; *is_stopped* if somebody ended the last one before its end."""

    results: tuple[StyleResult, ...]
    is_stopped: bool


async def run_coin(backtest: CoinBacktest, runs: BacktestRuns, hooks: Hooks) -> BacktestRun:
    """
    Run every exit style of *backtest*, keep what came of it in *runs*, and return that.

    Raises:
        ValueError, PortError: As run_styles and keep_run.
    """
    return await keep_run(backtest, await run_styles(backtest, hooks), runs)


async def run_styles(
    backtest: CoinBacktest, hooks: Hooks, earlier: BacktestRun | None = None
) -> Ran:
    """
    Run every exit style of *backtest*; one that was stopped leaves a checkpoint.

    *earlier* is such a run, to go on.

    Raises:
        ValueError: The engine cannot run what is asked for.

        PortError: A checkpoint cannot be written or read.
    """
    done = {} if earlier is None else _finished(earlier)
    results: list[StyleResult] = []
    for style in backtest.styles:
        resumed = checkpoint_of(backtest.settings.venue.data_dir, backtest.run_id, style)
        if style in done and resumed is None:
            results.append(done[style])
            continue
        outcome = await _run_style(backtest, style, hooks, resumed)
        results.append(_with_omissions(outcome, backtest.prepared))
        keep_checkpoint(
            backtest.settings.venue.data_dir, backtest.run_id, style, outcome.checkpoint
        )
        if outcome.checkpoint is not None:
            return Ran(results=tuple(results), is_stopped=True)
    return Ran(results=tuple(results), is_stopped=not backtest.is_whole)


def _finished(earlier: BacktestRun) -> dict[str, StyleResult]:
    """The results of *earlier* that came to the end of the past, by exit style."""
    styles = len(earlier.summary.exit_styles)
    whole = earlier.results[: round(earlier.summary.progress * styles)]
    return {each.exit_style: each for each in whole}


async def keep_run(backtest: CoinBacktest, ran: Ran, runs: BacktestRuns) -> BacktestRun:
    """
    Measure *ran* against all trials of its family, keep it in *runs*, and return it.

    Raises:
        PortError: The store cannot be read or written; `measured` needs none.
    """
    if not ran.is_stopped:
        await _register(backtest, ran.results, runs)
    run = measured(backtest, ran, await runs.trials(backtest.family))
    await runs.save(run)
    return run


def measured(
    backtest: CoinBacktest, ran: Ran, trials: tuple[Trial, ...] | None = None
) -> BacktestRun:
    """The run with its figures, deflated by *trials*; None where those cannot be known."""
    whole = len(ran.results) - ran.is_stopped if backtest.is_whole else 0
    share = whole / len(backtest.styles)
    status = RunStatus.STOPPED if ran.is_stopped else RunStatus.FINISHED
    return BacktestRun(
        summary=backtest.summary(status, share),
        results=tuple(_measured(backtest, result, trials) for result in ran.results),
    )


async def _run_style(
    backtest: CoinBacktest, style: str, hooks: Hooks, resumed: Checkpoint | None
) -> Outcome:
    settings, coin = backtest.settings, backtest.coin
    phase = f"{coin} {style}"
    if settings.backtest.backtest_engine == "fast":
        _require_one_call(settings)
        rule, limits = call_rule(settings, style), backtest_limits(settings, coin)
        past = backtest.prepared
        if isinstance(past, StreamedCoin):
            run = past.runs[style]
        else:
            run = run_calls(past.columns(limits), rule, call_account(settings, coin), limits)
        hooks.watch(phase, len(past.instants), len(past.instants))
        return Outcome(result=style_result(run, rule), checkpoint=None)
    course = await course_of(backtest, style, hooks, resumed)

    def watch(progress: Progress) -> None:
        hooks.watch(phase, progress.done, progress.total)

    return await run_backtest(evolve(course, watch=watch), resumed)


def _require_one_call(settings: Settings) -> None:
    if strategy_id_of(settings) != STRATEGY_ID:
        raise ValueError("the fast engine runs call_rule_v1 outside training: --engine tick")


async def course_of(
    backtest: CoinBacktest, style: str, hooks: Hooks, resumed: Checkpoint | None = None
) -> Course:
    """
    The agent's desk in a world of memory, ready to tick over the prepared past.

    Raises:
        ValueError: The strategy does not know *style*.

        Unavailable: The past is not in memory.
    """
    settings, coin, prepared = backtest.settings, backtest.coin, backtest.in_memory
    clock = ReplayClock(prepared.instants, resumed.at if resumed else prepared.instants[0])
    market = PreparedMarket(prepared, clock)
    venue_log = MemoryVenueLog(list(resumed.venue) if resumed else [])
    venue = await SimulatedVenue.opened(
        market=market,
        history=market,
        clock=clock,
        log=venue_log,
        deposits=(Deposit(coin, call_account(settings, coin).deposit_coin),),
    )
    world = World(
        environment=_ENVIRONMENT,
        market=market,
        history=market,
        trading=venue,
        clock=clock,
        log=FleetingDecisionLog(),
        positions=MemoryPositionStore(_ENVIRONMENT),
        controls=MemoryControlStore(),
    )
    ledger = ledger_of(resumed)
    desk = Desk(
        world=world,
        keeper=keeper_of(world, ledger, resumed),
        strategies=_delayed(settings, coin, style),
        params=_desk_params(settings, coin),
    )
    return Course(
        desk=desk,
        ledger=ledger,
        underlying=coin,
        exit_style=style,
        instants=prepared.instants,
        venue=venue_log,
        proceed=hooks.proceed,
        manager=greg_manager(settings, coin, desk, ledger) if is_greg(settings) else None,
    )


def _desk_params(settings: Settings, coin: Coin) -> DeskParams:
    params = backtest_desk_params(settings, coin)
    return with_structures(params) if is_greg(settings) else params


def _delayed(settings: Settings, coin: Coin, style: str) -> tuple[DelayedStrategy, ...]:
    latency = Latency(settings.backtest.backtest_latency)
    return tuple(DelayedStrategy(each, latency) for each in strategies_in(settings, coin, style))


async def _register(
    backtest: CoinBacktest, results: Sequence[StyleResult], runs: BacktestRuns
) -> None:
    """Count every style as a trial of its family: each is measured against all of them."""
    config = config_of(backtest.settings, backtest.coin)
    for result in results:
        trial = trial_of(
            result.equity,
            family=backtest.family,
            config_hash=config_hash(config, result.exit_style),
            at=backtest.created_at,
            run_id=backtest.run_id,
        )
        if trial is not None:
            await runs.register(trial)


def _measured(
    backtest: CoinBacktest, result: StyleResult, trials: tuple[Trial, ...] | None
) -> StyleResult:
    """*result* with its figures, deflated by *trials*."""
    rng = rng_at(backtest.settings.venue.seed, "backtest/inference", backtest.prepared.instants[0])
    figures = evaluate(result.trades, result.equity, rng, trials=trials)
    return evolve(result, metrics=dict(figures))


def data_hash(prepared: Past) -> str:
    """The SHA-256 of every quote, mark and index the run could see."""
    if isinstance(prepared, StreamedCoin):
        return prepared.sha256
    digest = sha256()
    for snapshot in prepared.snapshots:
        digest.update(seen_bytes(snapshot))
    return digest.hexdigest()


def _with_omissions(outcome: Outcome, prepared: Past) -> StyleResult:
    """The result with what could not even be read for it, first; a silent one says so."""
    result = outcome.result
    told = (*prepared.omissions, *result.omissions)
    if not result.trades and not result.omissions and outcome.checkpoint is None:
        reason = f"no trade was wanted at any of {len(prepared.instants)} snapshots"
        told += (Omission(at=prepared.instants[0], subject=prepared.underlying, reason=reason),)
    return evolve(result, omissions=told)


def to_resume(settings: Settings, earlier: BacktestRun, prepared: Past) -> CoinBacktest:
    """
    The run *earlier* taken up again, with *settings* that must be its own.

    Raises:
        Unavailable: The settings or the data are not those it was begun with.
    """
    summary = earlier.summary
    coin: Coin = "BTC" if summary.underlying == "BTC" else "ETH"
    config = dict(config_of(scoped(settings, coin), coin))
    differing = sorted(name for name, value in summary.config.items() if config.get(name) != value)
    if differing:
        raise Unavailable(f"{summary.run_id} was begun with other settings: {', '.join(differing)}")
    if summary.hashes.get("chains", data_hash(prepared)) != data_hash(prepared):
        raise Unavailable(f"{summary.run_id} was begun on other data")
    return CoinBacktest(
        settings=scoped(settings, coin),
        coin=coin,
        prepared=prepared,
        run_id=summary.run_id,
        created_at=summary.created_at,
        notes=summary.notes,
    )
