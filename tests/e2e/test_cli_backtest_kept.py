"""`backtest list`, `show`, `compare`, `export` and `note` as processes over a kept store."""

import asyncio
import json
from pathlib import Path

import pytest
from attrs import evolve

from apps.settings.load import load
from apps.wiring.database import open_runs
from core.backtest.metrics import metrics_of
from ports.backtest_runs import BacktestRun
from tests.support.backtest_runs import golden_run, run, sold_and_held
from tests.support.command_line import options_agent

FIRST, SECOND = "20260401T000000Z_BTC_0a1b2c3d", "20260402T000000Z_BTC_ffffffff"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose store has two runs."""
    folder = tmp_path_factory.mktemp("kept")
    result = sold_and_held()
    result = evolve(result, metrics=metrics_of(result.trades, result.equity))
    second = run(result, run_id=SECOND, created_at=golden_run().summary.end)
    asyncio.run(_save(folder, golden_run(), second))
    return folder


async def _save(folder: Path, *runs: BacktestRun) -> None:
    settings = load((), {"venue.data_dir": str(folder / "data")}, {}, None).settings
    async with open_runs(settings) as store:
        for each in runs:
            await store.save(each)


def test_show_tells_a_run(kept: Path) -> None:
    """The report stands on stdout, whole and in a terminal of any width."""
    ended = options_agent("backtest", "show", FIRST, cwd=kept)

    assert ended.returncode == 0, ended.stderr
    assert f"run {FIRST}, finished" in ended.stdout
    assert "Performance: returns" in ended.stdout
    assert "NO EDGE SHOWN" in ended.stdout


def test_show_in_json_is_what_was_stored(kept: Path) -> None:
    """Figures under their keys, None as null."""
    told = json.loads(options_agent("backtest", "show", FIRST, "--json", cwd=kept).stdout)

    assert told["metrics"] == golden_run().results[0].metrics
    assert told["run"]["run_id"] == FIRST
    assert told["metrics"]["deflated_sharpe"] == 0.41


def test_show_writes_a_page(kept: Path) -> None:
    """One file with Plotly inside and no address that a browser would ask."""
    ended = options_agent("backtest", "show", SECOND, "--html", "page.html", cwd=kept)
    text = (kept / "page.html").read_text(encoding="utf-8")

    assert ended.returncode == 0, ended.stderr
    assert len(text) > 4_000_000
    assert "<script src" not in text
    assert "<link" not in text


def test_list_shows_both(kept: Path) -> None:
    """Newest first, with the figures of the primary style."""
    told = json.loads(options_agent("backtest", "list", "--json", cwd=kept).stdout)

    assert [each["run_id"] for each in told["runs"]] == [FIRST, SECOND]
    assert told["runs"][0]["metrics"]["total_trades"] == 4.0
    assert FIRST in options_agent("backtest", "list", cwd=kept).stdout


def test_compare_says_b_less_a(kept: Path) -> None:
    """Each figure of both and the change between them."""
    told = json.loads(
        options_agent("backtest", "compare", FIRST, SECOND, "--json", cwd=kept).stdout
    )
    trades = told["differences"]["total_trades"]

    assert (trades["a"], trades["b"], trades["b_less_a"]) == (4.0, 11.0, 7.0)
    assert "B - A" in options_agent("backtest", "compare", FIRST, SECOND, cwd=kept).stdout


def test_export_writes_trades(kept: Path) -> None:
    """A head and a line a trade, on stdout or in a file."""
    ended = options_agent("backtest", "export", "trades", FIRST, cwd=kept)
    options_agent("backtest", "export", "equity", FIRST, "--out", "equity.csv", cwd=kept)

    assert len(ended.stdout.splitlines()) == 6
    assert len((kept / "equity.csv").read_text(encoding="utf-8").splitlines()) == 37


def test_notes_are_replaced(kept: Path) -> None:
    """What is noted is shown with the run."""
    assert options_agent("backtest", "note", SECOND, "a second look", cwd=kept).returncode == 0
    assert "notes: a second look" in options_agent("backtest", "show", SECOND, cwd=kept).stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "no-such-run"), 1),
        (("show", FIRST, "--style", "moon"), 2),
        (("compare", FIRST, "no-such-run"), 1),
        (("export", "moons", FIRST), 2),
        (("note", "no-such-run", "text"), 1),
    ],
)
def test_what_is_not_there(kept: Path, arguments: tuple[str, ...], code: int) -> None:
    """An unknown run or style is a sentence and a code, never a traceback."""
    ended = options_agent("backtest", *arguments, cwd=kept)

    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_an_empty_store(tmp_path: Path) -> None:
    """Before the first run there is nothing to show, and it is said."""
    ended = options_agent("backtest", "show", cwd=tmp_path)
    listed = options_agent("backtest", "list", cwd=tmp_path)

    assert ended.returncode == 1
    assert "no backtest was run yet" in ended.stderr
    assert listed.returncode == 0
    assert "no backtest is kept" in listed.stdout
