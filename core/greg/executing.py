"""What a person wants carried out, which orders that is, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from core.greg.advice import Advice
from core.greg.hedging import HedgeOrder
from core.greg.holdings import HeldLeg, Holding
from core.greg.legging import LegOrder, in_order
from core.greg.management import FundingConvention
from core.greg.modes import Environment, Mode
from core.greg.structures import NoStructure, Structure
from ports.trading import Side


@frozen(kw_only=True)
class ExecutionRequest:
    """A suggestion that somebody wants carried out, in words that nobody has checked."""

    position_id: str
    action: str
    strategy: str
    underlying: str


class ExecutionStatus(StrEnum):
    """How an execution ended."""

    REFUSED = "refused"  # by a gate; nothing was sent
    SIMULATED = "simulated"
    EXECUTED = "executed"  # every order is acknowledged and filled
    PARTIAL = "partial"  # some of it is at the venue, or may be
    FAILED = "failed"  # nothing came of it


@frozen(kw_only=True)
class ExecutionOutcome:
    """What became of a request; *gate* names the one that refused it."""

    request: ExecutionRequest
    status: ExecutionStatus
    mode: Mode
    environment: Environment
    dry_run: bool
    order_ids: tuple[str, ...] = ()
    note: str = ""
    gate: str = ""

    @property
    def executed(self) -> bool:
        """Whether the venue acknowledged every order."""
        return self.status is ExecutionStatus.EXECUTED


@frozen(kw_only=True)
class HedgeOff:
    """
    An order that takes off what a position holds in the perpetual: USD, as the venue counts.

    *reduces* says whether it takes from what the account holds in all: others may hold against it.
    """

    underlying: str
    side: Side
    amount_usd: float
    reduces: bool = False


PlannedOrder = LegOrder | HedgeOrder | HedgeOff


@frozen(kw_only=True)
class PlanFacts:
    """
    What orders are planned from: *hedge* is None where none is needed or a delta is unknown,
    *funding* where it is unknown; *reopened* is what a roll would open.
    """

    holding: Holding
    hedge: HedgeOrder | None
    convention: FundingConvention
    funding: float | None
    reopened: Structure | NoStructure
    now: datetime


def orders_for(action: Advice, facts: PlanFacts) -> tuple[PlannedOrder, ...]:
    """
    Return the orders that *action* is, in the order they are sent; none where it cannot be done.

    What was sold is bought back before what was bought is sold, and the hedge is taken off behind
    both. An action is whole or not at all: a put is closed to take its coin up only where that is
    through the perpetual, the one way there is here.
    """
    if action is Advice.HEDGE:
        return () if facts.hedge is None else (facts.hedge,)
    closing: tuple[PlannedOrder, ...] = closing_orders(facts.holding.legs)
    closing += hedge_off(facts.holding)
    if action is Advice.ASSIGN:
        return (*closing, _taken_up(facts)) if _prefers_perpetual(facts) else ()
    if action is not Advice.ROLL:
        return closing
    if isinstance(facts.reopened, NoStructure):
        return ()
    return (*closing, *opening_orders(facts.reopened))


def why_none(action: Advice, facts: PlanFacts) -> str:
    """Why there are no orders that would do *action*."""
    if action is Advice.HEDGE:
        return "no hedge is needed now, or a delta is unknown"
    if action is Advice.ROLL and isinstance(facts.reopened, NoStructure):
        return f"nothing to roll into: {facts.reopened.reason}"
    if action is not Advice.ASSIGN:
        return "nothing is held any more"
    if facts.funding is None:
        return "funding is unknown: neither the perpetual nor spot is preferred"
    return (
        f"spot is preferred at a funding of {facts.funding:+.5%} a period, and spot is not traded "
        f"here: it carries nothing, the perpetual {-facts.funding:+.5%}"
    )


def closing_orders(legs: Sequence[HeldLeg]) -> tuple[LegOrder, ...]:
    """Return what ends *legs*: shorts bought back, then longs sold."""
    return tuple(
        LegOrder(
            contract=leg.contract,
            side=Side.BUY if leg.size < 0.0 else Side.SELL,
            amount=abs(leg.size),
            reduces=True,
        )
        for leg in sorted(legs, key=lambda leg: leg.size > 0.0)
    )


def hedge_off(holding: Holding) -> tuple[HedgeOff, ...]:
    """Return what takes the perpetual of *holding* off; nothing where it holds none."""
    if holding.perp_usd == 0.0:
        return ()
    side = Side.SELL if holding.perp_usd > 0.0 else Side.BUY
    return (HedgeOff(underlying=holding.underlying, side=side, amount_usd=abs(holding.perp_usd)),)


def footprint_coin(holding: Holding, orders: Sequence[PlannedOrder], index_usd: float) -> float:
    """Return contracts and perpetual of *holding* in coin: now, or behind *orders* if more."""
    perp = holding.perp_coin(index_usd)
    now = sum(abs(leg.size) for leg in holding.legs) + abs(perp)
    legs = {leg.contract: leg.size for leg in holding.legs}
    for order in orders:
        if isinstance(order, LegOrder):
            change = order.side.sign * order.amount
            legs[order.contract] = legs.get(order.contract, 0.0) + change
        elif isinstance(order, HedgeOrder):
            perp += order.needed
        else:
            perp += order.side.sign * order.amount_usd / index_usd
    return max(now, sum(abs(size) for size in legs.values()) + abs(perp))


def words_of(order: PlannedOrder) -> str:
    """*order* in words."""
    if isinstance(order, HedgeOff):
        return f"{order.side} {order.amount_usd:g} USD of {order.underlying}-PERPETUAL"
    if isinstance(order, HedgeOrder):
        return f"{order.side} {order.size:g} {order.underlying} of {order.instrument}"
    return f"{order.side} {order.amount:g} {order.contract.symbol}"


def opening_orders(structure: Structure) -> tuple[LegOrder, ...]:
    """Return what opens *structure*, what is bought before what is sold."""
    return tuple(
        LegOrder(contract=each.contract, side=each.side, amount=structure.amount)
        for each in in_order(structure)
    )


def _prefers_perpetual(facts: PlanFacts) -> bool:
    return facts.funding is not None and facts.convention.prefers_perpetual(facts.funding)


def _taken_up(facts: PlanFacts) -> HedgeOrder:
    holding = facts.holding
    return HedgeOrder(
        underlying=holding.underlying,
        instrument=f"{holding.underlying}-PERPETUAL",
        needed=holding.contracts,
        net_delta_before=0.0,
        net_delta_after=holding.contracts,
        strategy_position_id=holding.position_id,
        strategy_type=holding.code,
        timestamp=facts.now,
    )
