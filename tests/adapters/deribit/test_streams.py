"""What the venue says by itself: kept while it is true, forgotten when it may not be."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from attrs import frozen

from adapters.deribit.session import DeribitSession
from adapters.deribit.stream_books import Level
from adapters.deribit.streams import (
    AccountChange,
    DeribitStreams,
    book_channel,
    changes_channel,
    index_channel,
    portfolio_channel,
    ticker_channel,
    vol_index_channel,
)
from ports.errors import Unauthorised, Unavailable
from ports.trading import OrderState
from tests.support.deribit_account import CONTRACT, NAME, order, trade
from tests.support.deribit_market import CALL, LATER, ticker
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

BOOK = book_channel(CALL)
AT_MS = round(NOW.timestamp() * 1000)


@frozen(eq=False)
class Rig:
    """A scripted venue and a session with it."""

    venue: SocketVenue
    session: DeribitSession

    @property
    def streams(self) -> DeribitStreams:
        return self.session.streams

    async def say(self, channel: str, data: Any) -> None:
        """Say *data* in *channel*, and return when it has been heard."""
        await self.venue.say(channel, data)
        await self.heard()

    async def heard(self) -> None:
        """Return when all that was said has been heard."""
        await self.session.client.read(TEST)

    async def lose(self) -> None:
        """End the connection, and return when there is another."""
        number = len(self.venue.connections)
        self.venue.connections[-1].transport.abort()
        await self.venue.until(lambda: SUBSCRIBE in self.venue.methods(number + 1))
        await self.heard()

    async def until_renewed(self, times: int) -> None:
        """Return when a channel has been asked for anew for the *times*-th time."""
        await self.venue.until(lambda: len(self.venue.params(SUBSCRIBE)) == times + 1)
        await self.heard()


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    async with scripted() as venue, session(venue) as opened:
        yield Rig(venue, opened)


def index(price: float = 80_000.0, **changed: Any) -> dict[str, Any]:
    return {"timestamp": AT_MS, "price": price, "index_name": "btc_usd"} | changed


def whole(change_id: int, *, bids: list[Any], asks: list[Any]) -> dict[str, Any]:
    """A book from its beginning."""
    return change(None, change_id, bids=bids, asks=asks) | {"type": "snapshot"}


def change(before: int | None, change_id: int, *, bids: Any = (), asks: Any = ()) -> dict[str, Any]:
    told = {"prev_change_id": before} if before is not None else {}
    return {
        **told,
        "type": "change",
        "timestamp": AT_MS + change_id,
        "instrument_name": CALL,
        "change_id": change_id,
        "bids": bids,
        "asks": asks,
    }


BIDS = [["new", 0.0155, 3.0], ["new", 0.016, 1.5]]
ASKS = [["new", 0.0175, 0.5], ["new", 0.017, 2.0]]


async def test_the_newest_word_counts(rig: Rig) -> None:
    """Ticker, index, DVOL and balances as they were last said; None before."""
    streams = rig.streams
    await streams.follow(ticker_channel(CALL), index_channel("BTC"))
    await streams.follow(vol_index_channel("BTC"), portfolio_channel("BTC"))
    before = (
        streams.ticker(CALL),
        streams.index("BTC"),
        streams.vol_index("BTC"),
        streams.portfolio("BTC"),
    )
    assert before == (None,) * 4

    for bid, price, volatility, balance in ((0.0155, 79_000.0, 50.5, 1.0), (0.016, 8e4, 51.0, 2.0)):
        await rig.say(ticker_channel(CALL), ticker(best_bid_price=bid))
        await rig.say(index_channel("BTC"), index(price))
        dvol = {"timestamp": AT_MS, "volatility": volatility, "index_name": "btc_usd"}
        await rig.say(vol_index_channel("BTC"), dvol)
        await rig.say(portfolio_channel("BTC"), portfolio(balance))

        assert getattr(streams.ticker(CALL), "best_bid_price", None) == bid
        assert getattr(streams.index("BTC"), "price", None) == price
        assert getattr(streams.vol_index("BTC"), "volatility", None) == volatility
        assert getattr(streams.portfolio("BTC"), "balance", None) == balance


def portfolio(balance: float) -> dict[str, Any]:
    money = dict.fromkeys(("equity", "initial_margin", "maintenance_margin"), balance)
    return {"currency": "BTC", "balance": balance, **money}


async def test_a_lost_connection_forgets_everything(rig: Rig) -> None:
    """Until it is said anew, nothing is known; not even what has perhaps not changed."""
    await rig.streams.follow(index_channel("BTC"), BOOK)
    await rig.say(index_channel("BTC"), index())
    await rig.say(BOOK, whole(5, bids=BIDS, asks=ASKS))

    await rig.lose()
    assert rig.streams.index("BTC") is None
    assert rig.streams.book(CALL) is None

    await rig.say(index_channel("BTC"), index(81_000.0))
    await rig.say(BOOK, whole(9, bids=[], asks=ASKS))
    assert getattr(rig.streams.index("BTC"), "price", None) == 81_000.0
    assert getattr(rig.streams.book(CALL), "bids", None) == ()


@pytest.mark.parametrize("bad", [{}, None, [], index(0.0), index(index_name="eth_usd")])
async def test_a_word_that_cannot_be_read_is_no_word(rig: Rig, bad: Any) -> None:
    """What was said before is not true any more; what is said after it counts."""
    await rig.streams.follow(index_channel("BTC"))
    await rig.say(index_channel("BTC"), index())
    await rig.say(index_channel("BTC"), bad)
    assert rig.streams.index("BTC") is None

    await rig.say(index_channel("BTC"), index())
    assert rig.streams.index("BTC") is not None
    assert len(rig.venue.connections) == 1


async def test_a_subscription_that_is_refused_is_none(rig: Rig) -> None:
    """It is not taken up behind our back; another try is ours to make."""
    rig.venue.on(SUBSCRIBE, error(11051), result([index_channel("BTC")]))
    with pytest.raises(Unavailable):
        await rig.streams.follow(index_channel("BTC"))
    assert not rig.streams.follows(index_channel("BTC"))

    await rig.streams.follow(index_channel("BTC"))
    await rig.streams.follow(index_channel("BTC"))
    assert rig.streams.follows(index_channel("BTC"))
    assert len(rig.venue.params(SUBSCRIBE)) == 2


async def test_words_about_another_are_no_words(rig: Rig) -> None:
    """A channel tells of what it is named after."""
    streams = rig.streams
    await streams.follow(ticker_channel(CALL), BOOK, portfolio_channel("ETH"))
    await rig.say(ticker_channel(CALL), ticker(LATER))
    await rig.say(BOOK, whole(5, bids=BIDS, asks=ASKS) | {"instrument_name": LATER})
    await rig.say(portfolio_channel("ETH"), portfolio(1.0))

    assert streams.ticker(CALL) is None
    assert streams.book(CALL) is None
    assert streams.portfolio("ETH") is None


async def test_a_channel_that_is_left_is_forgotten(rig: Rig) -> None:
    """Late words in it are let pass, and the next connection does not ask for it."""
    await rig.streams.follow(index_channel("BTC"), index_channel("ETH"))
    await rig.say(index_channel("BTC"), index())
    await rig.streams.leave(index_channel("BTC"))
    await rig.say(index_channel("BTC"), index())
    assert rig.streams.index("BTC") is None

    await rig.lose()
    assert rig.venue.params(UNSUBSCRIBE)[0]["channels"] == [index_channel("BTC")]
    assert rig.venue.params(SUBSCRIBE)[-1]["channels"] == [index_channel("ETH")]


async def test_a_book_follows_its_changes(rig: Rig) -> None:
    """New, changed and deleted levels; best prices first."""
    await rig.streams.follow(BOOK)
    await rig.say(BOOK, whole(5, bids=BIDS, asks=ASKS))
    await rig.say(BOOK, change(5, 6, bids=[["change", 0.016, 0.7], ["new", 0.0165, 0.1]]))
    await rig.say(BOOK, change(6, 8, asks=[["delete", 0.017, 0.0], ["delete", 0.5, 0.0]]))

    book = rig.streams.book(CALL)
    assert book is not None
    assert book.bids == (Level(0.0165, 0.1), Level(0.016, 0.7), Level(0.0155, 3.0))
    assert book.asks == (Level(0.0175, 0.5),)
    assert (book.instrument_name, book.change_id, book.timestamp_ms) == (CALL, 8, AT_MS + 8)


async def test_a_gap_brings_a_fresh_snapshot(rig: Rig) -> None:
    """From the gap on the book is unknown; it is asked for anew, once, and is right again."""
    await rig.streams.follow(BOOK)
    await rig.say(BOOK, whole(5, bids=BIDS, asks=ASKS))
    await rig.venue.say(BOOK, change(6, 7, bids=[["delete", 0.016, 0.0]]))
    await rig.venue.say(BOOK, change(7, 8))
    await rig.until_renewed(1)
    assert rig.streams.book(CALL) is None

    await rig.say(BOOK, whole(20, bids=BIDS, asks=[]))
    await rig.say(BOOK, change(20, 21, bids=[["delete", 0.016, 0.0]]))
    book = rig.streams.book(CALL)
    assert book is not None
    assert (book.bids, book.asks) == ((Level(0.0155, 3.0),), ())
    assert [each["channels"] for each in rig.venue.params(UNSUBSCRIBE)] == [[BOOK]]
    assert [each["channels"] for each in rig.venue.params(SUBSCRIBE)] == [[BOOK]] * 2
    assert len(rig.venue.connections) == 1


async def test_a_snapshot_that_is_refused_is_asked_for_again(rig: Rig) -> None:
    """The book stays unknown until the venue lets us."""
    await rig.streams.follow(BOOK)
    rig.venue.on(UNSUBSCRIBE, error(10066), error(10066), result([BOOK]))
    await rig.venue.say(BOOK, change(6, 7))
    await rig.until_renewed(1)

    assert len(rig.venue.params(UNSUBSCRIBE)) == 3
    await rig.say(BOOK, whole(20, bids=BIDS, asks=ASKS))
    assert rig.streams.book(CALL) is not None


def position(size: float = -0.3) -> dict[str, Any]:
    return {
        "instrument_name": NAME,
        "direction": "sell",
        "size": size,
        "average_price": 0.0165,
        "mark_price": 0.016,
    }


def changes(*, orders: list[Any], trades: list[Any]) -> dict[str, Any]:
    told = {"orders": orders, "trades": trades, "positions": [position()]}
    return {"instrument_name": NAME, **told}


@frozen(eq=False)
class Reading:
    """A reader of the changes in BTC: what it was told so far, and its end."""

    told: list[AccountChange]
    end: "asyncio.Task[None]"


@pytest_asyncio.fixture
async def reading(rig: Rig) -> AsyncIterator[Reading]:
    told: list[AccountChange] = []
    end = asyncio.create_task(read_rest(rig.streams.changes("BTC"), told))
    await rig.venue.until(lambda: SUBSCRIBE in rig.venue.methods(1))
    await rig.heard()
    yield Reading(told, end)
    end.cancel()
    await asyncio.wait([end])


CHANGES = changes_channel("BTC")


async def test_changes_of_the_account_come_one_by_one(rig: Rig, reading: Reading) -> None:
    """Orders, trades and positions in our values, none left out."""
    await rig.say(CHANGES, changes(orders=[order()], trades=[]))
    await rig.say(CHANGES, changes(orders=[order(order_state="filled")], trades=[trade()]))

    first, second = reading.told
    assert [each.state for each in (*first.orders, *second.orders)] == [
        OrderState.OPEN,
        OrderState.FILLED,
    ]
    assert first.fills == ()
    assert [fill.trade_id for fill in second.fills] == ["445682190"]
    assert [(each.contract, each.size) for each in second.positions] == [(CONTRACT, -0.3)]


async def test_a_lost_connection_ends_the_changes(rig: Rig, reading: Reading) -> None:
    """What was heard is told, then Unavailable: something may have been missed."""
    await rig.say(CHANGES, changes(orders=[order()], trades=[]))
    await rig.lose()

    with pytest.raises(Unavailable, match="missed"):
        await reading.end
    assert [len(change.orders) for change in reading.told] == [1]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        changes(orders=[order(order_state="of 2027")], trades=[]),
        changes(orders=[], trades=[{}]),
    ],
)
async def test_a_change_that_cannot_be_read_ends_them_too(
    rig: Rig, reading: Reading, bad: Any
) -> None:
    """Nothing is left out in silence."""
    await rig.say(CHANGES, bad)

    with pytest.raises(Unavailable, match="missed"):
        await reading.end


async def test_a_reader_that_is_too_slow_has_missed_something(rig: Rig) -> None:
    """A thousand unread changes are kept; of more none is told."""
    told: list[AccountChange] = []
    reading = rig.streams.changes("BTC")
    first = asyncio.ensure_future(anext(reading))
    await rig.venue.until(lambda: SUBSCRIBE in rig.venue.methods(1))
    for _ in range(1_002):
        await rig.say(CHANGES, changes(orders=[order()], trades=[]))

    assert len((await first).orders) == 1
    with pytest.raises(Unavailable, match="missed"):
        await read_rest(reading, told)
    assert told == []


async def read_rest(reading: AsyncIterator[AccountChange], told: list[AccountChange]) -> None:
    async for change in reading:
        told.append(change)  # noqa: PERF401  what was told before the end counts


async def test_changes_that_the_venue_does_not_tell_are_not_waited_for(rig: Rig) -> None:
    """A channel that is refused is Unavailable at once."""
    rig.venue.unknown.add(CHANGES)

    with pytest.raises(Unavailable, match="does not have"):
        await anext(rig.streams.changes("BTC"))


async def test_changes_need_credentials() -> None:
    """The account is told to nobody else."""
    async with scripted() as venue, session(venue, credentials=None) as opened:
        with pytest.raises(Unauthorised):
            await anext(opened.streams.changes("BTC"))
