"""Legs and hedges as orders on the venue's grids, for the position they are of."""

from math import isfinite

from core.execution.intents import Drafting, Unpriced
from core.execution.orders import label_of
from core.greg.catalogue import STRATEGY_ID
from core.greg.executing import HedgeOff
from core.greg.hedging import HedgeOrder, usd_amount
from core.greg.legging import LegOrder
from ports.instruments import ContractRules, FutureContract
from ports.trading import OrderIntent, Side


def leg_intent(order: LegOrder, position_id: str, drafting: Drafting) -> OrderIntent | Unpriced:
    """
    Return *order* as a limit at the other side's price; Unpriced where nobody quotes it.

    What takes a leg back may only reduce.
    """
    snapshot, now, params = drafting.snapshot, drafting.now, drafting.params
    row = snapshot.chain.row_of(order.contract)
    quoted = snapshot.chain.bid if order.side is Side.SELL else snapshot.chain.ask
    price = float("nan") if row is None else float(quoted[row])
    if not (isfinite(price) and price > 0.0):
        return Unpriced(order.contract, f"nobody takes a {order.side} of {order.contract.symbol}")
    lots = snapshot.rules.lots_down(order.amount)
    if lots <= 0:
        return Unpriced(order.contract, f"an amount of {order.amount} makes no order")
    leg = "unwind" if order.reduces else "leg"
    return OrderIntent(
        label=label_of(STRATEGY_ID, now, drafting.counter, leg),
        strategy_id=STRATEGY_ID,
        position_id=position_id,
        contract=order.contract,
        side=order.side,
        amount=snapshot.rules.amount(lots),
        price=price,
        reduce_only=order.reduces,
        post_only=False,
        valid_until=now + params.valid_for,
        expires_at=now + params.time_to_live,
    )


def hedge_intent(
    order: HedgeOrder, limit_usd: float, rules: ContractRules, drafting: Drafting
) -> OrderIntent | None:
    """
    Return *order* as a limit at *limit_usd* in the perpetual; None below one lot of its *rules*.

    The amount is USD by the index of the snapshot: coin is never what the venue is told. The
    limit is rounded to the side where it is taken.

    Raises:
        ValueError: The limit is no price.
    """
    amount_usd = usd_amount(order.needed, drafting.snapshot.index_usd, rules.amount_step)
    if amount_usd == 0.0:
        return None
    return OrderIntent(
        label=label_of(STRATEGY_ID, drafting.now, drafting.counter, "hedge"),
        strategy_id=STRATEGY_ID,
        position_id=order.strategy_position_id,
        contract=FutureContract(order.underlying),
        side=order.side,
        amount=amount_usd,
        price=_on_tick(order.side, limit_usd, rules),
        reduce_only=False,
        post_only=False,
        valid_until=drafting.now + drafting.params.valid_for,
        expires_at=drafting.now + drafting.params.time_to_live,
    )


def hedge_off_intent(
    order: HedgeOff, position_id: str, limit_usd: float, rules: ContractRules, drafting: Drafting
) -> OrderIntent:
    """
    Return *order* of *position_id* as a limit at *limit_usd* in the perpetual.

    Raises:
        ValueError: The limit is no price.
    """
    return OrderIntent(
        label=label_of(STRATEGY_ID, drafting.now, drafting.counter, "hedge_off"),
        strategy_id=STRATEGY_ID,
        position_id=position_id,
        contract=FutureContract(order.underlying),
        side=order.side,
        amount=order.amount_usd,
        price=_on_tick(order.side, limit_usd, rules),
        reduce_only=order.reduces,
        post_only=False,
        valid_until=drafting.now + drafting.params.valid_for,
        expires_at=drafting.now + drafting.params.time_to_live,
    )


def _on_tick(side: Side, limit_usd: float, rules: ContractRules) -> float:
    """*limit_usd* rounded to the side where it is taken."""
    return rules.price_up(limit_usd) if side is Side.BUY else rules.price_down(limit_usd)
