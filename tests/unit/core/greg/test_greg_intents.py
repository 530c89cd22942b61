"""Legs and hedges as orders: their side, price and size on the grids, in Greg's name."""

from math import nan

import pytest
from attrs import evolve

from core.execution.intents import Drafting, OrderParams, Unpriced
from core.greg.catalogue import STRATEGY_ID, StrategyCode
from core.greg.hedging import HedgeOrder
from core.greg.intents import hedge_intent, leg_intent
from core.greg.legging import LegOrder
from core.simulation.perpetual import future_rules
from ports.instruments import FutureContract
from ports.trading import OrderIntent, Side
from tests.support.markets import NOW, Listed, call, snapshot

CALL = call(110_000.0)
DRAFTING = Drafting(
    snapshot=snapshot(Listed(contract=CALL, bid=0.0155, ask=0.017, mark=0.016)),
    now=NOW,
    counter=7,
    params=OrderParams(),
)
HEDGE = HedgeOrder(
    underlying="BTC",
    instrument="BTC-PERPETUAL",
    needed=-0.2345,
    net_delta_before=0.2345,
    net_delta_after=0.0,
    strategy_position_id="p",
    strategy_type=StrategyCode.STRADDLE,
    timestamp=NOW,
)


@pytest.mark.parametrize(
    ("side", "reduces", "price", "leg"),
    [(Side.SELL, False, 0.0155, "leg"), (Side.BUY, True, 0.017, "unwind")],
)
def test_a_leg_takes_the_other_sides_price(
    side: Side, reduces: bool, price: float, leg: str
) -> None:
    """In whole lots, dated, in the strategy's own name; what takes back may only reduce."""
    order = LegOrder(contract=CALL, side=side, amount=0.37, reduces=reduces)
    found = leg_intent(order, "p", DRAFTING)

    assert isinstance(found, OrderIntent)
    assert (found.side, found.price, found.amount) == (side, price, 0.3)
    assert (found.reduce_only, found.position_id, found.contract) == (reduces, "p", CALL)
    assert found.strategy_id == STRATEGY_ID
    assert found.label.endswith(f".000007.{leg}")
    assert NOW < found.valid_until < found.expires_at


def test_a_leg_that_nobody_takes_has_no_price() -> None:
    """Nor has one of nothing, and none is made up."""
    dark = evolve(DRAFTING, snapshot=snapshot(Listed(contract=CALL, bid=nan, ask=0.017)))
    for amount, drafting in ((0.3, dark), (0.05, DRAFTING)):
        order = LegOrder(contract=CALL, side=Side.SELL, amount=amount)
        assert isinstance(leg_intent(order, "p", drafting), Unpriced)
    unlisted = LegOrder(contract=call(999_000.0), side=Side.BUY, amount=0.3)
    assert isinstance(leg_intent(unlisted, "p", DRAFTING), Unpriced)


@pytest.mark.parametrize(
    ("needed", "shown", "amount", "side"),
    [(0.151249, 0.1512, 14_220.0, Side.BUY), (-0.151951, 0.152, 14_280.0, Side.SELL)],
)
def test_usd_are_of_the_coin_that_is_needed(
    needed: float, shown: float, amount: float, side: Side
) -> None:
    """14,217.4 and 14,283.4 USD, rounded once: what is shown would make 14,210 and 14,290."""
    order = evolve(HEDGE, needed=needed)
    market = snapshot(Listed(contract=CALL, bid=0.0155, ask=0.017), index_usd=94_000.0)
    found = hedge_intent(order, 94_000.0, future_rules("BTC"), evolve(DRAFTING, snapshot=market))

    assert found is not None
    assert (found.amount, found.side, order.size) == (amount, side, shown)


@pytest.mark.parametrize(
    ("size", "amount"), [(0.2345, 23_450.0), (0.00016, 20.0), (0.0001, 10.0), (0.00009, None)]
)
def test_a_hedge_is_usd_in_lots(size: float, amount: float | None) -> None:
    """By the index of the moment; below one lot there is none."""
    found = hedge_intent(evolve(HEDGE, needed=-size), 99_999.8, future_rules("BTC"), DRAFTING)
    if amount is None:
        assert found is None
    else:
        assert found is not None
        assert found.amount == amount
        assert (found.contract, found.side, found.price) == (
            FutureContract("BTC"),
            Side.SELL,
            99_999.5,
        )
        assert found.position_id == "p"
