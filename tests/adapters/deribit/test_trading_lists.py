"""DeribitTrading: orders found again, and trades and deliveries, out of the venue's lists."""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import httpx
import pytest

from adapters.deribit.trading import DeribitTrading
from ports.checks import epoch_ms
from ports.errors import Refused, Unavailable
from ports.trading import OrderState, Side
from tests.support.deribit_account import (
    BY_LABEL,
    HISTORY,
    INTENT,
    NAME,
    OPEN,
    OPEN_BY_LABEL,
    SETTLEMENTS,
    SUMMARY,
    TRADES,
    answering,
    delivery,
    order,
    quiet,
    recent_or_old,
    settlements,
    trade,
    trades,
    trading,
)
from tests.support.deribit_venue import NOW, Reply, broken, error, raw, result
from tests.support.recorded import recorded_data


async def test_working_orders_come_oldest_first() -> None:
    """All that may trade, ours or not, and nothing that has ended."""
    rows = [
        order("BTC-3", creation_timestamp=epoch_ms(NOW) + 2),
        order("BTC-1", label=""),
        order("BTC-2", order_state="filled"),
        order("SLIB-370", price="market_price", order_state="untriggered", label=""),
    ]
    venue = answering(OPEN, rows)
    orders = await trading(venue).open_orders("BTC")

    assert [each.order_id for each in orders] == ["BTC-1", "SLIB-370", "BTC-3"]
    assert [each.label for each in orders] == [None, None, INTENT.label]
    assert venue.params(OPEN) == [{"currency": "BTC"}]


@pytest.mark.parametrize("method", [BY_LABEL, OPEN_BY_LABEL])
async def test_a_label_is_found_where_the_venue_keeps_labels(method: str) -> None:
    """One list that knows it is enough."""
    venue = quiet().on(method, result([order(), order("BTC-9", label="another")]))
    found = await trading(venue).orders_by_label("BTC", INTENT.label)

    assert [each.order_id for each in found] == ["BTC-1"]
    assert venue.params(method) == [{"currency": "BTC", "label": INTENT.label}]
    assert venue.count(HISTORY) == 0


async def test_an_order_told_twice_is_one_order_as_told_last() -> None:
    """The lists overlap; the later state counts, whichever comes first."""
    newer = order(order_state="filled", filled_amount=0.3, last_update_timestamp=epoch_ms(NOW) + 5)
    for first, second in ((order(), newer), (newer, order())):
        venue = quiet().on(BY_LABEL, result([first])).on(OPEN_BY_LABEL, result([second]))
        (found,) = await trading(venue).orders_by_label("BTC", INTENT.label)
        assert found.state is OrderState.FILLED


async def test_a_label_used_twice_is_two_orders() -> None:
    """Oldest first."""
    rows = [order("BTC-8", creation_timestamp=epoch_ms(NOW) + 1), order("BTC-7")]
    found = await trading(quiet().on(BY_LABEL, result(rows))).orders_by_label("BTC", INTENT.label)

    assert [each.order_id for each in found] == ["BTC-7", "BTC-8"]


@pytest.mark.parametrize("is_old", [False, True])
async def test_a_label_is_found_in_both_histories(is_old: bool) -> None:
    """The last half hour and what came before are two lists; both are asked."""
    rows, none = result([order(order_state="cancelled")]), result([])
    venue = quiet().on(HISTORY, recent_or_old(none, rows) if is_old else recent_or_old(rows, none))
    (found,) = await trading(venue).orders_by_label("BTC", INTENT.label)

    assert found.state is OrderState.CANCELLED
    asked = venue.params(HISTORY)
    assert [params["historical"] for params in asked] == [False, True]
    assert all(params["include_unfilled"] and params["include_old"] for params in asked)


async def test_a_long_history_is_read_to_its_end() -> None:
    """Page by page, until one is not full."""
    others = [order(f"BTC-{number}", label="another") for number in range(1000)]
    venue = quiet().on(HISTORY, result(others), result([order()]), result([]))
    (found,) = await trading(venue).orders_by_label("BTC", INTENT.label)

    assert found.order_id == "BTC-1"
    assert [params["offset"] for params in venue.params(HISTORY)] == [0, 1000, 0]


async def test_a_history_without_end_is_no_complete_answer() -> None:
    """Twenty thousand orders are not read further: not found is not known."""
    others = [order(f"BTC-{number}", label="another") for number in range(1000)]
    venue = quiet().on(HISTORY, result(others))
    with pytest.raises(Unavailable, match="20000"):
        await trading(venue).orders_by_label("BTC", INTENT.label)


