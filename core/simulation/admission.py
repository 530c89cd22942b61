"""Whether the venue takes an order, and on what terms."""

import attrs

from core.risk.margin import MarginRates
from core.simulation.exact import exact_sum
from core.simulation.funds import require_funds
from core.simulation.matching import Moment, is_through, lots_reducible, quote_for
from ports.errors import OutcomeUnknown, Refused
from ports.instruments import ContractRules, FutureContract, Settlement
from ports.trading import Order, OrderIntent, OrderState, Side


def admitted(intent: OrderIntent, moment: Moment, rates: MarginRates) -> Order:
    """
    Return *intent* as the new order that the venue takes, its trades still to come.

    A reduce-only order is clipped to the position, a post-only price moved beside the spread.

    Raises:
        OutcomeUnknown: 13888, it came after its valid_until.

        Refused: With the venue's code and message.

        Unavailable: The market cannot value the account.
    """
    if moment.at > intent.valid_until:
        raise OutcomeUnknown(
            f"13888 timed_out: {intent.label} was valid until {intent.valid_until}"
        )
    _require_open_book(intent, moment)
    order = Order(
        order_id=f"{intent.contract.underlying}-{len(moment.account.orders) + 1}",
        label=intent.label,
        contract=intent.contract,
        side=intent.side,
        amount=_amount(intent, moment),
        filled_amount=0.0,
        price=_price(intent, moment),
        reduce_only=intent.reduce_only,
        state=OrderState.OPEN,
        created_at=moment.at,
    )
    _require_no_overlap(order, moment)
    require_funds(order, moment, rates)
    return order


def amended(known: Order, intent: OrderIntent, moment: Moment, rates: MarginRates) -> Order:
    """
    Return the working order *known* with the price of *intent*, and its amount still to fill.

    What is filled stays filled; the rest is admitted as if it were new and *known* were gone.

    Raises:
        OutcomeUnknown, Refused, Unavailable: As admitted.
    """
    others = {key: order for key, order in moment.account.working.items() if order is not known}
    without = attrs.evolve(moment, account=attrs.evolve(moment.account, working=others))
    rest = admitted(intent, without, rates)
    return attrs.evolve(
        known,
        amount=exact_sum(known.filled_amount, rest.amount),
        price=rest.price,
        reduce_only=rest.reduce_only,
    )


def _require_open_book(intent: OrderIntent, moment: Moment) -> None:
    contract = intent.contract
    if isinstance(contract, FutureContract):
        if contract.expiry is not None:
            raise Refused(13020, "not_found")
        return
    if contract.settlement is not Settlement.INVERSE:
        raise Refused(10020, "invalid_or_unsupported_instrument")
    if contract.expiry <= moment.at:
        raise Refused(13019, "orderbook_closed")
    if moment.snapshot.chain.row_of(contract) is None:
        raise Refused(13020, "not_found")


def _amount(intent: OrderIntent, moment: Moment) -> float:
    rules = moment.rules_of(intent.contract)
    if rules.lots_down(intent.amount) < rules.lots_up(rules.min_amount):
        raise Refused(10002, "qty_too_low")
    try:
        lots = rules.lots(intent.amount)
    except ValueError as error:
        raise Refused(10021, "invalid_amount") from error
    if intent.reduce_only:
        lots = min(lots, _lots_left_to_reduce(intent, moment))
    if lots == 0:
        raise Refused(11030, "other_reject reduce_only: there is no position left to reduce")
    return rules.amount(lots)


def _lots_left_to_reduce(intent: OrderIntent, moment: Moment) -> int:
    """The position, less what working reduce-only orders are about to take of it."""
    rules = moment.rules_of(intent.contract)
    spoken_for = sum(
        rules.lots(order.amount) - rules.lots(order.filled_amount)
        for order in moment.account.working_on(intent.contract, intent.side)
        if order.reduce_only
    )
    return max(0, lots_reducible(moment, intent.contract, intent.side) - spoken_for)


def _price(intent: OrderIntent, moment: Moment) -> float:
    rules = moment.rules_of(intent.contract)
    if not rules.is_on_tick(intent.price):
        raise Refused(10043, "price_wrong_tick")
    price = rules.price_down(intent.price)  # the grid's own float
    if price <= 0:
        raise Refused(10023, "invalid_price")
    touch = quote_for(moment.snapshot, intent.contract, intent.side).price
    if not intent.post_only or not (touch == price or is_through(intent.side, touch, price)):
        return price
    beside = _beside(touch, intent.side, rules)
    if beside <= 0:
        raise Refused(11021, "post_only_price_modification_not_possible")
    return beside


def _beside(touch: float, side: Side, rules: ContractRules) -> float:
    """The price nearest to *touch* at which an order on *side* would not take it."""
    if side is Side.SELL:
        return rules.price_up(touch + rules.tick_size)
    return rules.price_down(touch - rules.tick_size)


def _require_no_overlap(order: Order, moment: Moment) -> None:
    """
    The venue's self-trading mode reject_taker: own orders are never in each other's way.
    Whoever stands before ours at the same price is not known, so any crossing is refused.
    """
    other_side = Side.SELL if order.side is Side.BUY else Side.BUY
    for other in moment.account.working_on(order.contract, other_side):
        if other.price == order.price or is_through(order.side, other.price, order.price):
            raise Refused(10003, "order_overlap")
