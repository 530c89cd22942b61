"""The perpetual over the wire: market, orders, position, account, funding, settlement, channels."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ports.checks import epoch_ms
from tests.support.exchanges import START, ExchangeRig, Fields, refusal, served, websocket

NAME = "BTC-PERPETUAL"
HOUR_MS = 3_600_000


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


async def ticker(rig: ExchangeRig, name: str = NAME) -> Fields:
    told: Fields = await rig.call("public/ticker", instrument_name=name)
    return told


async def buy(rig: ExchangeRig, amount: float, **params: Any) -> Fields:
    told: Fields = await rig.call(
        "private/buy", **{"instrument_name": NAME, "amount": amount, "type": "market"} | params
    )
    return told


async def position(rig: ExchangeRig) -> Fields:
    told: Fields = await rig.call("private/get_position", instrument_name=NAME)
    return told


async def account(rig: ExchangeRig) -> Fields:
    told: Fields = await rig.call("private/get_account_summary", currency="BTC")
    return told


@pytest.mark.parametrize(("coin", "tick", "contract"), [("BTC", 0.5, 10.0), ("ETH", 0.05, 1.0)])
async def test_the_perpetual_is_listed(
    rig: ExchangeRig, coin: str, tick: float, contract: float
) -> None:
    """As the one future of each coin, counted in USD, without an end."""
    (listed,) = await rig.call("public/get_instruments", currency=coin, kind="future")

    assert listed["instrument_name"] == f"{coin}-PERPETUAL"
    assert (listed["tick_size"], listed["contract_size"]) == (tick, contract)
    assert (listed["min_trade_amount"], listed["quote_currency"]) == (contract, "USD")
    assert (listed["settlement_period"], listed["taker_commission"]) == ("perpetual", 0.0005)


async def test_the_ticker_has_its_funding(rig: ExchangeRig) -> None:
    """current_funding is the published formula of mark and index."""
    told = await ticker(rig)
    premium = told["mark_price"] / told["index_price"] - 1.0

    assert told["current_funding"] == pytest.approx(
        max(0.00025, premium) + min(-0.00025, premium), abs=1e-8
    )
    assert told["min_price"] < told["best_bid_price"] <= told["mark_price"]
    assert told["mark_price"] <= told["best_ask_price"] < told["max_price"]
    assert isinstance(told["funding_8h"], float)
    assert isinstance(told["interest_value"], float)


async def test_a_market_order_fills_and_is_held(rig: ExchangeRig) -> None:
    """Order, trade, position and account tell the same trade, in USD and in coin."""
    shown, before = await ticker(rig), await account(rig)
    told = await buy(rig, 50_000.0, label="hedge")
    order, (trade,) = told["order"], told["trades"]
    held, after = await position(rig), await account(rig)

    assert (order["order_state"], order["price"], order["order_type"]) == (
        "filled",
        "market_price",
        "market",
    )
    assert (order["amount"], order["contracts"], order["filled_amount"]) == (50_000, 5_000, 50_000)
    assert trade["price"] == order["average_price"] == shown["best_ask_price"]
    assert (trade["amount"], trade["contracts"], trade["fee_currency"]) == (50_000, 5_000, "BTC")
    assert trade["fee"] == pytest.approx(0.0005 * 50_000 / trade["price"])
    assert "iv" not in trade
    assert (held["kind"], held["direction"], held["size"]) == ("future", "buy", 50_000)
    assert held["size_currency"] == pytest.approx(50_000 / shown["mark_price"], abs=1e-8)
    assert held["delta"] == held["size_currency"]
    profit = 50_000 / trade["price"] - 50_000 / shown["mark_price"]
    assert held["floating_profit_loss"] == pytest.approx(profit, abs=1e-8)
    assert after["balance"] == pytest.approx(before["balance"] - trade["fee"])
    assert after["equity"] == pytest.approx(
        after["balance"] + after["futures_session_upl"] + after["futures_session_rpl"]
    )
    assert after["delta_total"] == pytest.approx(held["size_currency"])
    assert after["initial_margin"] == pytest.approx(held["initial_margin"])
    assert after["available_funds"] == pytest.approx(
        after["margin_balance"] - after["initial_margin"]
    )


async def test_positions_are_told_by_kind(rig: ExchangeRig) -> None:
    """Options and futures apart and together."""
    option = await rig.quoted()
    await buy(rig, 10.0)
    await buy(rig, 0.1, instrument_name=option["instrument_name"])
    names = {
        kind: {
            each["instrument_name"]
            for each in await rig.call("private/get_positions", currency="BTC", kind=kind)
        }
        for kind in ("any", "future", "option")
    }

    assert names["future"] == {NAME}
    assert names["option"] == {option["instrument_name"]}
    assert names["any"] == names["future"] | names["option"]


async def test_orders_rest_are_edited_and_cancelled(rig: ExchangeRig) -> None:
    """A limit below the market rests in the book, moves, and goes."""
    shown = await ticker(rig)
    price = shown["best_bid_price"] - 100.0
    told = await buy(rig, 100.0, type="limit", price=price)
    order_id = told["order"]["order_id"]
    moved = await rig.call("private/edit", order_id=order_id, amount=200.0, price=price + 0.5)
    book = await rig.call("public/get_order_book", instrument_name=NAME, depth=5)
    futures = await rig.call("private/get_open_orders", kind="future")
    gone = await rig.call("private/cancel", order_id=order_id)

    assert (moved["order"]["amount"], moved["order"]["price"]) == (200.0, price + 0.5)
    assert [price + 0.5, 200.0] in book["bids"]
    assert [each["order_id"] for each in futures] == [order_id]
    assert await rig.call("private/get_open_orders", kind="option") == []
    assert (gone["order_state"], gone["cancel_reason"]) == ("cancelled", "user_request")


async def test_what_is_closed_is_not_edited(rig: ExchangeRig) -> None:
    """A filled order is not open, whatever the edit would change."""
    order = (await buy(rig, 100.0))["order"]
    changes: tuple[Fields, ...] = ({"price": order["average_price"]}, {"amount": 100.0}, {})
    errors = [
        await refusal(rig, "private/edit", order_id=order["order_id"], **each) for each in changes
    ]

    assert [error.code for error in errors] == [11044] * 3


async def test_an_edit_keeps_an_iceberg_large(rig: ExchangeRig) -> None:
    """What an edit would show is held to the same least as what an order shows."""
    price = (await ticker(rig))["best_bid_price"] - 100.0
    order = (await buy(rig, 5_000.0, type="limit", price=price))["order"]
    error = await refusal(rig, "private/edit", order_id=order["order_id"], display_amount=10.0)

    assert error.code == 10036


async def test_a_pair_that_is_not_traded_cancels_nothing(rig: ExchangeRig) -> None:
    """Orders of btc_usd are none of btc_usdc."""
    price = (await ticker(rig))["best_bid_price"] - 100.0
    await buy(rig, 100.0, type="limit", price=price)
    cancelled = [
        await rig.call("private/cancel_all_by_currency_pair", currency_pair=pair)
        for pair in ("btc_usdc", "btc_usd")
    ]

    assert cancelled == [0, 1]


async def test_a_limit_beyond_the_band_is_brought_into_it(rig: ExchangeRig) -> None:
    """Futures are clamped, not refused."""
    shown = await ticker(rig)
    told = await buy(rig, 10.0, type="limit", price=shown["max_price"] + 1_000.0)

    assert told["order"]["price"] == shown["max_price"]
    assert told["order"]["order_state"] == "filled"


BAD_ORDERS: dict[str, tuple[Fields, int]] = {
    "not whole contracts": ({"amount": 15.0}, 10021),
    "below the least": ({"amount": 1.0}, 10002),
    "off the tick": ({"type": "limit", "price": 50_000.3}, 10043),
    "contradicting contracts": ({"amount": 100.0, "contracts": 11.0}, -32602),
    "in volatility": ({"type": "limit", "price": 50.0, "advanced": "implv"}, 11038),
    "a small iceberg": ({"type": "limit", "price": 50_000.0, "display_amount": 10.0}, 10036),
    "too much": ({"amount": 10**9}, 10009),
    "more than any contracts": ({"amount": None, "contracts": 1e308}, -32602),
    "less than any price": ({"type": "limit", "price": 1e-12}, 10023),
    "more than any price": ({"type": "limit", "price": 1e308}, -32602),
    "nothing to reduce": ({"reduce_only": True}, 11030),
}


@pytest.mark.parametrize("name", BAD_ORDERS)
async def test_orders_that_are_refused(rig: ExchangeRig, name: str) -> None:
    """With the code of the venue, and nothing is placed."""
    changes, code = BAD_ORDERS[name]
    order = {"instrument_name": NAME, "amount": 10.0, "type": "market"}

    assert (await refusal(rig, "private/buy", **order | changes)).code == code
    assert await rig.call("private/get_open_orders") == []


async def test_contracts_are_another_word_for_the_amount(rig: ExchangeRig) -> None:
    """Seven contracts are 70 USD."""
    told = await rig.call("private/buy", instrument_name=NAME, contracts=7, type="market")

    assert (told["order"]["amount"], told["order"]["contracts"]) == (70.0, 7.0)


async def test_close_position_ends_it(rig: ExchangeRig) -> None:
    """With a reduce-only order; what it earned is realised, and told until it is settled."""
    await buy(rig, 1_000.0)
    told = await rig.call("private/close_position", instrument_name=NAME, type="market")
    held = await position(rig)

    assert (told["order"]["reduce_only"], told["order"]["order_state"]) == (True, "filled")
    assert (held["direction"], held["size"]) == ("zero", 0.0)
    assert held["realized_profit_loss"] == pytest.approx(told["trades"][0]["profit_loss"])
    error = await refusal(rig, "private/close_position", instrument_name=NAME, type="market")
    assert error.code == 10010


async def test_funding_is_paid_by_the_hour_as_told(rig: ExchangeRig) -> None:
    """What the rate history says of five hours, times the coin held, is what was paid."""
    await buy(rig, 100_000.0)
    await rig.step(hours=5)
    held, shown = await position(rig), await ticker(rig)
    start, end = epoch_ms(START), epoch_ms(START) + 5 * HOUR_MS
    span = {"instrument_name": NAME, "start_timestamp": start, "end_timestamp": end}
    value = await rig.call("public/get_funding_rate_value", **span)
    rows = await rig.call("public/get_funding_rate_history", **span)

    assert value != 0.0
    assert sum(row["interest_1h"] for row in rows) == pytest.approx(value, abs=1e-12)
    paid = -value * 100_000.0 / shown["index_price"]
    assert held["realized_funding"] == pytest.approx(paid, abs=1e-12)
    chart = await rig.call("public/get_funding_chart_data", instrument_name=NAME, length="8h")
    assert chart["interest_8h"] == pytest.approx(shown["funding_8h"], abs=1e-12)
    assert len(chart["data"]) == 49


async def test_the_day_is_settled_at_eight(rig: ExchangeRig) -> None:
    """The session's profit becomes balance, once, with a line in the log and in the history."""
    await buy(rig, 100_000.0)
    before = (await account(rig))["balance"]
    await rig.step(hours=23)
    (settled,) = (
        await rig.call(
            "private/get_settlement_history_by_currency", currency="BTC", type="settlement"
        )
    )["settlements"]
    log = await rig.call(
        "private/get_transaction_log",
        currency="BTC",
        start_timestamp=0,
        end_timestamp=epoch_ms(START + timedelta(days=2)),
        query="settlement",
    )
    public = await rig.call(
        "public/get_last_settlements_by_instrument", instrument_name=NAME, type="settlement"
    )
    (line,) = log["logs"]

    assert (settled["instrument_name"], settled["position"]) == (NAME, 100_000.0)
    assert settled["timestamp"] == epoch_ms(START + timedelta(hours=22))
    assert settled["funding"] < 0
    assert line["change"] == settled["profit_loss"]
    assert (await account(rig))["balance"] == pytest.approx(before + settled["profit_loss"])
    assert public["settlements"][0]["mark_price"] == settled["mark_price"]
    assert (await ticker(rig))["settlement_price"] == settled["mark_price"]


