"""The battery: recorded history passes it, and so does the universe that is shipped."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from apps.wiring.universe import history_of
from apps.wiring.universe_file import universe_of
from core.analysis.universe_battery import BatteryParams, battery, recorded_results
from core.analysis.universe_moments import hourly_shares, started
from core.analysis.universe_series import MarketHistory, invented_series
from core.analysis.universe_statistics import MarketSeries
from core.analysis.universe_trades import (
    WeeklyTrades,
    compared,
    entry_expiry_ms,
    invented_trades,
)
from core.analysis.universe_windows import distinction, windows_of
from core.rng import rng_at
from core.simulation.universe.params import UniverseParams
from core.simulation.universe.paths import coin_path
from ports.checks import epoch_ms
from tests.support.recorded import recorded_data

COINS = ["BTC", "ETH"]
END = date(2025, 12, 31)


def recorded(coin: str) -> MarketHistory:
    """Prices and DVOL to the end of 2025; the test is skipped where there are none."""
    data, name = recorded_data(), coin.lower()
    dvol = sorted((data / "dvol").glob(f"{name}_dvol_daily_close_*"))
    return history_of(coin, [data / "spot" / f"{name}usdt_1h_2022-01_2025-12.csv.gz"], dvol, END)


def silent(*_: object) -> None:
    return None


@pytest.mark.parametrize("coin", COINS)
def test_recorded_history_passes(coin: str) -> None:
    """Rows 1 to 14 and 19, those that prices and DVOL tell of: every figure in its outer band."""
    results = recorded_results(recorded(coin))

    assert {each.band.row for each in results} == {*range(1, 15), 19}
    assert [each.band.name for each in results if not each.is_outer] == []


@pytest.mark.parametrize("coin", COINS)
def test_the_shipped_universe_is_accepted(coin: str) -> None:
    """Rows 1 to 20 in the outer band, 17 in the inner one, on 60 paths of three years."""
    params = BatteryParams(seed=3, paths=60, chains=4)

    report = battery(universe_of(None), coin, params, history=None, trades=None, told=silent)

    assert report.rows_outer() == tuple(range(1, 21))
    assert len(report.rows_inner()) >= 17
    assert report.is_accepted


def test_a_market_without_a_premium_is_not_accepted() -> None:
    """Its realised premium leaves rows 13 and 14."""
    dear = universe_of(None)
    fair = [
        evolve(each, dynamics=evolve(each.dynamics, premium=each.dynamics.premium - 0.9))
        for each in dear.coins
    ]
    params = BatteryParams(seed=3, paths=30, chains=0)

    report = battery(
        evolve(dear, coins=tuple(fair)), "BTC", params, history=None, trades=None, told=silent
    )

    assert not report.is_accepted
    assert 13 not in report.rows_inner()


def drawn(universe: UniverseParams, numbers: range, days: int = 1095) -> list[MarketSeries]:
    coin = universe.coin("BTC")
    return [invented_series(coin, coin_path(universe, "BTC", 6, at, days)) for at in numbers]


def test_paths_of_one_universe_are_not_told_apart() -> None:
    """On the mean of two the area lies near a half."""
    made = universe_of(None)
    others = tuple(windows_of(each, 30) for each in drawn(made, range(8)))

    areas = [distinction(windows_of(each, 5), others).auc for each in drawn(made, range(8, 10))]

    assert np.mean(areas) == pytest.approx(0.5, abs=0.15)


def test_a_market_of_another_kind_is_told_apart() -> None:
    """Without jumps, bursts and heavy tails the classifier is all but sure."""
    made = universe_of(None)
    plain = evolve(made.coin("BTC").dynamics, jumps_per_year=0.0, burst_sd=0.0, spot_dof=60.0)
    smooth = UniverseParams(coins=(evolve(made.coin("BTC"), dynamics=plain),))

    (other,) = drawn(smooth, range(1))

    against = tuple(windows_of(each, 30) for each in drawn(made, range(8)))
    assert distinction(windows_of(other, 5), against).auc > 0.9


@pytest.mark.parametrize(
    ("entered", "expiry"),
    [
        ("2026-03-02T10:00", "2026-03-13T08:00"),  # Monday: Friday is four days away
        ("2026-03-01T08:00", "2026-03-06T08:00"),  # exactly five days
        ("2026-03-01T08:01", "2026-03-13T08:00"),
        ("2026-03-06T10:00", "2026-03-13T08:00"),
    ],
)
def test_the_expiry_is_the_first_friday_five_days_away(entered: str, expiry: str) -> None:
    """At 08:00 UTC."""
    at, expected = (
        epoch_ms(datetime.fromisoformat(text).replace(tzinfo=UTC)) for text in (entered, expiry)
    )

    assert entry_expiry_ms(np.array([at])).tolist() == [expected]


def test_trades_of_the_same_universe_are_not_far_away() -> None:
    """One more path's trades have a p that is not small; moved by two deviations they have."""
    made = universe_of(None)
    paths = [
        invented_trades(made.coin("ETH"), coin_path(made, "ETH", 2, at, 300)) for at in range(25)
    ]
    own = paths[0]
    stretch = WeeklyTrades(own.entered_ms[:140], own.call[:140], own.straddle[:140])
    moved = WeeklyTrades(stretch.entered_ms, stretch.call, stretch.straddle + 0.15)

    assert compared(stretch, tuple(paths[1:])).p > 0.05
    assert compared(moved, tuple(paths[1:])).p < 0.05


def test_hours_are_shared_by_what_they_move() -> None:
    """Twice the absolute return is four times the variance; the mean share is one."""
    hours = np.arange(24 * 140 + 1)
    size = np.where(hours % 24 == 14, 0.02, 0.01)
    price = 100.0 * np.exp(np.cumsum(size * np.where(hours % 2 == 0, 1.0, -1.0)))
    history = MarketHistory(
        underlying="BTC",
        closed_at_ms=hours * 3_600_000,
        close=price,
        index_at_ms=[0],
        vol_index=[50.0],
    )

    weekday, hour = hourly_shares(history)

    assert weekday == pytest.approx([1.0] * 7, abs=0.02)
    assert hour[13] / hour[0] == pytest.approx(4.0, rel=1e-9)
    assert np.mean(hour) == pytest.approx(1.0, abs=1e-12)


def test_a_short_history_is_refused() -> None:
    """Four hundred days of sensors are the least."""
    whole = recorded("BTC")
    short = whole.until(int(whole.index_at_ms[300]))

    with pytest.raises(ValueError, match="400 are needed"):
        started(short, 4, rng_at(1, "test", datetime(2025, 1, 1, tzinfo=UTC)))


def test_nothing_later_than_the_last_day_is_used(tmp_path: Path) -> None:
    """A close that became known after the day is not in the history."""
    spot, dvol = tmp_path / "spot.csv", tmp_path / "dvol.csv"
    spot.write_text(
        "timestamp,close\n2025-12-31 22:00:00,1\n2025-12-31 23:00:00,2\n2026-01-01 00:00:00,3\n"
    )
    dvol.write_text("date,close\n2025-12-31,40\n2026-01-01,41\n")

    history = history_of("BTC", [spot], [dvol], END)

    assert history.close.tolist() == [1.0, 2.0]
    assert history.vol_index.tolist() == [40.0]
