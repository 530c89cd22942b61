"""A sweep of call rules: each cell is the run of that rule alone, and the search is told."""

import asyncio
from functools import lru_cache

import numpy as np
import pytest
from attrs import evolve

from adapters.memory.sweeps import MemoryFinishedCells, MemorySweeps
from adapters.system.sweeps import ProcessSweeps
from core.backtest.covered_call import CallAccount, run_calls, style_result
from core.backtest.metrics import metrics_of
from core.backtest.prepared import PreparedCoin
from core.backtest.rules import CallRule, Expiries, Schedule
from core.usecases.sweep import Sweep, SweepOutcome, run_sweep
from core.usecases.sweep_backtests import (
    CallCell,
    TrialMark,
    call_cells,
    search_of,
    trials_of,
)
from ports.codec import to_json
from ports.sweeps import SweepExecutor
from tests.support.backtests import prepared_invention, research_limits

BUSY = CallRule(
    schedule=Schedule.ALWAYS, expiries=Expiries.ALL, target_dte=5.0, dte_min=1.0, dte_max=30.0
)
LIMITS = research_limits("BTC", 1.0)
ACCOUNT = CallAccount(deposit_coin=1.0, order_size=1.0)
DELTAS = (0.15, 0.25, 0.35)


@lru_cache
def past() -> PreparedCoin:
    return asyncio.run(prepared_invention("BTC", 3, days=24))


def grid() -> list[CallCell]:
    return [
        CallCell(
            key=f"delta={delta}",
            rule=evolve(BUSY, target_delta=delta, delta_max=0.6),
            account=ACCOUNT,
            limits=LIMITS,
            config_hash=f"hash of {delta}",
        )
        for delta in DELTAS
    ]


def mark() -> TrialMark:
    return TrialMark(family="calls/BTC/invented", at=past().instants[-1])


def swept(executor: SweepExecutor) -> SweepOutcome:
    sweep = Sweep(name="s", cells=call_cells(grid(), past(), mark()))
    return asyncio.run(run_sweep(sweep, executor, MemoryFinishedCells(), lambda _: None))


@pytest.fixture(scope="module")
def outcome() -> SweepOutcome:
    return swept(MemorySweeps())


def test_a_cell_is_the_run_of_its_rule(outcome: SweepOutcome) -> None:
    """The same trades, and every figure, as the fast engine alone."""
    assert not outcome.failures
    for each in grid():
        run = run_calls(past().columns(LIMITS), each.rule, ACCOUNT, LIMITS)
        alone = style_result(run, each.rule)
        value = outcome.values()[each.key]
        assert value["trades_hash"] == alone.trades_hash
        figures = metrics_of(alone.trades, alone.equity)
        assert value["metrics"] == {
            name: figure if figure is None or np.isfinite(figure) else None
            for name, figure in figures.items()
        }
    hashes = {value["trades_hash"] for value in outcome.values().values()}
    assert len(hashes) == len(DELTAS)


def test_a_value_is_what_json_holds(outcome: SweepOutcome) -> None:
    """Without NaN and infinity, so that it can be kept."""
    for value in outcome.values().values():
        assert to_json(value)


def test_processes_come_to_the_same(outcome: SweepOutcome) -> None:
    """Figure for figure."""
    assert swept(ProcessSweeps(2)).results == outcome.results


def test_columns_are_made_once_for_equal_limits() -> None:
    """Cells of the same limits share them, others have their own."""
    other = evolve(grid()[0], key="other", limits=evolve(LIMITS, max_spread_pct=1.0))
    cells = call_cells([*grid(), other], past(), mark())
    columns = [cell.arguments[0] for cell in cells]

    assert columns[0] is columns[1] is columns[2]
    assert columns[3] is not columns[0]


def test_every_cell_is_a_trial(outcome: SweepOutcome) -> None:
    """Of the family, under the name of its configuration."""
    trials = trials_of(outcome.values(), mark().family)

    assert [trial.config_hash for trial in trials] == [f"hash of {delta}" for delta in DELTAS]
    assert {trial.family for trial in trials} == {mark().family}
    assert {trial.at for trial in trials} == {mark().at}


def cell_of(alpha: np.ndarray, first_day: int = 0) -> dict[str, object]:
    days = (first_day + np.arange(len(alpha))).tolist()
    return {"days": days, "alpha": alpha.tolist(), "longest_days": 1.0}


def test_the_best_of_noise_is_told_from_skill() -> None:
    """Without any skill the p-value is large; with a lot in one cell it is small."""
    chance = np.random.default_rng(5)
    noise = {str(n): cell_of(chance.normal(0.0, 0.01, 200)) for n in range(8)}
    skill = {**noise, "8": cell_of(chance.normal(0.005, 0.01, 200))}
    at = mark().at

    by_luck, by_skill = search_of(noise, 1, at), search_of(skill, 1, at)
    assert by_luck["superior_ability_p"] > 0.1
    assert by_skill["superior_ability_p"] < 0.01
    assert by_skill["overfitting_probability"] < by_luck["overfitting_probability"]


def test_a_search_is_judged_on_common_days() -> None:
    """Days that one cell lacks, or does not know, count for none; too few say nothing."""
    chance = np.random.default_rng(6)
    alphas = [chance.normal(0.0, 0.01, 200) for _ in range(3)]
    unknown = alphas[2].copy()
    unknown[:20] = np.nan
    shifted = {
        "a": cell_of(alphas[0]),
        "b": cell_of(alphas[1][40:], first_day=40),
        "c": {**cell_of(unknown), "alpha": [None] * 20 + alphas[2][20:].tolist()},
    }
    same = {key: cell_of(alpha[40:], 40) for key, alpha in zip("abc", alphas, strict=True)}
    at = mark().at

    short = {"a": cell_of(alphas[0][:10]), "b": cell_of(alphas[1][:10])}
    assert search_of(shifted, 1, at) == search_of(same, 1, at)
    assert search_of(short, 1, at) == {}
    assert search_of({}, 1, at) == {}