async def test_trades_are_told_by_kind_and_name(rig: ExchangeRig) -> None:
    """In our own list and in the public one."""
    option = (await rig.quoted())["instrument_name"]
    await buy(rig, 10.0)
    await buy(rig, 0.1, instrument_name=option)
    for method in ("private/get_user_trades_by_currency", "public/get_last_trades_by_currency"):
        futures = await rig.call(method, currency="BTC", kind="future")
        everything = await rig.call(method, currency="BTC")

        assert [each["instrument_name"] for each in futures["trades"]] == [NAME]
        assert len(everything["trades"]) == 2
    for method in ("private/get_user_trades_by_instrument", "public/get_last_trades_by_instrument"):
        (trade,) = (await rig.call(method, instrument_name=NAME))["trades"]
        assert trade["amount"] == 10.0


async def test_margins_of_the_perpetual(rig: ExchangeRig) -> None:
    """Buy and sell bind the same, within the band that is in force."""
    shown = await ticker(rig)
    told = await rig.call(
        "private/get_margins", instrument_name=NAME, amount=100_000.0, price=shown["mark_price"]
    )
    coin = 100_000.0 / shown["mark_price"]

    assert told["buy"] == told["sell"]
    assert told["buy"] == pytest.approx((0.0205 + 0.00005 * coin) * coin)  # and the taker's fee
    assert (told["min_price"], told["max_price"]) == (shown["min_price"], shown["max_price"])


