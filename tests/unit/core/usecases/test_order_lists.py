"""Lists of orders that show too little or too much."""

from core.execution.intents import opening
from core.usecases.comparing import compare
from core.usecases.desk import Reading, read
from core.usecases.orders import submit, sweep
from core.usecases.rolls import drafting
from ports.decision_log import Action, ActionType, OrderUpdated
from ports.trading import OrderIntent, OrderState
from tests.support.markets import NOW, call
from tests.support.scripts import FIRST, scripted, shown
from tests.support.worlds import Rig

CALL = call(104_000.0, FIRST)
LITTLE = shown(NOW, 100_000.0, (FIRST, 104_000.0), bid_amount=0.2)


async def ready() -> Rig:
    """A desk whose book was compared, on a market that takes only a part of an order."""
    stage = scripted()
    stage.shown, stage.ticks = [LITTLE], []
    rig = await stage.rig()
    await compare(rig.desk, await read(rig.desk, "BTC"))
    return rig


async def an_order(rig: Rig) -> tuple[OrderIntent, Reading]:
    """An order to sell half a call, and the reading it was drafted from."""
    action = Action(
        type=ActionType.OPEN_COVERED_CALL,
        strategy_id="covered_call_v1",
        underlying="BTC",
        reason="best",
        detail="",
        amount=0.5,
        position_id="p",
        contract=CALL,
    )
    reading = await read(rig.desk, "BTC")
    intent = opening(action, drafting(rig.desk, reading.snapshot))
    assert isinstance(intent, OrderIntent)
    return intent, reading


async def test_an_order_once_confirmed_is_never_said_not_to_be_there() -> None:
    """A list that lags does not show it: it is still the order that the venue told of."""
    rig = await ready()
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
    rig = await ready()
    intent, reading = await an_order(rig)
    await submit(rig.desk, intent, reading)
    await rig.trading.venue.place(intent)
    await sweep(rig.desk, "BTC")

    assert rig.desk.keeper.book.halted
    assert await rig.trading.venue.open_orders("BTC") == ()
