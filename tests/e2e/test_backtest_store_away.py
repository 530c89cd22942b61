"""A database that goes away while a backtest is made takes nothing of it with it."""

from pathlib import Path

import pytest

from adapters.postgres.backtest_runs import DatabaseBacktestRuns
from apps.settings.load import load
from apps.wiring.backtest import CoinBacktest, keep_run, measured, run_styles
from apps.wiring.backtest_past import Hooks, prepared_coin
from ports.errors import PortError
from tests.support import databases

PAST = {
    "venue.market": "synthetic",
    "venue.venue_clock": "stepped",
    "venue.replay_from": "2025-03-01",
    "venue.replay_to": "2025-03-12",
    "backtest.backtest_interval_minutes": "720",
    "backtest.backtest_engine": "fast",
    "backtest.call_schedule": "always",
}


async def test_a_server_that_goes_away_leaves_figures_and_comes_back(tmp_path: Path) -> None:
    """While it is down the run is there with its figures; when it is up again it is kept, once."""
    settings = load((), PAST | {"venue.data_dir": str(tmp_path)}, {}, None).settings
    with databases.opened(databases.postgres(tmp_path)) as database:
        runs = DatabaseBacktestRuns(database)
        past = await prepared_coin(settings, "BTC", Hooks())
        backtest = CoinBacktest.new(settings, "BTC", past, "")
        ran = await run_styles(backtest, Hooks())
        with databases.server_stopped():
            with pytest.raises(PortError):
                await keep_run(backtest, ran, runs)
            alone = measured(backtest, ran)
        kept = await keep_run(backtest, ran, runs)
        again = await runs.load(backtest.run_id)
        trials = await runs.trials(backtest.family)

    assert alone.results[0].metrics["net_pnl_coin"] == kept.results[0].metrics["net_pnl_coin"]
    assert alone.results[0].metrics.get("trials") is None
    assert again.results[0].trades_hash == ran.results[0].trades_hash
    assert len(again.results[0].trades) > 0
    assert len(trials) == 1
