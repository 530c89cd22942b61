"""The adapter of Deribit and the paper exchange: a hedge with the perpetual, over the wire."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from adapters.deribit.client import DeribitClient
from adapters.deribit.history import DeribitHistory
from adapters.deribit.trading import DeribitTrading
from core.simulation.funds import account_of
from ports.instruments import FutureContract
from ports.trading import OrderIntent, OrderState, Side
from tests.support.deribit_rigs import http_client
from tests.support.exchanges import START, ExchangeRig, served

PERPETUAL = FutureContract("BTC")


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


@pytest_asyncio.fixture
async def client(rig: ExchangeRig) -> AsyncIterator[DeribitClient]:
    async with http_client(rig) as made:
        yield made


def hedge(rig: ExchangeRig, side: Side, usd: float, price: float) -> OrderIntent:
    return OrderIntent(
        label=f"hedge.{side}.{usd:g}",
        strategy_id="hedge",
        position_id="p1",
        contract=PERPETUAL,
        side=side,
        amount=usd,
        price=price,
        reduce_only=False,
        post_only=False,
        valid_until=rig.exchange.now + timedelta(seconds=5),
        expires_at=rig.exchange.now + timedelta(seconds=60),
    )


async def test_a_hedge_is_placed_held_and_found_again(
    rig: ExchangeRig, client: DeribitClient
) -> None:
    """What the exchange holds is what the adapter tells, to the last digit of the wire."""
    trading = DeribitTrading(client=client)
    shown = await rig.call("public/ticker", instrument_name=PERPETUAL.symbol)
    taken = await trading.place(hedge(rig, Side.SELL, 40_000.0, shown["best_bid_price"]))
    resting = await trading.place(hedge(rig, Side.BUY, 10_000.0, shown["best_bid_price"] - 250.0))
    account = await trading.account("BTC")
    activity = await trading.activity("BTC", START)

    ours = account_of(await rig.exchange.moment("BTC"), rig.exchange.rates)
    (told,), (held,) = account.futures, ours.futures
    assert taken.order.state is OrderState.FILLED
    assert (told.contract, told.size_usd) == (PERPETUAL, -40_000.0)
    assert told.profit_coin == pytest.approx(held.profit_coin, abs=1e-12)
    assert account.equity_coin == pytest.approx(ours.equity_coin, abs=1e-12)
    assert await trading.open_orders("BTC") == (resting.order,)
    assert await trading.orders_by_label("BTC", "hedge.sell.40000") == (taken.order,)
    assert activity.fills == taken.fills


async def test_funding_is_the_history_of_the_exchange(
    rig: ExchangeRig, client: DeribitClient
) -> None:
    """Hours that the exchange lived through, added up by it."""
    await rig.step(hours=11)
    start, end = START + timedelta(minutes=17), START + timedelta(hours=10, minutes=5)

    told = await DeribitHistory(client).funding("BTC", start, end)
    assert told == await rig.exchange.funding("BTC", start, end) != 0.0
