"""Pasts of `backtest run`: read in parts, of the fitted universe, with exits that are none."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.memory.backtest_runs import MemoryBacktestRuns
from apps.settings.load import load
from apps.wiring.backtest import CoinBacktest, keep_run, run_coin, run_styles, to_resume
from apps.wiring.backtest_past import Hooks
from apps.wiring.backtest_stream import past_of
from ports.backtest_runs import RunStatus
from tests.support.archives import write_archive
from tests.support.command_line import Ended, options_agent

ANY_DAY = ("--set", "backtest.call_schedule=always", "--set", "backtest.call_expiries=all")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("recorded"), days=23, per_day=2)


def backtest(folder: Path, *words: object) -> Ended:
    options = ("--set", f"venue.data_dir={folder}")
    return options_agent("backtest", *map(str, words), *options, cwd=folder)


def test_a_past_in_parts_and_all_styles_count_as_trials(archive: Path, tmp_path: Path) -> None:
    """The hashes are those of one piece, and the first style's Sharpe is deflated by both."""
    options = ("--coins", "BTC", "--engine", "fast", "--style", "hold_to_expiry,tp_and_roll")
    words = ("run", "--market", "recorded", "--data", archive, *ANY_DAY, *options, "--json")
    results: list[list[dict[str, Any]]] = []
    for number, memory in enumerate((2_000, 1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        ended = backtest(folder, *words, "--set", f"backtest.backtest_memory_mb={memory}")
        assert ended.returncode == 0, ended.stderr
        results.append(json.loads(ended.stdout)["runs"][0]["results"])

    whole, parts = results
    assert [each["trades_hash"] for each in parts] == [each["trades_hash"] for each in whole]
    assert [each["metrics"] for each in parts] == [each["metrics"] for each in whole]
    assert [each["metrics"]["trials"] for each in whole] == [2.0, 2.0]


def test_the_fitted_universe_can_be_run_over(tmp_path: Path) -> None:
    """As any market, and the result says what it is."""
    words = ("run", "--market", "universe", "--coins", "BTC", "--engine", "fast")
    ended = backtest(
        tmp_path, *words, "--from", "2025-03-06", "--to", "2025-03-08",
        "--set", "backtest.backtest_interval_minutes=240",
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert "universe fitted to history, seed" in ended.stdout


async def test_a_past_in_parts_can_be_stopped_and_goes_on(archive: Path, tmp_path: Path) -> None:
    """What came of the first parts is kept as stopped; taken up again it is that of all parts."""
    given = {
        "venue.market": "replay",
        "venue.replay_data": str(archive),
        "venue.data_dir": str(tmp_path),
        "backtest.backtest_engine": "fast",
        "backtest.backtest_exit_styles": '["hold_to_expiry", "tp_and_roll"]',
        "backtest.call_schedule": "always",
        "backtest.call_expiries": "all",
        "backtest.backtest_memory_mb": "1",
    }
    settings = load((), given, {}, None).settings
    asked: list[bool] = []

    async def proceed() -> bool:
        asked.append(True)
        return len(asked) < 3

    runs = MemoryBacktestRuns()
    part = await past_of(settings, "BTC", Hooks(proceed=proceed))
    stopped = CoinBacktest.new(settings, "BTC", part, "")
    kept = await run_coin(stopped, runs, Hooks())
    whole = await past_of(settings, "BTC", Hooks())
    calm = await run_coin(CoinBacktest.new(settings, "BTC", whole, ""), runs, Hooks())
    again = to_resume(settings, kept, whole)
    resumed = await keep_run(again, await run_styles(again, Hooks(), kept), runs)

    assert kept.summary.status is RunStatus.STOPPED
    assert 0 < len(part.instants) < len(whole.instants)
    assert kept.summary.end == part.instants[-1]
    assert resumed.summary.run_id == kept.summary.run_id
    assert resumed.summary.status is RunStatus.FINISHED
    assert [each.trades_hash for each in resumed.results] == [
        each.trades_hash for each in calm.results
    ]
