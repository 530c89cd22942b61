"""Regimes as values: the defaults of the specification, and what is refused."""

import numpy as np
import pytest
from attrs import evolve

from core.simulation.universe.params import regime_rows
from core.simulation.universe.path_kernel import FAST_KEEP_DAYS, PREMIUM, SLOW_MEAN
from core.simulation.universe.regimes import RegimeModel, Scaler, default_regimes
from tests.support.universes import CALM, STILL, universe

TABLE = [  # mu_rv, mu_vrp, sigma, phi_iv, phi_skew
    (35, 0.10, 4, 0.90, 0.85),
    (50, 0.18, 6, 0.88, 0.82),
    (75, 0.05, 10, 0.92, 0.80),
    (65, 0.12, 8, 0.95, 0.88),
    (45, 0.08, 5, 0.85, 0.80),
    (100, 0.25, 15, 0.80, 0.75),
]


def test_the_defaults_are_those_of_the_table() -> None:
    """Six regimes."""
    found = [
        (each.mu_rv_30d, each.mu_vrp_30d, each.iv_level_sigma, each.phi_iv, each.phi_skew)
        for each in default_regimes("BTC").regimes
    ]

    assert found == TABLE


def test_a_default_stay_is_about_nine_days_in_ten() -> None:
    """0.80 on the diagonal and 0.02 elsewhere, renormalised."""
    rows = np.array(default_regimes("ETH").transitions)

    assert np.diag(rows) == pytest.approx(0.80 / 0.90, abs=1e-12)
    assert rows.sum(axis=1) == pytest.approx(1.0, abs=1e-12)


def test_occupancy_does_not_change_by_a_day() -> None:
    """It is the left eigenvector: shares times transitions are the shares."""
    model = RegimeModel(
        underlying="BTC", regimes=(CALM, CALM), transitions=((0.9, 0.1), (0.3, 0.7))
    )
    shares = model.occupancy()

    assert shares == pytest.approx([0.75, 0.25], abs=1e-12)
    assert shares @ np.array(model.transitions) == pytest.approx(shares, abs=1e-12)


def test_the_nearest_centroid_is_in_standard_units() -> None:
    """A figure with a wide spread does not decide alone."""
    model = RegimeModel(
        underlying="BTC",
        regimes=(CALM, CALM),
        transitions=((0.5, 0.5), (0.5, 0.5)),
        scaler=Scaler(sensors=("a", "b"), mean=(0.0, 100.0), deviation=(1.0, 1000.0)),
        centroids=((0.0, 0.0), (2.0, 0.0)),
    )

    labels = model.nearest(np.array([[0.1, 900.0], [1.8, -700.0]]))

    assert labels.tolist() == [0, 1]


def test_regimes_not_learned_have_no_nearest() -> None:
    """There are no centroids to compare with."""
    with pytest.raises(ValueError, match="not learned from sensors"):
        default_regimes("BTC").nearest(np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("transitions", "match"),
    [
        (((0.9, 0.2), (0.5, 0.5)), "must sum to 1"),
        (((1.0,),), "2 regimes need 2 rows"),
        (((1.1, -0.1), (0.5, 0.5)), "2 regimes need 2 rows"),
    ],
)
def test_shares_that_are_none_are_refused(
    transitions: tuple[tuple[float, ...], ...], match: str
) -> None:
    """Every row is a law of chance over all regimes."""
    with pytest.raises(ValueError, match=match):
        RegimeModel(underlying="BTC", regimes=(CALM, CALM), transitions=transitions)


def test_the_default_skew_makes_puts_dearer() -> None:
    """The put of 25 delta is 10 % above the money, the call 5 % below."""
    assert CALM.relative_skew() == pytest.approx(-0.15, abs=1e-12)


def test_a_regime_says_premium_persistence_and_level() -> None:
    """2 ln(1 + premium of volatility); -1 / ln φ days; the logarithm of its implied volatility."""
    dear = evolve(CALM, mu_vrp_30d=0.2, phi_iv=0.9, mu_rv_30d=60.0)
    model = RegimeModel(
        underlying="BTC", regimes=(CALM, dear), transitions=((0.5, 0.5), (0.5, 0.5))
    )
    plain = evolve(STILL, premium_spread=1.0, level_spread=1.0)

    rows = regime_rows(universe(plain, model).coins[0])

    assert rows[:, PREMIUM] == pytest.approx([0.0, 2.0 * np.log(1.2)], abs=1e-12)
    assert rows[1, FAST_KEEP_DAYS] == pytest.approx(-1.0 / np.log(0.9), rel=1e-12)
    assert rows[1, SLOW_MEAN] - rows[0, SLOW_MEAN] == pytest.approx(np.log(72.0 / 50.0), rel=1e-12)


@pytest.mark.parametrize("name", ["phi_iv", "phi_skew"])
def test_a_share_left_after_a_day_is_one(name: str) -> None:
    """Neither nothing nor everything."""
    with pytest.raises(ValueError, match=f"{name} must lie between 0 and 1, was 1.0"):
        evolve(CALM, **{name: 1.0})
