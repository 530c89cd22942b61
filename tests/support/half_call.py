"""A desk and an order to sell half a call, before it is sent."""

from core.execution.intents import opening
from core.usecases.comparing import compare
from core.usecases.desk import Reading, read
from core.usecases.rolls import drafting
from ports.decision_log import Action, ActionType
from ports.trading import OrderIntent
from tests.support.markets import NOW, call
from tests.support.scripts import FIRST, scripted, shown
from tests.support.worlds import Fault, Rig

CALL = call(104_000.0, FIRST)
ENOUGH = shown(NOW, 100_000.0, (FIRST, 104_000.0))
LITTLE = shown(NOW, 100_000.0, (FIRST, 104_000.0), bid_amount=0.2)


async def ready(*faults: Fault, rests: bool = False) -> Rig:
    """A desk whose book was compared; an order for half a call is filled, or *rests* in part."""
    stage = scripted()
    stage.shown, stage.ticks = [LITTLE if rests else ENOUGH], []
    rig = await stage.rig()
    rig.trading.faults.extend(faults)
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
