"""What the shown market does to orders: trades at once, trades through, and expiry."""

from datetime import datetime
from math import isfinite, nan

import attrs
from attrs import field, frozen

from core.simulation.perpetual import (
    SHOWN_USD,
    future_rules,
    perpetual_quote,
    taker_fee_coin,
)
from core.simulation.venue_state import CoinAccount
from ports.checks import utc
from ports.history import DeliveryPrice
from ports.instruments import Contract, ContractRules, FutureContract, OptionContract
from ports.market_data import MarketSnapshot
from ports.trading import Delivery, Fill, Order, OrderState, Side
from ports.venue_log import Funding, OrderTerms, TimeInForce, VenueStep


@frozen(eq=False)
class Moment:
    """
    The market the venue sees and the account it keeps, at the instant *at*.

    *funding* is the rate of each perpetual held that is not booked yet, until then.
    """

    snapshot: MarketSnapshot
    account: CoinAccount
    at: datetime = field(validator=utc)
    funding: dict[FutureContract, float] = field(factory=dict)

    @property
    def rules(self) -> ContractRules:
        """The grids and fees of options in force."""
        return self.snapshot.rules

    def rules_of(self, contract: Contract) -> ContractRules:
        """The grids of *contract* in force."""
        if isinstance(contract, FutureContract):
            return future_rules(contract.underlying)
        return self.snapshot.rules

    def fee_coin(self, contract: Contract, price: float, amount: float, *, is_maker: bool) -> float:
        """Coin charged for trading *amount* of *contract* at *price*."""
        if isinstance(contract, OptionContract):
            return self.rules.trade_fee(price, amount)
        return 0.0 if is_maker else taker_fee_coin(amount, price, self.at)

    def mark_of_future(self, contract: FutureContract) -> float:
        """The mark in USD per coin: that of the perpetual, the only future traded here."""
        return perpetual_quote(self.snapshot).mark if contract.expiry is None else nan

    def funding_of(self, contract: FutureContract) -> Funding | None:
        """What is due of *contract* until now and not booked; None if nothing is."""
        held = self.account.futures.get(contract)
        if held is None or held.size_usd == 0.0 or held.funded_at >= self.at:
            return None
        rate = self.funding[contract]
        size_coin = held.size_usd / self.snapshot.index_usd
        return Funding(
            contract=contract, until=self.at, rate=rate, amount_coin=-rate * size_coin + 0.0
        )

    @property
    def trades_at(self) -> datetime:
        """The instant of a trade made now: never before the quote that it takes was shown."""
        return max(self.at, self.snapshot.taken_at)


@frozen
class Quote:
    """What the market shows to one side: NaN where it shows nothing."""

    price: float = nan
    amount: float = nan


def quote_for(snapshot: MarketSnapshot, contract: Contract, side: Side) -> Quote:
    """Return what an order on *side* would trade with: the bid for a sell, the ask for a buy."""
    if isinstance(contract, FutureContract):
        if contract.expiry is not None:
            return Quote()
        shown = perpetual_quote(snapshot)
        return Quote(shown.bid if side is Side.SELL else shown.ask, SHOWN_USD)
    row = snapshot.chain.row_of(contract)
    if row is None:
        return Quote()
    if side is Side.SELL:
        return Quote(float(snapshot.chain.bid[row]), float(snapshot.chain.bid_amount[row]))
    return Quote(float(snapshot.chain.ask[row]), float(snapshot.chain.ask_amount[row]))


def is_through(side: Side, price: float, limit: float) -> bool:
    """Whether *price* is better for an order on *side* than its *limit*; never where NaN."""
    return side.sign * (limit - price) > 0


def lots_shown(moment: Moment, contract: Contract, side: Side) -> int:
    """Return how many lots of the quote our trades have left since it was shown."""
    shown, rules = quote_for(moment.snapshot, contract, side).amount, moment.rules_of(contract)
    if not isfinite(shown):
        return 0
    taken = sum(
        rules.lots(fill.amount)
        for fill in moment.account.fills_since(moment.snapshot.taken_at)
        if fill.contract == contract and fill.side is side
    )
    return max(0, rules.lots_down(shown) - taken)


def lots_reducible(moment: Moment, contract: Contract, side: Side) -> int:
    """Return how many lots an order on *side* can trade before the position is gone."""
    against = -side.sign * moment.rules_of(contract).lots(moment.account.size_of(contract))
    return max(0, against)


def traded(order: Order, lots: int, price: float, moment: Moment, *, is_maker: bool) -> VenueStep:
    """Return the step that trades *lots* of *order* at *price*."""
    rules, account = moment.rules_of(order.contract), moment.account
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
        fee_coin=moment.fee_coin(order.contract, price, amount, is_maker=is_maker),
        index_usd=moment.snapshot.index_usd,
        at=moment.trades_at,
        is_maker=is_maker,
    )
    state = OrderState.FILLED if done == rules.lots(order.amount) else OrderState.PARTIAL
    after = attrs.evolve(order, filled_amount=rules.amount(done), state=state)
    due = moment.funding_of(order.contract) if isinstance(order.contract, FutureContract) else None
    return VenueStep(
        at=moment.at, orders=(after,), fills=(fill,), fundings=() if due is None else (due,)
    )


def taken_at_once(order: Order, moment: Moment, terms: OrderTerms | None = None) -> VenueStep:
    """
    Return the step that places *order*, worded as *terms* if any: what the market shows is
    taken, the rest works on or goes. One that is good until the end of the day works on: who
    keeps the day cancels it.
    """
    step = _worded(_taken(order, moment), terms)
    after = step.orders[0]
    if terms is None or after.state is OrderState.FILLED:
        return step
    stays = terms.time_in_force
    if stays in (TimeInForce.GOOD_TIL_CANCELLED, TimeInForce.GOOD_TIL_DAY):
        return step
    if stays is TimeInForce.FILL_OR_KILL:
        return _worded(ended(order, OrderState.CANCELLED, moment), terms)
    return attrs.evolve(step, orders=(attrs.evolve(after, state=OrderState.CANCELLED),))


def _worded(step: VenueStep, terms: OrderTerms | None) -> VenueStep:
    """*step* with the *terms* of its order."""
    return step if terms is None else attrs.evolve(step, terms={step.orders[0].order_id: terms})


def _taken(order: Order, moment: Moment) -> VenueStep:
    quote = quote_for(moment.snapshot, order.contract, order.side)
    crosses = quote.price == order.price or is_through(order.side, quote.price, order.price)
    shown = lots_shown(moment, order.contract, order.side) if crosses else 0
    rules = moment.rules_of(order.contract)
    left = rules.lots(order.amount) - rules.lots(order.filled_amount)
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
    rules = moment.rules_of(order.contract)
    lots = rules.lots(order.amount) - rules.lots(order.filled_amount)
    if order.reduce_only:
        lots = min(lots, lots_reducible(moment, order.contract, order.side))
        if lots == 0:
            return ended(order, OrderState.CANCELLED, moment, "risk_mitigation")
    quote = quote_for(moment.snapshot, order.contract, order.side)
    if not is_through(order.side, quote.price, order.price):
        return None
    lots = min(lots, lots_shown(moment, order.contract, order.side))
    return traded(order, lots, order.price, moment, is_maker=True) if lots else None


def ended(order: Order, state: OrderState, moment: Moment, reason: str = "") -> VenueStep:
    """Return the step that ends *order* in *state* for *reason*."""
    return VenueStep(at=moment.at, orders=(attrs.evolve(order, state=state),), reason=reason)


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
