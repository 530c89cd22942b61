"""What the shown market does to orders: trades at once, trades through, and expiry."""

from datetime import datetime
from enum import StrEnum
from math import isfinite, nan

import attrs
from attrs import field, frozen

from core.simulation.venue_state import CoinAccount
from ports.checks import utc
from ports.history import DeliveryPrice
from ports.instruments import ContractRules, OptionContract
from ports.market_data import MarketSnapshot
from ports.trading import Delivery, Fill, Order, OrderState, Side
from ports.venue_log import VenueStep


class TimeInForce(StrEnum):
    """What becomes of that part of an order which does not trade at once."""

    GOOD_TIL_CANCELLED = "good_til_cancelled"
    GOOD_TIL_DAY = "good_til_day"  # works here like the first; who keeps the day cancels it
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"


@frozen(eq=False)
class Moment:
    """The market the venue sees and the account it keeps, at the instant *at*."""

    snapshot: MarketSnapshot
    account: CoinAccount
    at: datetime = field(validator=utc)

    @property
    def rules(self) -> ContractRules:
        """The grids and fees in force."""
        return self.snapshot.rules

    @property
    def trades_at(self) -> datetime:
        """The instant of a trade made now: never before the quote that it takes was shown."""
        return max(self.at, self.snapshot.taken_at)


@frozen
class Quote:
    """What the market shows to one side: NaN where it shows nothing."""

    price: float = nan
    amount: float = nan


def quote_for(snapshot: MarketSnapshot, contract: OptionContract, side: Side) -> Quote:
    """Return what an order on *side* would trade with: the bid for a sell, the ask for a buy."""
    row = snapshot.chain.row_of(contract)
    if row is None:
        return Quote()
    if side is Side.SELL:
        return Quote(float(snapshot.chain.bid[row]), float(snapshot.chain.bid_amount[row]))
    return Quote(float(snapshot.chain.ask[row]), float(snapshot.chain.ask_amount[row]))


def is_through(side: Side, price: float, limit: float) -> bool:
    """Whether *price* is better for an order on *side* than its *limit*; never where NaN."""
    return side.sign * (limit - price) > 0


def lots_shown(moment: Moment, contract: OptionContract, side: Side) -> int:
    """Return how many lots of the quote our trades have left since it was shown."""
    shown = quote_for(moment.snapshot, contract, side).amount
    if not isfinite(shown):
        return 0
    taken = sum(
        moment.rules.lots(fill.amount)
        for fill in moment.account.fills_since(moment.snapshot.taken_at)
        if fill.contract == contract and fill.side is side
    )
    return max(0, moment.rules.lots_down(shown) - taken)


def lots_reducible(moment: Moment, contract: OptionContract, side: Side) -> int:
    """Return how many lots an order on *side* can trade before the position is gone."""
    against = -side.sign * moment.rules.lots(moment.account.size_of(contract))
    return max(0, against)


def traded(order: Order, lots: int, price: float, moment: Moment, *, is_maker: bool) -> VenueStep:
    """Return the step that trades *lots* of *order* at *price*."""
    rules, account = moment.rules, moment.account
    amount = rules.amount(lots)
    done = rules.lots(order.filled_amount) + lots
    fill = Fill(
        trade_id=f"{order.contract.underlying}-T{len(account.fills) + 1}",
        order_id=order.order_id,
        label=order.label,
        contract=order.contract,
        side=order.side,
        amount=amount,
        price=price,
        fee_coin=rules.trade_fee(price, amount),
        index_usd=moment.snapshot.index_usd,
        at=moment.trades_at,
        is_maker=is_maker,
    )
    state = OrderState.FILLED if done == rules.lots(order.amount) else OrderState.PARTIAL
    after = attrs.evolve(order, filled_amount=rules.amount(done), state=state)
    return VenueStep(at=moment.at, orders=(after,), fills=(fill,))


def taken_at_once(
    order: Order, moment: Moment, time_in_force: TimeInForce = TimeInForce.GOOD_TIL_CANCELLED
) -> VenueStep:
    """Return the step that places *order*: what the market shows is taken, the rest works on."""
    step = _taken(order, moment)
    after = step.orders[0]
    stays = time_in_force in (TimeInForce.GOOD_TIL_CANCELLED, TimeInForce.GOOD_TIL_DAY)
    if stays or after.state is OrderState.FILLED:
        return step
    if time_in_force is TimeInForce.FILL_OR_KILL:
        return ended(order, OrderState.CANCELLED, moment)
    return attrs.evolve(step, orders=(attrs.evolve(after, state=OrderState.CANCELLED),))


def _taken(order: Order, moment: Moment) -> VenueStep:
    quote = quote_for(moment.snapshot, order.contract, order.side)
    crosses = quote.price == order.price or is_through(order.side, quote.price, order.price)
    shown = lots_shown(moment, order.contract, order.side) if crosses else 0
    left = moment.rules.lots(order.amount) - moment.rules.lots(order.filled_amount)
    lots = min(left, shown)
    if lots == 0:
        return VenueStep(at=moment.at, orders=(order,))
    return traded(order, lots, quote.price, moment, is_maker=False)


def after_market(order: Order, moment: Moment) -> VenueStep | None:
    """
    Return what the market does to the resting *order*; None if nothing.

    It trades at its own price, and only where the market shows a better one: a price that is
    merely touched may have been taken by those before us. A reduce-only order is cancelled
    once there is nothing left that it could reduce.
    """
    rules = moment.rules
    lots = rules.lots(order.amount) - rules.lots(order.filled_amount)
    if order.reduce_only:
        lots = min(lots, lots_reducible(moment, order.contract, order.side))
        if lots == 0:
            return ended(order, OrderState.CANCELLED, moment)
    quote = quote_for(moment.snapshot, order.contract, order.side)
    if not is_through(order.side, quote.price, order.price):
        return None
    lots = min(lots, lots_shown(moment, order.contract, order.side))
    return traded(order, lots, order.price, moment, is_maker=True) if lots else None


def ended(order: Order, state: OrderState, moment: Moment) -> VenueStep:
    """Return the step that ends *order* in *state*."""
    return VenueStep(at=moment.at, orders=(attrs.evolve(order, state=state),))


def delivered(contract: OptionContract, price: DeliveryPrice, moment: Moment) -> VenueStep:
    """Return the step that settles the position in *contract* at *price*."""
    account = moment.account
    size = account.size_of(contract)
    payoff_coin = contract.payoff_coin(price.price_usd)
    delivery = Delivery(
        delivery_id=f"{contract.underlying}-D{len(account.deliveries) + 1}",
        contract=contract,
        size=size,
        at=moment.at,
        delivery_price_usd=price.price_usd,
        price_source=price.source,
        price_error_usd=price.error_usd,
        cash_coin=size * payoff_coin,
        fee_coin=moment.rules.delivery_fee(contract, payoff_coin, abs(size)),
    )
    return VenueStep(at=moment.at, deliveries=(delivery,))
