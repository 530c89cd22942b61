"""Scores: figures computed by hand, bounds, and the direction each one points in."""

from math import isnan, nan
from typing import Any

import mpmath
import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.selectors.features import Features
from core.selectors.score import SCORES, ScoreParams
from ports.columns import Floats
from ports.decision_log import MarketContext
from tests.support.calls import CONTEXT, INDEX_USD, features, weekly
from tests.support.markets import RULES

WANT = ScoreParams(target_delta=0.25, target_dte=7.0, ivrv_min=1.0)


def made(
    *,
    delta: float = 0.25,
    dte: float = 7.0,
    premium_usd: float = 1000.0,
    ivrv: float = 1.2,
    strike: float = 110_000.0,
) -> Features:
    """One call with the figures that a score looks at, set by hand."""
    calls = features(weekly(strike))
    return evolve(
        calls,
        delta=np.array([delta]),
        dte=np.array([dte]),
        premium_usd=np.array([premium_usd]),
        ivrv=np.array([ivrv]),
    )


def score(
    name: str, calls: Features, context: MarketContext = CONTEXT, want: ScoreParams = WANT
) -> float:
    """The score called *name* of the first call."""
    column: Floats = SCORES[name](calls, want, context, RULES)
    assert column.shape == (len(calls),)
    return float(column[0])


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({}, 6.908754779315221 + 0.2),  # ln 1001 + 0.2
        ({"delta": 0.35}, 6.908754779315221 + 0.2 - 0.05),
        ({"dte": 14.0}, 6.908754779315221 + 0.2 - 2.0),
        ({"dte": 3.5}, 6.908754779315221 + 0.2 - 0.5),
        ({"ivrv": 0.9}, 6.908754779315221),
        ({"premium_usd": 0.0, "ivrv": 1.0}, 0.0),
        ({"premium_usd": -5.0, "ivrv": 1.0}, 0.0),
    ],
)
def test_live_is_its_formula(figures: dict[str, float], expected: float) -> None:
    """ln(1 + premium) - 5 (delta miss)^2 - 2 (dte miss / target)^2 + rich IV, by hand."""
    assert score("live", made(**figures)) == pytest.approx(expected, abs=1e-12)


