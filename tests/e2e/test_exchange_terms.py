"""Other order terms at the paper exchange: icebergs, prices in USD and volatility, triggers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.pricing.implied import implied_vol
from ports.checks import from_epoch_ms
from ports.instruments import OptionContract
from tests.support.exchanges import ExchangeRig, Fields, refusal, served

NAME = "BTC-PERPETUAL"


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


async def ticker(rig: ExchangeRig, name: str = NAME) -> Fields:
    told: Fields = await rig.call("public/ticker", instrument_name=name)
    return told


async def stop(rig: ExchangeRig, side: str, **params: Any) -> Fields:
    """A stop on the index for 100 USD."""
    asked = {"instrument_name": NAME, "amount": 100.0, "trigger": "index_price"} | params
    told: Fields = (await rig.call(f"private/{side}", **asked))["order"]
    return told


async def out_of_the_money(rig: ExchangeRig) -> Fields:
    """The ticker of a quoted call above the forward, worth many ticks."""
    for summary in await rig.call("public/get_book_summary_by_currency", currency="BTC"):
        name, bid = summary["instrument_name"], summary["bid_price"]
        is_out = name.endswith("-C") and float(name.split("-")[2]) > summary["underlying_price"]
        if is_out and bid and bid > 0.03:
            return await ticker(rig, name)
    raise AssertionError("the chain has no such option")


async def state(rig: ExchangeRig, order: Fields) -> Fields:
    told: Fields = await rig.call("private/get_order_state", order_id=order["order_id"])
    return told


async def test_an_iceberg_shows_what_it_displays(rig: ExchangeRig) -> None:
    """5,000 USD rest, 1,000 of them are seen."""
    price = (await ticker(rig))["best_bid_price"] - 50.0
    order = {"instrument_name": NAME, "amount": 5_000.0, "price": price}
    told = await rig.call("private/buy", **order, display_amount=1_000.0)
    book = await rig.call("public/get_order_book", instrument_name=NAME)

    assert told["order"]["display_amount"] == 1_000.0
    assert [price, 1_000.0] in book["bids"]


async def test_a_market_limit_order_rests_where_it_could_not_trade(rig: ExchangeRig) -> None:
    """More than is shown is taken at the touch, the rest stays there as a limit."""
    option = await rig.quoted()
    amount = option["best_ask_amount"] + 0.1
    told = await rig.call(
        "private/buy",
        instrument_name=option["instrument_name"],
        amount=round(amount, 1),
        type="market_limit",
    )

    assert (told["order"]["order_state"], told["order"]["price"]) == (
        "open",
        option["best_ask_price"],
    )
    assert told["order"]["filled_amount"] == option["best_ask_amount"]


async def test_a_price_in_usd_follows_the_index(rig: ExchangeRig) -> None:
    """The price in coin is never above what was asked in USD, and moves as the index does."""
    option = await rig.quoted(least_bid=0.02)
    usd = 0.8 * option["best_bid_price"] * option["index_price"]
    asked = {"instrument_name": option["instrument_name"], "amount": 0.1, "price": usd}
    order = (await rig.call("private/buy", **asked, advanced="usd"))["order"]
    prices = {order["price"]}
    for _ in range(12):
        await rig.step(hours=1)
        index = (await ticker(rig))["index_price"]
        order = await state(rig, order)
        if order["order_state"] != "open":
            break
        assert order["price"] <= usd / index + 1e-12
        assert order["price"] > usd / index - 0.0005
        prices.add(order["price"])

    assert (order["advanced"], order["usd"]) == ("usd", usd)
    assert len(prices) > 1
    assert order["auto_replaced"]


async def test_a_price_in_volatility_is_that_volatility(rig: ExchangeRig) -> None:
    """Black-76 of the price in coin gives back what was asked, within a tick."""
    option = await out_of_the_money(rig)
    name, asked_iv = option["instrument_name"], 0.8 * option["mark_iv"]
    asked = {"instrument_name": name, "amount": 0.1, "price": asked_iv}
    order = (await rig.call("private/buy", **asked, advanced="implv"))["order"]
    contract = OptionContract.from_symbol(name)
    years = contract.years_left(from_epoch_ms(option["timestamp"]))
    iv, _ = implied_vol(
        order["price"], option["underlying_price"], contract.strike, years, contract.is_call
    )

    assert order["implv"] == asked_iv
    vol_points = 0.0005 * option["index_price"] / option["greeks"]["vega"]
    assert asked_iv - vol_points <= 100 * float(iv) <= asked_iv + 1e-6


@pytest.mark.parametrize(
    ("side", "kind", "share", "code"),
    [
        ("sell", "stop_market", 1.01, 10034),
        ("buy", "stop_market", 0.99, 10035),
        ("sell", "take_market", 0.99, 10035),
        ("buy", "take_market", 1.01, 10034),
        ("buy", "stop_market", -1.0, 11036),
    ],
)
async def test_a_trigger_that_is_reached_already(
    rig: ExchangeRig, side: str, kind: str, share: float, code: int
) -> None:
    """A stop beyond the market, or no price at all, is refused."""
    trigger = round(share * (await ticker(rig))["index_price"])
    error = await refusal(
        rig,
        f"private/{side}",
        instrument_name=NAME,
        amount=100.0,
        type=kind,
        trigger="index_price",
        trigger_price=trigger,
    )

    assert error.code == code
    assert await rig.call("private/get_open_orders") == []


async def test_a_trigger_off_the_tick(rig: ExchangeRig) -> None:
    """Half a USD a tick."""
    trigger = round(0.99 * (await ticker(rig))["index_price"]) + 0.3
    asked = {"instrument_name": NAME, "amount": 100.0, "type": "stop_market"}
    error = await refusal(
        rig, "private/sell", **asked, trigger="index_price", trigger_price=trigger
    )

    assert error.code == 10044


async def test_a_stop_waits_and_is_placed(rig: ExchangeRig) -> None:
    """Outside the book and listed apart until the index is there; then it trades, once."""
    index = (await ticker(rig))["index_price"]
    above = await stop(rig, "buy", type="stop_market", trigger_price=round(index) + 20.0)
    below = await stop(rig, "sell", type="stop_market", trigger_price=round(index) - 20.0)
    waiting = await rig.call("private/get_open_orders", type="stop_all")
    await rig.step(hours=12)
    told = await rig.call("private/get_user_trades_by_instrument", instrument_name=NAME)
    after = [await state(rig, each) for each in (above, below)]
    triggered = [each for each in after if each["triggered"]]

    assert {each["order_id"] for each in waiting} == {above["order_id"], below["order_id"]}
    assert {each["order_state"] for each in waiting} == {"untriggered"}
    assert len(told["trades"]) == len(triggered) >= 1
    assert {each["order_state"] for each in triggered} == {"triggered"}
    assert await rig.call("private/get_open_orders", type="limit") == []


async def test_a_stop_that_cannot_be_placed_is_rejected(rig: ExchangeRig) -> None:
    """Its limit is out of the option's band once it is reached: it ends, and the rest goes on."""
    name = (await out_of_the_money(rig))["instrument_name"]
    index = round((await ticker(rig))["index_price"])
    asked = {"instrument_name": name, "type": "stop_limit", "amount": 0.1}
    above = await stop(rig, "buy", **asked, price=0.9, trigger_price=index + 20.0)
    below = await stop(rig, "sell", **asked, price=0.0005, trigger_price=index - 20.0)
    await rig.step(hours=12)

    assert "rejected" in {(await state(rig, each))["order_state"] for each in (above, below)}
    assert await rig.call("private/get_user_trades_by_currency", currency="BTC") == {
        "trades": [],
        "has_more": False,
    }


