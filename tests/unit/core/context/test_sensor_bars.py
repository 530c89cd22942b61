"""Daily bars out of finer ones, and the volatility of closes against the definition."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import nan, sqrt
from statistics import stdev

import numpy as np
import pytest
from mpmath import mp, mpf

from core.context.sensor_bars import daily_bars, daily_vol, forecast_vol, hourly_vol
from ports.checks import epoch_ms
from ports.history import Candles

NOW = datetime(2026, 3, 10, 5, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def bars(rows: list[tuple[datetime, float, float, float]]) -> Candles:
    """Candles of end, high, low and close."""
    ends = [epoch_ms(at) for at, *_ in rows]
    high, low, close = ([row[n] for row in rows] for n in (1, 2, 3))
    return Candles("BTC", ends, close, high, low, close)


def closes(ends: list[datetime], close: list[float]) -> Candles:
    """Candles of which only the close is known."""
    unknown = [nan] * len(ends)
    return Candles("BTC", [epoch_ms(at) for at in ends], unknown, unknown, unknown, close)


def walk(count: int, seed: int = 3) -> list[float]:
    """A path of prices."""
    steps = np.random.default_rng(seed).normal(0.0, 0.01, count)
    return [float(price) for price in 1e5 * np.exp(np.cumsum(steps))]


def test_a_day_is_made_of_its_bars() -> None:
    """Highest high, lowest low, last close; the bar that ends at midnight belongs to it."""
    yesterday = MIDNIGHT - DAY
    found = daily_bars(
        bars(
            [
                (yesterday, 9.0, 8.0, 8.5),  # ends the day before
                (yesterday + HOUR, 12.0, 10.0, 11.0),
                (yesterday + 5 * HOUR, 14.0, 11.0, 13.0),
                (MIDNIGHT, 13.5, 9.5, 12.5),
                (MIDNIGHT + HOUR, 99.0, 1.0, 50.0),  # of the day under way
            ]
        ),
        NOW,
        250,
    )

    assert (found.high.tolist(), found.low.tolist()) == ([9.0, 14.0], [8.0, 9.5])
    assert found.close.tolist() == [8.5, 12.5]
    assert not found.is_sampled
    assert np.diff(found.day).tolist() == [1]


def test_closes_alone_make_sampled_bars() -> None:
    """The extremes are those of the prices seen, and the bars say so."""
    ends = [MIDNIGHT - hours * HOUR for hours in (20, 12, 3)]
    found = daily_bars(closes(ends, [100.0, 90.0, 95.0]), NOW, 250)

    assert found.is_sampled
    assert (found.high[0], found.low[0], found.close[0]) == (100.0, 90.0, 95.0)


def test_no_more_days_than_asked_for() -> None:
    """The last ones, all finished; nothing of nothing."""
    ends = [MIDNIGHT - number * DAY for number in range(9, -1, -1)]
    found = daily_bars(closes(ends, walk(10)), NOW, 4)

    assert len(found) == 4
    assert int(found.day[-1]) == epoch_ms(MIDNIGHT) // 86_400_000 - 1
    assert len(daily_bars(closes([], []), NOW, 4)) == 0


def test_a_missing_day_breaks_the_run() -> None:
    """Only what comes after the gap is unbroken."""
    ends = [MIDNIGHT - number * DAY for number in (6, 5, 3, 2, 1, 0)]
    found = daily_bars(closes(ends, walk(6)), NOW, 250)

    assert len(found) == 6
    assert len(found.unbroken()) == 4


def test_daily_volatility_by_fifty_digits() -> None:
    """Sample deviation of log returns, times the root of 365, in points."""
    prices = walk(31)
    ends = [MIDNIGHT - number * DAY for number in range(30, -1, -1)]
    found = daily_vol(daily_bars(closes(ends, prices), NOW, 250), 30)

    with mp.workdps(50):
        returns = [mp.log(mpf(b) / mpf(a)) for a, b in pairwise(prices)]
        mean = sum(returns) / len(returns)
        variance = sum((each - mean) ** 2 for each in returns) / (len(returns) - 1)
        wanted = float(100 * mp.sqrt(365 * variance))
    assert found == pytest.approx(wanted, rel=1e-12)


def test_daily_volatility_needs_every_close() -> None:
    """Window and one; a day missing among them is not bridged."""
    ends = [MIDNIGHT - number * DAY for number in range(7, -1, -1)]
    assert daily_vol(daily_bars(closes(ends, walk(8)), NOW, 250), 7) is not None
    assert daily_vol(daily_bars(closes(ends[1:], walk(7)), NOW, 250), 7) is None
    broken = ends[:3] + ends[4:]
    assert daily_vol(daily_bars(closes(broken, walk(7)), NOW, 250), 6) is None


@pytest.mark.parametrize(("count", "is_known"), [(48, False), (49, True)])
def test_hourly_volatility_needs_forty_nine_closes(count: int, is_known: bool) -> None:
    """At the limit and just below it."""
    ends = [NOW - number * HOUR for number in range(count - 1, -1, -1)]
    prices = walk(count)
    found = hourly_vol(closes(ends, prices), NOW, 168)

    assert (found is not None) == is_known
    if found is not None:
        returns = [float(each) for each in np.diff(np.log(prices))]
        assert found == pytest.approx(100.0 * stdev(returns) * sqrt(8760), rel=1e-12)


def test_prices_hours_apart_say_nothing_of_an_hour() -> None:
    """A recording of four prices a day has no hourly volatility, however long it is."""
    ends = [NOW - number * 6 * HOUR for number in range(119, -1, -1)]

    assert hourly_vol(closes(ends, walk(120)), NOW, 720) is None


def test_coverage_can_be_demanded() -> None:
    """Nine tenths of a month; two days of bars are no month then."""
    two_days = [NOW - number * HOUR for number in range(49, -1, -1)]
    month = [NOW - number * HOUR for number in range(650, -1, -1)]

    assert hourly_vol(closes(two_days, walk(50)), NOW, 720) is not None
    assert hourly_vol(closes(two_days, walk(50)), NOW, 720, 0.9) is None
    assert hourly_vol(closes(month, walk(651)), NOW, 720, 0.9) is not None


def test_a_steady_forecast_is_what_was() -> None:
    """Returns of one size, up and down: their volatility whatever the weights."""
    prices = [1e5 * (1.01 if number % 2 else 1.0) for number in range(40)]
    ends = [MIDNIGHT - number * DAY for number in range(39, -1, -1)]
    run = daily_bars(closes(ends, prices), NOW, 250)

    wanted = 100.0 * np.log(1.01) * sqrt(365.0)
    assert forecast_vol(run, 30, 0.94) == pytest.approx(wanted, rel=1e-12)
    assert forecast_vol(run, 40, 0.94) is None
