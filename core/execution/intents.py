"""An action as orders: side, price and size on the venue's grids, labelled and dated."""

from datetime import datetime, timedelta
from enum import StrEnum

from attrs import frozen

from core.execution.orders import label_of
from ports.decision_log import Action, ActionType
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot
from ports.trading import OrderIntent, Side


class ExecutionStyle(StrEnum):
    """Take the other side's price, or rest at the middle."""

    TAKER = "taker"
    PATIENT = "patient"


@frozen(kw_only=True)
class OrderParams:
    """How orders are made: *valid_for* at the venue's door, *time_to_live* once inside."""

    style: ExecutionStyle = ExecutionStyle.TAKER
    valid_for: timedelta = timedelta(seconds=5)
    time_to_live: timedelta = timedelta(seconds=120)


@frozen(kw_only=True)
class Drafting:
    """What an order is drafted from: the quotes, the instant, and the number of its label."""

    snapshot: MarketSnapshot
    now: datetime
    counter: int
    params: OrderParams


@frozen
class Unpriced:
    """Why there is no order: nobody quotes, and no price is ever made up."""

    contract: OptionContract
    reason: str


def opening(action: Action, drafting: Drafting) -> OrderIntent | Unpriced:
    """The sell order of an OPEN, or of the second leg of a ROLL."""
    leg = "open" if action.type is ActionType.OPEN_COVERED_CALL else "roll_open"
    return _intent(action, action.contract, Side.SELL, leg, drafting)


def closing(action: Action, drafting: Drafting) -> OrderIntent | Unpriced:
    """The buy order of a CLOSE, or of the first leg of a ROLL."""
    leg = "close" if action.type is ActionType.CLOSE_COVERED_CALL else "roll_close"
    return _intent(action, action.from_contract, Side.BUY, leg, drafting)


def _intent(
    action: Action, contract: OptionContract | None, side: Side, leg: str, drafting: Drafting
) -> OrderIntent | Unpriced:
    if contract is None or action.position_id is None:
        raise ValueError(f"{action.type} does not say what to {side}")
    snapshot, now, params = drafting.snapshot, drafting.now, drafting.params
    price = _price(contract, side, snapshot, params.style)
    if not 0 < price < float("inf"):
        return Unpriced(contract, f"nobody quotes the {side} of {contract.symbol}")
    lots = snapshot.rules.lots_down(action.amount)
    if lots <= 0:
        return Unpriced(contract, f"an amount of {action.amount} makes no order")
    return OrderIntent(
        label=label_of(action.strategy_id, now, drafting.counter, leg),
        strategy_id=action.strategy_id,
        position_id=action.position_id,
        contract=contract,
        side=side,
        amount=snapshot.rules.amount(lots),
        price=price,
        reduce_only=side is Side.BUY,
        post_only=params.style is ExecutionStyle.PATIENT,
        valid_until=now + params.valid_for,
        expires_at=now + params.time_to_live,
    )


def _price(
    contract: OptionContract, side: Side, snapshot: MarketSnapshot, style: ExecutionStyle
) -> float:
    """The limit: the touch we take, or the middle rounded away from it; NaN without a quote."""
    chain, rules = snapshot.chain, snapshot.rules
    row = chain.row_of(contract)
    if row is None:
        return float("nan")
    bid, ask = float(chain.bid[row]), float(chain.ask[row])
    if style is ExecutionStyle.TAKER:
        return bid if side is Side.SELL else ask
    middle = (bid + ask) / 2.0
    if not middle > 0:
        return float("nan")
    return rules.price_up(middle) if side is Side.SELL else rules.price_down(middle)
