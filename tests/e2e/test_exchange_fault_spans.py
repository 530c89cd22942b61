"""Faults that hold for a while: of the interface, of the lists, of the market and the clock."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from apps.exchange.faults.kinds import Fault, FaultKind
from apps.exchange.limits import allowances
from ports.checks import epoch_ms
from tests.support.exchanges import START, ExchangeRig, Fields, refusal, served

_MINUTE = timedelta(minutes=1)
_NO_ANSWER = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[ExchangeRig]:
    async with served(is_faulty=True) as made:
        await made.sign_in()
        yield made


def hold(rig: ExchangeRig, kind: FaultKind, span: timedelta = _MINUTE, **fields: Any) -> None:
    """Let *kind* hold for *span* from now on."""
    assert rig.faults is not None
    rig.faults.arm(Fault(kind=kind, span=span, **fields))


async def resting(rig: ExchangeRig) -> Fields:
    """A buy that was placed far below the market, with label `here`."""
    ticker = await rig.quoted()
    told: Fields = await rig.call(
        "private/buy",
        instrument_name=ticker["instrument_name"],
        amount=0.3,
        price=ticker["min_price"],
        label="here",
    )
    order: Fields = told["order"]
    return order


async def sold(rig: ExchangeRig) -> Fields:
    """A sell that traded at once, with label `here`."""
    ticker = await rig.quoted()
    told: Fields = await rig.call(
        "private/sell",
        instrument_name=ticker["instrument_name"],
        amount=0.1,
        price=ticker["best_bid_price"],
        label="here",
    )
    assert told["order"]["order_state"] == "filled"
    order: Fields = told["order"]
    return order


async def by_label(rig: ExchangeRig) -> list[Fields]:
    """What the list by label tells of `here`."""
    told: list[Fields] = await rig.call(
        "private/get_order_state_by_label", currency="BTC", label="here"
    )
    return told


async def test_maintenance(rig: ExchangeRig) -> None:
    """Everything is answered with 11051 until it is over."""
    hold(rig, FaultKind.MAINTENANCE)

    codes = [
        (await refusal(rig, method)).code for method in ("public/get_time", "private/get_positions")
    ]
    await rig.step(minutes=1)

    assert codes == [11051, 11051]
    assert await rig.call("public/get_time") == epoch_ms(START + _MINUTE)


@pytest.mark.parametrize("code", [None, 10047, 13028])
async def test_settlement_in_progress(rig: ExchangeRig, code: int | None) -> None:
    """What the fault names is answered with 10041, or its own code; other methods work."""
    hold(rig, FaultKind.SETTLING, method="private/buy", code=code)

    error = await refusal(rig, "private/buy", instrument_name="BTC-PERPETUAL", amount=1)

    assert error.code == (code or 10041)
    assert await rig.call("private/get_open_orders") == []


@pytest.mark.parametrize("span", [_MINUTE, timedelta(minutes=31), timedelta(hours=25)], ids=str)
async def test_an_outage(rig: ExchangeRig, span: timedelta) -> None:
    """Nothing answers, while what was placed before goes on: it fills, and is delivered."""
    ticker = await rig.quoted()
    name = ticker["instrument_name"]
    await rig.call("private/buy", instrument_name=name, amount=0.1, price=ticker["best_ask_price"])
    order = await resting(rig)
    hold(rig, FaultKind.OUTAGE, span)

    await rig.step(seconds=span.total_seconds() / 2)
    for method in ("public/get_time", "private/get_open_orders"):
        with pytest.raises(_NO_ANSWER):
            await rig.call(method)
    await rig.exchange.fill_working()
    await rig.step(seconds=span.total_seconds() / 2)

    trades = await rig.call("private/get_user_trades_by_order", order_id=order["order_id"])
    held = await rig.call("private/get_positions", currency="BTC")
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.3)
    is_held = name in {each["instrument_name"] for each in held if each["size"]}
    assert is_held == (span < timedelta(hours=24))


async def test_trades_lag(rig: ExchangeRig) -> None:
    """Lists of trades come without the newest ones, then with them."""
    hold(rig, FaultKind.TRADES_LAG, timedelta(hours=1), lag=_MINUTE)
    await sold(rig)

    told = [await rig.call("private/get_user_trades_by_currency", currency="BTC")]
    await rig.step(minutes=2)
    told.append(await rig.call("private/get_user_trades_by_currency", currency="BTC"))

    assert [len(each["trades"]) for each in told] == [0, 1]


async def test_orders_lag(rig: ExchangeRig) -> None:
    """Lists of orders come without the newest ones, then with them."""
    hold(rig, FaultKind.ORDERS_LAG, timedelta(hours=1), lag=_MINUTE)
    order = await resting(rig)

    early = [await by_label(rig), await rig.call("private/get_open_orders")]
    await rig.step(minutes=2)
    late = [await by_label(rig), await rig.call("private/get_open_orders")]

    assert early == [[], []]
    assert [[each["order_id"] for each in told] for told in late] == [[order["order_id"]]] * 2


async def test_the_history_of_orders_lags(rig: ExchangeRig) -> None:
    """The list of closed orders comes without what closed just now."""
    hold(rig, FaultKind.ORDERS_LAG, timedelta(hours=1), lag=_MINUTE)
    await sold(rig)

    told = [await rig.call("private/get_order_history_by_currency", currency="BTC")]
    await rig.step(minutes=2)
    told.append(await rig.call("private/get_order_history_by_currency", currency="BTC"))

    assert [len(each) for each in told] == [0, 1]


async def test_states_lag(rig: ExchangeRig) -> None:
    """An order is told as it was placed although it has filled."""
    hold(rig, FaultKind.ORDER_STATES_LAG, timedelta(hours=1), lag=_MINUTE)
    order = await sold(rig)

    (early,) = await by_label(rig)
    one = await rig.call("private/get_order_state", order_id=order["order_id"])
    await rig.step(minutes=2)
    (late,) = await by_label(rig)

    assert (early["order_state"], early["filled_amount"]) == ("open", 0.0)
    assert one == early
    assert (late["order_state"], late["filled_amount"]) == ("filled", 0.1)


async def test_answers_to_orders_do_not_lag(rig: ExchangeRig) -> None:
    """Only lists lag: the answer to a cancel tells how the order is."""
    hold(rig, FaultKind.ORDER_STATES_LAG, lag=_MINUTE)
    order = await resting(rig)

    after = await rig.call("private/cancel", order_id=order["order_id"])

    assert after["order_state"] == "cancelled"


async def test_thin_quotes_fill_orders_in_parts(rig: ExchangeRig) -> None:
    """No quote holds more than the smallest amount, and an order gets no more of it."""
    hold(rig, FaultKind.THIN)
    await rig.step(seconds=1)
    ticker = await rig.quoted()

    told = await rig.call(
        "private/sell",
        instrument_name=ticker["instrument_name"],
        amount=0.3,
        price=ticker["best_bid_price"],
    )

    assert ticker["best_bid_amount"] == 0.1
    assert (told["order"]["order_state"], told["order"]["filled_amount"]) == ("open", 0.1)


async def test_an_instrument_is_delisted(rig: ExchangeRig) -> None:
    """What is held in it stays; it is in no list, and orders in it are refused."""
    name = (await sold(rig))["instrument_name"]
    hold(rig, FaultKind.DELISTED, instrument=name)
    await rig.step(seconds=1)

    listed = await rig.call("public/get_instruments", currency="BTC", kind="option")
    error = await refusal(rig, "private/buy", instrument_name=name, amount=0.1, price=0.01)
    held = await rig.call("private/get_positions", currency="BTC")

    assert name not in {each["instrument_name"] for each in listed}
    assert error.code == 13020
    assert [(each["instrument_name"], each["size"]) for each in held] == [(name, -0.1)]


@pytest.mark.parametrize("seconds", [90, -90])
async def test_the_clock_jumps_and_jumps_back(rig: ExchangeRig, seconds: int) -> None:
    """The exchange's time is ahead or behind while the fault holds, in every answer."""
    offset = timedelta(seconds=seconds)
    hold(rig, FaultKind.CLOCK_SKEWED, offset=offset)

    during = await rig.envelope("public/get_time", {})
    order = await resting(rig)
    await rig.step(seconds=60)
    after = await rig.call("public/get_time")

    assert during["result"] == during["usOut"] // 1000 == epoch_ms(START + offset)
    assert order["creation_timestamp"] == epoch_ms(START + offset)
    assert after == epoch_ms(START + _MINUTE)


async def test_the_market_goes_on_after_a_clock_that_goes_back(rig: ExchangeRig) -> None:
    """What was shown while the clock was ahead is not shown until that time comes again."""
    hold(rig, FaultKind.CLOCK_SKEWED, offset=timedelta(hours=1))
    ahead = await rig.quoted()

    await rig.step(minutes=5)
    after = await rig.call("public/ticker", instrument_name=ahead["instrument_name"])

    assert after["timestamp"] > ahead["timestamp"]
    assert after["timestamp"] == epoch_ms(START + timedelta(minutes=5))


async def test_credits_survive_a_clock_that_goes_back() -> None:
    """An hour back costs no credits: the next request is granted."""
    async with served(is_faulty=True, allowed=allowances(4)) as rig:
        await rig.sign_in()
        await rig.call("private/get_positions", currency="BTC")
        hold(rig, FaultKind.CLOCK_SKEWED, offset=-timedelta(hours=1))

        assert await rig.call("private/get_positions", currency="BTC") == []
