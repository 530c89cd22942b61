"""Recorded days of sensors, and files that hold none."""

from pathlib import Path

import numpy as np
import pytest

from apps.wiring.sensor_files import recorded_series
from core.greg.catalogue import StrategyCode
from ports.errors import PortError, StoreDamaged, Unavailable

HEAD = "day,underlying,adx_14d,iv_30d,pnl_STRATEGY_A_STRADDLE,faults\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "days.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_days_of_one_coin_are_one_path(tmp_path: Path) -> None:
    """Empty is unknown, columns that are no sensors are not looked at, P&L is by strategy."""
    path = written(
        tmp_path,
        HEAD
        + '2026-01-01,BTC,20.5,50,0.25,"none, really"\n'
        + "2026-01-01,ETH,1,50,0.5,\n2026-01-02,BTC,,50,,\n",
    )
    series = recorded_series(path, "BTC")

    assert (series.source, series.shape) == ("recorded", (1, 2))
    assert np.array_equal(series.column("adx_14d"), [[20.5, np.nan]], equal_nan=True)
    pnl = series.pnl[StrategyCode.STRADDLE]
    assert np.array_equal(pnl, [[0.25, np.nan]], equal_nan=True)
    assert set(series.columns) == {"adx_14d"}


def test_a_day_that_is_left_out_is_a_day_of_which_nothing_is_known(tmp_path: Path) -> None:
    """Steps are days: the days round a hole are not neighbours, and shares count it."""
    path = written(
        tmp_path, f"{HEAD}2026-02-27,BTC,1,,0.5,\n2026-03-02,BTC,2,,,\n2026-03-03,BTC,3,,1,\n"
    )
    series = recorded_series(path, "BTC")

    assert np.array_equal(series.column("adx_14d"), [[1, np.nan, np.nan, 2, 3]], equal_nan=True)
    pnl = series.pnl[StrategyCode.STRADDLE]
    assert np.array_equal(pnl, [[0.5, np.nan, np.nan, np.nan, 1]], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("day,underlying,price\n2026-01-01,BTC,3\n", StoreDamaged, "no column a sensor"),
        ("underlying,adx_14d\nBTC,3\n", StoreDamaged, "no column day"),
        (f"{HEAD}2026-01-01,BTC,high,,,\n", StoreDamaged, "line 2: adx_14d is no number: high"),
        (f"{HEAD}2026-01-01,BTC,1,,x,\n", StoreDamaged, "line 2: pnl_STRATEGY_A_STRADDLE"),
        (f"{HEAD}2026-01-02,BTC,1,,,\n2026-01-01,BTC,2,,,\n", StoreDamaged, "line 3: 2026-01-01"),
        (f"{HEAD}2026-01-01,BTC,1,,,\n2026-01-01,BTC,2,,,\n", StoreDamaged, "comes too late"),
        (f"{HEAD}Monday,BTC,1,,,\n", StoreDamaged, "line 2: 'Monday' is no day"),
        (f"{HEAD}2026-01-01,BTC\n", StoreDamaged, "not as many fields"),
        (f"{HEAD}2026-01-01,BTC,1,,,,,\n", StoreDamaged, "not as many fields"),
        (f"{HEAD}2026-01-01,ETH,1,,,\n", Unavailable, "has no day of BTC"),
        ("", StoreDamaged, "no column day"),
        (f'{HEAD}"2026-01-01,BTC', StoreDamaged, "is no CSV"),
    ],
)
def test_what_is_no_series_is_named(
    tmp_path: Path, text: str, kind: type[PortError], said: str
) -> None:
    """With its file and line; no figure is made up."""
    with pytest.raises(kind, match=said):
        recorded_series(written(tmp_path, text), "BTC")


def test_a_file_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """So is one that is no text."""
    with pytest.raises(Unavailable, match=r"cannot read .*No such file"):
        recorded_series(tmp_path / "days.csv", "BTC")
    (tmp_path / "days.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StoreDamaged, match="is no CSV"):
        recorded_series(tmp_path / "days.csv", "BTC")
