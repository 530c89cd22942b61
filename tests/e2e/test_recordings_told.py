"""What of a recording cannot be used is told by every command that reads it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import options_agent
from tests.support.recordings import APRIL, MARCH, write_recording

BROKEN = f"left out of {APRIL}: cannot read"
REPLAY = ("--set", "venue.market=replay", "--set", "venue.replay_data=.", "--set")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of BTC whose second month is cut short."""
    folder = write_recording(tmp_path_factory.mktemp("cut"), days=35)
    whole = (folder / APRIL).read_bytes()
    (folder / APRIL).write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("surface-report", ".", "--coin", "BTC"),
        ("greg", "history", "--chains", ".", "--from", "2026-03-03", "--to", "2026-03-04"),
        ("greg", "hedge-study", "--chains", "."),
        ("greg", "sensors", *REPLAY, 'venue.underlyings=["BTC"]'),
        ("greg", "positions", *REPLAY, 'venue.underlyings=["BTC"]'),
        ("greg", "hedge", *REPLAY, 'venue.underlyings=["BTC"]'),
        ("greg", "execute", "none", "CLOSE", *REPLAY, 'venue.underlyings=["BTC"]'),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_broken_month_is_told(recording: Path, command: tuple[str, ...]) -> None:
    """Its name and what is wrong with it, before the figures or the reason why there are none."""
    ended = options_agent(*command, cwd=recording)

    assert BROKEN in ended.stderr, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("surface-report", ".", "--leave-out-every", "1000"),
        ("greg", "history", "--chains", ".", "--from", "2026-03-03", "--to", "2026-03-04"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_coin_without_data_is_named_beside_the_other(
    recording: Path, command: tuple[str, ...]
) -> None:
    """The other is measured; where none has any it is a failure."""
    both = options_agent(*command, cwd=recording)
    neither = options_agent(*command, "--coin", "ETH", cwd=recording)

    assert both.returncode == 0, both.stderr
    assert "ETH is left out: no snapshot of ETH in ." in both.stderr
    assert "BTC" in both.stdout
    assert neither.returncode == 1
    assert "no snapshot of ETH in ." in neither.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("backtest", "run", "--market", "recorded", "--data", "."),
        ("backtest", "pair", "--data", "."),
        ("backtest", "parity", "--market", "recorded", "--data", "."),
        ("sweep", "backtest", "--data", ".", "--grid", "call_target_delta=0.2,0.3"),
        ("train", "collect", "--market", "recorded", "--data", "."),
        ("greg", "history", "--chains", ".", "--from", "2026-03-03", "--to", "2026-03-04"),
        ("once", *REPLAY, 'venue.underlyings=["BTC"]'),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_where_nothing_can_be_used_the_reason_is_the_file(
    tmp_path: Path, recording: Path, command: tuple[str, ...]
) -> None:
    """Not only that there is no snapshot: which file should have had some, and ends with 1."""
    (tmp_path / APRIL).write_bytes((recording / APRIL).read_bytes())
    ended = options_agent(*command, cwd=tmp_path)

    assert ended.returncode == 1
    assert "no snapshot of" in ended.stderr
    assert BROKEN in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_exchange_tells_it_before_it_serves(tmp_path: Path, recording: Path) -> None:
    """Here it cannot serve at all: its only month is the broken one."""
    (tmp_path / MARCH).write_bytes((recording / APRIL).read_bytes())
    served = (*("--market", "replay", "--data", "."), *("--port", "0"), "--memory")
    ended = subprocess.run(
        [sys.executable, "-m", "apps.exchange.main", *served],
        cwd=tmp_path,
        env=os.environ | {"UNDERLYINGS": '["BTC"]'},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"left out of {MARCH}: cannot read")
