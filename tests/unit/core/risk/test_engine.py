"""Every control by hand: where it begins to block, and whether it lets closing orders through."""

from math import inf, nan

import attrs
import pytest
from attrs import evolve

from core.risk.engine import OF_OPTIONS, judge
from core.risk.limits import RiskLimits, in_force
from ports.checks import epoch_ms
from ports.controls import RuntimeControls
from ports.instruments import OptionContract, OptionKind, Settlement
from ports.positions import Drawdown, Leg
from ports.trading import OrderState
from tests.support.markets import FRIDAY, NOW, call
from tests.support.risk_calm import (
    FAR,
    FILLED,
    HELD,
    MINUTE,
    PUT,
    REJECTED,
    SECOND,
    SOLD,
    Change,
    account,
    at_price,
    blocked,
    book,
    calm,
    closing,
    compared,
    deep,
    fell,
    limits,
    many,
    of,
    orders,
    quote,
    record,
    state,
)
from tests.support.risk_edges import with_account, with_book, with_limits, with_quote

BOUNDARIES: dict[str, tuple[int, Change, Change]] = {  # what still passes, what does not
    "size at the order limit": (1, of(0.3), of(0.4)),
    "size of a float sum": (1, of(0.1 + 0.2), of(0.35)),
    "size at the venue's minimum": (1, of(0.1), of(0.05)),
    "size with an order limit": (1, of(0.1), limits(order_size={})),
    "coin covers all": (2, account(balance_coin=0.3), account(balance_coin=0.29999999)),
    "exposure 0.2 + 0.1 of 0.3": (
        3,
        limits(max_expiry_exposure=0.3),
        limits(max_expiry_exposure=0.29),
    ),
    "calls of a coin": (
        4,
        limits(max_calls_per_underlying=2),
        limits(max_calls_per_underlying=1),
    ),
    "positions in all": (4, limits(max_open_positions=2), limits(max_open_positions=1)),
    "notional of an order": (
        5,
        limits(max_order_notional_usd=10_000.0),
        limits(max_order_notional_usd=9_999.0),
    ),
    # 0.1 x (0.1 + 0.04) of margin; 0.1 x (0.0005 + 0.0003) of equity to the spread and the fee
    "margin at the cap": (
        6,
        account(initial_margin_coin=0.8 * 0.99992 - 0.014),
        account(initial_margin_coin=0.8 * 0.99992 - 0.013999),
    ),
    "equity above zero": (6, account(equity_coin=0.1), account(equity_coin=0.0)),
    "net delta at the limit": (7, deep(0.05), deep(0.0499)),
    "price 20 % above the mark": (8, at_price(0.048), at_price(0.0485)),
    "price 20 % below the mark": (8, at_price(0.032), at_price(0.0315)),
    "price on the tick": (8, at_price(0.04), at_price(0.0401)),
    "price at intrinsic value": (
        8,
        lambda case: with_quote(at_price(0.04)(case), forward=110_000.0 / 0.96),
        lambda case: with_quote(at_price(0.0395)(case), forward=110_000.0 / 0.96),
    ),
    "a mark": (8, quote(mark=0.04), quote(mark=nan)),
    "quote of thirty seconds": (
        9,
        quote(quoted_at_ms=epoch_ms(NOW - 30 * SECOND)),
        quote(quoted_at_ms=epoch_ms(NOW - 31 * SECOND)),
    ),
    "account of a minute": (9, account(read_at=NOW - MINUTE), account(read_at=NOW - 61 * SECOND)),
    "spread at the limit": (10, quote(bid=0.039, ask=0.041), quote(bid=0.039, ask=0.0411)),
    "bid below ask": (10, quote(bid=0.04), quote(bid=0.0405)),
    "mark within the quote": (10, quote(mark=0.0486), quote(mark=0.0487)),
    "volatility of 500 %": (10, quote(mark_iv=5.0), quote(mark_iv=5.01)),
    "open interest at the limit": (10, quote(open_interest=50.0), quote(open_interest=49.0)),
    "open interest known": (
        10,
        lambda case: with_limits(
            with_quote(case, open_interest=nan), unknown_liquidity_blocks=False
        ),
        quote(open_interest=nan),
    ),
    "a call": (11, of(0.1, HELD), of(0.1, PUT)),
    "a contract that is listed": (11, of(0.1, FAR), of(0.1, call(111_000.0))),
    "more than an hour to expiry": (
        11,
        state(now=FRIDAY - 61 * MINUTE),
        state(now=FRIDAY - 60 * MINUTE),
    ),
    "outside settlement": (
        11,
        state(now=NOW.replace(hour=7, minute=54, second=59)),
        state(now=NOW.replace(hour=8, minute=4, second=59)),
    ),
    "the account's own coin": (11, account(underlying="BTC"), account(underlying="ETH")),
    "a minute after the same": (
        12,
        orders(record(SOLD, FILLED, MINUTE)),
        orders(record(SOLD, FILLED, MINUTE - SECOND)),
    ),
    "a working order elsewhere": (
        12,
        orders(record(FAR, OrderState.OPEN, MINUTE)),
        orders(record(SOLD, OrderState.OPEN, 2 * MINUTE)),
    ),
    "opens within ten minutes": (
        13,
        many(9, REJECTED, 3 * MINUTE),
        many(10, REJECTED, 3 * MINUTE),
    ),
    "opens within a day": (13, many(49, REJECTED, 20 * MINUTE), many(50, REJECTED, 20 * MINUTE)),
    "fills within ten minutes": (14, many(4, FILLED, 3 * MINUTE), many(5, FILLED, 3 * MINUTE)),
    "rejections within ten minutes": (
        15,
        many(4, REJECTED, 3 * MINUTE),
        many(5, REJECTED, 3 * MINUTE),
    ),
    "equity above the drawdown": (16, fell(95_000.01, 5.0), fell(95_000.0, 5.0)),
    "a drawdown limit that is off": (16, fell(1.0, 0.0), limits(daily_drawdown_limit_pct=5.0)),
    "a comparison of two ticks": (17, compared(10 * MINUTE), compared(10 * MINUTE + SECOND)),
    "a clean comparison": (17, compared(MINUTE), compared(MINUTE, ("0.1 more",))),
    "an unknown order of a minute": (
        17,
        orders(record(FAR, OrderState.UNKNOWN, MINUTE)),
        orders(record(FAR, OrderState.UNKNOWN, MINUTE + SECOND)),
    ),
    "environments that agree": (18, state(), state(environment_agrees=False)),
    "no kill": (19, state(), state(controls=RuntimeControls(kill_switch=True))),
    "no halt": (19, state(), book(halted="by hand")),
    "no pause": (19, state(), book(is_paused=True)),
    "a clock within five seconds": (
        20,
        state(clock_skew=-5 * SECOND),
        state(clock_skew=-5.001 * SECOND),
    ),
}


