"""In which order the legs of a structure are traded, and when the rest is given up."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from core.greg.structures import PlannedLeg, Structure
from ports.chain import ChainTable
from ports.checks import not_negative, utc
from ports.instruments import OptionContract
from ports.trading import Side


@frozen(kw_only=True)
class LeggingParams:
    """
    How long all legs may take, and what share of the planned credit must be left on the way.

    A structure that costs may cost at most its plan divided by that share.
    """

    takes_at_most: timedelta = timedelta(minutes=5)
    least_share: float = field(default=0.8, validator=not_negative)


@frozen(kw_only=True)
class LegOrder:
    """What to trade next: *reduces* for an order that takes back what was opened."""

    contract: OptionContract
    side: Side
    amount: float
    reduces: bool = False


@frozen(kw_only=True)
class Legging:
    """
    A structure on its way: the orders that are *left*, in their order; coin that one contract of
    each was to bring when it was planned, negative for a cost, and what those traded brought.
    """

    left: tuple[LegOrder, ...]
    planned_coin: float
    started_at: datetime = field(validator=utc)
    traded_coin: float = 0.0

    def traded(self, price_coin: float) -> "Legging":
        """It once the first of what is left was filled at *price_coin*."""
        brought = -self.left[0].side.sign * price_coin
        return evolve(self, left=self.left[1:], traded_coin=self.traded_coin + brought)


def in_order(structure: Structure) -> tuple[PlannedLeg, ...]:
    """
    Return the legs of *structure* as they are traded: what is bought first, then what is sold.

    So nothing sold is ever without its protection; within either, the dearest first.
    """
    return tuple(sorted(structure.legs, key=lambda leg: (leg.side is Side.SELL, -leg.mark)))


def begun(orders: Iterable[LegOrder], chain: ChainTable, at: datetime) -> Legging:
    """Return those of *orders* that open on their way from *at* on, planned at the quotes."""
    left = tuple(each for each in orders if not each.reduces)
    return Legging(left=left, planned_coin=_quoted_coin(left, chain), started_at=at)


def why_given_up(legging: Legging, chain: ChainTable, now: datetime, params: LeggingParams) -> str:
    """
    Return why the rest is given up before the next leg, empty while it is not: the time is over, or
    what is left to trade no longer brings its share of the plan.
    """
    if now - legging.started_at > params.takes_at_most:
        return f"not done within {params.takes_at_most}"
    planned = legging.planned_coin
    reached = legging.traded_coin + _quoted_coin(legging.left, chain)
    least = planned * params.least_share if planned >= 0.0 else planned / params.least_share
    if not reached >= least:
        return f"it would bring {reached:.4f} coin a contract, {planned:.4f} was planned"
    return ""


def taking_back(traded: Sequence[LegOrder]) -> tuple[LegOrder, ...]:
    """Return what takes back all that was *traded*, buying back first."""
    back = [
        LegOrder(
            contract=each.contract,
            side=Side.SELL if each.side is Side.BUY else Side.BUY,
            amount=each.amount,
            reduces=True,
        )
        for each in traded
    ]
    return tuple(sorted(back, key=lambda order: order.side is Side.SELL))


def _quoted_coin(orders: Sequence[LegOrder], chain: ChainTable) -> float:
    """What a contract of each brings at the other side's price; NaN if one is not quoted."""
    total = 0.0
    for order in orders:
        row = chain.row_of(order.contract)
        if row is None:
            return float("nan")
        total += float(chain.bid[row]) if order.side is Side.SELL else -float(chain.ask[row])
    return total
