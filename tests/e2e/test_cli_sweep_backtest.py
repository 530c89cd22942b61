"""`sweep backtest` as a process: a grid of one rule over an invented past, counted as trials."""

import asyncio
import json
from pathlib import Path

import pytest

from apps.settings.load import load
from apps.wiring.database import open_runs
from ports.backtest_runs import Trial
from tests.support.command_line import options_agent

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
        ("backtest_strategy=covered_call_v1", "only call_rule_v1 can be swept"),
    ],
)
def test_misuse(tmp_path: Path, grid: str, said: str) -> None:
    """A point that cannot be run is named before any is."""
    ended = options_agent("sweep", "backtest", "--grid", grid, *PAST, cwd=tmp_path)

    assert ended.returncode == 2, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
