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


PlannedOrder = LegOrder | HedgeOrder


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

    What was sold is bought back before what was bought is sold. A put that is taken up is closed
    and the perpetual bought where the convention prefers it; coin itself is not traded here.
    """
    if action is Advice.HEDGE:
        if facts.hedged is None:
            return ()
        found = hedge_order(facts.hedged, facts.rule, facts.now, terms=facts.terms)
        return () if found is None else (found,)
    closing = closing_orders(facts.holding.legs)
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


def words_of(order: PlannedOrder) -> str:
    """*order* in words."""
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
