"""DryRun: the real account is read, and nothing that writes ever reaches it."""

from datetime import timedelta

import pytest
from attrs import define, field

from core.simulation.dry_run import DryRun, real_deposits
from ports.errors import Refused
from ports.instruments import FutureContract
from ports.trading import (
    Account,
    Activity,
    Fill,
    FuturePosition,
    Order,
    OrderState,
    Position,
    Side,
)
from ports.venue_log import Deposit
from tests.support.markets import NOW, Listed, call
from tests.support.venues import VenueRig, intent

HELD, SOLD = call(120_000.0), call(110_000.0)
ROWS = (
    Listed(contract=SOLD, bid=0.03, ask=0.031, mark=0.02, mark_iv=0.6),
    Listed(contract=HELD, bid=0.01, ask=0.011, mark=0.01, mark_iv=0.6),
)
LONG = FuturePosition(
    contract=FutureContract("BTC"),
    size_usd=10_000.0,
    average_price=80_000.0,
    mark=100_000.0,
    profit_coin=0.025,
)
ACCOUNT = Account(
    underlying="BTC",
    read_at=NOW - timedelta(seconds=1),
    balance_coin=3.0,
    equity_coin=2.9,
    initial_margin_coin=0.5,
    maintenance_margin_coin=0.25,
    positions=(Position(contract=HELD, size=-1.0, average_price=0.02, mark=0.01),),
    futures=(LONG,),
)
ORDER = Order(
    order_id="real-1",
    label=None,
    contract=HELD,
    side=Side.BUY,
    amount=1.0,
    filled_amount=0.0,
    price=0.005,
    reduce_only=True,
    state=OrderState.OPEN,
    created_at=NOW - timedelta(days=1),
)
FILL = Fill(
    trade_id="real-trade",
    order_id="real-0",
    label=None,
    contract=HELD,
    side=Side.SELL,
    amount=1.0,
    price=0.02,
    fee_coin=0.0003,
    index_usd=100_000.0,
    at=NOW - timedelta(hours=1),
    is_maker=False,
)


@define
class Real:
    """A real account that can only be read: it has no other methods."""

    asked: list[str] = field(factory=list)

    async def account(self, underlying: str) -> Account:
        self.asked.append("account")
        return ACCOUNT

    async def open_orders(self, underlying: str) -> tuple[Order, ...]:
        return (ORDER,)

    async def activity(self, underlying: str, since: object) -> Activity:
        return Activity(fills=(FILL,), deliveries=())


async def dry() -> DryRun:
    rig = await VenueRig.opened(*ROWS, deposit_coin=3.0)
    return DryRun(real=Real(), simulated=rig.venue, deposits={"BTC": 3.0})


async def test_an_account_without_simulated_orders_is_the_real_one() -> None:
    """Balances, margins and positions are those of the venue, as old as they are."""
    assert await (await dry()).account("BTC") == ACCOUNT


async def test_what_simulated_orders_make_is_added() -> None:
    """A premium of 0.03 less its fee is in the balance, the short call beside the real one."""
    trading = await dry()
    placed = await trading.place(intent(SOLD, Side.SELL, 1.0, 0.03, at=NOW))
    account = await trading.account("BTC")

    assert placed.order.state is OrderState.FILLED
    assert account.balance_coin == pytest.approx(3.0 + 0.03 - 0.0003, abs=1e-12)
    assert account.equity_coin == pytest.approx(2.9 + 0.03 - 0.0003 - 0.02, abs=1e-12)
    assert account.initial_margin_coin > 0.5
    assert [(each.contract, each.size) for each in account.positions] == [
        (SOLD, -1.0),
        (HELD, -1.0),
    ]


async def test_positions_in_one_contract_are_one() -> None:
    """Real and simulated contracts of a kind add up, at the average of their prices."""
    trading = await dry()
    await trading.place(intent(HELD, Side.SELL, 1.0, 0.01, at=NOW))
    (position,) = (await trading.account("BTC")).positions

    assert (position.contract, position.size) == (HELD, -2.0)
    assert position.average_price == pytest.approx(0.015, abs=1e-15)


async def test_futures_in_one_contract_are_one() -> None:
    """Sizes and profits add up; of two longs the price is the mean of their coin."""
    simulated = (await VenueRig.opened(*ROWS, deposit_coin=3.0)).venue
    trading = DryRun(real=Real(), simulated=simulated, deposits={"BTC": 3.0})
    before = (await trading.account("BTC")).futures
    bought = await trading.place(intent(LONG.contract, Side.BUY, 20_000.0, 101_000.0, at=NOW))
    account = await trading.account("BTC")
    (held,) = account.futures

    assert before == (LONG,)
    paid = bought.fills[0].price
    assert held.size_usd == 30_000.0
    assert held.average_price == pytest.approx(30_000.0 / (10_000.0 / 80_000.0 + 20_000.0 / paid))
    gained = 20_000.0 / paid - 20_000.0 / (await simulated.account("BTC")).futures[0].mark
    assert held.profit_coin == pytest.approx(LONG.profit_coin + gained, abs=1e-12)


async def test_a_smaller_simulated_future_leaves_the_real_price() -> None:
    """What is left of a long after a smaller short was entered where the long was."""
    trading = await dry()
    await trading.place(intent(LONG.contract, Side.SELL, 4_000.0, 99_000.0, at=NOW))
    (held,) = (await trading.account("BTC")).futures

    assert (held.size_usd, held.average_price) == (6_000.0, LONG.average_price)


async def test_lists_hold_both() -> None:
    """Working orders and trades of the real account come with the simulated ones, in order."""
    trading = await dry()
    placed = await trading.place(intent(SOLD, Side.SELL, 1.0, 0.03, at=NOW))
    resting = await trading.place(intent(SOLD, Side.SELL, 1.0, 0.04, at=NOW, label="resting"))
    activity = await trading.activity("BTC", NOW - timedelta(days=2))

    assert [each.order_id for each in await trading.open_orders("BTC")] == [
        "real-1",
        resting.order.order_id,
    ]
    assert [each.trade_id for each in activity.fills] == ["real-trade", placed.fills[0].trade_id]


async def test_a_real_order_cannot_be_cancelled() -> None:
    """It is refused as one that is not there."""
    with pytest.raises(Refused):
        await (await dry()).cancel(ORDER)


async def test_it_begins_with_the_real_balances() -> None:
    """An account without coin makes no deposit."""
    assert await real_deposits(Real(), ("BTC",)) == (Deposit("BTC", 3.0),)
