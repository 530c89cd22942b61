"""The methods that arm faults: not of Deribit, and there only if the exchange was told so."""

from pydantic import Field

from apps.exchange.faults.runtime import Faults
from apps.exchange.faults.script import ToldFault
from apps.exchange.limits import Cost
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import Params
from apps.exchange.rpc import Fields


class Arm(Params):
    """Of paper/faults."""

    arm: list[ToldFault] = Field(default=[], max_length=1000)


class Calm(Params):
    """Of paper/calm."""


def fault_methods(faults: Faults) -> Methods:
    """The methods over *faults* by name."""

    async def arm(call: Call, params: Arm) -> Fields:  # noqa: ARG001
        """Arm faults, and tell how many are armed and how many have happened so far."""
        faults.arm(*(each.fault(faults.clock.now()) for each in params.arm))
        return {"armed": len(faults.armed), "happened": len(faults.happened)}

    async def calm(call: Call, params: Calm) -> Fields:  # noqa: ARG001
        """Let nothing go wrong any more."""
        faults.calm()
        return {"armed": 0, "happened": len(faults.happened)}

    return {
        "paper/faults": Method(arm, Arm, cost=Cost.FREE),
        "paper/calm": Method(calm, Calm, cost=Cost.FREE),
    }
