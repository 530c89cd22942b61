"""DeribitTrading: orders and the account of an API key."""

from collections.abc import Iterable
from datetime import datetime

from attrs import define, field

from adapters.deribit.client import DeribitClient
from adapters.deribit.lists import (
    all_orders,
    labelled_orders,
    settlements_since,
    trade_labels,
    trades_since,
)
from adapters.deribit.models import (
    AccountSummary,
    HeldPosition,
    PlacedAnswer,
    PlacedOrder,
)
from adapters.deribit.parse import (
    COINS,
    account_of,
    delivery_of,
    fill_of,
    is_delivery,
    is_held,
    is_single,
    limit_of,
    limits_of,
    order_of,
    position_of,
    read_as,
    rows_as,
)
from adapters.deribit.rpc import Answer
from ports.checks import epoch_ms
from ports.errors import Malformed, OutcomeUnknown, Unavailable
from ports.instruments import ContractRules
from ports.trading import Account, Activity, Order, OrderIntent, Placed

_SENDING = {"buy": "private/buy", "sell": "private/sell"}
# Of these only the delivery fee and its cap are used, which no instrument record tells.
_DELIVERY_FEES = ContractRules(tick_size=0.0001, amount_step=0.1, min_amount=0.1)


@define(eq=False, kw_only=True)
class DeribitTrading:
    """
    Trading by the venue's private methods.

    Any method raises Unauthorised when the venue does not accept the credentials, and
    Malformed when an answer cannot be read; a placement says NeverSent, Refused or
    OutcomeUnknown and nothing else.
    """

    client: DeribitClient
    delivery_fees: ContractRules = field(default=_DELIVERY_FEES)
    _limits_told: object = field(default=None, init=False)

    async def account(self, underlying: str) -> Account:
        """See Trading; of the time of the older answer of two."""
        _check(underlying)
        money = await self.client.read("private/get_account_summary", currency=underlying)
        held = await self.client.read("private/get_positions", currency=underlying)
        summary = read_as(AccountSummary, money)
        if summary.currency != underlying:
            raise Malformed(f"asked for the account in {underlying}, told of {summary.currency}")
        self._keep_to_limits(summary)
        positions = (position_of(row) for row in rows_as(HeldPosition, held))
        return account_of(
            summary,
            tuple(position for position in positions if is_held(position)),
            min(money.answered_at, held.answered_at),
        )

    async def place(self, intent: OrderIntent) -> Placed:
        """See Trading; a post-only order that would take is refused, never moved."""
        answer = await self.client.submit(
            _SENDING[intent.side],
            instrument_name=intent.contract.symbol,
            amount=intent.amount,
            type="limit",
            price=intent.price,
            time_in_force="good_til_cancelled",
            post_only=intent.post_only,
            reject_post_only=intent.post_only,
            reduce_only=intent.reduce_only,
            label=intent.label,
            valid_until=epoch_ms(intent.valid_until),
        )
        try:
            placed = _placed(answer)
        except Malformed as error:
            raise OutcomeUnknown(f"{intent.label}: {error}") from error
        if not _is_of(placed.order, intent):
            raise OutcomeUnknown(f"{intent.label}: the answer speaks of another order")
        return placed

    async def cancel(self, order: Order) -> Order:
        """See Trading."""
        answer = await self.client.read("private/cancel", order_id=order.order_id)
        cancelled = order_of(read_as(PlacedOrder, answer))
        if cancelled.order_id != order.order_id:
            raise Malformed(f"cancelled {order.order_id}, told of {cancelled.order_id}")
        return cancelled

    async def open_orders(self, underlying: str) -> tuple[Order, ...]:
        """See Trading; those on combinations and spot pairs are left out."""
        _check(underlying)
        answer = await self.client.read("private/get_open_orders_by_currency", currency=underlying)
        rows = rows_as(PlacedOrder, answer)
        orders = (order_of(row) for row in rows if is_single(row))
        return _oldest_first(order for order in orders if order.state.is_working)

    async def orders_by_label(self, underlying: str, label: str) -> tuple[Order, ...]:
        """
        See Trading; what the venue's lists by label know is the answer, and only if they know
        nothing, all lists of orders and of recent trades are read.
        """
        _check(underlying)
        found = await labelled_orders(self.client, underlying, label)
        named = _newest_of_each(row for row in found if row.label == label)
        if not named:
            past = await all_orders(self.client, underlying)
            named = _newest_of_each(row for row in past if row.label == label)
        if not named and label in await trade_labels(self.client, underlying):
            raise Unavailable(f"{label} has traded, and no list of orders knows it yet")
        return _oldest_first(order_of(row) for row in named)

    async def activity(self, underlying: str, since: datetime) -> Activity:
        """See Trading; what a delivery paid follows from its price, its fee from the fee table."""
        _check(underlying)
        trades = await trades_since(self.client, underlying, since)
        records = await settlements_since(self.client, underlying, since)
        fills = sorted((fill_of(trade) for trade in trades), key=lambda fill: fill.at)
        deliveries = sorted(
            (delivery_of(each, self.delivery_fees) for each in records if is_delivery(each)),
            key=lambda delivery: delivery.at,
        )
        return Activity(
            fills=tuple(fill for fill in fills if fill.at >= since),
            deliveries=tuple(each for each in deliveries if each.at >= since),
        )

    def _keep_to_limits(self, summary: AccountSummary) -> None:
        if summary.limits == self._limits_told:
            return
        self._limits_told, limits = summary.limits, limits_of(summary)
        if limits is not None:
            self.client.throttle.narrow(
                matching=limit_of(limits.matching_engine.trading.total),
                other=limit_of(limits.non_matching_engine),
            )


def _check(underlying: str) -> None:
    if underlying not in COINS:
        raise Unavailable(f"the venue has no account in {underlying} for inverse options")


def _placed(answer: Answer) -> Placed:
    told = read_as(PlacedAnswer, answer)
    return Placed(order=order_of(told.order), fills=tuple(fill_of(trade) for trade in told.trades))


def _is_of(order: Order, intent: OrderIntent) -> bool:
    """Whether *order* is the one that *intent* asked for."""
    told = (order.label, order.contract, order.side, order.amount, order.reduce_only)
    return told == (
        intent.label,
        intent.contract,
        intent.side,
        intent.amount,
        intent.reduce_only,
    )


def _newest_of_each(rows: Iterable[PlacedOrder]) -> tuple[PlacedOrder, ...]:
    """One row an order, as it was told last."""
    newest: dict[str, PlacedOrder] = {}
    for row in rows:
        known = newest.get(row.order_id)
        if known is None or row.last_update_timestamp >= known.last_update_timestamp:
            newest[row.order_id] = row
    return tuple(newest.values())


def _oldest_first(orders: Iterable[Order]) -> tuple[Order, ...]:
    return tuple(sorted(orders, key=lambda order: (order.created_at, order.order_id)))