async def test_an_unknown_label_is_known_to_no_list() -> None:
    """Only then is the answer empty: five lists were asked."""
    venue = quiet()

    assert await trading(venue).orders_by_label("BTC", INTENT.label) == ()
    assert [venue.count(each) for each in (BY_LABEL, OPEN_BY_LABEL, HISTORY, TRADES)] == [
        1,
        1,
        2,
        1,
    ]


async def test_order_not_found_is_an_empty_list() -> None:
    """The venue may say so of a label; the histories are asked all the same."""
    venue = quiet().on(BY_LABEL, error(10004)).on(OPEN_BY_LABEL, error(10004))

    assert await trading(venue).orders_by_label("BTC", INTENT.label) == ()
    assert venue.count(HISTORY) == 2


@pytest.mark.parametrize("method", [BY_LABEL, OPEN_BY_LABEL, HISTORY, TRADES])
async def test_another_refusal_is_not_an_empty_list(method: str) -> None:
    """Not to be told is not to know that there is nothing."""
    with pytest.raises(Refused):
        await trading(quiet().on(method, error(11029))).orders_by_label("BTC", INTENT.label)


async def test_a_label_that_traded_is_not_unknown() -> None:
    """Between the two histories an order may be in neither; its trade tells of it."""
    venue = quiet().on(TRADES, trades(trade()))
    with pytest.raises(Unavailable, match="has traded"):
        await trading(venue).orders_by_label("BTC", INTENT.label)


@pytest.mark.parametrize("method", [BY_LABEL, OPEN_BY_LABEL, HISTORY, TRADES])
@pytest.mark.parametrize("reply", [raw(503, ""), broken(httpx.ReadTimeout("slow")), error(11051)])
async def test_a_list_that_does_not_answer_proves_nothing(method: str, reply: Reply) -> None:
    """Not found in the others is not enough."""
    with pytest.raises(Unavailable):
        await trading(quiet().on(method, reply)).orders_by_label("BTC", INTENT.label)


async def test_trades_of_both_lists_are_joined() -> None:
    """Each once, oldest first, and none before the instant asked for."""
    since = NOW - timedelta(days=2)
    begin = epoch_ms(since)
    old = trades(
        trade("1", timestamp=begin - 1),
        trade("2", timestamp=begin),
        trade("3", timestamp=begin + 5),
    )
    new = trades(trade("3", timestamp=begin + 5), trade("4", timestamp=begin + 2))
    venue = quiet().on(TRADES, recent_or_old(new, old))
    activity = await trading(venue).activity("BTC", since)

    assert [fill.trade_id for fill in activity.fills] == ["2", "4", "3"]
    assert {params["start_timestamp"] for params in venue.params(TRADES)} == {begin}


async def test_trades_of_the_last_day_are_all_in_the_recent_list() -> None:
    """The historical one is asked for what is older, by the venue's time."""
    venue = quiet()
    await trading(venue).activity("BTC", NOW - timedelta(hours=22))
    assert [params["historical"] for params in venue.params(TRADES)] == [False]

    await trading(venue).activity("BTC", NOW - timedelta(hours=24))
    assert [params["historical"] for params in venue.params(TRADES)][1:] == [False, True]


async def test_a_long_list_of_trades_is_read_to_its_end() -> None:
    """The next page begins where the last one ended; what both tell counts once."""
    begin, middle = epoch_ms(NOW), epoch_ms(NOW) + 7
    venue = quiet().on(
        TRADES,
        trades(trade("1"), trade("2", timestamp=middle), has_more=True),
        trades(trade("2", timestamp=middle), trade("3", timestamp=middle)),
    )
    activity = await trading(venue).activity("BTC", NOW)

    assert [fill.trade_id for fill in activity.fills] == ["1", "2", "3"]
    asked = [params["start_timestamp"] for params in venue.params(TRADES)]
    assert asked == [begin, middle]


async def test_a_list_of_trades_that_stands_still_is_no_answer() -> None:
    """More, and more of the same instant: given up, not looped."""
    venue = quiet().on(TRADES, trades(trade("1"), has_more=True))
    with pytest.raises(Unavailable, match="does not end"):
        await trading(venue).activity("BTC", NOW)
    assert venue.count(TRADES) == 1


