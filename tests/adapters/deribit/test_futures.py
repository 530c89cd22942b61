"""Futures at Deribit: what the account holds of them, orders on the perpetual, its funding."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from adapters.deribit.history import DeribitHistory
from ports.errors import Malformed
from ports.instruments import FutureContract
from ports.trading import OrderIntent, Side
from tests.support.deribit_account import (
    BUY,
    INTENT,
    OPEN,
    POSITIONS,
    SUMMARY,
    TRADES,
    Row,
    answering,
    order,
    quiet,
    trade,
    trades,
    trading,
)
from tests.support.deribit_venue import NOW, result

PERPETUAL = FutureContract("BTC")
FUNDING = "public/get_funding_rate_value"
ACCOUNT: Row = {
    "currency": "BTC",
    "balance": 1.5,
    "equity": 1.49,
    "initial_margin": 0.05,
    "maintenance_margin": 0.03,
}
HELD: Row = {
    "instrument_name": "BTC-PERPETUAL",
    "direction": "sell",
    "size": -50_000.0,
    "size_currency": -0.625,
    "average_price": 81_000.0,
    "mark_price": 80_000.0,
    "floating_profit_loss": -0.012,
    "realized_profit_loss": 0.002,
}
FLAT = HELD | {"direction": "zero", "size": 0.0, "floating_profit_loss": 0.0}
DATED = HELD | {"instrument_name": "BTC-25SEP26", "direction": "buy", "size": 100.0}
HEDGE: OrderIntent = evolve(
    INTENT, contract=PERPETUAL, side=Side.BUY, amount=50_000.0, price=80_000.5
)
HEDGE_ROW = order(instrument_name="BTC-PERPETUAL", direction="buy", amount=50_000.0, price=80_000.5)


async def test_futures_are_positions_of_the_account() -> None:
    """The perpetual and dated futures: size in USD, signed, the session's profit in coin."""
    venue = answering(SUMMARY, ACCOUNT).on(POSITIONS, result([HELD, DATED]))
    account = await trading(venue).account("BTC")

    assert account.positions == ()
    perpetual, dated = account.futures
    assert (perpetual.contract, perpetual.size_usd) == (PERPETUAL, -50_000.0)
    assert perpetual.size_coin == -0.625
    assert perpetual.profit_coin == -0.012 + 0.002
    assert (dated.contract.symbol, dated.size_usd) == ("BTC-25SEP26", 100.0)


async def test_a_closed_future_is_told_until_it_is_settled() -> None:
    """Nothing held, but its profit is equity; without profit it is none."""
    settled = FLAT | {"realized_profit_loss": 0.0, "instrument_name": "BTC-25SEP26"}
    venue = answering(SUMMARY, ACCOUNT).on(POSITIONS, result([FLAT, settled]))
    account = await trading(venue).account("BTC")

    assert [(held.contract, held.profit_coin) for held in account.futures] == [(PERPETUAL, 0.002)]


@pytest.mark.parametrize("missing", ["floating_profit_loss", "realized_profit_loss"])
async def test_a_future_without_its_profit_is_malformed(missing: str) -> None:
    """Equity could not be told apart from balance: nothing is known then."""
    venue = answering(SUMMARY, ACCOUNT).on(POSITIONS, result([HELD | {missing: None}]))
    with pytest.raises(Malformed):
        await trading(venue).account("BTC")


async def test_an_order_on_the_perpetual_is_counted_in_usd() -> None:
    """Amount and price go out as they are, and its trades come back as fills."""
    made = trade(instrument_name="BTC-PERPETUAL", direction="buy", amount=20_000.0, price=80_000.0)
    venue = answering(BUY, {"order": HEDGE_ROW, "trades": [made]})
    placed = await trading(venue).place(HEDGE)

    (sent,) = venue.params(BUY)
    assert (sent["instrument_name"], sent["amount"], sent["price"]) == (
        "BTC-PERPETUAL",
        50_000.0,
        80_000.5,
    )
    assert placed.order.contract == PERPETUAL
    assert [(fill.contract, fill.amount) for fill in placed.fills] == [(PERPETUAL, 20_000.0)]


async def test_orders_on_futures_are_working_orders() -> None:
    """Those on combinations and spot pairs are neither ours nor options or futures."""
    others = [
        order("BTC-8", instrument_name="BTC-CS-28AUG26-100000_110000"),
        order("BTC-9", instrument_name="BTC_USDC"),
    ]
    venue = answering(OPEN, [order("BTC-1"), HEDGE_ROW | {"order_id": "BTC-2"}, *others])
    orders = await trading(venue).open_orders("BTC")

    assert [each.order_id for each in orders] == ["BTC-1", "BTC-2"]


async def test_trades_in_futures_are_activity() -> None:
    """A rebate is a negative fee; trades of combinations and spot pairs are left out."""
    made = trade("7", instrument_name="BTC-PERPETUAL", amount=10.0, price=80_000.0, fee=-0.0001)
    spot = trade("8", instrument_name="BTC_USDC", fee_currency="USDC")
    venue = quiet().on(TRADES, trades(made, spot))
    activity = await trading(venue).activity("BTC", NOW - timedelta(hours=1))

    assert [(fill.contract, fill.fee_coin) for fill in activity.fills] == [(PERPETUAL, -0.0001)]


async def test_funding_is_the_venues_own_sum() -> None:
    """Between the instants asked for, of the perpetual."""
    venue = quiet().on(FUNDING, result(-0.000123))
    history = DeribitHistory(trading(venue).client)

    assert await history.funding("BTC", NOW - timedelta(hours=8), NOW) == -0.000123
    (sent,) = venue.params(FUNDING)
    assert sent["instrument_name"] == "BTC-PERPETUAL"
    assert sent["end_timestamp"] - sent["start_timestamp"] == 8 * 3_600_000


@pytest.mark.parametrize("told", [None, True, "0.1", [0.1], 1.5])
async def test_funding_that_cannot_be_meant_is_malformed(told: Any) -> None:
    """Text, truth, or more than the whole position."""
    venue = quiet().on(FUNDING, result(told))
    with pytest.raises(Malformed):
        await DeribitHistory(trading(venue).client).funding("BTC", NOW - timedelta(hours=8), NOW)
