"""Faults on purpose over a websocket: answers late, doubled, in another order, or none at all."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed, InvalidMessage

from apps.exchange.faults.kinds import Fault, FaultKind
from tests.support.exchanges import Answered, ExchangeRig, Fields, Socket, served, websocket

_HERE = 7


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served(is_faulty=True) as made:
        await made.sign_in()
        yield made


def arm(rig: ExchangeRig, kind: FaultKind, method: str = "public/test", **fields: Any) -> None:
    """Let *kind* happen to the next request for *method*."""
    assert rig.faults is not None
    rig.faults.arm(Fault(kind=kind, method=method, **fields))


async def ask(socket: Socket, method: str, number: int, **params: Any) -> None:
    """Send a request with id *number* and wait for nothing."""
    await socket.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


async def listen(socket: Socket) -> None:
    """Hear messages until there can be no more."""
    while True:
        await socket.message()


async def resting(rig: ExchangeRig) -> Fields:
    """The parameters of a buy that rests far below the market."""
    ticker = await rig.quoted()
    return {
        "instrument_name": ticker["instrument_name"],
        "amount": 0.3,
        "price": ticker["min_price"],
        "label": "here",
    }


async def orders(rig: ExchangeRig) -> int:
    """How many orders the exchange knows with label `here`."""
    return len(await rig.call("private/get_order_state_by_label", currency="BTC", label="here"))


async def test_answers_come_in_another_order(rig: ExchangeRig) -> None:
    """The answer to the first request comes behind that to the second."""
    arm(rig, FaultKind.ANSWER_REORDERED, "public/get_time", span=timedelta(seconds=0.1))
    async with websocket(rig) as socket:
        await ask(socket, "public/get_time", 1)
        await ask(socket, "public/test", 2)

        ids = [(await socket.message())["id"], (await socket.message())["id"]]

    assert ids == [2, 1]


async def test_an_answer_comes_twice(rig: ExchangeRig) -> None:
    """The same answer comes two times, and then that to the next request."""
    arm(rig, FaultKind.ANSWER_DOUBLED)
    async with websocket(rig) as socket:
        await ask(socket, "public/test", 1)
        first, second = await socket.message(), await socket.message()
        await ask(socket, "public/test", 2)
        third = await socket.message()

    assert first == second
    assert (first["id"], third["id"]) == (1, 2)


@pytest.mark.parametrize(
    ("kind", "placed"),
    [(FaultKind.DROPPED, 0), (FaultKind.CONNECTION_REFUSED, 0), (FaultKind.ANSWER_LOST, 1)],
)
async def test_the_connection_ends(rig: ExchangeRig, kind: FaultKind, placed: int) -> None:
    """The websocket ends without an answer; the order is there only where the fault says so."""
    order = await resting(rig)
    arm(rig, kind, "private/buy")
    async with websocket(rig) as socket:
        await socket.sign_in()
        with pytest.raises(ConnectionClosed):
            await socket.call("private/buy", **order)

    await rig.alone()
    assert await orders(rig) == placed


async def test_too_many_requests_end_the_connection(rig: ExchangeRig) -> None:
    """After 10028 the exchange closes the websocket."""
    arm(rig, FaultKind.TOO_MANY_REQUESTS)
    async with websocket(rig) as socket:
        with pytest.raises(Answered) as caught:
            await socket.call("public/test")
        with pytest.raises(ConnectionClosed):
            await socket.message()

    assert caught.value.code == 10028


async def test_a_truncated_answer(rig: ExchangeRig) -> None:
    """A frame holds half of an answer; the next one is whole."""
    arm(rig, FaultKind.TRUNCATED)
    async with websocket(rig) as socket:
        await ask(socket, "public/test", 1)
        half = await socket.connection.recv()
        await ask(socket, "public/test", 2)

        assert (await socket.message())["id"] == 2

    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(half)


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (FaultKind.RESULT_AND_ERROR, {"result", "error"}),
        (FaultKind.NO_RESULT_NO_ERROR, set()),
        (FaultKind.ERROR, {"error"}),
    ],
)
async def test_what_is_in_an_answer(rig: ExchangeRig, kind: FaultKind, keys: set[str]) -> None:
    """Answers hold both, neither, or an error, under the id of the request."""
    arm(rig, kind)
    async with websocket(rig) as socket:
        await ask(socket, "public/test", _HERE)
        message = await socket.message()

    assert message["id"] == _HERE
    assert message.keys() & {"result", "error"} == keys


async def test_the_wrong_id(rig: ExchangeRig) -> None:
    """An answer comes under the id of a request that was not made."""
    arm(rig, FaultKind.WRONG_ID)
    async with websocket(rig) as socket:
        await ask(socket, "public/test", _HERE)

        assert (await socket.message())["id"] == _HERE - 1


async def test_the_session_is_lost(rig: ExchangeRig) -> None:
    """Private methods are refused on the same connection until it signs in again."""
    arm(rig, FaultKind.TOKENS_LOST, "private/*")
    async with websocket(rig) as socket:
        await socket.sign_in()
        with pytest.raises(Answered) as caught:
            await socket.call("private/get_open_orders")
        await socket.sign_in()

        assert await socket.call("private/get_open_orders") == []

    assert caught.value.code == 13009


async def test_an_outage_ends_all_websockets(rig: ExchangeRig) -> None:
    """Who only listens is cut off too, and nobody gets on before it is over."""
    async with websocket(rig) as socket:
        await socket.call("public/subscribe", channels=["deribit_price_index.btc_usd"])
        arm(rig, FaultKind.OUTAGE, "*", span=timedelta(minutes=1))
        with pytest.raises(ConnectionClosed):
            await listen(socket)

    with pytest.raises((InvalidMessage, OSError)):
        async with websocket(rig):
            pass
    await rig.step(minutes=1)
    async with websocket(rig) as socket:
        assert await socket.call("public/test") == {"version": "2.1.1"}
