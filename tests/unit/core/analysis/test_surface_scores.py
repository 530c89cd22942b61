"""Scores of surfaces: what they say of markets that were made from smiles."""

from datetime import UTC, date, datetime, timedelta
from math import exp, isnan

import numpy as np
import pytest
from attrs import evolve

from core.analysis.surface_scores import (
    CarryScore,
    Seen,
    SliceScore,
    carry_score,
    left_out_misses,
    mark_misses,
    see,
    slice_scores,
)
from core.analysis.surface_summary import bucket_of, compare_index, pooled, summarise
from core.surface.fit import FitParams
from ports.market_data import MarketSnapshot
from tests.support.smiles import Smile, market, skewed

PARAMS = FitParams()
SMILES = {7.0: skewed(0.55), 30.0: skewed(0.5)}


def slid(smile: Smile, move: float) -> Smile:
    """*smile* after the money slid along it by *move*: its level moves by its slope there."""
    step = 1e-5
    low, high = smile(np.array([-step, step]))
    return lambda k: smile(k) + move * (high - low) / (2.0 * step)


def seen(shown: MarketSnapshot) -> Seen:
    """*shown* with its fit."""
    return see(shown, PARAMS)


def test_quotes_on_smiles_score_well() -> None:
    """Quotes about smiles are met within a tenth of a point, all inside, without arbitrage."""
    scores = slice_scores(seen(market(SMILES)), PARAMS)

    assert [round(score.days, 6) for score in scores] == [7.0, 30.0]
    for score in scores:
        assert score.rmse < 0.001
        assert (score.inside, score.butterfly, score.calendar) == (score.out, 0.0, 0.0)
        assert score.month == "2026-03"


def test_quotes_no_smile_can_meet_score_badly() -> None:
    """Quotes that jump from strike to strike by more than their spread are missed by the jump."""
    jagged = market({30.0: lambda k: 0.5 + 0.02 * np.sign(np.cos(300.0 * k))}, half_spread=0.005)
    (score,) = slice_scores(seen(jagged), PARAMS)

    assert 0.01 < score.rmse < 0.03
    assert score.inside < 0.5 * score.out


def test_the_same_market_again_is_forecast() -> None:
    """If nothing moves, both forecasts meet the next snapshot: strikes exactly, smiles nearly."""
    shown = seen(market(SMILES))
    score = carry_score(shown, shown)

    assert score.strike_miss == 0.0
    assert score.surface_miss < 0.001
    assert score.quotes > 20


def test_a_smile_that_moves_with_the_forward_is_carried() -> None:
    """Where volatility belongs to moneyness the surface beats each strike's own."""
    before, after = seen(market(SMILES)), seen(market(SMILES, forward=104_000.0))
    score = carry_score(before, after)

    assert score.moneyness_miss < 0.2 * score.strike_miss


def test_a_level_that_slides_along_the_smile_is_carried() -> None:
    """Where the money moves along a tilted smile, the slide meets what the plain carry misses."""
    move = 0.03
    before = seen(market(SMILES))
    after = {days: slid(smile, move) for days, smile in SMILES.items()}
    score = carry_score(before, seen(market(after, forward=100_000.0 * exp(move))))

    assert score.surface_miss < 0.3 * score.moneyness_miss
    assert score.moneyness_miss > 0.001


def test_nothing_in_common_is_not_scored() -> None:
    """Snapshots without a common contract give no figure."""
    score = carry_score(seen(market({7.0: skewed(0.5)})), seen(market({30.0: skewed(0.5)})))

    assert (score.quotes, isnan(score.surface_miss)) == (0, True)


def test_a_strike_left_out_is_met() -> None:
    """On a smile a quote is met by the fit without it, within a tenth of its half-spread."""
    misses = left_out_misses(seen(market(SMILES)), PARAMS)

    assert len(misses) > 20
    assert np.median(misses) < 0.1


def test_mark_misses_in_points_of_volatility() -> None:
    """A mark volatility that is written a hundredth too high is missed by that hundredth."""
    shown = market({30.0: skewed(0.5)})
    exact = see(shown, PARAMS).prepared
    mark = 0.5 * (shown.chain.bid + shown.chain.ask)
    chain = evolve(shown.chain, mark=mark, mark_iv=exact.iv + 0.01)
    misses = mark_misses(seen(evolve(shown, chain=chain)))

    assert len(misses.miss) > 5
    assert misses.miss == pytest.approx(np.full(len(misses.miss), 0.01), abs=2e-4)
    assert misses.days == pytest.approx(np.full(len(misses.miss), 30.0))


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0.3, "< 1 d"), (1.0, "1-3 d"), (6.99, "3-7 d"), (7.0, "7-14 d"), (35.0, "> 35 d")],
)
def test_buckets(days: float, bucket: str) -> None:
    """A bucket holds its lower end and not its upper one."""
    assert bucket_of(days) == bucket


def test_summary_weighs_by_vega_and_counts() -> None:
    """RMSE is the median, the miss is weighted by vega, quotes inside are a share of all."""
    score = SliceScore(
        month="2026-03", days=10.0, status="SVI", quotes=10, rmse=0.001, vega=1.0, vega_miss=0.001,
        inside=9, out=10, butterfly=0.0, calendar=0.0,
    )  # fmt: skip
    others = (
        evolve(score, rmse=0.002, vega=3.0, vega_miss=0.009, inside=10, butterfly=2e-4),
        evolve(score, rmse=0.009, inside=8, calendar=2e-6),
    )
    summary = summarise((score, *others))

    assert summary is not None
    assert (summary.slices, summary.butterflies, summary.crossings) == (3, 1, 1)
    assert summary.rmse == pytest.approx(0.2)
    assert summary.miss == pytest.approx(100.0 * 0.011 / 5.0)
    assert summary.inside_pct == pytest.approx(90.0)


def test_nothing_to_summarise() -> None:
    """No scores give no summary, no carries no figure."""
    assert summarise(()) is None
    assert isnan(pooled((CarryScore(float("nan"), float("nan"), float("nan"), 0),)).surface_miss)


def test_carries_are_pooled_by_quotes() -> None:
    """A snapshot counts as often as it has quotes."""
    both = pooled((CarryScore(0.01, 0.05, 0.02, 10), CarryScore(0.04, 0.01, 0.02, 30)))

    assert both.surface_miss == pytest.approx(0.0325)
    assert both.moneyness_miss == pytest.approx(0.02)
    assert both.quotes == 40


def test_the_index_is_compared_at_midnight() -> None:
    """Ours is interpolated to the end of each day; a gap of most of a day is not bridged."""
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    taken_at = [start + timedelta(hours=12 * step) for step in range(9)]
    index = 50.0 + 0.5 * np.arange(9.0)
    closes = [(date(2026, 1, day), 50.0 + 1.0 * day) for day in (1, 2, 3, 4)]

    compared = compare_index(taken_at, index, closes)
    sparse = compare_index(taken_at[::2], index[::2], closes)

    assert compared is not None
    assert compared.days == 4
    assert compared.bias == pytest.approx(-0.5)
    assert compared.mean_absolute == pytest.approx(0.5)
    assert sparse is None
