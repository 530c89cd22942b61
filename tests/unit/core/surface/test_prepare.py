"""Preparation of a snapshot: each row is used or has one named reason."""

from datetime import timedelta
from math import nan

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.pricing.black76 import premium_coin
from core.surface.prepare import Prepared, PrepareParams, RowStatus, prepare
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.instruments import OptionContract, Settlement
from ports.market_data import MarketSnapshot
from tests.support.markets import NOW, Listed, call, put, snapshot
from tests.support.smiles import FINE_RULES, FORWARD, market, skewed

PARAMS = PrepareParams()
MONTH_AWAY = NOW + timedelta(days=30)


def status_of(
    contract: OptionContract, bid: float, ask: float, taken: MarketSnapshot | None = None
) -> RowStatus:
    """What becomes of one contract with these quotes."""
    shown = taken or snapshot(Listed(contract=contract, bid=bid, ask=ask), rules=FINE_RULES)
    prepared = prepare(shown, PARAMS)
    return RowStatus(int(prepared.status[0]))


def fair(contract: OptionContract, iv: float = 0.5) -> float:
    """The premium of *contract* at *iv*."""
    tenor = contract.years_left(NOW)
    return premium_coin(FORWARD, contract.strike, tenor, iv, contract.is_call)


def test_a_good_quote_is_used() -> None:
    """A two-sided quote out of the money is used, with the middle of its volatilities."""
    contract = call(105_000.0, MONTH_AWAY)
    shown = snapshot(
        Listed(contract=contract, bid=fair(contract, 0.49), ask=fair(contract, 0.52)),
        rules=FINE_RULES,
    )
    expiry = prepare(shown, PARAMS).expiries[0]

    assert expiry.iv == pytest.approx([0.505], rel=1e-9)
    assert expiry.half_spread == pytest.approx([0.015], rel=1e-9)
    assert expiry.k == pytest.approx([np.log(1.05)], rel=1e-12)


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        (nan, 0.05, RowStatus.ONE_SIDED),
        (0.05, nan, RowStatus.ONE_SIDED),
        (0.0, 0.05, RowStatus.ONE_SIDED),
        (-0.01, 0.05, RowStatus.ONE_SIDED),
        (0.06, 0.05, RowStatus.CROSSED),
        (0.05, 0.05, RowStatus.CROSSED),
        (0.9, 1.1, RowStatus.ABOVE_MAX),
    ],
)
def test_quotes_that_say_nothing(bid: float, ask: float, reason: RowStatus) -> None:
    """One-sided, crossed, locked and impossible quotes have their own reason."""
    assert status_of(call(105_000.0, MONTH_AWAY), bid, ask) == reason


def test_a_bid_below_intrinsic_value() -> None:
    """In the money a bid below what exercise gives has no volatility."""
    assert status_of(put(120_000.0, MONTH_AWAY), 0.19, 0.23) == RowStatus.NO_TIME_VALUE


@pytest.mark.parametrize(
    ("days", "reason"),
    [(-1.0, RowStatus.EXPIRED), (0.0, RowStatus.EXPIRED), (0.2, RowStatus.TOO_SOON)],
)
def test_expired_and_nearly(days: float, reason: RowStatus) -> None:
    """What has expired, and what has less than six hours to go, is not fitted."""
    assert status_of(call(105_000.0, NOW + timedelta(days=days)), 0.01, 0.02) == reason


@pytest.mark.parametrize("strike", [0.0, -1000.0, nan])
def test_an_impossible_strike(strike: float) -> None:
    """A strike that is no positive number is named, and does no harm."""
    good = snapshot(Listed(contract=call(105_000.0, MONTH_AWAY), bid=0.01, ask=0.02))
    shown = evolve(good, chain=evolve(good.chain, strike=[strike]))

    assert status_of(call(1.0), 0.0, 0.0, shown) == RowStatus.BAD_TERMS


def test_no_forward_at_all() -> None:
    """Without a forward, and without pairs to make one from, a row cannot be used."""
    listed = Listed(contract=call(105_000.0, MONTH_AWAY), bid=0.01, ask=0.02, forward=nan)

    assert status_of(listed.contract, 0.0, 0.0, snapshot(listed)) == RowStatus.BAD_TERMS


def test_a_stale_quote() -> None:
    """A quote of more than a minute ago is left out."""
    good = snapshot(Listed(contract=call(105_000.0, MONTH_AWAY), bid=0.03, ask=0.032))
    old = evolve(good.chain, quoted_at_ms=[epoch_ms(NOW - timedelta(seconds=61))])

    assert status_of(call(1.0), 0.0, 0.0, evolve(good, chain=old)) == RowStatus.STALE


def test_far_from_the_money() -> None:
    """Below a delta of 0.01 a quote says more about its tick than about volatility."""
    contract = call(300_000.0, MONTH_AWAY)

    assert status_of(contract, fair(contract, 0.5), fair(contract, 0.51)) == RowStatus.OUTSIDE_DELTA