async def test_a_list_of_trades_without_end_is_no_answer() -> None:
    """Twenty pages that move on, and always more: given up."""
    pages = [
        trades(trade(str(number), timestamp=epoch_ms(NOW) + number), has_more=True)
        for number in range(1, 22)
    ]
    with pytest.raises(Unavailable, match="list of 20 does not end"):
        await trading(quiet().on(TRADES, *pages)).activity("BTC", NOW)


async def test_deliveries_come_out_of_the_settlements() -> None:
    """Options only, oldest first, since the instant asked for; futures are settled daily."""
    venue = quiet().on(
        SETTLEMENTS,
        settlements(
            delivery("BTC-25SEP26-80000-P", timestamp=epoch_ms(NOW) + 9),
            delivery(),
            delivery("BTC-25SEP26", type="delivery"),
            delivery("BTC-PERPETUAL", type="settlement"),
            delivery("BTC-18SEP26-80000-C", timestamp=epoch_ms(NOW) - 1),
        ),
    )
    told = (await trading(venue).activity("BTC", NOW)).deliveries

    assert [each.contract.symbol for each in told] == [NAME, "BTC-25SEP26-80000-P"]
    assert [each.cash_coin for each in told] == pytest.approx([-0.1, 0.0], abs=1e-15)
    assert len({each.delivery_id for each in told}) == 2


async def test_a_long_list_of_settlements_is_read_back_to_the_instant() -> None:
    """By the venue's continuation, and not beyond."""
    venue = quiet().on(
        SETTLEMENTS,
        settlements(delivery(timestamp=epoch_ms(NOW) + 2), continuation="page-2"),
        settlements(
            delivery("BTC-25SEP26-80000-P", timestamp=epoch_ms(NOW) - 2), continuation="page-3"
        ),
    )
    activity = await trading(venue).activity("BTC", NOW)

    assert len(activity.deliveries) == 1
    assert [params.get("continuation") for params in venue.params(SETTLEMENTS)] == [None, "page-2"]


async def test_settlements_without_end_are_no_answer() -> None:
    """Twenty pages, then it is given up."""
    venue = quiet().on(SETTLEMENTS, settlements(delivery(), continuation="again"))
    with pytest.raises(Unavailable, match="settlements"):
        await trading(venue).activity("BTC", NOW)


async def test_the_same_delivery_has_the_same_id_each_time() -> None:
    """It can be told from a new one."""
    desk = trading(quiet().on(SETTLEMENTS, settlements(delivery())))
    first, second = [(await desk.activity("BTC", NOW)).deliveries for _ in range(2)]

    assert first == second


async def test_the_documented_option_trade_is_read() -> None:
    """The option trade of the venue's own document; the other one there is a future's."""
    path = "responses/docs_examples/private_get_user_trades_by_currency_and_time.json"
    told = json.loads((recorded_data() / path).read_bytes())["result"]
    option = [row for row in told["trades"] if row["instrument_name"].endswith("-C")]
    since = datetime(2020, 5, 26, tzinfo=NOW.tzinfo)
    venue = quiet().on(TRADES, trades(*option))
    (fill,) = (await trading(venue).activity("BTC", since)).fills

    assert (fill.contract.symbol, fill.side, fill.amount) == ("BTC-27MAY20-8750-C", Side.SELL, 1.0)
    assert (fill.price, fill.fee_coin, fill.index_usd) == (0.028, 0.0004, 8993.47)
    assert (fill.is_maker, fill.label) == (True, None)


Ask = Callable[[DeribitTrading, str], Awaitable[object]]
READS: dict[str, Ask] = {
    "account": lambda desk, coin: desk.account(coin),
    "open orders": lambda desk, coin: desk.open_orders(coin),
    "orders by label": lambda desk, coin: desk.orders_by_label(coin, INTENT.label),
    "activity": lambda desk, coin: desk.activity(coin, NOW),
}


@pytest.mark.parametrize("name", READS)
async def test_a_read_without_answer_is_unavailable(name: str) -> None:
    """Whatever is asked."""
    venue = quiet()
    for method in (SUMMARY, *venue.replies):
        if method != "public/auth":
            venue.on(method, raw(503, ""))
    with pytest.raises(Unavailable):
        await READS[name](trading(venue), "BTC")


@pytest.mark.parametrize("name", READS)
async def test_an_account_without_inverse_options_is_unavailable(name: str) -> None:
    """The venue is not asked for it."""
    venue = quiet()
    with pytest.raises(Unavailable, match="USDC"):
        await READS[name](trading(venue), "USDC")
    assert venue.asked == []
