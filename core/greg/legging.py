"""In which order the legs of a structure are traded, and when the rest is given up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import evolve, field, frozen

from core.greg.structures import PlannedLeg, Structure
from ports.checks import not_negative, utc
from ports.instruments import OptionContract
from ports.trading import Side

_ROUNDING = 1e-9  # of an amount


@frozen(kw_only=True)
class LeggingParams:
    """
    How long all legs may take, and what share of the planned credit must be left on the way.

    A structure that costs may cost at most its plan divided by that share.
    """

    takes_at_most: timedelta = timedelta(minutes=5)
    least_share: float = field(default=0.8, validator=not_negative)


class LegState(StrEnum):
    """Where the order of a leg is."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    ENDED = "ended"  # without being filled whole: refused, cancelled or out of time


@frozen(kw_only=True)
class LegProgress:
    """One leg: its order, the contracts traded so far and their mean price, coin."""

    leg: PlannedLeg
    state: LegState = LegState.WAITING
    filled: float = field(default=0.0, validator=not_negative)
    price_coin: float = field(default=0.0, validator=not_negative)


@frozen(kw_only=True)
class Legging:
    """A structure on its way, the legs in the order they are traded."""

    structure: Structure
    legs: tuple[LegProgress, ...]
    started_at: datetime = field(validator=utc)


@frozen(kw_only=True)
class LegOrder:
    """What to trade next: *reduces* for an order that takes back what was opened."""

    contract: OptionContract
    side: Side
    amount: float
    reduces: bool = False


class StepKind(StrEnum):
    """What to do now."""

    SEND = "send"
    WAIT = "wait"
    DONE = "done"
    CANCEL = "cancel"  # what works, then ask again
    UNWIND = "unwind"


@frozen(kw_only=True)
class Step:
    """The next thing to do, and why."""

    kind: StepKind
    reason: str
    orders: tuple[LegOrder, ...] = ()


def begun(structure: Structure, at: datetime) -> Legging:
    """
    Return *structure* ready to be traded: what is bought first, then what is sold.

    So nothing sold is ever without its protection; within either, the dearest first.
    """
    order = sorted(structure.legs, key=lambda leg: (leg.side is Side.SELL, -leg.mark))
    return Legging(
        structure=structure, legs=tuple(LegProgress(leg=leg) for leg in order), started_at=at
    )


def with_progress(legging: Legging, progress: LegProgress) -> Legging:
    """Return *legging* with *progress* in place of what was known of the same contract."""
    contract = progress.leg.contract
    legs = tuple(progress if each.leg.contract == contract else each for each in legging.legs)
    return evolve(legging, legs=legs)


def next_step(
    legging: Legging, quotes: Sequence[PlannedLeg], now: datetime, params: LeggingParams
) -> Step:
    """
    Return what to do now; *quotes* are the legs as they are quoted at this moment.

    One leg at a time. The rest is given up when an order ends unfilled, when the time is over,
    or when what is left to trade no longer brings its share of the plan: then what works is
    cancelled, and what was traded is taken back, what was sold before what was bought. Once all
    is sold and bought there is nothing to give up.
    """
    legs, amount = legging.legs, legging.structure.amount
    if all(each.state is LegState.DONE for each in legs):
        return Step(kind=StepKind.DONE, reason="every leg is filled")
    why = _why_abandoned(legging, quotes, now, params)
    working = [each for each in legs if each.state is LegState.WORKING]
    if why and working:
        return Step(kind=StepKind.CANCEL, reason=why)
    if why:
        return Step(kind=StepKind.UNWIND, reason=why, orders=_unwinding(legs))
    if working:
        return Step(kind=StepKind.WAIT, reason=f"{working[0].leg.contract.symbol} is working")
    following = next(each for each in legs if each.state is LegState.WAITING)
    leg = following.leg
    return Step(
        kind=StepKind.SEND,
        reason=f"{leg.side} {amount:g} of {leg.contract.symbol}",
        orders=(LegOrder(contract=leg.contract, side=leg.side, amount=amount),),
    )


def _why_abandoned(
    legging: Legging, quotes: Sequence[PlannedLeg], now: datetime, params: LeggingParams
) -> str:
    """Why the rest is given up; empty while it is not."""
    ended = [each for each in legging.legs if each.state is LegState.ENDED]
    if ended:
        return f"{ended[0].leg.contract.symbol} was not filled"
    if now - legging.started_at > params.takes_at_most:
        return f"not done within {params.takes_at_most}"
    planned, reached = legging.structure.credit_coin, _reached(legging, quotes)
    least = planned * params.least_share if planned >= 0 else planned / params.least_share
    if not reached >= least:
        return f"it would bring {reached:.4f} coin a contract, {planned:.4f} was planned"
    return ""


def _reached(legging: Legging, quotes: Sequence[PlannedLeg]) -> float:
    """What one structure brings: trades so far, and the rest at its quotes; NaN if unquoted."""
    quoted = {each.contract: each.taking_coin for each in quotes}
    return sum(
        -each.leg.side.sign * each.price_coin
        if each.filled > _ROUNDING
        else quoted.get(each.leg.contract, float("nan"))
        for each in legging.legs
    )


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


def _unwinding(legs: Sequence[LegProgress]) -> tuple[LegOrder, ...]:
    """What takes back all that was traded of *legs*."""
    return taking_back(
        [
            LegOrder(contract=each.leg.contract, side=each.leg.side, amount=each.filled)
            for each in legs
            if each.filled > _ROUNDING
        ]
    )
