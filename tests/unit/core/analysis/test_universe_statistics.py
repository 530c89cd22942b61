"""The battery's figures: each against a case whose answer is known."""

import numpy as np
import pytest

from core.analysis.universe_bands import bands
from core.analysis.universe_statistics import (
    TENORS,
    MarketSeries,
    autocorrelation,
    correlation,
    kurtosis,
    statistics,
)
from ports.columns import Floats

DAYS = 800


def series(**changes: object) -> MarketSeries:
    """Prices and an index of chance, a smile that does nothing."""
    rng = np.random.default_rng(1)
    hourly = 0.005 * rng.standard_normal(24 * DAYS)
    given: dict[str, object] = {
        "first_weekday": 0,
        "log_price": np.concatenate([[0.0], np.cumsum(hourly)]),
        "vol_index": 50.0 * np.exp(0.1 * rng.standard_normal(DAYS + 1)),
        "atm": np.full((DAYS + 1, len(TENORS)), 50.0),
        "rr_30": np.zeros(DAYS + 1),
        "bf_30": np.ones(DAYS + 1),
    }
    return MarketSeries(**{**given, **changes})  # type: ignore[arg-type]


def autoregression(share: float, rows: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    values = np.zeros(rows)
    for row in range(1, rows):
        values[row] = share * values[row - 1] + rng.standard_normal()
    return values


def test_kurtosis_of_two_values_is_the_least_there_is() -> None:
    """A fair coin has excess kurtosis -2."""
    assert kurtosis(np.tile([-1.0, 1.0], 50)) == pytest.approx(-2.0, abs=1e-12)


def test_what_is_not_known_counts_nowhere() -> None:
    """NaN rows leave correlation and autocorrelation of the others as they are."""
    one = np.array([1.0, 2.0, np.nan, 4.0, 3.0])
    other = np.array([2.0, 1.0, 9.0, np.nan, 0.0])

    known = [0, 1, 4]
    expected = np.corrcoef(one[known], other[known])[0, 1]
    assert correlation(one, other) == pytest.approx(expected, rel=1e-12)
    assert np.isfinite(autocorrelation(np.append(np.arange(20.0), np.nan), 1))


def test_autocorrelation_by_its_definition() -> None:
    """Products of deviations a lag apart over the sum of squares."""
    values = autoregression(0.5, 300, 2)
    apart = values - values.mean()

    expected = np.sum(apart[3:] * apart[:-3]) / np.sum(apart**2)

    assert autocorrelation(values, 3) == pytest.approx(expected, rel=1e-12)


def test_the_hill_index_of_a_pareto_law_is_its_exponent() -> None:
    """Absolute daily returns with tail 3 show 3, within the error of forty points."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(20):
        sizes = 0.01 * (1.0 + rng.pareto(3.0, DAYS)) * rng.choice([-1.0, 1.0], DAYS)
        hours = np.zeros(24 * DAYS)
        hours[::24] = sizes
        path = np.concatenate([[0.0], np.cumsum(hours)])
        found.append(statistics(series(log_price=path))["hill"])

    assert np.mean(found) == pytest.approx(3.0, abs=0.3)


def test_half_lives_of_an_autoregression() -> None:
    """Lag 1 and lag 20 tell the same half-life, that of the share left a day later."""
    level = autoregression(0.97, 20_001, 4)
    path = np.zeros(24 * 20_000 + 1)
    path[1:] = np.cumsum(0.001 * np.random.default_rng(5).standard_normal(24 * 20_000))
    unknown = np.full(20_001, np.nan)
    atm = np.full((20_001, 6), np.nan)

    found = statistics(
        MarketSeries(
            first_weekday=0,
            log_price=path,
            vol_index=np.exp(0.05 * level),
            atm=atm,
            rr_30=unknown,
            bf_30=unknown,
        )
    )

    expected = -np.log(2.0) / np.log(0.97)
    assert found["iv_half_life_1"] == pytest.approx(expected, rel=0.1)
    assert found["iv_half_life_20"] == pytest.approx(expected, rel=0.1)


def test_the_premium_is_the_index_less_what_came() -> None:
    """A price that moves 2 % a day, up and down, realises 38.2 points; the index stands at 50."""
    steps = np.zeros(24 * DAYS)
    steps[::24] = np.tile([0.02, -0.02], DAYS // 2)
    path = np.concatenate([[0.0], np.cumsum(steps)])

    found = statistics(series(log_price=path, vol_index=np.full(DAYS + 1, 50.0)))

    expected = 50.0 - 2.0 * np.sqrt(365.0)
    assert found["vrp_mean"] == pytest.approx(expected, abs=1e-9)
    assert found["vrp_positive"] == 1.0


def test_moves_that_fall_with_the_root_of_maturity_damp_at_a_half() -> None:
    """And one factor moves all maturities."""
    moves = np.random.default_rng(6).standard_normal(DAYS + 1).cumsum()
    atm = 50.0 * np.exp(0.02 * moves[:, None] / np.sqrt(np.array(TENORS)))

    found = statistics(series(atm=atm))

    assert found["damping"] == pytest.approx(-0.5, abs=1e-9)
    assert found["first_component"] == pytest.approx(1.0, abs=1e-9)


def test_leverage_is_found_where_falls_are_followed_by_wild_days() -> None:
    """A fall doubles tomorrow's moves: the sum over ten lags is negative."""
    rng = np.random.default_rng(7)
    daily = np.zeros(DAYS)
    for day in range(1, DAYS):
        daily[day] = 0.02 * (2.0 if daily[day - 1] < 0.0 else 0.7) * rng.standard_normal()
    hours = np.zeros(24 * DAYS)
    hours[::24] = daily

    found = statistics(series(log_price=np.concatenate([[0.0], np.cumsum(hours)])))

    assert found["leverage"] < -0.1


def test_an_outer_band_not_given_is_twice_as_wide() -> None:
    """About the same centre."""
    band = next(each for each in bands("BTC") if each.name == "acf_return")

    assert band.outer == pytest.approx((-0.155, 0.065), abs=1e-12)


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_every_band_has_its_figure(coin: str) -> None:
    """Rows 1 to 19, each figure computed, the inner band inside the outer one."""
    known = statistics(series())

    assert {each.row for each in bands(coin)} == set(range(1, 20))
    for band in bands(coin):
        assert band.name in known
        assert band.outer[0] <= band.inner[0] < band.inner[1] <= band.outer[1]


def test_there_are_no_bands_of_another_coin() -> None:
    """They were measured for two."""
    with pytest.raises(ValueError, match="no bands for 'SOL'"):
        bands("SOL")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("days", [1, 2, 4, 19, 21, 29, 31, 61, 89, 91])
def test_a_short_recording_has_the_figures_it_is_long_enough_for(days: int) -> None:
    """The others are not known, and say so without a word from numpy."""
    whole = series()
    cut = MarketSeries(
        first_weekday=0,
        log_price=whole.log_price[: 24 * days + 1],
        **{
            name: getattr(whole, name)[: days + 1]
            for name in ("vol_index", "atm", "rr_30", "bf_30")
        },
    )
    known = {name for name, value in statistics(cut).items() if np.isfinite(value)}

    assert ("acf_abs_60" in known) == (days > 62)
    assert ("kurtosis_20d" in known) == (days > 22)
    assert ("spot_vol_q05" in known) == (days > 90)
    assert ("vrp_mean" in known) == (days > 29)
    assert ("weekend" in known) == (days > 5)
    assert {"vol", "kurtosis_hourly"} <= known
