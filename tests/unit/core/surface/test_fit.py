"""Fitted smiles: they are the market's where it has one, and never an arbitrage."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.surface import kernels
from core.surface.fit import FitParams, SliceFit, SliceStatus, fit_slices
from core.surface.prepare import ExpiryQuotes
from core.surface.svi import SviSlice
from tests.support.smiles import MONTH, VOGT, density, quotes, volatility

PARAMS = FitParams()
K = np.linspace(-0.35, 0.3, 27)


def fit_one(*expiries: ExpiryQuotes) -> tuple[SliceFit, ...]:
    """The fits of *expiries* with the default choices."""
    return fit_slices(expiries, PARAMS)


def miss(fit: SliceFit) -> np.ndarray:
    """The fitted volatility less the quoted one, fractions."""
    assert fit.smile is not None
    return np.sqrt(fit.smile.total_variance(fit.quotes.k) / fit.quotes.tenor) - fit.quotes.iv


def assert_lawful(fits: tuple[SliceFit, ...]) -> None:
    """No density below zero and no fall of variance, by prices and on a grid of their own."""
    before: SliceFit | None = None
    for fit in fits:
        if fit.smile is None:
            continue
        low, high = float(fit.quotes.k[0]), float(fit.quotes.k[-1])
        span = max(high - low, 0.05)
        wide = np.linspace(low - 1.5 * (high - low), high + 1.5 * (high - low), 977)
        assert (fit.smile.butterfly(wide) >= -1e-4).all()
        at = wide[np.argsort(fit.smile.butterfly(wide))[:3]]
        assert all(density(fit.smile, float(k)) >= -1e-3 / span for k in at)
        if before is not None and before.smile is not None:
            low, high = min(low, before.quotes.k[0]), max(high, before.quotes.k[-1])
            shared = np.linspace(low, high, 977)
            rise = fit.smile.total_variance(shared) - before.smile.total_variance(shared)
            assert (rise >= -1e-6).all()
        before = fit


def test_the_quasi_explicit_start_finds_an_svi() -> None:
    """Quotes on an SVI smile give its parameters before any polish."""
    root = sqrt(30 / 365)
    iv = volatility(MONTH, 30.0)(K)
    rows = np.vstack((K, root * iv, np.full(27, 0.005), np.full(27, 1 / 27), np.ones(27)))
    found = kernels.quasi_explicit(rows, float(np.median(rows[1])))

    assert np.sqrt(kernels.total_variance(found, K)) == pytest.approx(rows[1], abs=2e-4)


@pytest.mark.parametrize(
    "smile",
    [
        MONTH,
        SviSlice(a=0.002, b=0.1, rho=0.2, m=0.03, q=0.2),
        SviSlice(a=0.02, b=0, rho=0, m=0, q=1),
    ],
    ids=["skewed", "right", "flat"],
)
def test_a_smile_is_recovered(smile: SviSlice) -> None:
    """Quotes on a smile without arbitrage are met within a hundredth of a point."""
    (fit,) = fit_one(quotes(30.0, K, volatility(smile, 30.0)(K)))

    assert fit.status is SliceStatus.SVI
    assert np.abs(miss(fit)).max() < 1e-4
    assert_lawful((fit,))


def test_wide_quotes_weigh_little() -> None:
    """A quote that misses by ten points, but is twenty wide, moves the rest by a tenth of one."""
    iv = volatility(MONTH, 30.0)(K)
    one = quotes(30.0, K, np.where(np.arange(27) == 20, iv + 0.10, iv))
    half_spread = np.where(np.arange(27) == 20, 0.20, 0.005)
    wide = type(one)(**(_fields(one) | {"half_spread": half_spread}))
    (fit,) = fit_one(wide)

    assert np.abs(np.delete(miss(fit), 20)).max() < 0.001


def test_an_outlier_is_bounded() -> None:
    """One tight quote thirty points off moves the rest by less than a point."""
    iv = volatility(MONTH, 30.0)(K)
    (fit,) = fit_one(quotes(30.0, K, np.where(np.arange(27) == 13, iv + 0.30, iv)))

    assert np.median(np.abs(np.delete(miss(fit), 13))) < 0.01


def test_a_smile_with_butterflies_is_not_followed() -> None:
    """Quotes on Vogt's smile, which is an arbitrage, get the nearest smile that is none."""
    k = np.linspace(-1.0, 1.2, 45)
    (fit,) = fit_one(quotes(365.0, k, volatility(VOGT, 365.0)(k)))

    assert fit.smile is not None
    assert_lawful((fit,))
    assert np.abs(miss(fit)).max() < 0.05


def test_crossing_quotes_do_not_cross() -> None:
    """A month that is quoted below the week before it, in total variance, ends above it."""
    week = quotes(7.0, K, np.full(27, 0.9))
    month = quotes(8.0, K, np.full(27, 0.8))
    fits = fit_one(week, month)

    assert all(fit.smile is not None for fit in fits)
    assert_lawful(fits)
    assert miss(fits[0]).mean() < -0.002  # each gives way
    assert miss(fits[1]).mean() > 0.002