def test_live_divides_by_no_target_below_a_day() -> None:
    """A target of no days counts as one: -2 x 3^2."""
    want = evolve(WANT, target_dte=0.0)
    calls = made(dte=3.0, premium_usd=0.0, ivrv=1.0)

    assert score("live", calls, want=want) == pytest.approx(-18.0, abs=1e-12)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({}, 11.0),  # 1000/100 + 5 x 0.2
        ({"delta": 0.35}, 10.0),
        ({"delta": 0.15}, 10.0),
        ({"ivrv": 0.8}, 9.0),
        ({"premium_usd": 50.0, "ivrv": 1.0}, 0.5),
    ],
)
def test_training_is_its_formula(figures: dict[str, float], expected: float) -> None:
    """premium/100 - 10 |delta miss| + 5 (ivrv - 1), by hand."""
    assert score("training", made(**figures)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({}, 1.2 + 2.0 + 1.5 + 4.0 / 3.0),
        ({"ivrv": 1.5}, 3.0 + 2.0 + 1.5 + 4.0 / 3.0),
        ({"ivrv": 3.0}, 3.0 + 2.0 + 1.5 + 4.0 / 3.0),
        ({"ivrv": 0.5}, 0.0 + 2.0 + 1.5 + 4.0 / 3.0),
        ({"delta": 0.30}, 1.2 + 1.0 + 1.5 + 4.0 / 3.0),
        ({"delta": 0.50}, 1.2 + 0.0 + 1.5 + 4.0 / 3.0),
        ({"dte": 8.0}, 1.2 + 2.0 + 0.75 + 4.0 / 3.0),
        ({"dte": 20.0}, 1.2 + 2.0 + 0.0 + 4.0 / 3.0),
        ({"premium_usd": 1500.0}, 1.2 + 2.0 + 1.5 + 2.0),
        ({"premium_usd": 9000.0}, 1.2 + 2.0 + 1.5 + 2.0),
    ],
)
def test_backtest_is_its_formula(figures: dict[str, float], expected: float) -> None:
    """3 for rich IV, 2 for delta, 1.5 for days, 2 for premium, each as far as it is met."""
    assert score("backtest", made(**figures)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("context", "strike", "penalty"),
    [
        ({"regime": "bull"}, 104_900.0, 1.0),
        ({"regime": "bull"}, 105_000.0, 0.0),
        ({"regime": "sideways"}, 101_000.0, 0.0),
        ({"regime": "bull", "return_30d_pct": 25.1}, 110_000.0, 0.5),
        ({"regime": "bull", "return_30d_pct": 25.0}, 110_000.0, 0.0),
        ({"regime": "sideways", "return_30d_pct": 30.0}, 110_000.0, 0.0),
        ({"regime": "bear", "return_7d_pct": -10.1}, 110_000.0, 0.5),
        ({"regime": "bear", "return_7d_pct": -10.0}, 110_000.0, 0.0),
        ({"regime": "bull", "return_7d_pct": -10.1}, 110_000.0, 0.0),
        ({"realized_vol_7d": 0.29}, 110_000.0, 0.5),
        ({"realized_vol_7d": 0.3}, 110_000.0, 0.0),
        ({"realized_vol_7d": 0.0}, 110_000.0, 0.0),
        ({"pct_from_200d_ma": 20.1}, 110_000.0, 0.5),
        ({"pct_from_200d_ma": -20.1}, 110_000.0, 0.5),
        ({"pct_from_200d_ma": 20.0}, 110_000.0, 0.0),
        (
            {
                "regime": "bull",
                "return_30d_pct": 30.0,
                "realized_vol_7d": 0.2,
                "pct_from_200d_ma": 25.0,
            },
            101_000.0,
            2.5,
        ),
        (
            {
                "regime": "bear",
                "return_7d_pct": None,
                "return_30d_pct": None,
                "realized_vol_7d": None,
                "pct_from_200d_ma": None,
            },
            110_000.0,
            0.0,
        ),
    ],
)
def test_backtest_takes_off_what_speaks_against_selling(
    context: dict[str, Any], strike: float, penalty: float
) -> None:
    """One point near the money in a bull market, half a point for each of the others."""
    calls = made(strike=strike)

    known = score("backtest", calls)
    assert known - score("backtest", calls, evolve(CONTEXT, **context)) == pytest.approx(
        penalty, abs=1e-12
    )


@given(
    st.floats(0.0, 1.0),
    st.floats(0.0, 60.0),
    st.floats(0.0, 1e6),
    st.floats(0.0, 10.0),
    st.sampled_from(["bull", "bear", "sideways", "unknown"]),
    st.floats(-100.0, 100.0),
)
@settings(derandomize=True, deadline=None)
def test_backtest_stays_within_ten_points(
    delta: float, dte: float, premium_usd: float, ivrv: float, regime: str, moved_pct: float
) -> None:
    """Whatever comes in, it is clamped to 0 .. 10."""
    context = evolve(
        CONTEXT,
        regime=regime,
        return_7d_pct=moved_pct,
        return_30d_pct=moved_pct,
        pct_from_200d_ma=moved_pct,
        realized_vol_7d=0.1,
    )
    calls = made(delta=delta, dte=dte, premium_usd=premium_usd, ivrv=ivrv)

    assert 0.0 <= score("backtest", calls, context) <= 10.0


@pytest.mark.parametrize("name", ["live", "backtest", "training"])
@given(st.floats(0.0, 5000.0), st.floats(0.0, 500.0), st.floats(0.5, 2.0), st.floats(0.0, 0.5))
@settings(derandomize=True, deadline=None)
def test_more_premium_and_richer_iv_never_score_less(
    name: str, premium_usd: float, more_usd: float, ivrv: float, richer: float
) -> None:
    """Monotone in both; and the further from the target delta, the less."""
    known = score(name, made(premium_usd=premium_usd, ivrv=ivrv))

    assert score(name, made(premium_usd=premium_usd + more_usd, ivrv=ivrv)) >= known
    assert score(name, made(premium_usd=premium_usd, ivrv=ivrv + richer)) >= known
    off = made(premium_usd=premium_usd, ivrv=ivrv, delta=0.25 + richer)
    assert score(name, off) <= known


