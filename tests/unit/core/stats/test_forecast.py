"""Forecasts of variance: what they know, and how good they are on recorded years."""

import csv
import gzip
import json
from datetime import UTC, date, datetime, time
from itertools import pairwise
from pathlib import Path

import mpmath
import numpy as np
import pytest
from attrs import evolve

from core.stats.forecast import VarianceDays, VarianceForecasts, variance_forecasts
from core.stats.scores import (
    diebold_mariano,
    mincer_zarnowitz,
    qlike,
    qlike_losses,
    rmse_points,
)
from core.stats.volatility import coming_variance, jump_share, trailing_variance
from ports.checks import epoch_ms
from ports.columns import Floats, Ints
from tests.support.recorded import recorded_data

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
OUT_OF_SAMPLE = (datetime(2023, 10, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC))


def invented(seed: int, count: int = 500) -> VarianceDays:
    """Days whose coming variance is a product of powers of the past, and no noise."""
    rng = np.random.default_rng(seed)
    day, week, month = np.exp(rng.normal(-1.0, 0.3, (3, count)))
    coming = np.exp(0.1) * day**0.1 * week**0.3 * month**0.4
    return VarianceDays(
        at_ms=DAY_MS * np.arange(count),
        last_day=day,
        last_week=week,
        last_month=month,
        implied=1.25 * coming,
        coming=np.where(np.arange(count) < count - 30, coming, np.nan),
    )


def test_a_law_without_noise_is_found() -> None:
    """Both ways tell the coming variance, and so does their mean, from day 330 on."""
    days = invented(1)
    expected = days.implied / 1.25
    found = variance_forecasts(days)

    assert np.isnan(found.regressed[:329]).all()
    for column in (found.regressed, found.scaled_implied, found.default):
        assert column[329:] == pytest.approx(expected[329:], rel=1e-9)


def test_the_future_changes_nothing() -> None:
    """Whatever comes after a day, its forecast is the same bit for bit."""
    days, row = invented(2), 400
    later = np.arange(len(days.at_ms)) > row
    other = evolve(
        days,
        last_day=np.where(later, 9.0, days.last_day),
        implied=np.where(later, 9.0, days.implied),
        coming=np.where(np.arange(len(later)) > row - 30, 9.0, days.coming),
    )
    before, after = variance_forecasts(days), variance_forecasts(other)

    assert before.default[row] == after.default[row]
    assert before.default[row + 1] != after.default[row + 1]


def test_days_without_implied_have_no_default() -> None:
    """The regression stays; nothing is filled in for what is not known."""
    days = evolve(invented(3), implied=np.full(500, np.nan))
    found = variance_forecasts(days)

    assert np.isfinite(found.regressed[329:]).all()
    assert np.isnan(found.default).all()


def test_rows_must_be_days() -> None:
    """A day left out would let the horizon end too early."""
    at_ms = DAY_MS * np.array([1, 2, 4])
    with pytest.raises(ValueError, match="one day apart"):
        VarianceDays.of_prices(at_ms, np.ones(3), at_ms, np.ones(3))


def test_a_window_counts_what_was_seen_in_it() -> None:
    """Hourly steps of 1 %: 24 x 365 x 1e-4 a year, before and after; NaN past the ends."""
    seen_at_ms = HOUR_MS * np.arange(241)
    price = np.exp(0.01 * (np.arange(241) % 2))
    at_ms = HOUR_MS * np.array([0, 24, 120, 240])

    before = trailing_variance(seen_at_ms, price, at_ms, 1.0)
    after = coming_variance(seen_at_ms, price, at_ms, 1.0)
    assert before[1:] == pytest.approx([24 * 365 * 1e-4] * 3)
    assert after[:3] == pytest.approx([24 * 365 * 1e-4] * 3)
    assert np.isnan(before[0])
    assert np.isnan(after[3])


def test_a_gap_counts_as_the_time_it_took() -> None:
    """Hours that are missing add neither variance nor nothing: time passed all the same."""
    seen_at_ms = HOUR_MS * np.array([0, 1, 2, 23, 24])
    price = np.exp(np.array([0.0, 0.01, 0.0, 0.03, 0.02]))
    found = trailing_variance(seen_at_ms, price, HOUR_MS * np.array([24]), 1.0)

    assert found[0] == pytest.approx((3 * 1e-4 + 9e-4) * 365)


def test_a_jump_is_a_share_of_variance() -> None:
    """A single jump among even steps, by its definition in fifty digits."""
    steps = np.array([0.01, -0.01, 0.01, 0.2, -0.01, 0.01])
    seen_at_ms = HOUR_MS * np.arange(7)
    with mpmath.workdps(50):
        sizes = [mpmath.mpf(abs(step)) for step in steps.tolist()]
        products = mpmath.fsum(a * b for a, b in pairwise(sizes))
        share = 1 - mpmath.pi / 2 * products / mpmath.fsum(size**2 for size in sizes)

    price = np.exp(np.concatenate([[0.0], np.cumsum(steps)]))
    assert jump_share(seen_at_ms, price) == pytest.approx(float(share), rel=1e-12)
    assert np.isnan(jump_share(seen_at_ms[:2], price[:2]))


