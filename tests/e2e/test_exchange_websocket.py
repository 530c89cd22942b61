"""The paper exchange over websockets: answers by id, subscriptions, heartbeats, disconnects."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed

from apps.exchange.limits import allowances
from apps.exchange.rpc import heartbeat
from tests.support.exchanges import Answered, ExchangeRig, Socket, served, websocket


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served() as made:
        await made.sign_in()
        yield made


@pytest_asyncio.fixture
async def line(rig: ExchangeRig) -> AsyncIterator[Socket]:
    async with websocket(rig) as made:
        yield made


async def code_of(line: Socket, method: str, **params: object) -> int:
    with pytest.raises(Answered) as caught:
        await line.call(method, **params)
    return caught.value.code


async def test_one_login_for_the_connection(rig: ExchangeRig, line: Socket) -> None:
    """Behind public/auth later requests need no token, and the token is of no use elsewhere."""
    assert await code_of(line, "private/get_open_orders") == 10000
    told = await line.sign_in()
    assert await line.call("private/get_open_orders") == []

    async with websocket(rig) as other:
        assert await other.call("private/get_open_orders", access_token=rig.token) == []
        mine = told["access_token"]
        assert await code_of(other, "private/get_open_orders", access_token=mine) == 13009


async def test_hello_and_test(line: Socket) -> None:
    """hello and test tell the version; an expected exception comes as an error."""
    told = await line.call("public/hello", client_name="t", client_version="1")

    assert told == await line.call("public/test") == {"version": "2.1.1"}
    assert await code_of(line, "public/test", expected_result="exception") == 11094


async def test_bad_frames_leave_the_connection_open(line: Socket) -> None:
    """A frame that is no request is answered with its code; the next one is served."""
    for frame, code in (
        ("{", -32700),
        ("[]", -32600),
        ('{"id":5}', -32600),
        ("x" * 10_000_000, -32600),
    ):
        await line.connection.send(frame)
        assert (await line.message())["error"]["code"] == code

    assert await line.call("public/test") == {"version": "2.1.1"}


async def test_tickers_quotes_and_index(rig: ExchangeRig, line: Socket) -> None:
    """A channel begins with how things stand and goes on when they change."""
    name = (await rig.quoted())["instrument_name"]
    channels = [
        f"ticker.{name}.100ms",
        f"quote.{name}",
        "deribit_price_index.btc_usd",
        "deribit_volatility_index.btc_usd",
    ]

    heard = await line.call("public/subscribe", channels=channels)
    first = [await line.heard(channel) for channel in channels]
    await rig.step(minutes=5)
    later = [await line.heard(channel) for channel in channels]

    assert heard == channels
    assert first[0]["instrument_name"] == first[1]["instrument_name"] == name
    assert first[1]["best_bid_price"] == first[0]["best_bid_price"]
    assert first[2]["price"] == first[0]["index_price"]
    assert later[0]["timestamp"] == first[0]["timestamp"] + 300_000
    assert later[2]["price"] != first[2]["price"]
    assert later[0] == await rig.call("public/ticker", instrument_name=name)
    assert 20 < later[3]["volatility"] < 150


async def test_the_book_by_changes(rig: ExchangeRig, line: Socket) -> None:
    """A snapshot and all changes after it, in the order of their ids, make the book."""
    name = (await rig.quoted(least_bid=0.02))["instrument_name"]
    channel = f"book.{name}.100ms"
    await line.call("public/subscribe", channels=[channel])
    snapshot = await line.heard(channel)
    sides = {
        side: {price: amount for _, price, amount in snapshot[side]} for side in ("bids", "asks")
    }
    last = snapshot["change_id"]

    for _ in range(5):
        await rig.step(minutes=7)
        change = await line.heard(channel)
        assert (change["type"], change["prev_change_id"]) == ("change", last)
        last = change["change_id"]
        for side, book in sides.items():
            for action, price, amount in change[side]:
                assert (price in book) == (action != "new")
                book.pop(price, None)
                if action != "delete":
                    book[price] = amount

    full = await rig.call("public/get_order_book", instrument_name=name)
    assert {side: sorted(book.items()) for side, book in sides.items()} == {
        side: sorted(map(tuple, full[side])) for side in sides
    }


async def test_the_grouped_book(rig: ExchangeRig, line: Socket) -> None:
    """A grouped book is whole every time."""
    channel = "book.BTC-PERPETUAL.none.10.100ms"
    await line.call("public/subscribe", channels=[channel])

    data = await line.heard(channel)

    assert set(data) == {"timestamp", "instrument_name", "change_id", "bids", "asks"}
    assert data["bids"][0][0] < data["asks"][0][0]


async def test_channels_that_do_not_exist(line: Socket) -> None:
    """The answer names what is heard: channels of nothing are missing, raw needs a login."""
    wanted = ["ticker.BTC-9MAR99-1-C.100ms", "nonsense", "quote.ETH-PERPETUAL"]

    assert await line.call("public/subscribe", channels=wanted) == ["quote.ETH-PERPETUAL"]
    assert await line.call("public/unsubscribe", channels=wanted) == ["quote.ETH-PERPETUAL"]
    assert await code_of(line, "public/subscribe", channels=["ticker.BTC-PERPETUAL.raw"]) == 13778
    assert await code_of(line, "private/subscribe", channels=["user.orders.any.any.raw"]) == 10000


async def test_orders_and_trades_are_told(rig: ExchangeRig, line: Socket) -> None:
    """Orders, trades, changes, the portfolio and the public tape tell of a trade over HTTP."""
    await line.sign_in()
    ticker = await rig.quoted()
    name = ticker["instrument_name"]
    channels = [
        "user.orders.option.BTC.raw",
        f"user.orders.{name}.100ms",
        "user.trades.any.any.100ms",
        f"user.changes.{name}.raw",
        "user.portfolio.btc",
        "trades.option.BTC.100ms",
    ]
    assert await line.call("private/subscribe", channels=channels) == channels
    before = await line.heard("user.portfolio.btc")

    placed = await rig.call(
        "private/buy",
        instrument_name=name,
        amount=0.1,
        price=ticker["best_ask_price"],
        label="told",
        post_only=False,
    )

    order, (trade,) = placed["order"], placed["trades"]
    assert await line.heard(channels[0]) == order
    assert await line.heard(channels[1]) == [order]
    assert await line.heard(channels[2]) == [trade]
    changes = await line.heard(channels[3])
    assert (changes["orders"], changes["trades"]) == ([order], [trade])
    assert changes["positions"][0]["size"] == 0.1
    assert (await line.heard("user.portfolio.btc"))["balance"] < before["balance"]
    assert (await line.heard(channels[5]))[0]["trade_id"] == trade["trade_id"]


async def test_a_resting_order_fills_later(rig: ExchangeRig, line: Socket) -> None:
    """An order that the market comes to is told as a trade by the maker."""
    await line.sign_in()
    ticker = await rig.quoted(least_bid=0.02)
    name, price = ticker["instrument_name"], round(ticker["best_ask_price"] - 0.0005, 4)
    await line.call("private/subscribe", channels=["user.trades.option.BTC.100ms"])
    placed = await line.call(
        "private/buy", instrument_name=name, amount=0.1, price=price, post_only=True
    )

    for _ in range(200):
        await rig.step(minutes=30)
        state = await rig.call("private/get_order_state", order_id=placed["order"]["order_id"])
        if state["order_state"] == "filled":
            break

    (trade,) = await line.heard("user.trades.option.BTC.100ms")
    assert (trade["price"], trade["liquidity"], trade["post_only"]) == (
        placed["order"]["price"],
        "M",
        True,
    )


async def test_disconnecting_cancels_what_it_sent(rig: ExchangeRig) -> None:
    """With cancel on disconnect the orders of that connection go, those over HTTP stay."""
    ticker = await rig.quoted()
    order = {
        "instrument_name": ticker["instrument_name"],
        "amount": 0.1,
        "price": ticker["best_bid_price"],
    }
    async with websocket(rig) as line:
        await line.sign_in()
        assert await line.call("private/enable_cancel_on_disconnect") == "ok"
        assert (await line.call("private/get_cancel_on_disconnect"))["enabled"] is True
        await line.call("private/buy", **order, label="socket")
        await rig.call("private/buy", **order, label="http")
    await rig.alone()

    (left,) = await rig.call("private/get_open_orders")
    (ended,) = await rig.call("private/get_order_state_by_label", currency="BTC", label="socket")
    assert left["label"] == "http"
    assert (ended["order_state"], ended["cancel_reason"]) == ("cancelled", "cancel_on_disconnect")


async def test_logout_cancels_nothing(rig: ExchangeRig, line: Socket) -> None:
    """private/logout is not answered, closes the connection and leaves orders alone."""
    ticker = await rig.quoted()
    await line.sign_in()
    await line.call("private/enable_cancel_on_disconnect")
    await line.call(
        "private/buy",
        instrument_name=ticker["instrument_name"],
        amount=0.1,
        price=ticker["best_bid_price"],
    )

    await line.send({"jsonrpc": "2.0", "id": 99, "method": "private/logout", "params": {}})
    with pytest.raises(ConnectionClosed):
        await line.message()
    await rig.alone()

    assert len(await rig.call("private/get_open_orders")) == 1


async def test_heartbeats(rig: ExchangeRig) -> None:
    """A client is sent heartbeats, tested when it is silent, and closed if it stays so."""
    connection = rig.hub.opened(now_s=0.0)
    connection.heartbeat_s = 10.0

    def sent_at(now_s: float) -> list[bytes | None]:
        rig.hub.beat(now_s)
        return [connection.outbox.get_nowait() for _ in range(connection.outbox.qsize())]

    connection.heard_s = 5.0
    assert sent_at(9.0) == []
    assert sent_at(10.0) == [heartbeat("heartbeat")]
    assert sent_at(20.0) == [heartbeat("test_request")]
    connection.heard_s, connection.is_tested = 21.0, False
    assert sent_at(30.0) == [heartbeat("heartbeat")]
    assert sent_at(40.0) == [heartbeat("test_request")]
    assert sent_at(50.0) == [None]
    assert connection.is_closing
    assert (connection.farewell.code, connection.farewell.reason) == (4000, "heartbeat close")


async def test_setting_heartbeats(line: Socket) -> None:
    """Heartbeats come no faster than every ten seconds."""
    assert await code_of(line, "public/set_heartbeat", interval=9) == -32602
    assert await line.call("public/set_heartbeat", interval=10) == "ok"
    assert await line.call("public/disable_heartbeat") == "ok"


async def test_too_many_requests_end_the_session() -> None:
    """A websocket whose credits are gone is told so and closed."""
    async with served(allowed=allowances(4)) as rig, websocket(rig) as line:
        await line.sign_in()
        for _ in range(20):
            assert await code_of(line, "private/cancel", order_id="BTC-1") == 10004
        assert await code_of(line, "private/cancel", order_id="BTC-1") == 10028
        with pytest.raises(ConnectionClosed):
            await line.message()
