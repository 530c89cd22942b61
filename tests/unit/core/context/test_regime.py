"""Trend and volatility of one coin, and None where the past is too short to say."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.context.regime import HISTORY, context_of
from ports.checks import epoch_ms
from ports.columns import Floats
from ports.decision_log import MarketContext
from ports.history import Candles

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def bars(close: Floats, last: datetime = datetime(2026, 3, 2, 10, tzinfo=UTC)) -> Candles:
    """Hourly bars, the last of which closed at *last*."""
    ends = epoch_ms(last) - 3_600_000 * np.arange(len(close))[::-1]
    unknown = np.full(len(close), np.nan)
    return Candles("BTC", ends, unknown, unknown, unknown, close)


def hours(days: float) -> int:
    """How many bars cover *days*."""
    return int(24 * days)


def trending(total_pct: float, days: int = 260) -> tuple[Candles, float]:
    """A straight line up or down over the last 30 days, flat before, and the index it ends at."""
    flat, moving = np.ones(hours(days - 30)), 1.0 + total_pct / 100.0 * np.linspace(0, 1, hours(30))
    close = 1e5 * np.concatenate([flat, moving])
    return bars(close), float(close[-1])


def context(candles: Candles, index_usd: float = 1e5) -> MarketContext:
    """The context at NOW."""
    return context_of(candles, index_usd, NOW)


def test_returns_are_from_the_last_close_so_many_days_ago() -> None:
    """The bar that closed at that instant or just before it, to the index of this moment."""
    close = np.arange(1.0, hours(60) + 1.0)
    found = context(bars(close), index_usd=3000.0)

    # the bar that closed at 10:00 a day ago is the last before 10:30 of that day
    assert found.return_1d_pct == pytest.approx(100 * (3000 / (1440 - 24) - 1), rel=1e-12)
    assert found.return_7d_pct == pytest.approx(100 * (3000 / (1440 - 7 * 24) - 1), rel=1e-12)
    assert found.return_30d_pct == pytest.approx(100 * (3000 / (1440 - 30 * 24) - 1), rel=1e-12)


def test_distances_are_from_the_mean_of_daily_closes() -> None:
    """Finished UTC days only: the hours of today are in no mean."""
    candles = bars(np.full(hours(260), 1e5))
    today = np.asarray(candles.closed_at_ms) > epoch_ms(MIDNIGHT)
    found = context(bars(np.where(today, 5e5, 1e5)), index_usd=1.1e5)

    assert found.pct_from_50d_ma == pytest.approx(10.0, rel=1e-12)
    assert found.pct_from_200d_ma == pytest.approx(10.0, rel=1e-12)


def test_each_day_counts_once_by_its_last_close() -> None:
    """The bar that closes at midnight ends the day before; a day is not weighed by its bars."""
    candles = bars(np.full(hours(60), 1e5))
    ends = np.asarray(candles.closed_at_ms)
    at_midnight = ends % 86_400_000 == 0
    found = context(bars(np.where(at_midnight, 2e5, 1e5)), index_usd=2e5)

    assert found.pct_from_50d_ma == pytest.approx(0.0, abs=1e-12)


def test_volatility_is_of_its_own_window() -> None:
    """Seven days that moved, inside thirty that did not."""
    step = np.where(np.arange(hours(60)) % 2 == 0, 1.0, np.exp(0.01))
    quiet = np.where(np.arange(hours(60)) < hours(60) - hours(7) - 2, 1.0, step)
    found = context(bars(1e5 * quiet))

    assert found.realized_vol_7d == pytest.approx(0.01 * 8760**0.5, rel=1e-9)
    assert found.realized_vol_30d == pytest.approx(
        found.realized_vol_7d * (7 / 30) ** 0.5, rel=0.02
    )


@pytest.mark.parametrize(
    ("total_pct", "regime"),
    [(30.0, "bull"), (-30.0, "bear"), (8.0, "sideways"), (-8.0, "sideways"), (0.0, "sideways")],
)
def test_the_regime_needs_trend_and_return(total_pct: float, regime: str) -> None:
    """Bull above +5 % of the 200-day mean and +10 % in 30 days, bear the reverse."""
    assert context(*trending(total_pct)).regime == regime


@pytest.mark.parametrize(
    ("from_mean", "return_30d", "regime"),
    [
        (6.0, 9.0, "sideways"),
        (4.0, 11.0, "sideways"),
        (-6.0, -9.0, "sideways"),
        (6.0, 11.0, "bull"),
    ],
)
def test_one_of_the_two_is_not_enough(from_mean: float, return_30d: float, regime: str) -> None:
    """Both thresholds must be crossed."""
    now_usd = 1e5
    close = np.full(hours(260), now_usd / (1 + from_mean / 100))
    candles = bars(close)
    then = np.abs(np.asarray(candles.closed_at_ms) - epoch_ms(NOW - timedelta(days=30)))
    close[np.argmin(then)] = now_usd / (1 + return_30d / 100)  # one hour moves no daily close

    assert context(bars(close), now_usd).regime == regime


def test_without_200_days_there_is_no_regime_and_no_stand_in() -> None:
    """Sixty days say what sixty days can say."""
    found = context(bars(np.full(hours(60), 1e5)))

    assert (found.regime, found.pct_from_200d_ma) == ("unknown", None)
    assert found.pct_from_50d_ma == pytest.approx(0.0, abs=1e-12)


def test_an_empty_past_says_nothing() -> None:
    """Every figure is None."""
    found = context(bars(np.array([])))

    assert found == MarketContext(
        regime="unknown",
        return_1d_pct=None,
        return_7d_pct=None,
        return_30d_pct=None,
        realized_vol_7d=None,
        realized_vol_30d=None,
        pct_from_50d_ma=None,
        pct_from_200d_ma=None,
    )


def test_a_hole_where_the_window_begins_gives_no_return() -> None:
    """A close more than a day older than asked for is not taken instead."""
    candles = bars(np.full(hours(60), 1e5))
    age = epoch_ms(NOW) - np.asarray(candles.closed_at_ms)
    day = 86_400_000
    kept = (age < 6 * day) | (age > 9 * day)
    unknown = np.full(kept.sum(), np.nan)
    holed = Candles(
        "BTC", candles.closed_at_ms[kept], unknown, unknown, unknown, candles.close[kept]
    )

    assert context(holed).return_7d_pct is None
    assert context(holed).return_1d_pct == pytest.approx(0.0, abs=1e-12)


def test_a_window_half_covered_has_no_volatility() -> None:
    """Three days are not seven, and one price a day is too rare."""
    assert context(bars(np.full(hours(3), 1e5))).realized_vol_7d is None
    assert context(bars(np.full(hours(6), 1e5))).realized_vol_7d == 0.0
    daily = bars(np.full(hours(60), 1e5))
    rare = Candles("BTC", *[column[::24] for column in _columns(daily)])
    assert context(rare).realized_vol_7d is None


def test_the_future_changes_nothing() -> None:
    """Bars that close later than now are not looked at."""
    past = bars(1e5 * np.exp(0.01 * np.sin(np.arange(hours(260)))))
    ahead = np.concatenate([past.close, np.full(48, 9e9)])
    known = bars(ahead, last=datetime(2026, 3, 4, 10, tzinfo=UTC))

    assert context(known) == context(past)


def test_the_history_asked_for_suffices() -> None:
    """HISTORY covers the longest window."""
    start = NOW - HISTORY
    count = int((datetime(2026, 3, 2, 10, tzinfo=UTC) - start) / HOUR)

    assert context(bars(np.full(count, 1e5))).pct_from_200d_ma == pytest.approx(0.0, abs=1e-12)


def _columns(candles: Candles) -> list[np.ndarray]:
    return [candles.closed_at_ms, candles.open, candles.high, candles.low, candles.close]
