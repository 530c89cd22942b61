"""Strategies that trade structures: what their puts and long options are judged by."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from attrs import evolve, frozen

from core.risk.engine import OF_OPTIONS, OF_STRUCTURES, judge
from core.risk.exposure import RiskState
from ports.controls import RuntimeControls
from ports.instruments import OptionContract
from ports.positions import Leg, OrderRecord, TrackedPosition
from ports.trading import OrderIntent, OrderState, Position, Side
from tests.support.markets import NOW
from tests.support.risk_calm import FAR, PUT, SOLD, calm, flat, intent

STRUCTURED = frozenset({"s"})
BUY_PRICE, SELL_PRICE = 0.0405, 0.0395


def state_of(balance_coin: float = 1.0, **limits: Any) -> RiskState:
    """Nothing held, in an account of so much coin, for a strategy that trades structures."""
    state = flat(calm()).state
    account = evolve(state.account, balance_coin=balance_coin, equity_coin=balance_coin)
    chosen = evolve(
        state.limits, **{"structured": STRUCTURED, "order_size": {"BTC": 5.0}, **limits}
    )
    return evolve(state, account=account, limits=chosen)


def order(contract: OptionContract, side: Side, amount: float = 0.1) -> OrderIntent:
    price = SELL_PRICE if side is Side.SELL else BUY_PRICE
    return evolve(intent(contract, amount), side=side, price=price)


def short_put(state: RiskState, amount: float) -> RiskState:
    """*state* with puts sold, at the venue and in the book."""
    held = Position(contract=PUT, size=-amount, average_price=0.04, mark=0.04)
    leg = Leg(contract=PUT, opened_at=NOW - timedelta(days=1), size=-amount)
    tracked = TrackedPosition(
        position_id="p", strategy_id="s", underlying="BTC", opened_at=leg.opened_at, legs=(leg,)
    )
    return evolve(
        state,
        account=evolve(state.account, positions=(held,), initial_margin_coin=0.01),
        book=evolve(state.book, positions={"p": tracked}),
    )


def refused(intent: OrderIntent, state: RiskState) -> set[int]:
    return {breach.control for breach in judge(intent, state).breaches}


def test_the_same_twenty_controls() -> None:
    """In the same order, with the same codes; closings are bound by the same."""
    told = [(each.number, each.code, each.binds_closing) for each in OF_STRUCTURES]

    assert told == [(each.number, each.code, each.binds_closing) for each in OF_OPTIONS]


@pytest.mark.parametrize(
    ("contract", "side"),
    [(PUT, Side.SELL), (PUT, Side.BUY), (SOLD, Side.BUY), (SOLD, Side.SELL)],
)
def test_every_leg_of_a_structure_passes(contract: OptionContract, side: Side) -> None:
    """For a strategy of that kind; for any other only the sale of a call does."""
    others = state_of(structured=frozenset())

    assert refused(order(contract, side), state_of()) == set()
    is_call_sold = contract.is_call and side is Side.SELL
    assert (11 in refused(order(contract, side), others)) is not is_call_sold


@pytest.mark.parametrize(
    ("balance_coin", "amount", "blocked"),
    [(0.45, 0.5, False), (0.449, 0.5, True), (0.45, 0.6, True)],
)
def test_puts_are_secured_by_the_whole_of_their_strikes(
    balance_coin: float, amount: float, blocked: bool
) -> None:
    """Half a put of 90,000 needs 45,000 USD: 0.45 coin at 100,000."""
    state = state_of(balance_coin, max_margin_used_pct=1_000.0)

    assert (2 in refused(order(PUT, Side.SELL, amount), state)) is blocked


def test_puts_that_are_short_already_are_secured_first() -> None:
    """0.4 of them and 0.1 more need 0.45 coin; a call of the same size is covered by the coin."""
    state = short_put(state_of(0.45, max_margin_used_pct=1_000.0), 0.4)
    less = evolve(state, account=evolve(state.account, balance_coin=0.44))

    assert 2 not in refused(order(PUT, Side.SELL), state)
    assert 2 in refused(order(PUT, Side.SELL), less)
    assert 2 not in refused(order(SOLD, Side.SELL, 0.4), state)
    assert 2 in refused(order(SOLD, Side.SELL, 0.5), state)


def test_what_is_bought_is_paid_out_of_the_balance() -> None:
    """0.1 at 0.0405 is 0.00405 coin."""
    assert 2 not in refused(order(FAR, Side.BUY), state_of(0.00405, max_margin_used_pct=1e6))
    assert 2 in refused(order(FAR, Side.BUY), state_of(0.00404, max_margin_used_pct=1e6))


def test_calls_and_puts_of_an_expiry_are_limited_each() -> None:
    """0.3 puts are short: 0.1 more reach the limit, 0.2 do not pass; calls and longs may."""
    state = short_put(state_of(max_expiry_exposure=0.4), 0.3)

    assert 3 not in refused(order(PUT, Side.SELL, 0.1), state)
    assert 3 in refused(order(PUT, Side.SELL, 0.2), state)
    assert 3 not in refused(order(SOLD, Side.SELL, 0.4), state)
    assert 3 in refused(order(SOLD, Side.SELL, 0.5), state)
    assert 3 not in refused(order(PUT, Side.BUY, 0.5), state)


def test_puts_do_not_count_as_calls() -> None:
    """One call is allowed: a put beside it is, a second call is not; chains count for all."""
    one = evolve(calm().state.limits, max_calls_per_underlying=1, structured=STRUCTURED)
    state = evolve(calm().state, limits=one)
    full = evolve(state, limits=evolve(one, max_open_positions=1))

    assert 4 not in refused(order(PUT, Side.SELL), state)
    assert 4 in refused(order(SOLD, Side.SELL), state)
    assert 4 in refused(order(PUT, Side.BUY), full)


def test_a_long_option_needs_no_margin() -> None:
    """What is sold does."""
    state = state_of(max_margin_used_pct=0.5)

    assert 6 not in refused(order(PUT, Side.BUY), state)
    assert 6 in refused(order(PUT, Side.SELL), state)


@pytest.mark.parametrize(("contract", "side"), [(PUT, Side.SELL), (SOLD, Side.BUY)])
def test_stops_bind_structures_too(contract: OptionContract, side: Side) -> None:
    """Kill switch, notional, price, spread and expiry, as for every opening."""
    wanted, state = order(contract, side), state_of()
    killed = evolve(state, controls=RuntimeControls(kill_switch=True))
    near = evolve(state, limits=evolve(state.limits, before_expiry=timedelta(days=60)))
    small = evolve(state, limits=evolve(state.limits, max_order_notional_usd=9_999.0))
    tight = evolve(state, limits=evolve(state.limits, max_spread_pct=1.0))

    assert 19 in refused(wanted, killed)
    assert 11 in refused(wanted, near)
    assert 5 in refused(wanted, small)
    assert 10 in refused(wanted, tight)
    assert 8 in refused(evolve(wanted, price=0.09), state)


@frozen
class Drawn:
    """A random order and state, in lots of 0.1: what is short of each contract or may be sold."""

    order: OrderIntent
    state: RiskState
    short: dict[OptionContract, int]
    balance_lots: Fraction


def drawn(number: int) -> Drawn:
    """Puts and calls short, some of them still working orders, around what the coin allows."""
    rng = np.random.default_rng([29, number])
    held = {each: int(rng.integers(0, 4)) for each in (PUT, SOLD, FAR)}
    working = {each: int(rng.integers(0, 3)) for each in (PUT, SOLD)}
    balance_lots = Fraction(int(rng.integers(1, 130)), 10)
    state = state_of(float(balance_lots / 10), max_margin_used_pct=1e6)
    state = evolve(
        state,
        limits=evolve(state.limits, max_expiry_exposure=round(0.1 * rng.integers(1, 9), 1)),
        account=evolve(
            state.account,
            positions=tuple(
                Position(contract=each, size=-lots / 10, average_price=0.04, mark=0.04)
                for each, lots in held.items()
                if lots
            ),
        ),
        book=evolve(
            state.book,
            orders={
                each.symbol: OrderRecord(
                    intent=evolve(intent(each, lots / 10), label=each.symbol),
                    state=OrderState.OPEN,
                    sent_at=NOW,
                    updated_at=NOW,
                )
                for each, lots in working.items()
                if lots
            },
        ),
    )
    chosen = (PUT, SOLD, FAR)[int(rng.integers(3))]
    side = Side.SELL if rng.random() < 0.7 else Side.BUY
    wanted = order(chosen, side, int(rng.integers(1, 6)) / 10)
    short = {each: held[each] + working.get(each, 0) for each in held}
    return Drawn(wanted, state, short, balance_lots)


def must_refuse(case: Drawn) -> set[int]:
    """Controls 2 and 3 by whole lots and fractions, at an index of 100,000 USD."""
    option, lots = case.order.option, round(case.order.amount * 10)
    if case.order.side is Side.BUY:
        premium_lots = Fraction(case.order.price).limit_denominator(10_000) * lots
        return {2} if premium_lots > case.balance_lots else set()
    kind = {each: n for each, n in case.short.items() if each.is_call is option.is_call}
    found = set[int]()
    if option.is_call:
        found |= {2} if lots + sum(kind.values()) > int(case.balance_lots) else set()
    else:
        usd = lots * int(option.strike) + sum(int(each.strike) * n for each, n in kind.items())
        found |= {2} if usd > case.balance_lots * 100_000 else set()
    same = sum(n for each, n in kind.items() if each.expiry == option.expiry)
    if lots + same > round(case.state.limits.max_expiry_exposure * 10):
        found.add(3)
    return found


def test_cover_and_expiry_are_what_a_model_says() -> None:
    """On random orders and states; each refuses some, and some pass both."""
    counts = {frozenset(): 0, frozenset({2}): 0, frozenset({3}): 0, frozenset({2, 3}): 0}
    for number in range(600):
        case = drawn(number)
        told = must_refuse(case)
        said = refused(case.order, case.state) & {2, 3}
        assert said == told, (number, case.order, case.short, case.balance_lots)
        counts[frozenset(told)] += 1

    assert min(counts.values()) > 20
