"""Faults on purpose, as a client of nothing but HTTP sees them over a real socket."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from apps.exchange.faults.kinds import Fault, FaultKind
from apps.exchange.faults.runtime import Faults
from ports.checks import epoch_ms
from tests.support.exchanges import ExchangeRig, Fields, refusal, served

_BUY = "private/buy"
_NO_ANSWER = (httpx.RemoteProtocolError, httpx.ReadError)


_LABELS = (f"order-{number}" for number in count())
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def exchange() -> AsyncIterator[ExchangeRig]:
    """One exchange for all: it takes most of a test's time to make."""
    async with served(is_faulty=True) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def rig(exchange: ExchangeRig) -> ExchangeRig:
    """The exchange without orders and without faults of tests before."""
    faults(exchange).calm()
    await exchange.sign_in()
    await exchange.call("private/cancel_all")
    return exchange


def faults(rig: ExchangeRig) -> Faults:
    assert rig.faults is not None
    return rig.faults


def arm(rig: ExchangeRig, kind: FaultKind, method: str = _BUY, **fields: Any) -> None:
    """Let *kind* happen to the next request for *method*."""
    faults(rig).arm(Fault(kind=kind, method=method, **fields))


async def resting(rig: ExchangeRig) -> Fields:
    """The parameters of a buy that rests far below the market."""
    ticker = await rig.quoted()
    return {
        "instrument_name": ticker["instrument_name"],
        "amount": 0.3,
        "price": ticker["min_price"],
        "label": next(_LABELS),
    }


async def placed(rig: ExchangeRig, order: Fields) -> list[Fields]:
    """What the exchange itself knows of orders with the label of *order*."""
    told: list[Fields] = await rig.call(
        "private/get_order_state_by_label", currency="BTC", label=order["label"]
    )
    return told


async def posted(rig: ExchangeRig, method: str, params: Fields) -> httpx.Response:
    """The bare answer to a POST with id 77."""
    body = {"jsonrpc": "2.0", "id": 77, "method": method, "params": params}
    headers = {"Authorization": f"Bearer {rig.token}"}
    return await rig.http.post(f"/api/v2/{method}", json=body, headers=headers)


@pytest.mark.parametrize(
    ("kind", "orders"),
    [
        (FaultKind.CONNECTION_REFUSED, 0),
        (FaultKind.DROPPED, 0),
        (FaultKind.ANSWER_LOST, 1),
    ],
)
async def test_a_connection_ends_without_an_answer(
    rig: ExchangeRig, kind: FaultKind, orders: int
) -> None:
    """Not a byte comes back, and the order is there only where the fault says so."""
    order = await resting(rig)
    arm(rig, kind)

    with pytest.raises(_NO_ANSWER):
        await posted(rig, _BUY, order)

    assert len(await placed(rig, order)) == orders


@pytest.mark.parametrize(
    ("kind", "status", "orders"),
    [
        (FaultKind.TURNED_AWAY, 429, 0),
        (FaultKind.SERVER_ERROR, 503, 0),
        (FaultKind.SERVER_ERROR_AFTER, 502, 1),
        (FaultKind.FOREIGN, 200, 1),
    ],
)
async def test_a_foreign_body(rig: ExchangeRig, kind: FaultKind, status: int, orders: int) -> None:
    """HTML comes with the status of the fault, and the order is there or not as it says."""
    order = await resting(rig)
    arm(rig, kind)

    response = await posted(rig, _BUY, order)

    assert (response.status_code, response.headers["content-type"]) == (
        status,
        "text/html; charset=utf-8",
    )
    assert response.text.startswith("<html>")
    assert len(await placed(rig, order)) == orders


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_the_status_can_be_chosen(rig: ExchangeRig, status: int) -> None:
    """A server error comes with the status that the fault names."""
    arm(rig, FaultKind.SERVER_ERROR, "public/test", code=status)

    assert (await posted(rig, "public/test", {})).status_code == status


async def test_a_truncated_body(rig: ExchangeRig) -> None:
    """Half of the answer comes as if it were all, and the order is there."""
    order = await resting(rig)
    arm(rig, FaultKind.TRUNCATED)

    response = await posted(rig, _BUY, order)

    assert response.content.startswith(b'{"jsonrpc":"2.0","id":77,')
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(response.content)
    assert len(await placed(rig, order)) == 1


@pytest.mark.parametrize(
    "kind", [FaultKind.WRONG_ID, FaultKind.ANSWER_REORDERED, FaultKind.ANSWER_DOUBLED]
)
async def test_the_answer_to_another_request(rig: ExchangeRig, kind: FaultKind) -> None:
    """One HTTP answer cannot overtake another: what comes has the id of another request."""
    arm(rig, kind, "public/get_time")

    answer = (await posted(rig, "public/get_time", {})).json()

    assert answer["id"] == 76
    assert answer["result"] == epoch_ms(rig.exchange.now)


async def test_both_result_and_error(rig: ExchangeRig) -> None:
    """An answer with the true result and an error besides."""
    arm(rig, FaultKind.RESULT_AND_ERROR, "public/get_time")

    answer = (await posted(rig, "public/get_time", {})).json()

    assert answer["result"] == epoch_ms(rig.exchange.now)
    assert answer["error"]["code"] == 11094


