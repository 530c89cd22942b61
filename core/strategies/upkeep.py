"""What to do with a short call that is held: take profit, roll, close, or let it expire."""

from datetime import timedelta

import numpy as np
from attrs import evolve, field, frozen

from core.policy.explore import ExploreParams, choose
from core.view import TickView
from ports.checks import not_negative
from ports.decision_log import Action, ActionType, Candidate
from ports.positions import Leg, TrackedPosition


@frozen(kw_only=True)
class UpkeepParams:
    """
    When a short call is taken off or moved; days, percent, and what a roll must not do.

    The call is defended when it is in the money with *itm_dte* left, or within *near_pct* of
    the index with *near_dte* left; below *last_dte* nothing but defence is worth its costs.
    Where no roll is allowed it is bought back if that costs at most *close_premium_pct* more
    than delivery is expected to, and is left to be delivered otherwise: the coin is there.
    """

    last_dte: float = field(default=1.0, validator=not_negative)
    itm_dte: float = field(default=2.0, validator=not_negative)
    near_pct: float = field(default=2.0, validator=not_negative)
    near_dte: float = field(default=1.0, validator=not_negative)
    take_profit_pct: float = field(default=80.0, validator=not_negative)
    close_premium_pct: float = field(default=5.0, validator=not_negative)
    credit_only: bool = True
    never_down: bool = False
    out_only: bool = True
    cooldown: timedelta = timedelta(hours=1)
    explore: ExploreParams = field(factory=ExploreParams)


@frozen(kw_only=True)
class HeldCall:
    """A short call with what the market says of it now."""

    position: TrackedPosition
    leg: Leg
    dte: float
    ask: float
    distance_pct: float  # strike above the index, percent; negative in the money
    cost_coin: float  # to buy one contract back, fee included; NaN where nobody offers
    delivery_coin: float  # what delivery is expected to cost: the mark and the delivery fee


def held_call(position: TrackedPosition, leg: Leg, view: TickView) -> HeldCall:
    """*leg* of *position* with the quotes of *view*."""
    chain = view.snapshot.chain
    row = chain.row_of(leg.contract)
    ask = float(chain.ask[row]) if row is not None else float("nan")
    mark = float(chain.mark[row]) if row is not None else float("nan")
    return HeldCall(
        position=position,
        leg=leg,
        dte=leg.contract.days_left(view.snapshot.taken_at),
        ask=ask,
        distance_pct=100.0 * (leg.contract.strike / view.snapshot.index_usd - 1.0),
        cost_coin=ask + _fee(ask, view),
        delivery_coin=mark + view.snapshot.rules.delivery_fee(leg.contract, mark, 1.0),
    )


def upkeep(
    call: HeldCall,
    candidates: tuple[Candidate, ...],
    view: TickView,
    params: UpkeepParams,
    rng: np.random.Generator,
) -> Action:
    """The action for one held *call*; DO_NOTHING with its reason where it is best left alone."""
    where = f"{call.distance_pct:.1f} % from the strike with {call.dte:.1f} days left"
    nothing, close = ActionType.DO_NOTHING, ActionType.CLOSE_COVERED_CALL
    if _needs_defence(call, params):
        targets = _targets(call, candidates, view, params)
        if targets and view.now - call.leg.opened_at >= params.cooldown:
            return _roll(call, targets, view, params, rng)
        if call.cost_coin <= call.delivery_coin * (1.0 + params.close_premium_pct / 100.0):
            return _action(close, call, "defend_by_close", f"{where}, and no roll is allowed")
        where += (
            f"; no roll is allowed, and buying back costs {call.cost_coin:.4f} "
            f"{view.underlying}, delivery about {call.delivery_coin:.4f}"
        )
        return _action(nothing, call, "let_deliver", where)
    if call.dte < params.last_dte:
        return _action(nothing, call, "let_expire", where)
    captured_pct = _captured_pct(call)
    if captured_pct >= params.take_profit_pct:
        return _action(close, call, "take_profit", f"{captured_pct:.0f} % of the premium is earned")
    return _action(nothing, call, "hold", where)


def _roll(
    call: HeldCall,
    targets: tuple[Candidate, ...],
    view: TickView,
    params: UpkeepParams,
    rng: np.random.Generator,
) -> Action:
    choice = choose(len(targets), params.explore, rng)
    target = targets[choice.rank]
    credit = target.bid - _fee(target.bid, view) - call.cost_coin
    detail = (
        f"{call.distance_pct:.1f} % from the strike with {call.dte:.1f} days left; "
        f"rolls to {target.contract.symbol} for {credit:+.4f} {view.underlying}"
    )
    roll = _action(ActionType.ROLL_COVERED_CALL, call, "defend_by_roll", detail)
    return evolve(roll, contract=target.contract, choice=choice)


def _needs_defence(call: HeldCall, params: UpkeepParams) -> bool:
    in_the_money = call.distance_pct < 0.0 and call.dte <= params.itm_dte
    near = call.distance_pct < params.near_pct and call.dte <= params.near_dte
    return in_the_money or near


def _targets(
    call: HeldCall, candidates: tuple[Candidate, ...], view: TickView, params: UpkeepParams
) -> tuple[Candidate, ...]:
    """The candidates a roll may go to, best first."""
    held = call.leg.contract
    return tuple(
        candidate
        for candidate in candidates
        if candidate.contract != held
        and not (params.out_only and candidate.contract.expiry <= held.expiry)
        and not (params.never_down and candidate.contract.strike < held.strike)
        and not (
            params.credit_only and not candidate.bid - _fee(candidate.bid, view) >= call.cost_coin
        )
    )


def _captured_pct(call: HeldCall) -> float:
    """Percent of the premium sold that buying back now would keep; NaN where nobody offers."""
    if call.leg.contracts_sold == 0.0 or call.leg.sold_coin == 0.0:
        return float("nan")
    sold_at = call.leg.sold_coin / call.leg.contracts_sold
    return 100.0 * (sold_at - call.ask) / sold_at


def _fee(price: float, view: TickView) -> float:
    return view.snapshot.rules.trade_fee(price, 1.0)


def _action(kind: ActionType, call: HeldCall, reason: str, detail: str) -> Action:
    return Action(
        type=kind,
        strategy_id=call.position.strategy_id,
        underlying=call.position.underlying,
        reason=reason,
        detail=f"{call.leg.contract.symbol}: {detail}",
        amount=abs(call.leg.size),
        position_id=call.position.position_id,
        from_contract=call.leg.contract,
    )
