"""Legs one after the other: what protects first, and when the rest is given up."""

from datetime import timedelta
from typing import TypeAlias

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.greg.catalogue import CATALOGUE, StrategyCode
from core.greg.executing import opening_orders
from core.greg.legging import (
    Legging,
    LeggingParams,
    LegOrder,
    begun,
    in_order,
    taking_back,
    why_given_up,
)
from core.greg.structures import PlannedLeg, Structure, structure_of
from core.greg.thresholds import EntryWindows
from ports.chain import ChainTable
from ports.instruments import OptionKind
from ports.trading import Side
from tests.support.markets import NOW, Listed, call, put, snapshot
from tests.support.sensing import chain_at

PARAMS = LeggingParams()
CALL, PUT = OptionKind.CALL, OptionKind.PUT
# what an iron fly trades, with its prices at the other side: it brings 0.102 less 0.014
FLY = (
    (1.2e5, CALL, Side.BUY, 0.008),
    (8e4, PUT, Side.BUY, 0.006),
    (1e5, PUT, Side.SELL, 0.052),
    (1e5, CALL, Side.SELL, 0.050),
)
FLY_COIN = 0.088
CALENDAR = ((1.02e5, CALL, Side.BUY, 0.05), (1e5, CALL, Side.SELL, 0.02))
CALENDAR_COIN = -0.03


Legs: TypeAlias = tuple[tuple[float, OptionKind, Side, float], ...]


def orders_of(legs: Legs) -> list[LegOrder]:
    return [
        LegOrder(contract=call(strike) if kind is CALL else put(strike), side=side, amount=0.1)
        for strike, kind, side, _ in legs
    ]


def quoted(legs: Legs, lower: float = 0.0) -> ChainTable:
    """Legs quoted at their prices, the last one, which is sold, so much *lower*."""
    prices = [price for *_, price in legs]
    prices[-1] -= lower
    return snapshot(
        *(
            Listed(contract=order.contract, bid=price, ask=price, mark=price, mark_iv=0.6)
            for order, price in zip(orders_of(legs), prices, strict=True)
        )
    ).chain


def fly() -> Legging:
    return begun(orders_of(FLY), quoted(FLY), NOW)


@pytest.mark.parametrize("code", [code for code, info in CATALOGUE.items() if info.legs])
def test_what_is_bought_comes_first(code: StrategyCode) -> None:
    """Then what is sold, within either the dearest first; every order for the whole amount."""
    found = structure_of(code, chain_at(NOW, (9.0, 28.0, 37.0)), EntryWindows())
    assert isinstance(found, Structure)
    legs = in_order(found)
    orders = opening_orders(evolve(found, amount=0.3))

    assert sorted(map(_told, legs)) == sorted(map(_told, found.legs))
    assert list(legs) == sorted(legs, key=lambda leg: (leg.side is Side.SELL, -leg.mark))
    assert [(each.contract, each.side) for each in orders] == [
        (leg.contract, leg.side) for leg in legs
    ]
    assert {(each.amount, each.reduces) for each in orders} == {(0.3, False)}


def _told(leg: PlannedLeg) -> str:
    return f"{leg.side} {leg.contract.symbol}"


def test_what_closes_is_no_part_of_it() -> None:
    """A roll is planned by what it opens."""
    closing = [evolve(each, reduces=True) for each in orders_of(CALENDAR)]
    legging = begun([*closing, *orders_of(FLY)], quoted(FLY), NOW)

    assert legging == fly()
    assert legging.planned_coin == pytest.approx(FLY_COIN)


def test_time_runs_out() -> None:
    """At its end it still goes on, a moment later it does not."""
    late = NOW + PARAMS.takes_at_most
    assert why_given_up(fly(), quoted(FLY), late, PARAMS) == ""
    why = why_given_up(fly(), quoted(FLY), late + timedelta(microseconds=1), PARAMS)
    assert why == "not done within 0:05:00"


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_a_credit_that_runs_away_ends_it(done: int) -> None:
    """Below four fifths of the plan, however much is traded; where nobody quotes any more, too."""
    legging = fly()
    for *_, price in FLY[:done]:
        legging = legging.traded(price)
    spare = 0.2 * FLY_COIN

    assert len(legging.left) == 4 - done
    assert why_given_up(legging, quoted(FLY, 0.99 * spare), NOW, PARAMS) == ""
    assert "was planned" in why_given_up(legging, quoted(FLY, 1.01 * spare), NOW, PARAMS)
    nobody = quoted(FLY[:3])
    assert "it would bring nan" in why_given_up(legging, nobody, NOW, PARAMS)


def test_what_was_traded_worse_counts() -> None:
    """By the limits of the orders that were filled, not by what is quoted for them now."""
    one = fly().traded(0.008 + 0.2 * FLY_COIN * 1.01)

    assert "was planned" in why_given_up(one, quoted(FLY), NOW, PARAMS)


def test_what_costs_may_cost_no_more_than_its_share() -> None:
    """A calendar's debit grows by a quarter at most."""
    legging = begun(orders_of(CALENDAR), quoted(CALENDAR), NOW)
    spare = 0.25 * -CALENDAR_COIN

    assert legging.planned_coin == pytest.approx(CALENDAR_COIN)
    assert why_given_up(legging, quoted(CALENDAR, 0.99 * spare), NOW, PARAMS) == ""
    assert why_given_up(legging, quoted(CALENDAR, 1.01 * spare), NOW, PARAMS) != ""


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=0, max_size=4))
def test_nothing_sold_is_left_unprotected(amounts: list[float]) -> None:
    """What was traded so far is taken back whole, bought back before sold off."""
    traded = [
        evolve(order, amount=amount) for order, amount in zip(orders_of(FLY), amounts, strict=False)
    ]
    back = taking_back(traded)
    sides = [order.side for order in back]

    assert sides == sorted(sides, key=lambda side: side is Side.SELL)
    assert all(order.reduces for order in back)
    assert {(each.contract, each.amount, -each.side.sign) for each in back} == {
        (each.contract, each.amount, each.side.sign) for each in traded
    }
