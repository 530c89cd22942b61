"""Backtests from the command line: run, kept, taken up again, and refused in good words."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.agents import start_agent
from tests.support.archives import write_archive
from tests.support.command_line import Ended, options_agent

ANY_DAY = ("--set", "backtest.call_schedule=always", "--set", "backtest.call_expiries=all")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("recorded"), days=16)


def backtest(archive: Path, folder: Path, *options: str) -> Ended:
    return options_agent(
        "backtest",
        "run",
        "--market",
        "recorded",
        "--data",
        archive,
        "--set",
        f"venue.data_dir={folder}",
        *options,
        cwd=folder,
    )


def results(archive: Path, folder: Path, *options: str) -> list[dict[str, Any]]:
    ended = backtest(archive, folder, "--json", *options)
    assert ended.returncode == 0, ended.stderr
    runs: list[dict[str, Any]] = json.loads(ended.stdout)["runs"]
    return runs


def test_one_command_runs_both_coins_and_prints_coin_and_usd(archive: Path, tmp_path: Path) -> None:
    """The rule is said in words, each coin has its table, and the runs are kept."""
    ended = backtest(archive, tmp_path, *ANY_DAY)

    assert ended.returncode == 0, ended.stderr
    for coin in ("BTC", "ETH"):
        assert f"{coin}: call_rule_v1" in ended.stdout
        assert f"hold_to_expiry, {coin}" in ended.stdout
    assert "the call nearest to delta 0.25" in ended.stdout
    assert "hold_to_expiry, USD" in ended.stdout
    shown = options_agent(
        "backtest", "show", "latest", "--set", f"venue.data_dir={tmp_path}", cwd=tmp_path
    )
    assert shown.returncode == 0, shown.stderr
    assert "Trades" in shown.stdout


def test_both_engines_earn_the_same(archive: Path, tmp_path: Path) -> None:
    """Tick and fast simulator agree in number and profit, style by style."""
    options = (*ANY_DAY, "--coins", "BTC", "--style", "hold_to_expiry,tp_and_roll")
    (tick,) = results(archive, tmp_path, *options, "--engine", "tick")
    (fast,) = results(archive, tmp_path, *options, "--engine", "fast")

    for ours, theirs in zip(tick["results"], fast["results"], strict=True):
        assert ours["trades"] == theirs["trades"] > 0
        assert ours["pnl_coin"] == pytest.approx(theirs["pnl_coin"], abs=1e-9)


@pytest.mark.parametrize(
    "style", ["hold_to_expiry", "take_profit", "tp_and_roll", "defensive_roll"]
)
def test_the_live_strategy_can_be_run(archive: Path, tmp_path: Path, style: str) -> None:
    """covered_call_v1 goes through the same tick, with its own filters, scores and upkeep."""
    (run,) = results(
        archive,
        tmp_path,
        "--strategy",
        "covered_call_v1",
        "--coins",
        "BTC",
        "--style",
        style,
        "--set",
        "risk.liquidity_max_spread_pct=50",
        "--set",
        "candidates.research_ivrv_min=0",
    )

    assert run["run"]["strategy_id"] == "covered_call_v1"
    assert run["results"][0]["trades"] > 0


def test_a_preset_is_applied_and_overridden(archive: Path, tmp_path: Path) -> None:
    """Its windows and limits are in force; what is given beside it wins."""
    (run,) = results(
        archive,
        tmp_path,
        "--preset",
        "ULTRA_SAFE",
        "--coins",
        "BTC",
        "--engine",
        "fast",
        "--set",
        "backtest.call_ivrv_min=1.0",
    )
    config = run["run"]["config"]

    assert config["backtest.call_delta_max"] == 0.30
    assert config["risk.max_margin_used_pct"] == 40.0
    assert config["backtest.call_ivrv_min"] == 1.0
    assert "0.1 contracts" in run["run"]["labels"]["account"]


def test_a_run_that_is_interrupted_goes_on_to_the_same_result(
    archive: Path, tmp_path: Path
) -> None:
    """Ctrl-C keeps what is done; --resume ends with the trades of an undisturbed run."""
    options = (*ANY_DAY, "--coins", "BTC", "--style", "hold_to_expiry,tp_and_roll")
    (calm,) = results(archive, tmp_path, *options)
    rough = tmp_path / "rough"
    rough.mkdir()
    command = ("backtest", "run", "--market", "recorded", "--data", archive, "--json")
    running = start_agent(*command, "--set", f"venue.data_dir={rough}", *options, cwd=rough)
    while not (rough / "research.sqlite").exists():  # it listens for Ctrl-C before it opens that
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=120)

    assert running.returncode == 130, stderr
    (stopped,) = json.loads(stdout)["runs"]
    assert stopped["run"]["status"] == "stopped"
    (resumed,) = results(archive, rough, *options, "--resume", stopped["run"]["run_id"])
    assert resumed["run"]["status"] == "finished"
    assert [each["trades_hash"] for each in resumed["results"]] == [
        each["trades_hash"] for each in calm["results"]
    ]


def test_fast_tick_and_paper_trade_alike(archive: Path, tmp_path: Path) -> None:
    """Parity names no difference, where the market shows more than an order takes."""
    small = ("--set", 'backtest.backtest_order_size={"BTC": 0.1}')
    ended = options_agent(
        "backtest",
        "parity",
        "--market",
        "recorded",
        "--data",
        archive,
        "--coins",
        "BTC",
        "--style",
        "tp_and_roll",
        "--worlds",
        "tick,fast,paper",
        "--json",
        *ANY_DAY,
        *small,
        cwd=tmp_path,
    )

    assert ended.returncode == 0, ended.stderr
    reports = json.loads(ended.stdout)["reports"]
    assert [(each["theirs"], each["agrees"]) for each in reports] == [
        ("fast", True),
        ("paper", True),
    ]
    assert reports[0]["our_trades"] > 1


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--from", "2026-03-10", "--to", "2026-03-05"), 2, "exchange the two days"),
        (
            (
                "--from",
                "2031-01-01",
            ),
            1,
            "no snapshot of BTC",
        ),
        (
            (
                "--style",
                "no_such_style",
            ),
            2,
            "hold_to_expiry",
        ),
        (("--strategy", "covered_call_v1", "--style", "delta_exit"), 2, "has no delta_exit"),
        (("--set", "backtest.backtest_deposits={}"), 2, "has no BTC"),
        (("--preset", "RECKLESS"), 2, "ULTRA_SAFE"),
    ],
)
def test_what_cannot_be_run_is_said_in_words(
    archive: Path, tmp_path: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    """No traceback, no zero: the fault, and what would be right."""
    ended = backtest(archive, tmp_path, *options)

    assert ended.returncode == code, ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_synthetic_market_needs_its_days(tmp_path: Path) -> None:
    """Nothing is made up: a period that was not named is misuse."""
    ended = options_agent("backtest", "run", "--market", "synthetic", cwd=tmp_path)

    assert ended.returncode == 2
    assert "venue.replay_from" in ended.stderr or "--from" in ended.stderr