def test_there_are_twenty_controls_in_order() -> None:
    """Numbered as in the specification; only 8, 12 and 13 bind closing orders."""
    numbers = [control.number for control in OF_OPTIONS]

    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 21)) == {each[0] for each in BOUNDARIES.values()}
    assert {each.number for each in OF_OPTIONS if each.binds_closing} == {8, 12, 13}


def test_nothing_speaks_against_the_calm_order() -> None:
    """The order that all other tests change is approved, and so is the one that closes."""
    assert judge(calm().intent, calm().state).approved
    assert judge(closing(calm()).intent, calm().state).approved


@pytest.mark.parametrize("name", BOUNDARIES)
def test_a_control_blocks_beyond_its_limit_and_not_at_it(name: str) -> None:
    """The figure at the limit passes; a notch beyond does not."""
    number, passing, breaching = BOUNDARIES[name]

    assert number not in blocked(passing(calm()))
    assert number in blocked(breaching(calm()))


def _closes_through(name: str) -> bool:
    """Whether the breach of *name* leaves the closing order as it is, and is not of 8, 12, 13."""
    number, _, breaching = BOUNDARIES[name]
    order = closing(calm())
    return number not in (8, 12, 13) and breaching(order).intent == order.intent


@pytest.mark.parametrize("name", [name for name in BOUNDARIES if _closes_through(name)])
def test_what_does_not_bind_closing_lets_it_through(name: str) -> None:
    """Liquidity, margin, age, drawdown, the kill switch: buying back is never blocked by them."""
    _, _, breaching = BOUNDARIES[name]

    assert blocked(breaching(closing(calm()))) == []


