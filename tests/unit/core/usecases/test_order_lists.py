"""Lists of orders that show too little or too much."""

from core.usecases.orders import submit, sweep
from ports.decision_log import OrderUpdated
from ports.trading import OrderState
from tests.support.half_call import an_order, ready


async def test_an_order_once_confirmed_is_never_said_not_to_be_there() -> None:
    """A list that lags does not show it: it is still the order that the venue told of."""
    rig = await ready(rests=True)
    await submit(rig.desk, *await an_order(rig))
    rig.trading.hides_orders = True
    await rig.later(minutes=1)
    await sweep(rig.desk, "BTC")

    entries = await rig.stage.entries()
    states = [entry.state for entry in entries if isinstance(entry, OrderUpdated)]
    assert states[0] is OrderState.PARTIAL
    assert OrderState.NOT_PLACED not in states


async def test_all_orders_of_one_label_are_cancelled() -> None:
    """A venue that took an intent twice: trading halts, and neither order goes on working."""
    rig = await ready(rests=True)
    intent, reading = await an_order(rig)
    await submit(rig.desk, intent, reading)
    await rig.trading.venue.place(intent)
    await sweep(rig.desk, "BTC")

    assert rig.desk.keeper.book.halted
    assert await rig.trading.venue.open_orders("BTC") == ()
