"""Orders at the paper exchange: refused ones, their life, their trades, their delivery."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ports.checks import epoch_ms
from tests.support.exchanges import START, ExchangeRig, Fields, refusal, served


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared() -> AsyncIterator[ExchangeRig]:
    """One exchange for all that leave it as it was."""
    async with served() as made:
        await made.sign_in()
        yield made


BAD_ORDERS: dict[str, tuple[Fields, int]] = {
    "amount off the step": ({"amount": 0.15}, 10021),
    "amount too small": ({"amount": 0.01}, 10002),
    "amount negative": ({"amount": -0.1}, 10002),
    "amount true": ({"amount": True}, -32602),
    "no amount": ({"amount": None}, -32602),
    "price off the tick": ({"price": 0.00512}, 10043),
    "price zero": ({"price": 0}, 10023),
    "price all but zero": ({"price": 1e-12}, 10023),
    "no price": ({"price": None}, -32602),
    "above the band": ({"price": 0.9}, 10007),
    "contradicting contracts": ({"contracts": 0.2}, -32602),
    "too dear": ({"amount": 5000.0}, 10009),
    "too late": ({"valid_until": epoch_ms(START) - 1}, 13888),
    "a stop without trigger": ({"type": "stop_limit"}, -32602),
    "no such type": ({"type": "iceberg"}, -32602),
    "at no price in USD": ({"advanced": "usd", "price": 0}, 10023),
    "in USD and post only": ({"advanced": "usd", "post_only": True}, 11039),
    "an iceberg of options": ({"display_amount": 10}, 11048),
    "post only and at once": ({"post_only": True, "time_in_force": "fill_or_kill"}, 11055),
    "long label": ({"label": "a" * 65}, -32602),
    "reduce nothing": ({"reduce_only": True}, 11030),
}


@pytest.mark.parametrize("name", BAD_ORDERS)
@pytest.mark.asyncio(loop_scope="module")
async def test_orders_that_are_refused(shared: ExchangeRig, name: str) -> None:
    """An order that cannot stand is refused with its code, and nothing is placed."""
    changes, code = BAD_ORDERS[name]
    ticker = await shared.quoted()
    order = {
        "instrument_name": ticker["instrument_name"],
        "amount": 0.1,
        "price": ticker["best_bid_price"],
    }

    error = await refusal(shared, "private/buy", **{**order, **changes})

    assert error.code == code
    assert (
        await shared.call(
            "private/get_order_history_by_currency", currency="BTC", include_unfilled=True
        )
        == []
    )
    assert await shared.call("private/get_open_orders") == []


async def test_a_sell_below_the_band(rig: ExchangeRig) -> None:
    """A price below the band is refused with the limit in the message."""
    ticker = await rig.quoted(least_bid=0.03)
    limit = ticker["min_price"]

    error = await refusal(
        rig, "private/sell", instrument_name=ticker["instrument_name"], amount=0.1, price=0.0001
    )

    assert (error.code, error.message) == (10005, f"price_too_low {limit}")


async def test_post_only_that_would_take(rig: ExchangeRig) -> None:
    """A post-only order at the touch is moved beside it, or refused if it asks for that."""
    ticker = await rig.quoted()
    order = {
        "instrument_name": ticker["instrument_name"],
        "amount": 0.1,
        "price": ticker["best_ask_price"],
    }

    placed = await rig.call("private/buy", **order, post_only=True)
    error = await refusal(rig, "private/buy", **order, post_only=True, reject_post_only=True)

    assert placed["order"]["price"] < ticker["best_ask_price"]
    assert placed["trades"] == []
    assert error.code == 11054


async def test_a_buy_at_the_ask(rig: ExchangeRig) -> None:
    """An order at the touch is filled at once; trade, order and position say the same."""
    ticker = await rig.quoted()
    name, price = ticker["instrument_name"], ticker["best_ask_price"]

    placed = await rig.call(
        "private/buy", instrument_name=name, amount=0.1, price=price, label="one"
    )

    order, (trade,) = placed["order"], placed["trades"]
    fee = min(0.0003, 0.125 * price) * 0.1
    assert (order["order_state"], order["filled_amount"], order["average_price"]) == (
        "filled",
        0.1,
        price,
    )
    assert (trade["price"], trade["amount"], trade["liquidity"]) == (price, 0.1, "T")
    assert trade["fee"] == pytest.approx(fee, rel=1e-12)
    assert trade["order_id"] == order["order_id"]
    position = await rig.call("private/get_position", instrument_name=name)
    assert (position["size"], position["direction"], position["average_price"]) == (
        0.1,
        "buy",
        price,
    )
    account = await rig.call("private/get_account_summary", currency="BTC")
    assert account["balance"] == pytest.approx(1.0 - price * 0.1 - fee, rel=1e-12)
    assert account["equity"] == pytest.approx(
        account["balance"] + account["options_value"], rel=1e-12
    )
    assert (await rig.call("private/get_user_trades_by_order", order_id=order["order_id"]))[
        0
    ] == trade


async def test_the_life_of_an_order(rig: ExchangeRig) -> None:
    """A resting order is found by id and label, edited, and cancelled once."""
    ticker = await rig.quoted()
    name, bid = ticker["instrument_name"], ticker["best_bid_price"]
    placed = await rig.call(
        "private/buy", instrument_name=name, amount=0.1, price=bid, label="life"
    )
    order_id = placed["order"]["order_id"]
    lower = round(bid - 0.0005, 4)

    edited = await rig.call("private/edit", order_id=order_id, amount=0.2, price=lower)
    open_orders = await rig.call("private/get_open_orders_by_label", currency="BTC", label="life")
    cancelled = await rig.call("private/cancel", order_id=order_id)
    again = await refusal(rig, "private/cancel", order_id=order_id)
    too_late = await refusal(rig, "private/edit", order_id=order_id, amount=0.3, price=lower)

    assert placed["order"]["replaced"] is False
    assert [edited["order"][key] for key in ("order_id", "amount", "price", "replaced")] == [
        order_id,
        0.2,
        lower,
        True,
    ]
    assert open_orders == [edited["order"]]
    assert (cancelled["order_state"], cancelled["cancel_reason"]) == ("cancelled", "user_request")
    assert (again.code, too_late.code) == (10010, 11044)
    assert (await rig.call("private/get_order_state", order_id=order_id))[
        "order_state"
    ] == "cancelled"
    assert [
        each["order_id"]
        for each in await rig.call("private/get_order_state_by_label", currency="BTC", label="life")
    ] == [order_id]


async def test_labels_are_not_unique(rig: ExchangeRig) -> None:
    """Two orders may carry one label; editing by it is then refused, cancelling takes both."""
    ticker = await rig.quoted()
    order = {
        "instrument_name": ticker["instrument_name"],
        "amount": 0.1,
        "price": ticker["best_bid_price"],
        "label": "twin",
    }
    for _ in range(2):
        await rig.call("private/buy", **order)

    error = await refusal(rig, "private/edit_by_label", **{**order, "amount": 0.2})
    count = await rig.call("private/cancel_by_label", label="twin")

    assert error.code == 13032
    assert count == 2
    assert await rig.call("private/get_open_orders") == []


async def test_an_order_without_label(rig: ExchangeRig) -> None:
    """An order without a label has an empty one, and is found without."""
    ticker = await rig.quoted()
    order = {
        "instrument_name": ticker["instrument_name"],
        "amount": 0.1,
        "price": ticker["best_bid_price"],
    }

    placed = await rig.call("private/buy", **order)

    assert placed["order"]["label"] == ""
    assert len(await rig.call("private/get_open_orders_by_currency", currency="BTC")) == 1


async def test_times_in_force(rig: ExchangeRig) -> None:
    """IOC never rests, FOK never trades in part, and what is good for a day ends at 08:00."""
    ticker = await rig.quoted()
    name, ask, shown = (
        ticker["instrument_name"],
        ticker["best_ask_price"],
        ticker["best_ask_amount"],
    )
    more = round(shown + 0.1, 1)
    order = {"instrument_name": name, "price": ask}

    killed = await rig.call("private/buy", **order, amount=more, time_in_force="fill_or_kill")
    partly = await rig.call("private/buy", **order, amount=0.2, time_in_force="immediate_or_cancel")
    resting = await rig.call(
        "private/buy", instrument_name=name, price=0.0005, amount=0.1, time_in_force="good_til_day"
    )
    await rig.step(hours=22)

    assert (killed["order"]["order_state"], killed["trades"]) == ("cancelled", [])
    assert (partly["order"]["order_state"], partly["order"]["filled_amount"]) == ("filled", 0.2)
    day = await rig.call("private/get_order_state", order_id=resting["order"]["order_id"])
    assert (day["order_state"], day["cancel_reason"]) == ("cancelled", "settlement")


async def test_a_market_order_and_closing(rig: ExchangeRig) -> None:
    """A market order takes the touch; closing the position brings it back to zero."""
    name = (await rig.quoted())["instrument_name"]

    bought = await rig.call("private/buy", instrument_name=name, amount=0.1, type="market")
    closed = await rig.call("private/close_position", instrument_name=name, type="market")

    assert bought["order"]["price"] == "market_price"
    assert (closed["order"]["reduce_only"], closed["order"]["order_state"]) == (True, "filled")
    assert await rig.call("private/get_positions", currency="BTC") == []
    assert (
        await refusal(rig, "private/close_position", instrument_name=name, type="market")
    ).code == 10010


async def test_own_orders_stand_in_the_book(rig: ExchangeRig) -> None:
    """A resting order better than the market's is the touch of ticker and book."""
    ticker = await rig.quoted(least_bid=0.02)
    name = ticker["instrument_name"]
    price = round(ticker["best_bid_price"] + 0.0005, 4)
    if price >= ticker["best_ask_price"]:
        price = ticker["best_bid_price"]

    await rig.call("private/buy", instrument_name=name, amount=0.1, price=price)
    book = await rig.call("public/get_order_book", instrument_name=name)

    assert book["bids"][0][0] == book["best_bid_price"] == price
    assert sum(amount for _, amount in book["bids"]) == pytest.approx(
        ticker["best_bid_amount"] + 0.1
    )