def carry_by_hand(
    strike: float, days: int, bid: float, ask: float, mark: float, rv: float
) -> float:
    """(bid - fee - value at realised volatility) / margin / years, cut by the spread: 50 digits."""
    with mpmath.workdps(50):
        forward, k = mpmath.mpf(100_000), mpmath.mpf(strike)
        years = mpmath.mpf(days) / 365
        s = mpmath.mpf(rv) * mpmath.sqrt(years)
        d1 = mpmath.log(forward / k) / s + s / 2
        worth = mpmath.ncdf(d1) - k / forward * mpmath.ncdf(d1 - s)
        fee = min(mpmath.mpf("0.0003"), mpmath.mpf(bid) / 8)
        margin = max(mpmath.mpf("0.15") - (k / forward - 1), mpmath.mpf("0.1")) + mpmath.mpf(mark)
        edge = mpmath.mpf(bid) - fee - worth
        spread = 2 * (mpmath.mpf(ask) - mpmath.mpf(bid)) / (mpmath.mpf(ask) + mpmath.mpf(bid))
        haircut = 1 - spread if edge > 0 else 1 + spread
        return float(edge / margin / years * haircut)


@pytest.mark.parametrize(
    ("strike", "days", "bid", "ask", "mark", "rv"),
    [
        (105_000.0, 7, 0.0125, 0.0135, 0.013, 0.4),  # an edge
        (105_000.0, 7, 0.0125, 0.0135, 0.013, 0.9),  # none
        (103_000.0, 14, 0.03, 0.0305, 0.0302, 0.5),
        (130_000.0, 30, 0.0016, 0.0018, 0.0017, 0.3),  # margin at its floor, fee at its cap
        (101_000.0, 1, 0.0095, 0.01, 0.0097, 0.6),
    ],
)
def test_carry_is_its_formula(
    strike: float, days: int, bid: float, ask: float, mark: float, rv: float
) -> None:
    """To 1e-9 of fifty digits, with an edge and without."""
    calls = features(weekly(strike, days=days, bid=bid, ask=ask, mark=mark), rv=rv)

    assert score("carry", calls) == pytest.approx(
        carry_by_hand(strike, days, bid, ask, mark, rv), rel=1e-9
    )


@given(st.floats(0.1, 1.5), st.floats(0.0, 0.5))
@settings(derandomize=True, deadline=None)
def test_carry_falls_as_the_coin_moves_more(rv: float, more: float) -> None:
    """What moved more is worth more to the buyer."""
    row = weekly(105_000.0)

    assert score("carry", features(row, rv=rv + more)) <= score("carry", features(row, rv=rv))


@pytest.mark.parametrize("edge_rv", [0.3, 1.2])
def test_carry_never_gains_by_a_wider_spread(edge_rv: float) -> None:
    """Neither where there is an edge nor where there is none."""
    narrow, wide = weekly(bid=0.012, ask=0.0125), weekly(bid=0.012, ask=0.0145)

    assert score("carry", features(wide, rv=edge_rv)) < score("carry", features(narrow, rv=edge_rv))


@pytest.mark.parametrize("name", sorted(SCORES))
def test_what_is_not_known_has_no_score(name: str) -> None:
    """NaN in, NaN out: it can never be the best."""
    unknown = {
        "carry": features(weekly(bid=nan)),
        "live": made(premium_usd=nan),
        "backtest": made(premium_usd=nan),
        "training": made(premium_usd=nan),
    }

    assert isnan(score(name, unknown[name]))


def test_scores_are_columns() -> None:
    """Each call is scored by its own row alone."""
    rows = [weekly(102_000.0), weekly(105_000.0), weekly(112_000.0)]
    together = features(*rows)

    for name, formula in SCORES.items():
        column = formula(together, WANT, CONTEXT, RULES)
        alone = [score(name, features(row)) for row in rows]
        assert column.tolist() == pytest.approx(alone, rel=1e-12)
    assert together.index_usd == INDEX_USD