async def test_a_trailing_stop_follows_the_price(rig: ExchangeRig) -> None:
    """The stop of a sell rises with the index and never falls."""
    order = await stop(rig, "sell", type="trailing_stop", trigger_offset=20_000.0)
    stops, highest = [order["trigger_price"]], (await ticker(rig))["index_price"]
    for _ in range(24):
        await rig.step(hours=1)
        highest = max(highest, (await ticker(rig))["index_price"])
        stops.append((await state(rig, order))["trigger_price"])

    assert stops == sorted(stops)
    assert stops[-1] == pytest.approx(highest - 20_000.0)
    assert len(set(stops)) > 1


async def test_a_trigger_is_edited_and_cancelled(rig: ExchangeRig) -> None:
    """Its amount and price change while it waits; once cancelled it waits no more."""
    index = round((await ticker(rig))["index_price"])
    order = await stop(rig, "sell", type="stop_market", trigger_price=0.5 * index, label="guard")
    changed = await rig.call(
        "private/edit", order_id=order["order_id"], amount=200.0, trigger_price=0.6 * index
    )
    assert (changed["order"]["amount"], changed["order"]["trigger_price"]) == (200.0, 0.6 * index)
    assert await rig.call("private/cancel_by_label", label="guard") == 1

    ended = await state(rig, order)
    assert (ended["order_state"], ended["cancel_reason"]) == ("cancelled", "user_request")
    assert (await refusal(rig, "private/cancel", order_id=order["order_id"])).code == 10010


async def test_what_waits_is_remembered(tmp_path: Path) -> None:
    """A trigger waits on once the exchange was started again."""
    async with served(directory=tmp_path) as first:
        await first.sign_in()
        index = round((await ticker(first))["index_price"])
        before = await stop(
            first, "sell", type="take_limit", trigger_price=2.0 * index, price=2.0 * index
        )
    async with served(directory=tmp_path) as second:
        await second.sign_in()
        (after,) = await second.call("private/get_open_orders", type="take")

    assert after == before
