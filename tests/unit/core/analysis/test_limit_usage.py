"""The use of limits: counted by hand, and against the formulas of margin and delta."""

from datetime import timedelta
from math import isnan

import pytest
from attrs import evolve
from mpmath import mp, mpf

from core.analysis.limit_usage import Usage, limit_usage
from core.pricing.black76 import premium_coin
from core.risk.limits import RiskLimits
from ports.decision_log import Entry
from ports.instruments import FutureContract
from ports.trading import OrderState, Side
from tests.support.books import A, B, book_of, fill, intent, marked, sent, traded, unmarked, updated
from tests.support.markets import NOW

LIMITS = RiskLimits(order_size={"BTC": 1.0}, max_expiry_exposure=2.0, max_calls_per_underlying=3)
SOLD = traded(intent(A, amount=0.5), fill("t1", A, amount=0.5, price=0.03))


def used(entries: tuple[Entry, ...], name: str, limits: RiskLimits = LIMITS) -> Usage:
    book = book_of(*entries)
    found = {usage.name: usage for usage in limit_usage(book, limits, ("BTC",), NOW)}
    return found[name]


def test_nothing_uses_nothing() -> None:
    """An empty book uses none of what is counted; margin and delta of no equity stay unknown."""
    assert used((), "calls").used == 0.0
    assert used((), "open positions").used == 0.0
    assert isnan(used((), "margin, estimated").used)


def test_working_openings_count_as_held() -> None:
    """Half a contract held and one that works are one and a half short on the expiry."""
    working = (
        sent(intent(B, label="s.2.open", position_id="q")),
        updated(OrderState.OPEN, label="s.2.open"),
    )
    entries = (*SOLD, *working)

    assert used(entries, "fullest expiry").used == 1.5
    assert used(entries, "calls").used == 2.0
    assert used(entries, "open positions").used == 2.0
    assert used(entries, "openings today").used == 2.0
    assert used(entries, "openings in 10 min").used == 2.0


def test_closing_orders_are_no_openings() -> None:
    """Buying back adds nothing to what is counted against new risk."""
    bought = traded(intent(A, Side.BUY, 0.5, label="s.2.close"), fill("t2", A, Side.BUY, 0.5, 0.02))

    assert used((*SOLD, *bought), "openings today").used == 1.0
    assert used((*SOLD, *bought), "open positions").used == 0.0


def test_margin_is_that_of_the_formula() -> None:
    """Half a call 5 % out of the money, marked 0.02: 0.5 (0.15 - 0.05 + 0.02) over equity 2."""
    margin = used((*SOLD, marked(2.0, (A, 0.02))), "margin, estimated")

    assert margin.used == pytest.approx(100.0 * 0.5 * (0.15 - 0.05 + 0.02) / 2.0)
    assert (margin.limit, margin.unit) == (80.0, "%")


def test_net_delta_is_that_of_the_volatility_in_the_mark() -> None:
    """A call marked at 60 % volatility has (K/F) N(d2) of net delta, from 50 digits."""
    tenor = A.years_left(NOW)
    mark = premium_coin(100_000.0, A.strike, tenor, 0.6, True)
    with mp.workdps(50):
        total = mpf("0.6") * mp.sqrt(mpf(tenor))
        d2 = mp.log(mpf(100_000) / A.strike) / total - total / 2
        expected = float(mpf(A.strike) / 100_000 * mp.ncdf(d2) / 2)

    assert used((*SOLD, marked(2.0, (A, mark))), "net delta, estimated").used == pytest.approx(
        expected, rel=1e-9
    )


def test_a_mark_that_is_not_known_makes_an_unknown_margin() -> None:
    """Nothing stands in for a missing mark."""
    book = unmarked(book_of(*SOLD, marked(2.0, (A, 0.02))))
    usages = {usage.name: usage.used for usage in limit_usage(book, LIMITS, ("BTC",), NOW)}

    assert isnan(usages["margin, estimated"])
    assert isnan(usages["net delta, estimated"])


def test_rejections_are_counted_for_ten_minutes() -> None:
    """One a minute old counts, one an hour old does not."""

    def rejected(label: str, age: timedelta) -> tuple[Entry, ...]:
        order = intent(A, label=label)
        return (sent(order, NOW - age), updated(OrderState.REJECTED, label=label, at=NOW - age))

    entries = (
        *rejected("s.1.open", timedelta(hours=1)),
        *rejected("s.2.open", timedelta(minutes=1)),
    )

    assert used(entries, "rejected in 10 min").used == 1.0


def test_a_drawdown_limit_of_zero_is_off() -> None:
    """Without a limit there is no share of it; the fall is shown all the same."""
    fallen = (marked(2.0), marked(1.5, at=NOW))
    usage = used(fallen, "drawdown today")

    assert (usage.used, usage.limit) == (25.0, None)


def test_a_drawdown_of_yesterday_is_over() -> None:
    """The fall belongs to its UTC day."""
    before = NOW - timedelta(days=1)

    assert used((marked(2.0, at=before), marked(1.5, at=before)), "drawdown today").used == 0.0


def test_the_perpetual_counts_in_margin_and_delta_and_is_no_opening() -> None:
    """Half a coin short at 100,000: (2 % + 0.005 % of 0.5) of 0.5, and half a coin of delta."""
    order = evolve(intent(label="h"), contract=FutureContract("BTC"), amount=50_000.0, price=1e5)
    trade = evolve(fill("h1"), contract=order.contract, amount=50_000.0, price=1e5)
    entries = (*traded(order, trade), marked(2.0))
    delta = used(entries, "net delta, estimated")

    assert used(entries, "margin, estimated").used == pytest.approx(
        100.0 * (0.02 + 0.00005 * 0.5) * 0.5 / 2.0
    )
    assert delta.used == pytest.approx(0.5)
    assert used(entries, "openings today").used == 0.0
    assert used(entries, "open positions").used == 1.0
