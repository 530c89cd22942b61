"""Faults on purpose as our adapter tells them: over a real socket, each as the right PortError."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from apps.exchange.door import Door
from apps.exchange.faults.drawn import AMBIGUOUS_CODES
from apps.exchange.faults.kinds import Fault, FaultKind
from apps.exchange.faults.runtime import Faults
from ports.errors import (
    Malformed,
    NeverSent,
    OutcomeUnknown,
    PortError,
    RateLimited,
    Refused,
    Unauthorised,
    Unavailable,
)
from ports.trading import OrderState
from tests.support.exchanges import ExchangeRig, served
from tests.support.faults import PATIENCE_S, AdapterRig, DoorTransport, adapter_on, client_of

_LONG = timedelta(seconds=2 * PATIENCE_S)
_Case = tuple[FaultKind, dict[str, Any], type[PortError], type[PortError], int]

# What happens, what that is of an order, what of a read, and how many orders there are then.
_CASES: list[_Case] = [
    (FaultKind.CONNECTION_REFUSED, {}, OutcomeUnknown, Unavailable, 0),  # see test_in_one_process
    (FaultKind.DROPPED, {}, OutcomeUnknown, Unavailable, 0),
    (FaultKind.ANSWER_LOST, {}, OutcomeUnknown, Unavailable, 1),
    (FaultKind.DELAYED, {"span": _LONG}, OutcomeUnknown, Unavailable, 0),
    (FaultKind.ANSWER_LATE, {"span": _LONG}, OutcomeUnknown, Unavailable, 1),
    (FaultKind.TURNED_AWAY, {}, Refused, RateLimited, 0),
    (FaultKind.TOO_MANY_REQUESTS, {}, Refused, RateLimited, 0),
    *(
        (FaultKind.SERVER_ERROR, {"code": status}, OutcomeUnknown, Unavailable, 0)
        for status in (500, 502, 503)
    ),
    (FaultKind.SERVER_ERROR_AFTER, {}, OutcomeUnknown, Unavailable, 1),
    *(
        (FaultKind.ERROR, {"code": code}, OutcomeUnknown, Unavailable, 0)
        for code in AMBIGUOUS_CODES
    ),
    (FaultKind.ERROR, {"code": 10009}, Refused, Refused, 0),
    (FaultKind.ERROR, {"code": 10019}, Refused, Unavailable, 0),
    (FaultKind.ERROR, {"code": 10000}, Refused, Unauthorised, 0),
    (FaultKind.ERROR, {"code": 19999}, OutcomeUnknown, Refused, 0),
    (FaultKind.ERROR_AFTER, {"code": 13888}, OutcomeUnknown, Unavailable, 1),
    (FaultKind.TRUNCATED, {}, OutcomeUnknown, Malformed, 1),
    (FaultKind.FOREIGN, {}, OutcomeUnknown, Malformed, 1),
    (FaultKind.WRONG_ID, {}, OutcomeUnknown, Malformed, 1),
    (FaultKind.ANSWER_REORDERED, {}, OutcomeUnknown, Malformed, 1),
    (FaultKind.ANSWER_DOUBLED, {}, OutcomeUnknown, Malformed, 1),
    (FaultKind.RESULT_AND_ERROR, {}, OutcomeUnknown, Malformed, 1),
    (FaultKind.NO_RESULT_NO_ERROR, {}, OutcomeUnknown, Malformed, 1),
    (FaultKind.MAINTENANCE, {"span": _LONG}, OutcomeUnknown, Unavailable, 0),
    (FaultKind.SETTLING, {"span": _LONG}, OutcomeUnknown, Unavailable, 0),
    (FaultKind.OUTAGE, {"span": _LONG}, OutcomeUnknown, Unavailable, 0),
]
pytestmark = pytest.mark.asyncio(loop_scope="module")


def named(case: object) -> str | None:
    """The name of a case in the test's."""
    return case.value if isinstance(case, FaultKind) else None


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def exchange() -> AsyncIterator[ExchangeRig]:
    """One exchange for all; every test speaks to it with an adapter of its own."""
    async with served(is_faulty=True) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def rig(exchange: ExchangeRig) -> AsyncIterator[AdapterRig]:
    assert exchange.faults is not None
    exchange.faults.calm()
    async with adapter_on(exchange) as made:
        await made.trading.open_orders("BTC")  # it has a token
        yield made


@pytest.mark.parametrize(("kind", "fields", "of_order", "of_read", "orders"), _CASES, ids=named)
async def test_an_order(
    rig: AdapterRig,
    kind: FaultKind,
    fields: dict[str, Any],
    of_order: type[PortError],
    of_read: type[PortError],
    orders: int,
) -> None:
    """A placement fails as it should, and is at the exchange only where the fault says so."""
    intent = rig.resting()
    rig.arm(kind, "private/buy", **fields)

    with pytest.raises(PortError) as caught:
        await rig.trading.place(intent)

    assert type(caught.value) is of_order
    assert len(rig.known(intent.label)) == orders