@pytest.mark.parametrize("name", ["amount", "price"])
async def test_margins_of_nothing(rig: ExchangeRig, name: str) -> None:
    """No order has a price or an amount of zero."""
    asked = {"instrument_name": NAME, "amount": 10.0, "price": 50_000.0, name: 0.0}

    assert (await refusal(rig, "private/get_margins", **asked)).code == -32602


async def test_channels_tell_of_the_perpetual(rig: ExchangeRig) -> None:
    """Book, orders, trades, changes and portfolio of one market order."""
    async with websocket(rig) as line:
        await line.sign_in()
        await line.call(
            "private/subscribe",
            channels=[
                f"book.{NAME}.100ms",
                f"perpetual.{NAME}.100ms",
                "user.orders.future.BTC.raw",
                f"user.trades.{NAME}.raw",
                f"user.changes.{NAME}.raw",
                "user.portfolio.btc",
                "trades.future.BTC.100ms",
            ],
        )
        book = await line.heard(f"book.{NAME}.100ms")
        funding = await line.heard(f"perpetual.{NAME}.100ms")
        await line.heard("user.portfolio.btc")
        await line.call("private/buy", instrument_name=NAME, amount=500.0, type="market")
        order = await line.heard("user.orders.future.BTC.raw")
        (trade,) = await line.heard(f"user.trades.{NAME}.raw")
        changes = await line.heard(f"user.changes.{NAME}.raw")
        portfolio = await line.heard("user.portfolio.btc")
        (public,) = await line.heard("trades.future.BTC.100ms")

    assert [side for side in ("bids", "asks") if book[side]] == ["bids", "asks"]
    assert funding["interest"] == (await ticker(rig))["current_funding"]
    assert (order["order_state"], trade["amount"], public["amount"]) == ("filled", 500.0, 500.0)
    assert [each["size"] for each in changes["positions"]] == [500.0]
    assert portfolio["delta_total"] > 0