async def test_neither_result_nor_error(rig: ExchangeRig) -> None:
    """An answer with the id of the request and nothing in it."""
    arm(rig, FaultKind.NO_RESULT_NO_ERROR, "public/get_time")

    answer = (await posted(rig, "public/get_time", {})).json()

    assert answer["id"] == 77
    assert answer.keys().isdisjoint({"result", "error"})


@pytest.mark.parametrize(
    ("kind", "code", "orders"),
    [
        (FaultKind.ERROR, 10040, 0),
        (FaultKind.ERROR, 13028, 0),
        (FaultKind.ERROR, 19999, 0),
        (FaultKind.ERROR_AFTER, 11094, 1),
        (FaultKind.ERROR_AFTER, 13888, 1),
        (FaultKind.TOO_MANY_REQUESTS, 10028, 0),
    ],
)
async def test_a_code(rig: ExchangeRig, kind: FaultKind, code: int, orders: int) -> None:
    """The code of the fault comes back, whether the order was placed or not."""
    order = await resting(rig)
    arm(rig, kind, code=code)

    error = await refusal(rig, _BUY, **order)

    assert error.code == code
    assert len(await placed(rig, order)) == orders


async def test_ten_thousand_and_twenty_eight_is_429(rig: ExchangeRig) -> None:
    """Too many requests come with the HTTP status of too many requests."""
    arm(rig, FaultKind.TOO_MANY_REQUESTS, "public/test")

    assert (await posted(rig, "public/test", {})).status_code == 429


async def test_a_request_that_arrives_late(rig: ExchangeRig) -> None:
    """A client that has given up has placed an order all the same, a little later."""
    order = await resting(rig)
    arm(rig, FaultKind.DELAYED, span=timedelta(seconds=0.3))

    with pytest.raises(httpx.ReadTimeout):
        await rig.http.post(
            f"/api/v2/{_BUY}",
            json={"jsonrpc": "2.0", "id": 1, "method": _BUY, "params": order},
            headers={"Authorization": f"Bearer {rig.token}"},
            timeout=0.1,
        )

    assert await placed(rig, order) == []
    arm(rig, FaultKind.DELAYED, "public/test", span=timedelta(seconds=0.4))
    await rig.call("public/test")
    assert len(await placed(rig, order)) == 1


async def test_an_answer_that_is_late(rig: ExchangeRig) -> None:
    """The order is placed at once; its answer comes when the client may long be gone."""
    order = await resting(rig)
    arm(rig, FaultKind.ANSWER_LATE, span=timedelta(seconds=0.3))

    with pytest.raises(httpx.ReadTimeout):
        await rig.http.post(
            f"/api/v2/{_BUY}",
            json={"jsonrpc": "2.0", "id": 1, "method": _BUY, "params": order},
            headers={"Authorization": f"Bearer {rig.token}"},
            timeout=0.1,
        )

    assert len(await placed(rig, order)) == 1


async def test_a_request_that_arrives_twice(rig: ExchangeRig) -> None:
    """The exchange does not notice equal labels: there are two orders, and one answer."""
    order = await resting(rig)
    arm(rig, FaultKind.DOUBLED)

    answer = await rig.call(_BUY, **order)

    both = await placed(rig, order)
    assert len(both) == 2
    assert answer["order"]["order_id"] in {each["order_id"] for each in both}


async def test_tokens_are_lost(rig: ExchangeRig) -> None:
    """From that request on no token is known; a new one works."""
    arm(rig, FaultKind.TOKENS_LOST, "private/*")

    assert (await refusal(rig, "private/get_open_orders")).code == 13009
    await rig.sign_in()
    assert await rig.call("private/get_open_orders") == []


async def test_a_cancel_that_comes_too_late(rig: ExchangeRig) -> None:
    """The order fills just before its cancel, which is refused."""
    order = await resting(rig)
    told = await rig.call(_BUY, **order)
    arm(rig, FaultKind.CANCEL_TOO_LATE, "private/cancel")

    error = await refusal(rig, "private/cancel", order_id=told["order"]["order_id"])

    (after,) = await placed(rig, order)
    assert error.code == 10010
    assert (after["order_state"], after["filled_amount"]) == ("filled", 0.3)
    assert after["average_price"] == order["price"]


async def test_only_so_many_requests_after_others(rig: ExchangeRig) -> None:
    """A fault lets *skip* requests pass, happens to *times* that follow, and is over."""
    arm(rig, FaultKind.ERROR, "public/get_time", skip=1, times=2)

    codes = []
    for _ in range(4):
        answer = await rig.envelope("public/get_time", {})
        codes.append(answer.get("error", {}).get("code"))

    assert codes == [None, 11094, 11094, None]


async def test_only_the_methods_it_names(rig: ExchangeRig) -> None:
    """A fault of private/get_* happens to no other method."""
    arm(rig, FaultKind.ERROR, "private/get_*", times=1)

    await rig.call("public/get_time")
    assert (await refusal(rig, "private/get_open_orders")).code == 11094


async def test_nothing_of_what_is_not_the_venues_goes_wrong(rig: ExchangeRig) -> None:
    """Stepping the clock and arming faults work during an outage."""
    start = rig.exchange.now
    arm(rig, FaultKind.OUTAGE, "*", span=timedelta(minutes=5))

    await rig.step(minutes=4)
    with pytest.raises(_NO_ANSWER):
        await rig.call("public/get_time")
    await rig.step(minutes=1)
    assert await rig.call("public/get_time") == epoch_ms(start + timedelta(minutes=5))
