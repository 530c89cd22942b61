"""Futures held at the venue: counted in delta and coin, never judged as options."""

import pytest
from attrs import evolve

from core.risk.engine import judge
from core.risk.exposure import coin_lots
from core.risk.size_controls import net_delta_after
from ports.instruments import FutureContract
from ports.trading import FuturePosition, Order, OrderState, Side
from tests.support.books import account, intent
from tests.support.markets import FRIDAY, NOW, RULES, call
from tests.support.risk_calm import calm, limits

PERPETUAL = FutureContract("BTC")
MARK = 100_000.0


def future(size_coin: float, profit_coin: float = 0.0) -> FuturePosition:
    return FuturePosition(
        contract=PERPETUAL,
        size_usd=size_coin * MARK,
        average_price=MARK,
        mark=MARK,
        profit_coin=profit_coin,
    )


def delta_told(size_coin: float, *external: Order) -> float:
    """The net delta that control 7 names once nothing is allowed."""
    case = limits(max_net_delta_abs=0.0)(calm())
    held = evolve(case.state.account, futures=(future(size_coin),))
    said = net_delta_after(case.intent, evolve(case.state, account=held, external=external))
    assert said is not None
    return float(said.split()[2])


@pytest.mark.parametrize("size_coin", [-2.0, 0.5, 3.0])
def test_the_perpetual_counts_in_net_delta(size_coin: float) -> None:
    """Coin for coin."""
    assert delta_told(size_coin) - delta_told(0.0) == pytest.approx(size_coin, abs=2e-4)


def test_an_order_on_the_perpetual_may_be_filled_or_not() -> None:
    """The worse of the two counts: a working buy of 40,000 USD on top of a long, and not a
    working sell."""
    both = delta_told(3.0, working(Side.BUY, 40_000.0), working(Side.SELL, 90_000.0))

    assert both - delta_told(3.0) == pytest.approx(
        40_000.0 / calm().state.snapshot.index_usd, abs=2e-4
    )


def working(side: Side, usd: float) -> Order:
    """A working order of somebody's on the perpetual."""
    return Order(
        order_id=f"BTC-{side}",
        label=None,
        contract=PERPETUAL,
        side=side,
        amount=usd,
        filled_amount=0.0,
        price=MARK,
        reduce_only=False,
        state=OrderState.OPEN,
        created_at=NOW,
    )


def test_an_unsettled_loss_covers_nothing() -> None:
    """Ten coin and a loss of 0.31 cover 9.6 contracts; a gain covers no more than the balance."""
    held = account(balance_coin=10.0)

    assert coin_lots(evolve(held, futures=(future(1.0, -0.31),)), RULES) == 96
    assert coin_lots(evolve(held, futures=(future(1.0, 0.31),)), RULES) == 100


def test_an_order_on_a_future_is_not_let_pass_as_an_option() -> None:
    """It has controls of its own: a tenth of a dollar is no lot, and it belongs to no position."""
    case = calm()
    order = evolve(case.intent, contract=PERPETUAL, amount=0.1)

    assert judge(case.intent, case.state).approved
    refused = {breach.control for breach in judge(order, case.state).breaches}
    assert {1, 11} <= refused


def test_a_future_has_no_option() -> None:
    """Who deals in options only is told so; an option is itself."""
    order = evolve(intent(), contract=PERPETUAL)

    assert intent(call(90_000.0, FRIDAY)).option == call(90_000.0, FRIDAY)
    with pytest.raises(ValueError, match="BTC-PERPETUAL is not an option"):
        _ = order.option
