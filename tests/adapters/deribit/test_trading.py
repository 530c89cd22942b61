"""DeribitTrading: orders placed and cancelled, and the account."""

import json
from typing import Any

import httpx
import pytest
from attrs import evolve

from ports.checks import epoch_ms
from ports.errors import Malformed, NeverSent, OutcomeUnknown, PortError, Refused
from ports.trading import Order, OrderState, Side
from tests.support.deribit_account import (
    BUY,
    CANCEL,
    CONTRACT,
    INTENT,
    NAME,
    POSITIONS,
    SECOND,
    SELL,
    SUMMARY,
    Row,
    answering,
    order,
    quiet,
    trade,
    trading,
)
from tests.support.deribit_venue import NOW, Reply, broken, error, raw, result
from tests.support.recorded import recorded_data


async def test_an_order_is_a_limit_order_with_all_that_bounds_it() -> None:
    """Label, valid_until, and every flag said outright."""
    venue = answering(SELL, {"order": order(), "trades": []})
    await trading(venue).place(INTENT)

    assert venue.params(SELL) == [
        {
            "instrument_name": NAME,
            "amount": 0.3,
            "type": "limit",
            "price": 0.0165,
            "time_in_force": "good_til_cancelled",
            "post_only": False,
            "reject_post_only": False,
            "reduce_only": False,
            "label": INTENT.label,
            "valid_until": epoch_ms(NOW) + 5000,
        }
    ]


async def test_a_post_only_order_is_refused_rather_than_moved() -> None:
    """Buying back: reduce only, post only, and rejected where it would take."""
    told = order(direction="buy", reduce_only=True)
    venue = answering(BUY, {"order": told, "trades": []})
    await trading(venue).place(evolve(INTENT, side=Side.BUY, reduce_only=True, post_only=True))

    (params,) = venue.params(BUY)
    assert (params["post_only"], params["reject_post_only"], params["reduce_only"]) == (
        True,
        True,
        True,
    )


async def test_a_placement_tells_its_trades() -> None:
    """The order as it is and the fills it made at once."""
    told = {"order": order(order_state="filled", filled_amount=0.3), "trades": [trade()]}
    placed = await trading(answering(SELL, told)).place(INTENT)

    assert placed.order.state is OrderState.FILLED
    assert [(fill.trade_id, fill.amount, fill.label) for fill in placed.fills] == [
        ("445682190", 0.3, INTENT.label)
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"order": order(label="another"), "trades": []},
        {"order": order(amount=0.4), "trades": []},
        {"order": order(direction="buy"), "trades": []},
        {"order": order(instrument_name="BTC-25SEP26-80000-P"), "trades": []},
        {"order": order(reduce_only=True), "trades": []},
        {"order": order(order_state="thinking"), "trades": []},
        {"order": order(price=None), "trades": []},
        {"order": order(), "trades": [trade(fee_currency="USDC")]},
        {"order": order()},
        {"trades": []},
        "ok",
    ],
)
async def test_an_answer_about_another_order_leaves_ours_unknown(told: Any) -> None:
    """Label, amount, side, contract and flags must be those sent; else it is looked up."""
    venue = answering(SELL, told)
    with pytest.raises(OutcomeUnknown):
        await trading(venue).place(INTENT)
    assert venue.count(SELL) == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (error(10009), Refused),
        (error(10028), Refused),
        (error(13009), Refused),
        (error(13888), OutcomeUnknown),
        (raw(502, ""), OutcomeUnknown),
        (broken(httpx.ReadTimeout("slow")), OutcomeUnknown),
        (broken(httpx.ConnectError("no")), NeverSent),
    ],
)
async def test_a_placement_ends_in_one_of_three_ways(
    reply: Reply, expected: type[PortError]
) -> None:
    """Never sent, refused or unknown; sent once in any case."""
    venue = quiet().on(SELL, reply)
    with pytest.raises(expected):
        await trading(venue).place(INTENT)
    assert venue.count(SELL) == 1


async def resting() -> Order:
    placed = await trading(answering(SELL, {"order": order(), "trades": []})).place(INTENT)
    return placed.order


async def test_a_cancelled_order_is_told_as_it_is() -> None:
    """By its id; what was filled stays filled."""
    venue = answering(CANCEL, order(order_state="cancelled", filled_amount=0.1))
    cancelled = await trading(venue).cancel(await resting())

    assert venue.params(CANCEL) == [{"order_id": "BTC-1"}]
    assert (cancelled.state, cancelled.filled_amount) == (OrderState.CANCELLED, 0.1)