def test_a_coarse_tick() -> None:
    """A quote that one tick moves by more than ten points is left out."""
    contract = call(113_000.0, NOW + timedelta(hours=7))
    shown = snapshot(Listed(contract=contract, bid=0.0001, ask=0.0003))

    assert status_of(contract, 0.0, 0.0, shown) == RowStatus.COARSE_TICK


def test_one_row_a_strike() -> None:
    """Near the money the tighter of call and put is used, further out the one out of it."""
    prepared = prepare(market({30.0: skewed(0.5)}), PARAMS)
    chain = market({30.0: skewed(0.5)}).chain
    used = prepared.status == RowStatus.USED

    assert len(np.unique(chain.strike[used])) == np.count_nonzero(used)
    assert (prepared.is_out | (np.abs(prepared.k) < 0.25 * 0.5 * np.sqrt(30 / 365)))[used].all()
    assert prepared.count(RowStatus.OTHER_SIDE) > 0


@pytest.mark.parametrize(("tight", "wide_rows"), [(6, 3), (5, 0)])
def test_wide_quotes_go_while_six_remain(tight: int, wide_rows: int) -> None:
    """Half-spreads over five points are left out, unless fewer than six quotes would be left."""
    strikes = [104_000.0 + 2_000.0 * step for step in range(tight + 3)]
    rows = [
        Listed(contract=contract, bid=fair(contract, 0.5 - half), ask=fair(contract, 0.5 + half))
        for row, strike in enumerate(strikes)
        for contract in [call(strike, MONTH_AWAY)]
        for half in [0.01 if row < tight else 0.06]
    ]
    prepared = prepare(snapshot(*rows, rules=FINE_RULES), PARAMS)

    assert prepared.count(RowStatus.WIDE) == wide_rows
    assert prepared.count(RowStatus.USED) == len(rows) - wide_rows


def test_settled_in_usdc() -> None:
    """Prices in USD give the volatilities that the same prices in coin give."""
    shown = market({30.0: skewed(0.5)})
    usd = evolve(
        shown.chain,
        settlement=Settlement.LINEAR,
        bid=shown.chain.bid * FORWARD,
        ask=shown.chain.ask * FORWARD,
    )
    coin, linear = prepare(shown, PARAMS), prepare(evolve(shown, chain=usd), PARAMS)

    assert linear.expiries[0].iv == pytest.approx(coin.expiries[0].iv, rel=1e-9)


def test_an_empty_chain() -> None:
    """A snapshot without rows gives no expiries and no failure."""
    prepared = prepare(snapshot(), PARAMS)

    assert len(prepared.status) == 0
    assert prepared.expiries == ()


ANY_NUMBER = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.floats(0.0001, 1.2), st.just(0.0)
)
ANY_USD = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(70_000.0, 130_000.0))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([-3.0, 0.1, 0.5, 30.0]), ANY_USD, ANY_USD, ANY_NUMBER,
                  ANY_NUMBER, st.booleans()),
        max_size=12,
    )
)  # fmt: skip
def test_any_rows_at_all(
    rows: list[tuple[float, float, float, float, float, bool]],
) -> None:
    """Whatever is quoted, every row has one status, and only sane quotes reach a fit."""
    prepared = prepare(_chain_of(rows), PARAMS)

    assert sum(prepared.count(status) for status in RowStatus) == len(rows)
    assert sum(len(expiry.k) for expiry in prepared.expiries) == prepared.count(RowStatus.USED)
    for expiry in prepared.expiries:
        assert _is_sane(prepared, expiry.iv)
        assert (np.diff(expiry.k) > 0).all()


def _is_sane(prepared: Prepared, iv: np.ndarray) -> bool:
    used = prepared.status == RowStatus.USED
    return bool(np.isfinite(iv).all() and (iv > 0).all() and (prepared.half_spread[used] > 0).all())


def _chain_of(rows: list[tuple[float, float, float, float, float, bool]]) -> MarketSnapshot:
    """A market straight from columns, whatever they hold: days, strike, forward, bid, ask, call."""
    columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.zeros(0)] * 6
    expiry_ms = np.array([epoch_ms(NOW + timedelta(days=float(days))) for days in columns[0]])
    strike = columns[1]
    is_call = columns[5].astype(np.bool_)
    order = np.lexsort((~is_call, strike, expiry_ms))
    blank = np.full(len(rows), nan)
    chain = ChainTable(
        underlying="BTC",
        expiry_ms=expiry_ms[order] if len(rows) else [],
        strike=strike[order],
        is_call=is_call[order],
        forward=columns[2][order],
        bid=columns[3][order],
        ask=columns[4][order],
        bid_amount=blank,
        ask_amount=blank,
        mark=blank,
        mark_iv=blank,
        open_interest=blank,
        volume=blank,
        quoted_at_ms=np.full(len(rows), epoch_ms(NOW)),
    )
    return MarketSnapshot("BTC", NOW, 100_000.0, chain, FINE_RULES)
