"""A paper exchange whose market is another venue's public feed: here another paper exchange."""

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest_asyncio

from adapters.memory.clock import SteppedClock
from apps.exchange.exchange import Exchange, ExchangeParams
from apps.settings.root import Settings
from apps.wiring.public_feed import fed_world
from tests.support.exchanges import KEY, START, ExchangeRig, served, serving


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[ExchangeRig]:
    """The venue that is fed from."""
    async with served() as made:
        yield made


@pytest_asyncio.fixture
async def fed(venue: ExchangeRig) -> AsyncIterator[ExchangeRig]:
    """The exchange on its feed."""
    address = f"http://127.0.0.1:{venue.port}"
    params = ExchangeParams(coins=("BTC", "ETH"), credentials=KEY)
    async with (
        fed_world(Settings(), None, address, SteppedClock(START, ())) as world,
        serving(await Exchange.opened(params, world)) as made,
    ):
        await made.sign_in()
        yield made


async def test_it_shows_what_the_feed_shows(venue: ExchangeRig, fed: ExchangeRig) -> None:
    """Instruments, quotes, marks and amounts are the venue's."""
    theirs = await venue.quoted()
    name = theirs["instrument_name"]
    ours = await fed.call("public/ticker", instrument_name=name)
    options = {"currency": "BTC", "kind": "option"}
    there = await venue.call("public/get_instruments", **options)
    here = await fed.call("public/get_instruments", **options)

    assert [each["instrument_name"] for each in here] == [each["instrument_name"] for each in there]
    for word in ("best_bid_price", "best_bid_amount", "best_ask_price", "best_ask_amount"):
        assert ours[word] == theirs[word]
    for word in ("mark_price", "mark_iv", "index_price", "underlying_price"):
        assert abs(ours[word] - theirs[word]) < 1e-9


async def test_orders_are_filled_at_the_feeds_quotes(venue: ExchangeRig, fed: ExchangeRig) -> None:
    """An order that nobody has looked for before takes what the feed quotes, and stays here."""
    theirs = await venue.quoted()
    placed = await fed.call(
        "private/buy",
        instrument_name=theirs["instrument_name"],
        amount=0.1,
        price=theirs["best_ask_price"],
    )
    await venue.sign_in()

    assert placed["order"]["order_state"] == "filled"
    assert placed["trades"][0]["price"] == theirs["best_ask_price"]
    assert await venue.call("private/get_positions") == []


async def test_the_past_of_a_feed(fed: ExchangeRig) -> None:
    """Hours of the index and deliveries are known of the past, chains are not."""
    end = int(START.timestamp()) * 1000
    day = {"start_timestamp": end - 86_400_000, "end_timestamp": end}
    chart = await fed.call(
        "public/get_tradingview_chart_data",
        instrument_name="BTC-PERPETUAL",
        resolution="60",
        **day,
    )
    dvol = await fed.call(
        "public/get_volatility_index_data", currency="BTC", resolution="3600", **day
    )
    delivered = await fed.call("public/get_delivery_prices", index_name="btc_usd", count=5)

    assert len(chart["ticks"]) == 24
    assert dvol == {"data": [], "continuation": None}
    assert [row["date"] for row in delivered["data"]][:2] == ["2025-03-03", "2025-03-02"]


def test_a_feed_that_cannot_be_reached() -> None:
    """An exchange without its market does not begin, and says whom it asked in vain."""
    program = [sys.executable, "-m", "apps.exchange.main", "--memory", "--port", "0"]
    nobody = ["--market", "deribit", "--feed", "http://127.0.0.1:9"]
    ended = subprocess.run(
        [*program, *nobody], check=False, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 1
    assert "error: no feed from http://127.0.0.1:9: public/" in ended.stderr
    assert ended.stdout == ""
