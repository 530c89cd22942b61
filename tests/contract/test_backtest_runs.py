"""What every BacktestRuns promises."""

from collections.abc import AsyncIterator
from datetime import timedelta
from math import inf, isnan, nan
from pathlib import Path

import attrs
import pytest

from adapters.memory.backtest_runs import MemoryBacktestRuns
from adapters.postgres.backtest_runs import DatabaseBacktestRuns
from ports.backtest_runs import BacktestRuns, RunStatus
from ports.errors import Unavailable
from tests.support import databases
from tests.support.runs import AT, as_kept, run, style, trade, trial


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def runs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BacktestRuns]:
    if request.param == "memory":
        yield MemoryBacktestRuns()
        return
    url = databases.sqlite(tmp_path) if request.param == "sqlite" else databases.postgres(tmp_path)
    with databases.opened(url) as database:
        await database.check_schema()
        yield DatabaseBacktestRuns(database)


async def test_an_empty_store_has_no_runs(runs: BacktestRuns) -> None:
    """Nothing was ever run or tried."""
    assert await runs.summaries() == ()
    assert await runs.trials("covered_call BTC recorded") == ()


async def test_a_run_comes_back_as_it_was(runs: BacktestRuns) -> None:
    """Every figure bit for bit, NaN as NaN, None as None, in the order it had."""
    await runs.save(run())

    assert as_kept(await runs.load(run().summary.run_id)) == as_kept(run())


async def test_a_large_run_comes_back_as_it_was(runs: BacktestRuns) -> None:
    """Also with more trades than one statement writes."""
    large = attrs.evolve(run(), results=(style(trades=2_500),))
    await runs.save(large)

    assert as_kept(await runs.load(large.summary.run_id)) == as_kept(large)


async def test_a_run_without_results_is_one(runs: BacktestRuns) -> None:
    """A run that failed at once is kept with its error."""
    failed = attrs.evolve(run(status=RunStatus.FAILED, error="no chains"), results=())
    await runs.save(failed)

    assert as_kept(await runs.load(failed.summary.run_id)) == as_kept(failed)


async def test_a_run_is_replaced_whole(runs: BacktestRuns) -> None:
    """What the earlier form had and the later one has not is gone."""
    await runs.save(run())
    shorter = attrs.evolve(run(notes="again"), results=(style("defensive_roll", trades=0),))
    await runs.save(shorter)

    assert as_kept(await runs.load(run().summary.run_id)) == as_kept(shorter)
    assert await runs.summaries() == (shorter.summary,)


async def test_summaries_come_newest_first(runs: BacktestRuns) -> None:
    """By their creation, those of one instant by their id; of one coin, or only so many."""
    later = AT + timedelta(microseconds=1)
    await runs.save(run("b"))
    await runs.save(run("a"))
    await runs.save(run("c", created_at=later, underlying="ETH"))

    assert [each.run_id for each in await runs.summaries()] == ["c", "b", "a"]
    assert [each.run_id for each in await runs.summaries(limit=2)] == ["c", "b"]
    assert [each.run_id for each in await runs.summaries(underlying="BTC")] == ["b", "a"]
    assert [each.run_id for each in await runs.summaries(underlying="BTC", limit=1)] == ["b"]
    assert await runs.summaries(underlying="SOL") == ()


async def test_metrics_come_without_the_rest(runs: BacktestRuns) -> None:
    """By exit style, the primary one first."""
    await runs.save(run())
    found = await runs.metrics(run().summary.run_id)

    assert list(found) == ["tp_and_roll", "hold_to_expiry"]
    assert found["tp_and_roll"] == {"net_profit_coin": 0.1 + 0.2, "sharpe": None, "num_trades": 3.0}


async def test_an_undefined_metric_is_none(runs: BacktestRuns) -> None:
    """NaN is undefined; an infinite one is what it is."""
    odd = style(metrics={"sharpe": nan, "profit_factor": inf})
    await runs.save(attrs.evolve(run(), results=(odd,)))

    found = await runs.metrics(run().summary.run_id)
    assert found["tp_and_roll"] == {"sharpe": None, "profit_factor": inf}


async def test_notes_are_replaced(runs: BacktestRuns) -> None:
    """And nothing else is."""
    await runs.save(run())
    await runs.annotate(run().summary.run_id, "second thoughts")

    expected = run(notes="second thoughts")
    assert as_kept(await runs.load(run().summary.run_id)) == as_kept(expected)


async def test_a_deleted_run_is_gone_and_its_trials_are_not(runs: BacktestRuns) -> None:
    """What was tried stays counted."""
    await runs.save(run("a"))
    await runs.save(run("b"))
    await runs.register(trial(run_id="a"))
    await runs.delete("a")

    assert [each.run_id for each in await runs.summaries()] == ["b"]
    assert as_kept(await runs.load("b")) == as_kept(run("b"))
    assert await runs.trials(trial().family) == (trial(run_id="a"),)


@pytest.mark.parametrize("act", ["load", "metrics", "delete", "annotate"])
async def test_an_absent_run_is_unavailable(runs: BacktestRuns, act: str) -> None:
    """It is named."""
    await runs.save(run())
    arguments = ("nobody", "notes") if act == "annotate" else ("nobody",)

    with pytest.raises(Unavailable, match="no run nobody"):
        await getattr(runs, act)(*arguments)


async def test_a_trial_counts_once(runs: BacktestRuns) -> None:
    """The same configuration of the same family; the first one stays."""
    await runs.register(trial())
    await runs.register(trial(sharpe=9.0, run_id="r2"))
    await runs.register(trial(family="covered_call ETH recorded"))

    assert await runs.trials(trial().family) == (trial(),)


async def test_trials_come_oldest_first(runs: BacktestRuns) -> None:
    """Those of one instant in the order they were counted."""
    hour = timedelta(hours=1)
    await runs.register(trial("2", at=AT + hour))
    await runs.register(trial("1"))
    await runs.register(trial("0", at=AT + hour))

    assert [each.config_hash for each in await runs.trials(trial().family)] == ["1", "2", "0"]


async def test_an_unknown_sharpe_is_nan(runs: BacktestRuns) -> None:
    """A trial without a figure is counted all the same."""
    await runs.register(trial(sharpe=nan))

    assert isnan((await runs.trials(trial().family))[0].sharpe)


async def test_numbers_of_numpy_are_numbers(runs: BacktestRuns) -> None:
    """What the metrics compute is kept whatever type it has."""
    column = style().equity.cash_coin
    odd = style(trades=0, metrics={"cash": column[3]})
    traded = attrs.evolve(odd, trades=(trade(entry_coin=column[4]),))
    await runs.save(attrs.evolve(run(), results=(traded,)))

    found = await runs.load(run().summary.run_id)
    assert found.results[0].metrics == {"cash": float(column[3])}
    assert found.results[0].trades[0].entry_coin == float(column[4])