def test_scores_by_their_definitions() -> None:
    """A perfect forecast costs nothing; half or double costs 1 - ln 2 and ln 2 - 1/2."""
    ones = np.ones(4)
    assert qlike(ones, ones) == 0.0
    assert qlike(ones, 0.5 * ones) == pytest.approx(1.0 - np.log(2.0))
    assert qlike(ones, 2.0 * ones) == pytest.approx(np.log(2.0) - 0.5)
    assert rmse_points(ones, 0.81 * ones) == pytest.approx(10.0)


def test_a_line_is_found_as_it_is() -> None:
    """realised = 0.1 + 0.8 forecast, without noise."""
    forecast = np.linspace(0.1, 1.0, 50)
    found = mincer_zarnowitz(0.1 + 0.8 * forecast, forecast)

    assert (found.intercept, found.slope) == pytest.approx((0.1, 0.8))
    assert found.r_squared == pytest.approx(1.0)


def test_equal_forecasts_are_told_apart_by_chance_only() -> None:
    """Of 400 pairs of equally good forecasts about 5 % differ at 5 %; a worse one is found."""
    rng = np.random.default_rng(7)
    values = [
        diebold_mariano(rng.normal(size=400), rng.normal(size=400), lag=4).p_value
        for _ in range(400)
    ]

    assert 0.02 < float(np.mean(np.array(values) < 0.05)) < 0.09
    better = diebold_mariano(rng.normal(size=400), rng.normal(0.5, size=400), lag=4)
    assert better.statistic < -3.0
    assert better.p_value < 0.01


def hourly(data: Path, coin: str) -> tuple[Ints, Floats]:
    """When each hour closed, and at what price."""
    with gzip.open(data / f"spot/{coin}usdt_1h_2022-01_2025-12.csv.gz", "rt") as file:
        rows = [(row["timestamp"], float(row["close"])) for row in csv.DictReader(file)]
    opened = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text, _ in rows]
    closed_at_ms = np.array([epoch_ms(each) + HOUR_MS for each in opened])
    return closed_at_ms, np.array([price for _, price in rows])


def dvol_known_at(data: Path, coin: str) -> dict[int, float]:
    """The close of each day, by the end of that day."""
    known: dict[int, float] = {}
    if coin == "btc":
        rows = json.loads((data / "dvol/btc_dvol_daily_close_2022-11_2025-11.json").read_text())
        known = {int(start_ms) + DAY_MS: value / 100.0 for start_ms, value in rows}
    (path,) = (data / "dvol").glob(f"{coin}_*2026-05.csv")
    with path.open() as file:
        for row in csv.DictReader(file):
            day = datetime.combine(date.fromisoformat(row["date"]), time(), UTC)
            known.setdefault(epoch_ms(day) + DAY_MS, float(row["dvol_close"]) / 100.0)
    return known


def recorded_days(coin: str) -> VarianceDays:
    """Every day from 2022 to 2025, by hourly prices and the volatility index."""
    data = recorded_data()
    closed_at_ms, price = hourly(data, coin)
    first, last = int(closed_at_ms[0]) // DAY_MS + 1, int(closed_at_ms[-1]) // DAY_MS
    at_ms = DAY_MS * np.arange(first, last + 1)
    known = dvol_known_at(data, coin)
    implied = np.array([known.get(at, np.nan) for at in at_ms.tolist()])
    return VarianceDays.of_prices(closed_at_ms, price, at_ms, implied)


@pytest.mark.parametrize(("coin", "most"), [("btc", 0.085), ("eth", 0.090)])
def test_the_default_is_good_on_years_it_has_not_seen(coin: str, most: float) -> None:
    """QLIKE out of sample, October 2023 to November 2025, below its bound and trailing."""
    days = recorded_days(coin)
    found: VarianceForecasts = variance_forecasts(days)
    first, last = (epoch_ms(each) for each in OUT_OF_SAMPLE)
    scored = (days.at_ms >= first) & (days.at_ms < last) & np.isfinite(days.coming)
    forecasts = {
        "trailing": days.last_month,
        "regressed": found.regressed,
        "scaled": found.scaled_implied,
        "default": found.default,
    }
    realised = days.coming[scored]
    scores = {name: qlike(realised, column[scored]) for name, column in forecasts.items()}
    print(coin, int(scored.sum()), {name: round(score, 4) for name, score in scores.items()})

    assert int(scored.sum()) > 700
    assert scores["default"] <= most
    assert scores["default"] < scores["trailing"]
    trailing, default = (
        qlike_losses(realised, forecasts[name][scored]) for name in ("trailing", "default")
    )
    assert diebold_mariano(default, trailing, lag=45).statistic < 0.0
