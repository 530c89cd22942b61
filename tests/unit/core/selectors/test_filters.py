"""Named rules over calls: their windows, what NaN does to them, and who is told why."""

from math import nan
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.selectors.features import Features
from core.selectors.filters import FILTERS, SENTENCES, FilterParams, sift
from tests.support.calls import ANYTHING, features, later, market, weekly
from tests.support.markets import Listed, call, put

GOOD = weekly()


def code_of(row: Listed, want: FilterParams, rv: float | None = 0.5) -> str:
    """Why *row* is no candidate; empty if it is one."""
    passing, skipped = sift(features(row, rv=rv), want)
    assert bool(passing[0]) is (not skipped)
    return skipped[0].code if skipped else ""


def one(calls: Features, name: str) -> float:
    """The figure of the only call."""
    return float(getattr(calls, name)[0])


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [("dte", "dte_min", "dte_max"), ("delta", "delta_min", "delta_max")],
)
def test_a_window_includes_its_ends(column: str, low: str, high: str) -> None:
    """Equal passes on either side; the next float outside does not."""
    figure = one(features(GOOD), column)
    at_ends = evolve(ANYTHING, **{low: figure, high: figure})
    above = evolve(ANYTHING, **{low: float(np.nextafter(figure, 1e9))})
    below = evolve(ANYTHING, **{high: float(np.nextafter(figure, 0.0))})

    assert code_of(GOOD, at_ends) == ""
    assert code_of(GOOD, above) == f"{column}_low"
    assert code_of(GOOD, below) == f"{column}_high"


@pytest.mark.parametrize(
    ("column", "least", "code"),
    [
        ("premium_usd", "premium_min_usd", "premium_low"),
        ("ivrv", "ivrv_min", "ivrv_low"),
    ],
)
def test_a_minimum_includes_itself(column: str, least: str, code: str) -> None:
    """Equal passes, less does not."""
    figure = one(features(GOOD), column)

    assert code_of(GOOD, evolve(ANYTHING, **{least: figure})) == ""
    assert code_of(GOOD, evolve(ANYTHING, **{least: float(np.nextafter(figure, 1e9))})) == code


def test_equal_spread_and_open_interest_pass() -> None:
    """5 % of mid is not above 5 %, fifty contracts are not below fifty."""
    row = evolve(GOOD, bid=0.0195, ask=0.0205, open_interest=50.0)
    want = evolve(ANYTHING, max_spread_pct=5.0, min_open_interest=50.0)

    assert code_of(row, want) == ""
    assert code_of(evolve(row, ask=0.021), want) == "spread_wide"
    assert code_of(evolve(row, open_interest=49.9), want) == "open_interest_low"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bid": nan}, "not_quoted"),
        ({"ask": nan}, "not_quoted"),
        ({"bid": 0.0}, "not_quoted"),
        ({"bid": 0.03, "ask": 0.03}, "crossed"),
        ({"bid": 0.04, "ask": 0.03}, "crossed"),
        ({"mark_iv": nan}, "no_iv"),
        ({"mark_iv": 0.0}, "no_iv"),
        ({"forward": nan}, "delta_low"),
        ({"open_interest": nan}, "open_interest_low"),
    ],
)
def test_nan_satisfies_nothing(changes: dict[str, Any], code: str) -> None:
    """However wide the windows: what is not known is no candidate, and the reason is named."""
    assert code_of(evolve(GOOD, **changes), ANYTHING) == code


@pytest.mark.parametrize("rv", [None, nan, 0.0])
def test_without_realised_volatility_there_is_no_candidate(rv: float | None) -> None:
    """Nothing stands in for it."""
    assert code_of(GOOD, ANYTHING, rv) == "rv_unknown"


@pytest.mark.parametrize("rule", FILTERS, ids=lambda rule: rule.code)
def test_every_rule_fails_on_nan(rule: object) -> None:
    """Each filter by itself: a row of NaN passes none of them but those that do not look at it."""
    unknown = np.array([nan])
    calls = features(GOOD)
    blank = Features(
        calls=evolve(calls.calls, bid=unknown, ask=unknown, mark_iv=unknown, open_interest=unknown),
        index_usd=nan,
        rv=nan,
        dte=unknown,
        delta=unknown,
        premium_usd=unknown,
        spread_pct=unknown,
        ivrv=unknown,
    )

    assert not rule.passes(blank, ANYTHING).any()  # type: ignore[attr-defined]


