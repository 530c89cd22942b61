"""Pasts of `backtest run`: read in parts, of the fitted universe, with exits that are none."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.agents import agent
from tests.support.archives import write_archive

ANY_DAY = ("--set", "backtest.call_schedule=always", "--set", "backtest.call_expiries=all")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("recorded"), days=23, per_day=2)


def backtest(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    options = ("--set", f"venue.data_dir={folder}")
    return agent("backtest", *map(str, words), *options, cwd=folder)


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


def test_exits_by_greg_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    """gregbot_managed is named in the specification and not to be had: no other style runs."""
    ended = backtest(tmp_path, "run", "--market", "universe", "--style", "gregbot_managed")

    assert ended.returncode == 2
    assert "Missing are a strategy that opens his structures" in ended.stderr