async def test_delivery(rig: ExchangeRig) -> None:
    """What expires is delivered at the day's price and stands in position, log and history."""
    instruments = await rig.call("public/get_instruments", currency="BTC", kind="option")
    expiry = instruments[0]["expiration_timestamp"]
    index = (await rig.call("public/get_index_price", index_name="btc_usd"))["index_price"]
    calls = [
        each
        for each in instruments
        if each["expiration_timestamp"] == expiry and each["option_type"] == "call"
    ]
    chosen = min(calls, key=lambda each: abs(each["strike"] - 0.97 * index))
    name = chosen["instrument_name"]
    await rig.call("private/buy", instrument_name=name, amount=0.1, type="market")

    await rig.step(hours=30)

    (price,) = (await rig.call("public/get_delivery_prices", index_name="btc_usd", count=1))["data"]
    (record,) = (await rig.call("private/get_settlement_history_by_currency", currency="BTC"))[
        "settlements"
    ]
    day_log = await rig.call(
        "private/get_transaction_log", currency="BTC", start_timestamp=0, end_timestamp=expiry * 2
    )
    payoff = max(price["delivery_price"] - chosen["strike"], 0.0) / price["delivery_price"]
    assert await rig.call("private/get_positions", currency="BTC") == []
    assert (record["type"], record["instrument_name"], record["position"]) == (
        "delivery",
        name,
        0.1,
    )
    assert record["index_price"] == price["delivery_price"]
    assert record["profit_loss"] == pytest.approx(payoff * 0.1, rel=1e-12)  # a daily is free
    assert [entry["type"] for entry in day_log["logs"]] == ["delivery", "trade", "deposit"]
    account = await rig.call("private/get_account_summary", currency="BTC")
    assert day_log["logs"][0]["balance"] == pytest.approx(account["balance"], rel=1e-12)
    assert (
        await refusal(rig, "private/buy", instrument_name=name, amount=0.1, price=0.01)
    ).code == 13019


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    """An exchange opened on the folder of another has its balance, orders and trades."""
    async with served(directory=tmp_path) as rig:
        await rig.sign_in()
        ticker = await rig.quoted()
        order = {"instrument_name": ticker["instrument_name"], "amount": 0.1}
        await rig.call("private/buy", **order, price=ticker["best_ask_price"], label="kept")
        await rig.call("private/buy", **order, price=ticker["best_bid_price"], label="resting")
        before = await rig.call("private/get_account_summary", currency="BTC")
    async with served(directory=tmp_path) as rig:
        await rig.sign_in()
        after = await rig.call("private/get_account_summary", currency="BTC")
        (kept,) = await rig.call("private/get_order_state_by_label", currency="BTC", label="kept")
        (resting,) = await rig.call("private/get_open_orders")

    assert after["balance"] == before["balance"]
    assert kept["order_state"] == "filled"
    assert resting["label"] == "resting"


async def test_margins_agree(rig: ExchangeRig) -> None:
    """What get_margins says of a sell is what the account binds once it is done."""
    ticker = await rig.quoted()
    name, bid = ticker["instrument_name"], ticker["best_bid_price"]
    margins = await rig.call("private/get_margins", instrument_name=name, amount=0.1, price=bid)

    await rig.call("private/sell", instrument_name=name, amount=0.1, price=bid)
    account = await rig.call("private/get_account_summary", currency="BTC")

    assert account["initial_margin"] == pytest.approx(margins["sell"], rel=1e-12)
    assert (margins["min_price"], margins["max_price"]) == (
        ticker["min_price"],
        ticker["max_price"],
    )
