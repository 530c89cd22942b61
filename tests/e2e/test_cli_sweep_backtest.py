"""`sweep backtest` as a process: a grid of one rule over an invented past, counted as trials."""

import asyncio
import json
from pathlib import Path

import pytest

from apps.settings.load import load
from apps.wiring.database import open_runs
from ports.backtest_runs import Trial
from tests.support.command_line import options_agent
from tests.support.recordings import APRIL, write_recording

PAST = (
    *("--set", "venue.market=synthetic", "--set", "venue.venue_clock=stepped"),
    *("--set", "venue.replay_from=2025-03-01", "--set", "venue.replay_to=2025-03-12"),
    *("--set", "backtest.backtest_interval_minutes=720", "--set", "call_schedule=always"),
)
GRID = ("--grid", "call_target_delta=0.2,0.3", "--grid", "call_expiries=all")


async def trials(folder: Path) -> tuple[Trial, ...]:
    settings = load((), {"venue.data_dir": str(folder / "data")}, {}, None).settings
    async with open_runs(settings) as runs:
        return await runs.trials("call_rule_v1/BTC/synthetic")


def test_every_point_is_run_once_and_counted(tmp_path: Path) -> None:
    """Figures of each point, a page and a file; the second time nothing is computed or counted."""
    asked = ("sweep", "backtest", *GRID, *PAST)
    files = ("--csv", "s.csv", "--html", "s.html")
    first = options_agent(*asked, *files, "--json", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    again = json.loads(options_agent(*asked, "--json", cwd=tmp_path).stdout)
    fresh = json.loads(
        options_agent(*asked, "--json", "--fresh", "--workers", "1", cwd=tmp_path).stdout
    )

    assert [cell["key"] for cell in told["cells"]] == [
        "call_target_delta=0.2 call_expiries=all",
        "call_target_delta=0.3 call_expiries=all",
    ]
    assert all(cell["metrics"]["total_trades"] > 0 for cell in told["cells"])
    assert told["failed"] == {}
    assert told == again == fresh
    assert len(asyncio.run(trials(tmp_path))) == 2
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 3
    assert "net_pnl_coin" in (tmp_path / "s.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ("call_target_delta=0.2,2", "backtest.call_target_delta"),
        ("call_target_dleta=0.2", "did you mean backtest.call_target_delta"),
        ("backtest_fee_share=1,2", "would need other chains or fills"),
        ("call_target_delta", "KEY=A,B,... is wanted"),
        ("backtest_strategy=covered_call_v1", "the fast engine runs call_rule_v1 alone"),
    ],
)
def test_misuse(tmp_path: Path, grid: str, said: str) -> None:
    """A point that cannot be run is named before any is."""
    ended = options_agent("sweep", "backtest", "--grid", grid, *PAST, cwd=tmp_path)

    assert ended.returncode == 2, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_point_that_raises_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    """A drawdown limit is what the fast engine cannot run: its points fail, no other does."""
    grid = ("--grid", "risk.daily_drawdown_limit_pct=0,5")
    ended = options_agent("sweep", "backtest", *GRID, *grid, *PAST, "--json", cwd=tmp_path)
    told = json.loads(ended.stdout)

    assert ended.returncode == 0, ended.stderr
    assert [cell["key"].rpartition("=")[2] for cell in told["cells"]] == ["0", "0"]
    assert len(told["failed"]) == 2
    for key, reason in told["failed"].items():
        assert "daily drawdown limit" in reason
        assert f"cell {key}: ValueError" in ended.stderr


def test_what_the_past_lacks_is_told(tmp_path: Path) -> None:
    """A month that cannot be read is named before the figures of the others."""
    recording = write_recording(tmp_path)
    (recording / APRIL).write_bytes(b"")
    options = ("--data", recording, "--grid", "call_target_delta=0.2,0.3")
    ended = options_agent("sweep", "backtest", *options, cwd=tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert f"{APRIL} as a table" in ended.stderr
    assert "call_target_delta=0.3" in ended.stdout


def test_a_store_that_is_away_takes_no_figures_with_it(tmp_path: Path) -> None:
    """The points are shown, then it is said that they could not be counted as trials."""
    asked = ("sweep", "backtest", *GRID, *PAST)
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/research"}
    ended = options_agent(*asked, cwd=tmp_path, environ=nowhere)

    assert ended.returncode == 1
    assert "call_target_delta=0.3" in ended.stdout
    assert "127.0.0.1:9/research" in ended.stderr


def test_both_engines_sweep_alike(tmp_path: Path) -> None:
    """Point by point the tick has the trades of the fast simulator, in processes of its own."""
    asked = ("sweep", "backtest", *GRID, *PAST, "--json")
    told = {}
    for engine in ("fast", "tick"):
        ended = options_agent(*asked, "--engine", engine, "--workers", "2", cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        told[engine] = json.loads(ended.stdout)

    assert told["tick"]["failed"] == {}
    assert told["tick"]["sweep"] != told["fast"]["sweep"]
    for ours, theirs in zip(told["tick"]["cells"], told["fast"]["cells"], strict=True):
        assert ours["key"] == theirs["key"]
        assert ours["metrics"]["total_trades"] == theirs["metrics"]["total_trades"] > 0
        assert ours["metrics"]["net_pnl_coin"] == pytest.approx(
            theirs["metrics"]["net_pnl_coin"], abs=1e-9
        )


def test_the_live_strategy_is_swept_by_the_tick(tmp_path: Path) -> None:
    """Its own settings are the grid; the trials are counted in its own family."""
    live = ("--set", "backtest_strategy=covered_call_v1", "--engine", "tick")
    grid = ("--grid", "candidates.research_ivrv_min=0,9")
    asked = ("sweep", "backtest", *grid, *live, *PAST, "--json")
    ended = options_agent(*asked, cwd=tmp_path)
    told = json.loads(ended.stdout)

    assert ended.returncode == 0, ended.stderr
    assert told["failed"] == {}
    assert told["family"] == "covered_call_v1/BTC/synthetic"
    few, none = (cell["metrics"]["total_trades"] for cell in told["cells"])
    assert few >= none == 0