def test_every_call_is_either_passing_or_told_once() -> None:
    """The first rule that fails names it, and no other."""
    rows = [
        weekly(105_000.0),
        weekly(110_000.0, days=1.0),
        weekly(115_000.0, days=60.0, mark_iv=nan),
        weekly(120_000.0, bid=nan),
        weekly(104_000.0, open_interest=1.0),
    ]
    want = evolve(ANYTHING, dte_min=5.0, dte_max=10.0, min_open_interest=50.0)
    calls = features(*rows)
    passing, skipped = sift(calls, want)
    told = [symbol for each in skipped for symbol in each.symbols]
    passed = [call.symbol for call, ok in zip(calls.calls.contracts, passing, strict=True) if ok]

    assert sorted(told + passed) == sorted(row.contract.symbol for row in rows)
    assert passed == [rows[0].contract.symbol]
    assert {each.code for each in skipped} == {
        "dte_low",
        "dte_high",
        "not_quoted",
        "open_interest_low",
    }


def test_every_code_has_a_sentence() -> None:
    """What is shown to a person is written once."""
    assert len({rule.code for rule in FILTERS}) == len(FILTERS)
    assert all(SENTENCES[rule.code] == rule.sentence for rule in FILTERS)


windows = st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)).map(sorted)


@given(windows, st.floats(0.0, 0.2), st.floats(0.0, 2000.0), st.floats(0.0, 2.0))
@settings(derandomize=True, deadline=None)
def test_a_narrower_wish_lets_no_more_through(
    window: list[float], narrower: float, premium: float, ivrv: float
) -> None:
    """Monotone: raising a minimum or lowering a maximum only takes candidates away."""
    calls = features(*(weekly(strike, days) for strike in STRIKES for days in (3.0, 7.0, 14.0)))
    wide = evolve(ANYTHING, delta_min=window[0], delta_max=window[1], premium_min_usd=premium)
    narrow = evolve(
        wide,
        delta_min=window[0] + narrower,
        delta_max=max(0.0, window[1] - narrower),
        ivrv_min=ivrv,
        premium_min_usd=premium + 100.0,
    )

    assert not (sift(calls, narrow)[0] & ~sift(calls, wide)[0]).any()


STRIKES = (101_000.0, 105_000.0, 110_000.0, 120_000.0)


def test_only_calls_above_the_index_are_looked_at() -> None:
    """Puts, and calls at or below the index, have no row."""
    rows = (
        weekly(100_000.0),
        weekly(99_000.0),
        weekly(101_000.0),
        evolve(weekly(101_000.0), contract=put(101_000.0, later(7.0))),
    )

    assert features(*rows).calls.contracts == (call(101_000.0, later(7.0)),)


def test_features_are_what_they_are_called() -> None:
    """Days, the bid in USD, per cent of mid, and implied over realised."""
    row = evolve(GOOD, bid=0.019, ask=0.021, mark_iv=0.6)
    calls = features(row, rv=0.5)

    assert one(calls, "dte") == pytest.approx(7.0, rel=1e-12)
    assert one(calls, "premium_usd") == pytest.approx(1900.0, rel=1e-12)
    assert one(calls, "spread_pct") == pytest.approx(10.0, rel=1e-12)
    assert one(calls, "ivrv") == pytest.approx(1.2, rel=1e-12)
    assert market(row).index_usd == calls.index_usd


def test_a_candidate_is_its_row() -> None:
    """Every figure of the value is the one in the columns."""
    calls = features(weekly(105_000.0), weekly(110_000.0))
    found = calls.candidate(1, 1.5)

    assert found.contract == calls.calls.contract(1)
    assert (found.bid, found.ask, found.mark) == (
        calls.calls.bid[1],
        calls.calls.ask[1],
        calls.calls.mark[1],
    )
    assert (found.dte, found.delta, found.premium_usd) == (
        calls.dte[1],
        calls.delta[1],
        calls.premium_usd[1],
    )
    assert (found.iv, found.rv, found.ivrv) == (calls.calls.mark_iv[1], 0.5, calls.ivrv[1])
    assert (found.spread_pct, found.open_interest, found.score) == (calls.spread_pct[1], 100.0, 1.5)