async def test_a_cancel_is_repeated_until_it_is_answered() -> None:
    """It is safe to: a second one changes nothing."""
    lost = broken(httpx.ReadTimeout("slow"))
    venue = quiet().on(CANCEL, lost, error(11094), result(order(order_state="cancelled")))

    assert (await trading(venue).cancel(await resting())).state is OrderState.CANCELLED
    assert venue.count(CANCEL) == 3


@pytest.mark.parametrize("code", [10004, 10010, 11008, 11044])
async def test_an_order_that_is_gone_cannot_be_cancelled(code: int) -> None:
    """Unknown, closed or filled: refused with the venue's code, at once."""
    venue = quiet().on(CANCEL, error(code))
    with pytest.raises(Refused) as refusal:
        await trading(venue).cancel(await resting())

    assert refusal.value.code == code
    assert venue.count(CANCEL) == 1


async def test_a_cancel_of_another_order_is_malformed() -> None:
    """The answer must speak of ours."""
    with pytest.raises(Malformed, match="BTC-2"):
        await trading(answering(CANCEL, order("BTC-2"))).cancel(await resting())


ACCOUNT: Row = {
    "currency": "BTC",
    "balance": 1.5,
    "equity": 1.4937,
    "initial_margin": 0.05,
    "maintenance_margin": 0.03,
}
HELD: Row = {
    "instrument_name": NAME,
    "direction": "sell",
    "size": -0.4,
    "average_price": 0.02,
    "mark_price": 0.01575,
}


async def test_the_account_is_balances_and_positions() -> None:
    """Money in coin, option positions signed; a closed position is none."""
    flat = HELD | {"instrument_name": "BTC-25SEP26-80000-P", "direction": "zero", "size": 0.0}
    venue = answering(SUMMARY, ACCOUNT).on(POSITIONS, result([HELD, flat]))
    account = await trading(venue).account("BTC")

    assert (account.underlying, account.balance_coin, account.equity_coin) == ("BTC", 1.5, 1.4937)
    assert (account.initial_margin_coin, account.maintenance_margin_coin) == (0.05, 0.03)
    assert [(held.contract, held.size) for held in account.positions] == [(CONTRACT, -0.4)]
    assert venue.params(SUMMARY) == [{"currency": "BTC"}]
    assert venue.params(POSITIONS) == [{"currency": "BTC"}]


async def test_the_account_is_as_old_as_its_older_half() -> None:
    """By the venue's time."""
    venue = quiet().on(SUMMARY, result(ACCOUNT, at=NOW - SECOND)).on(POSITIONS, result([], at=NOW))

    assert (await trading(venue).account("BTC")).read_at == NOW - SECOND


@pytest.mark.parametrize(
    ("summary", "positions"),
    [
        (ACCOUNT | {"currency": "ETH"}, []),
        (ACCOUNT | {"equity": None}, []),
        (ACCOUNT | {"balance": "1.5"}, []),
        (ACCOUNT | {"initial_margin": -1.0}, []),
        (ACCOUNT, [HELD, HELD | {"size": None}]),
        (ACCOUNT, [HELD, HELD | {"size": 0.4}]),
        (ACCOUNT, [HELD, HELD | {"instrument_name": "BTC-PERPETUAL"}]),
        (ACCOUNT, None),
        ([], []),
    ],
)
async def test_half_an_account_is_none(summary: Any, positions: Any) -> None:
    """One unreadable figure or position, and nothing is known."""
    venue = answering(SUMMARY, summary).on(POSITIONS, result(positions))
    with pytest.raises(Malformed):
        await trading(venue).account("BTC")


async def test_limits_of_the_account_are_kept_to() -> None:
    """A slower account slows the client; limits of another shape change nothing."""
    slow = {
        "matching_engine": {"trading": {"total": {"rate": 1, "burst": 2}}},
        "non_matching_engine": {"rate": 10, "burst": 50},
    }
    venue = answering(SUMMARY, ACCOUNT | {"limits": slow}, ACCOUNT | {"limits": "none"})
    desk = trading(venue.on(SELL, error(10009)))
    await desk.account("BTC")
    await desk.account("BTC")
    with pytest.raises(Refused):
        await desk.place(INTENT)

    with pytest.raises(NeverSent, match=r"a wait of 0\.5 s"):
        await desk.place(INTENT)


async def test_the_documented_account_is_read() -> None:
    """The example of the venue's own document: 302.6 coins, and limits."""
    path = recorded_data() / "responses/docs_examples/private_get_account_summary.json"
    told = json.loads(path.read_bytes())["result"]
    account = await trading(answering(SUMMARY, told)).account("BTC")

    assert (account.balance_coin, account.equity_coin) == (302.60065765, 302.61869214)
    assert (account.initial_margin_coin, account.maintenance_margin_coin) == (
        1.24669592,
        0.8857841,
    )