async def test_the_exchange_remembers_it_all(tmp_path: Path) -> None:
    """Position, balance, order terms and reasons are the same once it was started again."""
    async with served(directory=tmp_path) as first:
        await first.sign_in()
        low = (await ticker(first))["best_bid_price"] - 500.0
        await buy(first, 20_000.0)
        resting = await buy(
            first,
            5_000.0,
            type="limit",
            price=low,
            post_only=True,
            mmp=True,
            label="kept",
            display_amount=1_000.0,
            time_in_force="good_til_cancelled",
        )
        cancelled = await buy(first, 10.0, type="limit", price=low)
        await first.call("private/cancel", order_id=cancelled["order"]["order_id"])
        before = await told(first, resting, cancelled)
    async with served(directory=tmp_path) as second:
        await second.sign_in()
        after = await told(second, resting, cancelled)

    assert after == before
    assert before[0]["post_only"]
    assert before[0]["mmp"]
    assert before[0]["display_amount"] == 1_000.0
    assert before[1]["cancel_reason"] == "user_request"
    assert before[2]["size"] == 20_000.0


async def told(rig: ExchangeRig, *orders: Fields) -> list[Fields]:
    """The orders as they are now, the position and the account."""
    found = [
        await rig.call("private/get_order_state", order_id=each["order"]["order_id"])
        for each in orders
    ]
    return [*found, await position(rig), await account(rig)]
