"""Orders that wait at the paper exchange: changed, cancelled and placed, whatever comes between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import attrs
import pytest_asyncio
from attrs import define, field

from apps.exchange.asked import Place
from apps.exchange.exchange import Exchange, ExchangeParams
from apps.exchange.trading import record_named
from apps.exchange.triggers import arm, fire
from apps.settings.root import Settings
from apps.wiring.exchange import Pace, exchange_world
from ports.errors import Refused
from ports.market_data import MarketData, MarketSnapshot
from ports.trading import Side
from tests.support.exchanges import KEY, START, ExchangeRig, Fields, refusal, served, websocket

NAME = "BTC-PERPETUAL"


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


@define(eq=False)
class SlowMarket:
    """*market*, with its index at a share of it; ETH answers only once it may."""

    market: MarketData
    index_share: float = 1.0
    eth_may: asyncio.Event = field(factory=asyncio.Event)
    eth_was_asked: asyncio.Event = field(factory=asyncio.Event)

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData."""
        if underlying == "ETH":
            self.eth_was_asked.set()
            await self.eth_may.wait()
        shown = await self.market.snapshot(underlying)
        return attrs.evolve(shown, index_usd=shown.index_usd * self.index_share)


async def stop(rig: ExchangeRig, side: str, **params: Any) -> Fields:
    """A stop on the index for 100 USD."""
    asked = {"instrument_name": NAME, "amount": 100.0, "trigger": "index_price"} | params
    told: Fields = (await rig.call(f"private/{side}", **asked))["order"]
    return told


async def index_of(rig: ExchangeRig) -> int:
    """The BTC index in whole USD."""
    index: float = (await rig.call("public/ticker", instrument_name=NAME))["index_price"]
    return round(index)


async def test_what_was_cancelled_is_not_placed() -> None:
    """
    Two stops are reached while the venue is busy, and both are cancelled: the one that was on its
    way is told to be closed and trades, the other is cancelled and never does.
    """
    world = await exchange_world(Settings(), None, pace=Pace.STEPPED, start=START)
    market = SlowMarket(world.market)
    exchange = await Exchange.opened(
        ExchangeParams(coins=("BTC", "ETH"), credentials=KEY), attrs.evolve(world, market=market)
    )
    index = round((await exchange.frame("BTC")).index_usd)
    asked = Place(
        instrument_name=NAME,
        amount=100.0,
        type="stop_market",
        trigger="index_price",
        trigger_price=index - 20.0,
    )
    ids = [str((await arm(exchange, Side.SELL, asked))["order"]["order_id"]) for _ in range(2)]  # type: ignore[index]
    market.index_share = 0.99
    await world.clock.sleep_until(START + timedelta(seconds=1))
    await exchange.frame("BTC")

    busy = asyncio.create_task(exchange.venue.moment("ETH"))
    await market.eth_was_asked.wait()
    firing = asyncio.create_task(fire(exchange, "BTC"))
    cancels = [
        asyncio.create_task(exchange.cancelled(record_named(exchange, each), "user_request"))
        for each in ids
    ]
    await asyncio.sleep(0)
    market.eth_may.set()
    first, second = await asyncio.gather(*cancels, return_exceptions=True)
    await asyncio.gather(busy, firing)

    assert isinstance(first, Refused)
    assert first.code == 10010
    assert not isinstance(second, BaseException)
    assert second.cancel_reason == "user_request"
    assert len(exchange.books("BTC").trades) == 1
    assert exchange.armed("BTC") == []


async def test_a_stop_that_is_post_only_never_takes(rig: ExchangeRig) -> None:
    """Once it is placed it rests beside the touch that its limit would have taken."""
    index = await index_of(rig)
    limits = {"buy": (20.0, 1_000.0), "sell": (-20.0, -1_000.0)}
    for side, (trigger, limit) in limits.items():
        prices = {"trigger_price": index + trigger, "price": index + limit}
        await stop(rig, side, type="stop_limit", post_only=True, **prices)
    await rig.step(hours=12)
    history = await rig.call("private/get_trigger_order_history", currency="BTC")

    assert "triggered" in {each["order_state"] for each in history["entries"]}
    (*_, placed) = [each["order_id"] for each in history["entries"] if each["order_id"]]
    told = await rig.call("private/get_user_trades_by_order", order_id=placed)
    assert [each["liquidity"] for each in told if each["liquidity"] == "T"] == []


async def test_the_terms_of_what_waits_are_edited(rig: ExchangeRig) -> None:
    """Post-only and reduce-only hold from the edit on; an order at the market is never passive."""
    index = await index_of(rig)
    limit = await stop(rig, "sell", type="stop_limit", trigger_price=0.5 * index, price=0.5 * index)
    market = await stop(rig, "sell", type="stop_market", trigger_price=0.5 * index)
    changed = await rig.call(
        "private/edit",
        order_id=limit["order_id"],
        post_only=True,
        reject_post_only=True,
        reduce_only=True,
    )
    error = await refusal(rig, "private/edit", order_id=market["order_id"], post_only=True)

    names = ("post_only", "reject_post_only", "reduce_only")
    assert [changed["order"][name] for name in names] == [True] * 3
    assert error.code == 11055


async def test_a_trailing_stop_needs_an_offset(rig: ExchangeRig) -> None:
    """A price alone would not trail."""
    asked = {"instrument_name": NAME, "amount": 100.0, "type": "trailing_stop"}
    error = await refusal(rig, "private/sell", **asked, trigger="index_price", trigger_price=50.0)

    assert error.code == -32602
    assert error.data is not None
    assert error.data["param"] == "trigger_offset"


async def test_changes_tell_of_what_waits(rig: ExchangeRig) -> None:
    """An order that waits is a change of the account, although nothing trades."""
    index, channel = await index_of(rig), "user.changes.BTC-PERPETUAL.100ms"
    async with websocket(rig) as socket:
        await socket.sign_in()
        await socket.call("private/subscribe", channels=[channel])
        order = await stop(rig, "sell", type="stop_market", trigger_price=0.5 * index)
        heard = await socket.heard(channel)

    assert [each["order_id"] for each in heard["orders"]] == [order["order_id"]]


async def test_own_orders_give_way_to_a_stop(rig: ExchangeRig) -> None:
    """Where the resting order is the one to give way, a stop that meets it is not rejected."""
    extended = {"mode": "cancel_maker", "extended_to_subaccounts": False}
    await rig.call("private/set_self_trading_config", **extended)
    index = await index_of(rig)
    limits = [("sell", "buy", 20.0, 600.0), ("buy", "sell", -20.0, -600.0)]
    for side, against, trigger, limit in limits:
        resting = {"instrument_name": NAME, "amount": 100.0, "price": index + limit}
        await rig.call(f"private/{side}", **resting)
        await stop(rig, against, type="stop_market", trigger_price=index + trigger)
    states: set[str] = set()
    for _ in range(40):
        await rig.step(minutes=1)
        history = await rig.call("private/get_trigger_order_history", currency="BTC")
        states |= {each["order_state"] for each in history["entries"]}
        if states != {"new"}:
            break

    assert states == {"new", "triggered"}
