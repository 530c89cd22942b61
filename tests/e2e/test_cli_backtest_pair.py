"""`backtest pair` and `health-check`: an invented past held against a recorded one."""

import json
from pathlib import Path

import pytest

from tests.support.archives import write_archive
from tests.support.command_line import Ended, options_agent

ANY_DAY = ("--set", "backtest.call_schedule=always", "--set", "backtest.call_expiries=all")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("recorded"), days=23, per_day=2)


def backtest(folder: Path, *words: object) -> Ended:
    options = ("--set", f"venue.data_dir={folder}")
    return options_agent("backtest", *map(str, words), *options, cwd=folder)


def test_the_health_check_keeps_its_report(archive: Path, tmp_path: Path) -> None:
    """Three pairs, each with scores and a verdict, as JSON in the data folder."""
    ended = backtest(
        tmp_path, "health-check", "--data", archive, "--days", 22, "--against", "synthetic",
        *ANY_DAY, "--json",
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    (path,) = (tmp_path / "health_checks").iterdir()
    record = json.loads(path.read_text())
    assert record == json.loads(ended.stdout)
    names = [check["name"] for check in record["checks"]]
    assert names == ["BTC daily", "BTC every 4 hours", "ETH daily"]
    for check in record["checks"]:
        assert check["status"] == "success"
        assert check["pair"]["trades"]["recorded"] > 0
        assert check["pair"]["verdict"] in {"TRUSTED", "WARNING", "UNTRUSTED"}


def test_days_too_few_for_the_rule_are_misuse(archive: Path, tmp_path: Path) -> None:
    """Three times the days to expiry are wanted; nothing is run."""
    ended = backtest(tmp_path, "pair", "--data", archive, "--coins", "BTC", "--to", "2026-03-08")

    assert ended.returncode == 2
    assert "7 days wants 21 at least" in ended.stderr


def test_sides_that_never_trade_are_a_failure(archive: Path, tmp_path: Path) -> None:
    """Zero trades are no zero gap: the command says which market had none, and ends with 1."""
    ended = backtest(
        tmp_path, "pair", "--data", archive, "--coins", "BTC", "--against", "synthetic",
        "--set", "backtest.call_premium_min_usd=1000000000",
    )  # fmt: skip

    assert ended.returncode == 1
    assert "no trade on the recorded and the invented market" in ended.stdout
