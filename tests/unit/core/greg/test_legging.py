"""Legs one after the other: what protects first, and when the rest is given up."""

from datetime import timedelta
from math import nan

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.greg.catalogue import StrategyCode
from core.greg.legging import (
    Legging,
    LeggingParams,
    LegProgress,
    LegState,
    StepKind,
    begun,
    next_step,
    with_progress,
)
from core.greg.structures import PlannedLeg, Structure
from ports.instruments import OptionKind
from ports.trading import Side
from tests.support.markets import NOW, call, put

PARAMS = LeggingParams()


def planned(strike: float, kind: OptionKind, side: Side, price: float) -> PlannedLeg:
    """A leg quoted a tick about *price*."""
    contract = call(strike) if kind is OptionKind.CALL else put(strike)
    return PlannedLeg(
        contract=contract, side=side, bid=price - 0.0005, ask=price + 0.0005, mark=price, delta=0.0
    )


FLY = Structure(
    code=StrategyCode.IRON_BUTTERFLY,
    legs=(
        planned(1e5, OptionKind.CALL, Side.SELL, 0.050),
        planned(1e5, OptionKind.PUT, Side.SELL, 0.052),
        planned(8e4, OptionKind.PUT, Side.BUY, 0.006),
        planned(1.2e5, OptionKind.CALL, Side.BUY, 0.008),
    ),
    amount=0.1,
)


def done(
    legging: Legging, number: int, filled: float = 0.1, state: LegState = LegState.DONE
) -> Legging:
    """*legging* with its leg *number* filled at what it was quoted."""
    leg = legging.legs[number].leg
    return with_progress(
        legging,
        LegProgress(leg=leg, state=state, filled=filled, price_coin=abs(leg.taking_coin)),
    )


def test_what_is_bought_comes_first() -> None:
    """Then what is sold, the dearest first; one order at a time, for the whole amount."""
    legging = begun(FLY, NOW)
    seen = []
    for number in range(4):
        step = next_step(legging, FLY.legs, NOW, PARAMS)
        assert step.kind is StepKind.SEND
        (order,) = step.orders
        seen.append((order.side, order.contract.strike, order.amount, order.reduces))
        legging = done(legging, number)

    assert seen == [
        (Side.BUY, 1.2e5, 0.1, False),
        (Side.BUY, 8e4, 0.1, False),
        (Side.SELL, 1e5, 0.1, False),
        (Side.SELL, 1e5, 0.1, False),
    ]
    assert next_step(legging, FLY.legs, NOW, PARAMS).kind is StepKind.DONE


def test_a_working_order_is_waited_for() -> None:
    """Nothing else is sent meanwhile."""
    legging = begun(FLY, NOW)
    working = with_progress(legging, evolve(legging.legs[0], state=LegState.WORKING))
    assert next_step(working, FLY.legs, NOW, PARAMS).kind is StepKind.WAIT


@pytest.mark.parametrize("filled", [0.0, 0.04])
def test_an_order_that_ended_unfilled_ends_it_all(filled: float) -> None:
    """What was traded is taken back, bought back before sold off, a part of an order too."""
    legging = done(done(done(begun(FLY, NOW), 0), 1), 2, filled, LegState.ENDED)
    step = next_step(legging, FLY.legs, NOW, PARAMS)

    assert step.kind is StepKind.UNWIND
    expected = [(Side.SELL, 0.1), (Side.SELL, 0.1)]
    if filled:
        expected = [(Side.BUY, filled), *expected]
    assert [(order.side, order.amount) for order in step.orders] == expected
    assert all(order.reduces for order in step.orders)
    assert "was not filled" in step.reason


def test_time_runs_out() -> None:
    """At its end it still goes on, a moment later what works is cancelled first."""
    legging = done(begun(FLY, NOW), 0)
    late = NOW + PARAMS.takes_at_most
    assert next_step(legging, FLY.legs, late, PARAMS).kind is StepKind.SEND
    later = late + timedelta(seconds=1)
    assert next_step(legging, FLY.legs, later, PARAMS).kind is StepKind.UNWIND
    working = with_progress(legging, evolve(legging.legs[1], state=LegState.WORKING))
    assert next_step(working, FLY.legs, later, PARAMS).kind is StepKind.CANCEL


def test_once_all_is_traded_nothing_is_given_up() -> None:
    """However late, and whatever the quotes have become."""
    legging = begun(FLY, NOW)
    for number in range(4):
        legging = done(legging, number)
    assert next_step(legging, (), NOW + timedelta(days=1), PARAMS).kind is StepKind.DONE


def test_quotes_that_run_away_end_it() -> None:
    """Below four fifths of the planned credit, or where nobody quotes any more."""
    legging = done(done(begun(FLY, NOW), 0), 1)
    least = PARAMS.least_share * FLY.credit_coin
    spare = FLY.credit_coin - least
    for fall, kind in ((0.99 * spare, StepKind.SEND), (1.01 * spare, StepKind.UNWIND)):
        moved = tuple(
            evolve(leg, bid=leg.bid - fall) if leg is FLY.legs[0] else leg for leg in FLY.legs
        )
        assert next_step(legging, moved, NOW, PARAMS).kind is kind
    dark = tuple(evolve(leg, bid=nan, ask=nan) for leg in FLY.legs)
    assert next_step(legging, dark, NOW, PARAMS).kind is StepKind.UNWIND


def test_what_costs_may_cost_no_more_than_its_share() -> None:
    """A calendar's debit grows by a quarter at most."""
    calendar = Structure(
        code=StrategyCode.CALENDAR,
        legs=(
            planned(1e5, OptionKind.CALL, Side.SELL, 0.02),
            evolve(planned(1.02e5, OptionKind.CALL, Side.BUY, 0.05)),
        ),
        amount=0.1,
    )
    debit = -calendar.credit_coin
    legging = begun(calendar, NOW)
    for rise, kind in ((0.24 * debit, StepKind.SEND), (0.26 * debit, StepKind.UNWIND)):
        dearer = (calendar.legs[0], evolve(calendar.legs[1], ask=calendar.legs[1].ask + rise))
        step = next_step(legging, dearer, NOW, PARAMS)
        assert step.kind is kind
        assert not (kind is StepKind.UNWIND and step.orders)  # nothing was traded yet


@settings(derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(["fill", "end", "part"]), min_size=1, max_size=4))
def test_nothing_sold_is_ever_unprotected(fates: list[str]) -> None:
    """Whatever becomes of the legs, no short is open without a long of its kind bought before."""
    legging = begun(FLY, NOW)
    for number, fate in enumerate(fates):
        step = next_step(legging, FLY.legs, NOW, PARAMS)
        if step.kind is not StepKind.SEND:
            break
        bought = {
            each.leg.contract.kind
            for each in legging.legs
            if each.leg.side is Side.BUY and each.state is LegState.DONE
        }
        (order,) = step.orders
        assert order.side is Side.BUY or order.contract.kind in bought
        filled = {"fill": 0.1, "end": 0.0, "part": 0.03}[fate]
        state = LegState.DONE if fate == "fill" else LegState.ENDED
        legging = done(legging, number, filled, state)
    step = next_step(legging, FLY.legs, NOW, PARAMS)
    if step.kind is StepKind.UNWIND:
        sides = [order.side for order in step.orders]
        assert sides == sorted(sides, key=lambda side: side is Side.SELL)
        assert sum(order.amount for order in step.orders) == pytest.approx(
            sum(each.filled for each in legging.legs)
        )