@pytest.mark.parametrize(("kind", "fields", "of_order", "of_read", "orders"), _CASES, ids=named)
async def test_a_read(
    rig: AdapterRig,
    kind: FaultKind,
    fields: dict[str, Any],
    of_order: type[PortError],
    of_read: type[PortError],
    orders: int,
) -> None:
    """A read that is tried once fails as it should."""
    rig.arm(kind, "private/get_open_orders_by_currency", times=2, **fields)

    with pytest.raises(PortError) as caught:
        await rig.trading.open_orders("BTC")

    assert type(caught.value) is of_read


async def test_a_lost_token_is_replaced(rig: AdapterRig) -> None:
    """A read does not notice that all sessions have ended."""
    rig.arm(FaultKind.TOKENS_LOST, "private/*")

    assert await rig.trading.open_orders("BTC") is not None


async def test_an_order_without_a_session_is_refused(rig: AdapterRig) -> None:
    """It is not placed, and the next one is, with a new token."""
    first, second = rig.resting(), rig.resting()
    rig.arm(FaultKind.TOKENS_LOST, "private/buy")

    with pytest.raises(Refused):
        await rig.trading.place(first)
    placed = await rig.trading.place(second)

    assert rig.known(first.label) == []
    assert placed.order.state is OrderState.OPEN


@pytest.mark.parametrize("kind", [FaultKind.ANSWER_LOST, FaultKind.SERVER_ERROR_AFTER])
async def test_a_cancel_without_an_answer(rig: AdapterRig, kind: FaultKind) -> None:
    """It is Unavailable, and asked again it is Refused: the order is cancelled already."""
    order = (await rig.trading.place(rig.resting())).order
    rig.arm(kind, "private/cancel")

    with pytest.raises(Unavailable):
        await rig.trading.cancel(order)
    with pytest.raises(Refused):
        await rig.trading.cancel(order)

    assert [each.state for each in rig.known(order.label or "")] == [OrderState.CANCELLED]


async def test_a_cancel_that_comes_too_late(rig: AdapterRig) -> None:
    """It is Refused, and the order is found filled under its label."""
    order = (await rig.trading.place(rig.resting())).order
    rig.arm(FaultKind.CANCEL_TOO_LATE, "private/cancel")

    with pytest.raises(Refused):
        await rig.trading.cancel(order)
    (after,) = await rig.trading.orders_by_label("BTC", order.label or "")

    assert (after.state, after.filled_amount) == (OrderState.FILLED, 0.3)


async def test_a_trade_whose_order_is_not_told_yet(rig: AdapterRig) -> None:
    """While order lists lag, a label that has traded is Unavailable, never "no such order"."""
    order = (await rig.trading.place(rig.resting())).order
    await rig.exchange.exchange.fill_working()
    rig.arm(FaultKind.ORDERS_LAG, "*", span=timedelta(hours=1), lag=timedelta(minutes=5))

    with pytest.raises(Unavailable):
        await rig.trading.orders_by_label("BTC", order.label or "")


@pytest.mark.parametrize(
    ("kind", "of_order", "orders"),
    [
        (FaultKind.CONNECTION_REFUSED, NeverSent, 0),
        (FaultKind.OUTAGE, NeverSent, 0),
        (FaultKind.DROPPED, OutcomeUnknown, 0),
        (FaultKind.ANSWER_LOST, OutcomeUnknown, 1),
        (FaultKind.DELAYED, OutcomeUnknown, 0),
        (FaultKind.ANSWER_LATE, OutcomeUnknown, 1),
    ],
    ids=named,
)
async def test_in_one_process(
    rig: AdapterRig, kind: FaultKind, of_order: type[PortError], orders: int
) -> None:
    """Without sockets the same happens; a connection that was never made is NeverSent."""
    faults = Faults(rig.exchange.exchange.world.clock)
    door = Door(hub=rig.exchange.hub, faults=faults)
    http = httpx.AsyncClient(transport=DoorTransport(door, PATIENCE_S), base_url="http://here")
    async with client_of(http) as client:
        intent = rig.resting()
        await client.read("private/get_open_orders")
        faults.arm(Fault(kind=kind, method="private/buy", span=_LONG))

        with pytest.raises(PortError) as caught:
            await type(rig.trading)(client=client).place(intent)

    assert type(caught.value) is of_order
    assert len(rig.known(intent.label)) == orders
