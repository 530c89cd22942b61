"""Orders that do not rest, and orders that are edited."""

import pytest

from ports.errors import Refused
from ports.trading import OrderState, Side
from ports.venue_log import OrderTerms, TimeInForce
from tests.support.markets import Listed, call
from tests.support.venues import VenueRig, intent

AT_ONCE = OrderTerms(time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL)
WHOLE = OrderTerms(time_in_force=TimeInForce.FILL_OR_KILL)
OPTION = call(110_000.0)
SHOWN = Listed(
    contract=OPTION, bid=0.02, ask=0.021, bid_amount=1.0, ask_amount=1.0, mark=0.0205, mark_iv=0.5
)


async def opened() -> VenueRig:
    return await VenueRig.opened(SHOWN)


async def test_immediate_or_cancel_takes_what_is_shown() -> None:
    """What is shown is taken, the rest is gone at once, and both survive a restart."""
    rig = await opened()
    order = intent(OPTION, Side.BUY, 1.5, 0.021)

    placed = await rig.venue.place_for(order, AT_ONCE)

    assert (placed.order.state, placed.order.filled_amount) == (OrderState.CANCELLED, 1.0)
    again = await rig.reopened()
    assert await again.open_orders("BTC") == ()
    assert (await again.account("BTC")).positions[0].size == 1.0


async def test_fill_or_kill_takes_all_or_nothing() -> None:
    """One lot too many and nothing trades; exactly what is shown trades whole."""
    rig = await opened()

    killed = await rig.venue.place_for(intent(OPTION, Side.BUY, 1.1, 0.021), WHOLE)
    filled = await rig.venue.place_for(intent(OPTION, Side.BUY, 1.0, 0.021), WHOLE)

    assert (killed.order.state, killed.fills) == (OrderState.CANCELLED, ())
    assert (filled.order.state, filled.order.filled_amount) == (OrderState.FILLED, 1.0)


async def test_an_edit_keeps_what_is_filled() -> None:
    """A partly filled order gets another price and rest; its fills and its id stay."""
    rig = await opened()
    placed = await rig.buy(OPTION, 1.5, 0.021)

    edited = await rig.venue.edit(placed.order.order_id, intent(OPTION, Side.BUY, 0.3, 0.0205))

    assert placed.order.filled_amount == 1.0
    assert (edited.order.order_id, edited.fills) == (placed.order.order_id, ())
    assert (edited.order.amount, edited.order.filled_amount) == (1.3, 1.0)
    assert (edited.order.price, edited.order.state) == (0.0205, OrderState.PARTIAL)
    assert await (await rig.reopened()).open_orders("BTC") == (edited.order,)


async def test_an_edit_to_the_touch_trades() -> None:
    """An order edited to a price that is shown takes it, for no more than its rest."""
    rig = await opened()
    placed = await rig.buy(OPTION, 0.4, 0.02)

    edited = await rig.venue.edit(placed.order.order_id, intent(OPTION, Side.BUY, 0.4, 0.021))

    assert (edited.order.state, edited.order.filled_amount) == (OrderState.FILLED, 0.4)
    assert [fill.amount for fill in edited.fills] == [0.4]


async def test_an_edit_is_not_in_its_own_way() -> None:
    """The margin that an order binds is free for its own edit, and for nothing beyond."""
    rig = await VenueRig.opened(SHOWN, deposit_coin=0.05)
    placed = await rig.buy(OPTION, 2.0, 0.02)

    edited = await rig.venue.edit(placed.order.order_id, intent(OPTION, Side.BUY, 2.1, 0.02))
    with pytest.raises(Refused) as refused:
        await rig.venue.edit(placed.order.order_id, intent(OPTION, Side.BUY, 3.0, 0.02))

    assert edited.order.amount == 2.1
    assert refused.value.code == 10009


async def test_what_does_not_work_is_not_edited() -> None:
    """An unknown order is order_not_found, a cancelled one not_open_order."""
    rig = await opened()
    placed = await rig.buy(OPTION, 0.1, 0.02)
    await rig.venue.cancel(placed.order)

    for order_id, code in (("BTC-9", 10004), (placed.order.order_id, 11044)):
        with pytest.raises(Refused) as refused:
            await rig.venue.edit(order_id, intent(OPTION, Side.BUY, 0.1, 0.02))
        assert refused.value.code == code
