"""Protection at the paper exchange: own orders that would meet, and market maker protection."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.exchanges import ExchangeRig, Fields, refusal, served

NAME = "BTC-PERPETUAL"
MMP = {"index_name": "btc_usd", "interval": 60, "frozen_time": 30, "max_quote_quantity": 1.0}


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


async def touch(rig: ExchangeRig) -> Fields:
    told: Fields = await rig.call("public/ticker", instrument_name=NAME)
    return told


async def quote(rig: ExchangeRig, side: str, price: float, usd: float = 10_000.0) -> Fields:
    """A protected order on the perpetual."""
    order = {"instrument_name": NAME, "amount": usd, "price": price, "mmp": True}
    told: Fields = (await rig.call(f"private/{side}", **order))["order"]
    return told


async def state(rig: ExchangeRig, order: Fields) -> Fields:
    told: Fields = await rig.call("private/get_order_state", order_id=order["order_id"])
    return told


@pytest.mark.parametrize("mode", ["reject_taker", "cancel_maker"])
async def test_own_orders_never_meet(rig: ExchangeRig, mode: str) -> None:
    """The one that comes is refused, or the one that rests gives way: as it was set."""
    await rig.call("private/set_self_trading_config", mode=mode, extended_to_subaccounts=False)
    shown = await touch(rig)
    inside = shown["best_bid_price"]
    resting = await quote(rig, "sell", shown["best_ask_price"] + 50.0)
    crossing = {"instrument_name": NAME, "amount": 10.0, "price": shown["best_ask_price"] + 50.0}
    if mode == "reject_taker":
        assert (await refusal(rig, "private/buy", **crossing)).code == 10003
        assert (await state(rig, resting))["order_state"] == "open"
        return
    bought = (await rig.call("private/buy", **crossing))["order"]

    assert (await state(rig, resting))["order_state"] == "cancelled"
    assert bought["average_price"] == shown["best_ask_price"] > inside


async def test_a_breach_cancels_and_freezes(rig: ExchangeRig) -> None:
    """More than the limit trades: protected orders go and are refused until the time is over;
    others stay."""
    await rig.call("private/set_mmp_config", **MMP, quantity_limit=0.5)
    shown = await touch(rig)
    low = shown["best_bid_price"] - 300.0
    waiting = await quote(rig, "buy", low)
    plain = {"instrument_name": NAME, "amount": 10.0, "price": low}
    other = (await rig.call("private/buy", **plain))["order"]
    assert await rig.call("private/get_mmp_status") == []
    await quote(rig, "buy", shown["best_ask_price"], 0.6 * shown["mark_price"] // 10 * 10)

    ended = await state(rig, waiting)
    (status,) = await rig.call("private/get_mmp_status", index_name="btc_usd")
    assert (ended["order_state"], ended["cancel_reason"]) == ("cancelled", "mmp_trigger")
    assert (await state(rig, other))["order_state"] == "open"
    assert status["frozen_until"] > shown["timestamp"]
    error = await refusal(rig, "private/buy", **plain, mmp=True)
    assert error.code == 13030
    await rig.step(seconds=31)
    assert (await rig.call("private/buy", **plain, mmp=True))["order"]["mmp"]


async def test_a_breach_without_an_end_waits_for_a_reset(rig: ExchangeRig) -> None:
    """frozen_time 0: only reset_mmp lets protected orders in again, and it starts anew."""
    await rig.call("private/set_mmp_config", **MMP | {"frozen_time": 0}, delta_limit=0.5)
    shown = await touch(rig)
    usd = 0.6 * shown["mark_price"] // 10 * 10
    await quote(rig, "sell", shown["best_bid_price"], usd)
    order = {"instrument_name": NAME, "amount": 10.0, "price": 1_000.0, "mmp": True}
    await rig.step(hours=1)

    assert (await refusal(rig, "private/buy", **order)).code == 13030
    assert await rig.call("private/reset_mmp", index_name="btc_usd") == "ok"
    assert (await rig.call("private/buy", **order))["order"]["order_state"] == "open"


async def test_trades_that_cancel_out_are_no_delta(rig: ExchangeRig) -> None:
    """Bought and sold within the interval: a quantity, but no delta."""
    await rig.call("private/set_mmp_config", **MMP, delta_limit=0.5)
    shown = await touch(rig)
    usd = 0.4 * shown["mark_price"] // 10 * 10
    for _ in range(2):
        await quote(rig, "buy", shown["best_ask_price"], usd)
        await quote(rig, "sell", shown["best_bid_price"], usd)

    assert await rig.call("private/get_mmp_status") == []


async def test_protection_is_told_and_taken_away(rig: ExchangeRig) -> None:
    """As it was set, until an interval of 0 removes it."""
    await rig.call("private/set_mmp_config", **MMP, vega_limit=50.0)
    (told,) = await rig.call("private/get_mmp_config")
    assert {key: told[key] for key in MMP} == MMP
    assert (told["vega_limit"], told["quantity_limit"]) == (50.0, None)

    await rig.call("private/set_mmp_config", index_name="btc_usd", interval=0)
    assert await rig.call("private/get_mmp_config", index_name="btc_usd") == []
