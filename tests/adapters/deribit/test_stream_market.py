"""Streamed quotes: used while they are fresh, asked for when they are not, true in either case."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from attrs import define, frozen

from adapters.deribit.market_data import DeribitMarketData
from adapters.deribit.session import DeribitSession
from adapters.deribit.streams import index_channel, ticker_channel
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.market_data import MarketSnapshot
from tests.support.deribit_market import (
    CALL,
    CHAIN,
    INDEX,
    LATER,
    LIST,
    PUT,
    TICKER,
    instrument,
    summary,
    ticker,
)
from tests.support.deribit_venue import NOW
from tests.support.scripted_socket import (
    SUBSCRIBE,
    TEST,
    UNSUBSCRIBE,
    SocketVenue,
    error,
    result,
    scripted,
    session,
)

AT_MS = epoch_ms(NOW)  # the time of every answer
NAMES = (CALL, PUT, LATER)
FRESH_MS = 2_000


@define
class Focus:
    """The names that are looked at closely."""

    names: tuple[str, ...] = (CALL, PUT)

    def __call__(self, chain: ChainTable) -> list[int]:
        rows = enumerate(chain.contracts)
        return [row for row, contract in rows if contract.symbol in self.names]


@frozen(eq=False)
class Rig:
    """A scripted venue, a session with it, and a market that looks at two options closely."""

    venue: SocketVenue
    session: DeribitSession
    market: DeribitMarketData
    focus: Focus

    async def snapshot(self) -> MarketSnapshot:
        return await self.market.snapshot("BTC")

    async def say(self, *said: tuple[str, Any]) -> None:
        """Say something in each channel, and return when it has been heard."""
        for channel, data in said:
            await self.venue.say(channel, data)
        await self.session.client.read(TEST)

    def asked(self) -> list[str]:
        """The single quotes that were asked for, by name."""
        names = (each.params for each in self.venue.asked if each.method in (TICKER, INDEX))
        return [each.get("instrument_name", "index") for each in names]


def said_index(price: float, age_ms: int = 0) -> tuple[str, Any]:
    told = {"timestamp": AT_MS - age_ms, "price": price, "index_name": "btc_usd"}
    return index_channel("BTC"), told


def said_ticker(name: str, bid: float, age_ms: int = 0) -> tuple[str, Any]:
    told = ticker(name, best_bid_price=bid, timestamp=AT_MS - age_ms)
    return ticker_channel(name), told


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    """One snapshot has been taken, so that the venue knows what to say."""
    async with scripted() as venue, session(venue) as opened:
        venue.on(CHAIN, result([summary(name) for name in NAMES]))
        venue.on(LIST, result([instrument(name) for name in NAMES]))
        venue.on(INDEX, result({"index_price": 80_000.0}))
        venue.on(TICKER, lambda asked: result(ticker(asked.params["instrument_name"]))(asked))
        focus = Focus()
        market = DeribitMarketData(client=opened.client, quotes=opened.quotes, focus=focus)
        made = Rig(venue, opened, market, focus)
        await made.snapshot()
        yield made


def row(snapshot: MarketSnapshot, name: str) -> int:
    return [contract.symbol for contract in snapshot.chain.contracts].index(name)


async def test_at_first_everything_is_asked_for(rig: Rig) -> None:
    """Nothing has been said yet; from now on it is followed."""
    assert sorted(rig.asked()) == sorted([CALL, PUT, "index"])
    (subscribed,) = rig.venue.params(SUBSCRIBE)
    assert set(subscribed["channels"]) == {
        index_channel("BTC"),
        ticker_channel(CALL),
        ticker_channel(PUT),
    }


async def test_fresh_words_are_not_asked_for(rig: Rig) -> None:
    """Quotes, amounts, index and their times are those that were said."""
    rig.venue.asked.clear()
    await rig.say(
        said_ticker(CALL, 0.0155, age_ms=700), said_ticker(PUT, 0.015), said_index(81_000.0, 500)
    )
    seen = await rig.snapshot()

    assert rig.asked() == []
    assert seen.index_usd == 81_000.0
    assert seen.chain.bid[row(seen, CALL)] == 0.0155
    assert seen.chain.bid_amount[row(seen, CALL)] == 4.0
    assert seen.chain.quoted_at_ms[row(seen, CALL)] == AT_MS - 700
    assert seen.taken_at == NOW


@pytest.mark.parametrize(
    ("age_ms", "is_asked"), [(FRESH_MS, False), (FRESH_MS + 1, True), (-FRESH_MS - 1, True)]
)
async def test_what_is_not_of_now_is_asked_for(rig: Rig, age_ms: int, is_asked: bool) -> None:
    """To two seconds, by the venue's clock; what then counts is the answer, and its time."""
    rig.venue.asked.clear()
    await rig.say(
        said_ticker(CALL, 0.0155, age_ms), said_ticker(PUT, 0.015), said_index(81_000.0, age_ms)
    )
    seen = await rig.snapshot()

    assert rig.asked() == ([CALL, "index"] if is_asked else [])
    assert seen.index_usd == (80_000.0 if is_asked else 81_000.0)
    assert seen.chain.bid[row(seen, CALL)] == (0.016 if is_asked else 0.0155)
    assert seen.chain.quoted_at_ms[row(seen, CALL)] == (AT_MS if is_asked else AT_MS - age_ms)


async def test_after_a_lost_connection_everything_is_asked_for(rig: Rig) -> None:
    """Words of the old connection are not used, however fresh."""
    await rig.say(said_ticker(CALL, 0.0155), said_ticker(PUT, 0.015), said_index(81_000.0))
    rig.venue.connections[0].transport.abort()
    await rig.venue.until(lambda: SUBSCRIBE in rig.venue.methods(2))
    rig.venue.asked.clear()

    assert (await rig.snapshot()).index_usd == 80_000.0
    assert sorted(rig.asked()) == sorted([CALL, PUT, "index"])


async def test_only_what_is_looked_at_is_followed(rig: Rig) -> None:
    """When the focus moves, the channels move with it."""
    rig.focus.names = (PUT, LATER)
    await rig.snapshot()

    assert rig.venue.params(UNSUBSCRIBE)[-1]["channels"] == [ticker_channel(CALL)]
    assert rig.venue.params(SUBSCRIBE)[-1]["channels"] == [ticker_channel(LATER)]


@pytest.mark.parametrize("method", [SUBSCRIBE, UNSUBSCRIBE])
async def test_a_venue_that_says_nothing_is_asked(rig: Rig, method: str) -> None:
    """Refused subscriptions cost questions, never the snapshot; they are tried again."""
    rig.venue.on(method, error(11051), result([ticker_channel(LATER)]))
    rig.focus.names = (PUT, LATER)
    rig.venue.asked.clear()
    seen = await rig.snapshot()

    assert LATER in rig.asked()
    assert seen.taken_at - NOW < timedelta(seconds=1)
    await rig.snapshot()
    assert rig.session.streams.follows(ticker_channel(LATER))
    assert not rig.session.streams.follows(ticker_channel(CALL))
