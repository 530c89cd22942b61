"""What a person wants carried out, which orders that is, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from core.greg.advice import Advice
from core.greg.hedging import HedgedPosition, HedgeOrder, HedgeTerms, hedge_order
from core.greg.holdings import HeldLeg, Holding
from core.greg.legging import LegOrder, begun
from core.greg.management import FundingConvention, HedgeRule
from core.greg.modes import Environment, Mode
from core.greg.structures import Structure
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
    What orders are planned from: *hedged* is None where a delta is unknown, *reopened* where a
    roll finds nothing to open.
    """

    holding: Holding
    hedged: HedgedPosition | None
    rule: HedgeRule
    terms: HedgeTerms
    convention: FundingConvention
    funding: float | None
    reopened: Structure | None
    now: datetime


def orders_for(action: Advice, facts: PlanFacts) -> tuple[PlannedOrder, ...]:
    """
    Return the orders that *action* is, in the order they are sent; none where nothing fits.

    What was sold is bought back before what was bought is sold, and the hedge is taken off behind
    both. A put that is taken up is closed and the perpetual bought where the convention prefers
    it; coin itself is not traded here.
    """
    if action is Advice.HEDGE:
        if facts.hedged is None:
            return ()
        found = hedge_order(facts.hedged, facts.rule, facts.now, terms=facts.terms)
        return () if found is None else (found,)
    closing: tuple[PlannedOrder, ...] = closing_orders(facts.holding.legs)
    closing += hedge_off(facts.holding)
    if action is Advice.ASSIGN and _prefers_perpetual(facts):
        return (*closing, _taken_up(facts))
    if action is Advice.ROLL:
        return (*closing, *opening_orders(facts.reopened, facts.now)) if facts.reopened else ()
    return closing


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
            perp += order.side.sign * order.size
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


def opening_orders(structure: Structure, now: datetime) -> tuple[LegOrder, ...]:
    """Return what opens *structure*, what is bought before what is sold."""
    return tuple(
        LegOrder(contract=each.leg.contract, side=each.leg.side, amount=structure.amount)
        for each in begun(structure, now).legs
    )


def _prefers_perpetual(facts: PlanFacts) -> bool:
    if facts.funding is None:
        return False
    if facts.convention is FundingConvention.AS_SPECIFIED:
        return facts.funding >= 0.0
    return facts.funding < 0.0


def _taken_up(facts: PlanFacts) -> HedgeOrder:
    holding = facts.holding
    return HedgeOrder(
        underlying=holding.underlying,
        instrument=f"{holding.underlying}-PERPETUAL",
        side=Side.BUY,
        size=holding.contracts,
        net_delta_before=0.0,
        net_delta_after=holding.contracts,
        strategy_position_id=holding.position_id,
        strategy_type=holding.code,
        timestamp=facts.now,
    )