NUMBERS = [
    *(("account", name) for name in ("balance_coin", "equity_coin", "initial_margin_coin")),
    *(("quote", name) for name in ("bid", "ask", "mark", "mark_iv", "forward", "open_interest")),
    *(("limits", each.name) for each in attrs.fields(RiskLimits) if each.type in (float, "float")),
]


@pytest.mark.parametrize("figure", [nan, inf, -inf])
@pytest.mark.parametrize(("where", "name"), NUMBERS)
def test_what_is_not_a_number_blocks(where: str, name: str, figure: float) -> None:
    """Every figure of account, quote and limits: it cannot be built, or no order passes."""
    change = {"account": account, "quote": quote, "limits": limits}[where]
    try:
        case = change(**{name: figure})(calm())
    except ValueError:
        return

    assert blocked(case) != []


@pytest.mark.parametrize("figure", [nan, inf])
def test_an_overlaid_limit_that_is_not_a_number_blocks(figure: float) -> None:
    """What a person sets while running is judged like what was configured."""
    overlays = (
        RuntimeControls(max_margin_used_pct=figure),
        RuntimeControls(max_net_delta_abs=figure),
        RuntimeControls(liquidity_max_spread_pct=figure),
        RuntimeControls(liquidity_min_open_interest=figure),
        RuntimeControls(daily_drawdown_limit_pct=figure),
    )
    for overlay in overlays:
        overlaid = in_force(calm().state.limits, overlay)

        assert blocked(state(limits=overlaid)(calm())) != [], overlay


def test_a_control_that_fails_refuses() -> None:
    """The margin of a linear option is not known: the control that asks for it says no."""
    linear = OptionContract("BTC", FRIDAY, 1e5, OptionKind.CALL, Settlement.LINEAR)
    sold = Leg(contract=linear, opened_at=NOW, size=-0.1)
    (tracked,) = calm().state.book.positions.values()
    case = with_book(calm(), positions={"p": evolve(tracked, legs=(*tracked.legs, sold))})
    (breach,) = judge(case.intent, case.state).breaches

    assert (breach.control, breach.code) == (6, "margin")
    assert "the control itself failed" in breach.detail


def test_an_order_that_cannot_be_counted_is_refused() -> None:
    """So many lots that no float holds them: no exception leaves the judge."""
    assert blocked(of(1e308)(calm()))[0] == 1
    assert blocked(of(1e308, HELD)(closing(calm())))[0] == 1


def test_all_reasons_are_collected_in_order() -> None:
    """One verdict names every control that says no, by its number, with the figures."""
    case = with_limits(calm(), order_size={"BTC": 0.05}, max_order_notional_usd=1.0)
    case = with_account(case, balance_coin=0.0, equity_coin=-1.0)
    case = state(environment_agrees=False, controls=RuntimeControls(kill_switch=True))(case)
    breaches = judge(case.intent, case.state).breaches

    assert [each.control for each in breaches] == [1, 2, 5, 6, 6, 18, 19]
    assert breaches[0].detail == "size 0.1 is above the order limit 0.05"


def test_a_drawdown_stays_when_the_day_ends() -> None:
    """The latch is a person's to lift: yesterday's fall still blocks."""
    yesterday = Drawdown(day="2026-03-01", peak_usd=100_000.0, equity_usd=90_000.0)

    assert 16 in blocked(with_book(fell(1.0, 5.0)(calm()), drawdown=yesterday))