def test_two_expiries_are_enough() -> None:
    """A market of two expiries is fitted like any other."""
    fits = fit_one(quotes(7.0, K, np.full(27, 0.5)), quotes(30.0, K, np.full(27, 0.5)))

    assert [fit.status for fit in fits] == [SliceStatus.SVI, SliceStatus.SVI]


@pytest.mark.parametrize("strikes", [1, 2, 5])
def test_few_quotes_lean_on_another_expiry(strikes: int) -> None:
    """With less than six quotes an expiry gets an eSSVI slice through what is quoted."""
    iv = volatility(MONTH, 30.0)
    few = np.linspace(-0.05, 0.05, strikes) if strikes > 1 else np.array([0.0])
    fits = fit_one(quotes(30.0, K, iv(K)), quotes(60.0, few, np.full(strikes, 0.5)))

    assert fits[1].status is SliceStatus.ESSVI
    assert np.abs(miss(fits[1])).max() < 0.02
    assert_lawful(fits)


def test_few_quotes_move_no_other_expiry() -> None:
    """One absurd quote far out neither bends nor removes the smiles of well quoted expiries."""
    iv = volatility(MONTH, 30.0)(K)
    week, month = quotes(7.0, K, iv + 0.02), quotes(30.0, K, iv)
    alone = fit_one(week, month)
    beside = fit_one(week, month, quotes(90.0, [0.0], [0.05]))

    assert beside[2].status is SliceStatus.ESSVI  # raised to where it does not cross
    for one, other in zip(alone, beside, strict=False):
        assert one.smile == other.smile
    assert_lawful(beside)


def test_few_quotes_between_contradicting_neighbours() -> None:
    """Where no room is left between two expiries a third with few quotes says so."""
    week, later = quotes(7.0, K, np.full(27, 0.9)), quotes(8.0, K, np.full(27, 0.8418))
    fits = fit_one(week, quotes(7.5, [-0.3, 0.25], [0.9, 0.4]), later)

    assert fits[1].status in {SliceStatus.ESSVI, SliceStatus.ARBITRAGE}
    assert (fits[1].smile is None) == (fits[1].status is SliceStatus.ARBITRAGE)
    assert_lawful(fits)


def test_a_single_strike_in_a_single_expiry() -> None:
    """One quote alone has no shape to lean on: a reason, and no smile."""
    (fit,) = fit_one(quotes(30.0, [0.0], [0.5]))

    assert (fit.status, fit.smile) == (SliceStatus.NO_NEIGHBOUR, None)


def test_an_empty_expiry() -> None:
    """An expiry without quotes has its reason and disturbs no other."""
    iv = volatility(MONTH, 30.0)(K)
    empty, full = fit_one(quotes(7.0, [], []), quotes(30.0, K, iv))

    assert (empty.status, empty.smile) == (SliceStatus.NO_QUOTES, None)
    assert full.status is SliceStatus.SVI


def test_nothing_at_all() -> None:
    """No expiries give no fits."""
    assert fit_one() == ()


def test_the_same_quotes_give_the_same_bits() -> None:
    """A fit depends on its quotes alone."""
    iv = volatility(MONTH, 30.0)(K)
    (one,), (other,) = (fit_one(quotes(30.0, K, iv)) for _ in range(2))

    assert one.smile is not None
    assert other.smile is not None
    assert (one.smile.raw == other.smile.raw).all()


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.lists(st.integers(0, 15), min_size=1, max_size=5),
    noise=st.sampled_from([0.0, 0.02, 0.3]),
)
def test_any_quotes_at_all(seed: int, counts: list[int], noise: float) -> None:
    """Whatever is quoted, every expiry has a status, and no smile is an arbitrage."""
    rng = np.random.default_rng(seed)
    expiries = []
    for row, count in enumerate(counts):
        k = np.sort(rng.uniform(-0.4, 0.4, count))
        iv = np.maximum(0.6 + 0.3 * np.abs(k) + noise * rng.standard_normal(count), 0.02)
        expiries.append(quotes(1.5 * 3.0**row, k, iv))
    fits = fit_slices(expiries, PARAMS)

    assert len(fits) == len(counts)
    for fit in fits:
        has_smile = fit.status in {
            SliceStatus.SVI, SliceStatus.ESSVI, SliceStatus.ESSVI_FALLBACK
        }  # fmt: skip
        assert (fit.smile is not None) == has_smile
    assert_lawful(fits)


def _fields(expiry: ExpiryQuotes) -> dict[str, object]:
    return {name: getattr(expiry, name) for name in
            ("expiry_ms", "tenor", "forward", "k", "iv", "half_spread", "vega")}  # fmt: skip
