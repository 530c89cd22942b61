"""Orders, fills, positions and the account: the conversation with a trading venue."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen

from ports.checks import finite, label, not_negative, positive, utc
from ports.instruments import Contract, FutureContract, OptionContract


class Side(StrEnum):
    """What an order does for us."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for what adds contracts to the position, -1 for what takes them."""
        return 1 if self is Side.BUY else -1


class OrderState(StrEnum):
    """Where an order is; the terminal states are final."""

    SENT = "sent"
    UNKNOWN = "unknown"
    OPEN = "open"
    PARTIAL = "partial"
    PENDING_CANCEL = "pending_cancel"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NOT_PLACED = "not_placed"
    DENIED = "denied"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can follow."""
        return self in _TERMINAL

    @property
    def is_working(self) -> bool:
        """Whether the venue holds it, or may hold it."""
        return self not in _TERMINAL


_TERMINAL = frozenset(
    {
        OrderState.FILLED,
        OrderState.REJECTED,
        OrderState.CANCELLED,
        OrderState.EXPIRED,
        OrderState.NOT_PLACED,
        OrderState.DENIED,
    }
)


@frozen(kw_only=True)
class OrderIntent:
    """
    One limit order as we want it, known for ever by its label.

    Options: *amount* in contracts, *price* in coin per contract. Futures: *amount* in USD,
    *price* in USD per coin. The venue must not take it after *valid_until*; we cancel what is
    left of it at *expires_at*.
    """

    label: str = field(validator=label)
    strategy_id: str
    position_id: str
    contract: Contract
    side: Side
    amount: float = field(validator=positive)
    price: float = field(validator=positive)
    reduce_only: bool
    post_only: bool
    valid_until: datetime = field(validator=utc)
    expires_at: datetime = field(validator=utc)

    @property
    def option(self) -> OptionContract:
        """
        The contract, for those who deal in options only.

        Raises:
            ValueError: It is a future.
        """
        return _option(self.contract)


@frozen(kw_only=True)
class Fill:
    """
    One trade of ours; *trade_id* is the venue's and unique.

    Units: fee_coin coin, index_usd USD per coin; price and amount as in OrderIntent.
    """

    trade_id: str
    order_id: str
    label: str | None  # None: not an order of ours
    contract: Contract
    side: Side
    amount: float = field(validator=positive)
    price: float = field(validator=not_negative)
    fee_coin: float = field(validator=finite)
    index_usd: float = field(validator=positive)
    at: datetime = field(validator=utc)
    is_maker: bool

    @property
    def option(self) -> OptionContract:
        """
        The contract, for those who deal in options only.

        Raises:
            ValueError: It is a future.
        """
        return _option(self.contract)


@frozen(kw_only=True)
class Order:
    """
    An order as the venue reports it; *label* is None for an order that is not ours. Amounts and
    price as in OrderIntent.
    """

    order_id: str
    label: str | None
    contract: Contract
    side: Side
    amount: float = field(validator=positive)
    filled_amount: float = field(validator=not_negative)
    price: float = field(validator=not_negative)
    reduce_only: bool
    state: OrderState
    created_at: datetime = field(validator=utc)

    @property
    def option(self) -> OptionContract:
        """
        The contract, for those who deal in options only.

        Raises:
            ValueError: It is a future.
        """
        return _option(self.contract)

    @property
    def open_amount(self) -> float:
        """Contracts still to be filled; zero once terminal."""
        return 0.0 if self.state.is_terminal else self.amount - self.filled_amount


@frozen(kw_only=True)
class Placed:
    """The venue's answer to a placement: the order, and the trades it made at once."""

    order: Order
    fills: tuple[Fill, ...] = ()


@frozen(kw_only=True)
class Position:
    """Options held at the venue: positive long, negative short."""

    contract: OptionContract
    size: float = field(validator=finite)
    average_price: float = field(validator=finite)  # coin per contract
    mark: float = field(validator=not_negative)  # coin per contract


@frozen(kw_only=True)
class FuturePosition:
    """
    A future held at the venue: positive long, negative short.

    *profit_coin* is what was gained since the last settlement, funding included: it counts in
    equity now and moves to the balance at the next settlement.
    """

    contract: FutureContract
    size_usd: float = field(validator=finite)
    average_price: float = field(validator=not_negative)  # USD per coin; zero if none is held
    mark: float = field(validator=positive)  # USD per coin
    profit_coin: float = field(validator=finite)

    @property
    def size_coin(self) -> float:
        """Coin held at the mark, negative short: the delta of the position."""
        return self.size_usd / self.mark


@frozen(kw_only=True)
class Account:
    """
    One coin's account, read whole: balances in coin, and every position.

    equity = balance + the options at their marks + the unsettled profit of futures. A future is
    one holding here, and in our book that of each position it belongs to.
    """

    underlying: str
    read_at: datetime = field(validator=utc)  # the venue's time
    balance_coin: float = field(validator=finite)
    equity_coin: float = field(validator=finite)
    initial_margin_coin: float = field(validator=not_negative)
    maintenance_margin_coin: float = field(validator=not_negative)
    positions: tuple[Position, ...]
    futures: tuple[FuturePosition, ...] = ()


@frozen(kw_only=True)
class Delivery:
    """
    A position ended by expiry.

    *size* is what was held, negative short; *cash_coin* what it brought, before *fee_coin*.
    *price_source* and *price_error_usd* say how the delivery price is known.
    """

    delivery_id: str
    contract: OptionContract
    size: float = field(validator=finite)
    at: datetime = field(validator=utc)
    delivery_price_usd: float = field(validator=positive)
    price_source: str
    price_error_usd: float = field(validator=not_negative)
    cash_coin: float = field(validator=finite)
    fee_coin: float = field(validator=finite)


@frozen(kw_only=True)
class Activity:
    """What happened to the account: trades, and deliveries of options; oldest first."""

    fills: tuple[Fill, ...]
    deliveries: tuple[Delivery, ...]


class Trading(Protocol):
    """
    A venue that holds an account of ours.

    The venue does not care whether labels are unique: we do.
    """

    async def account(self, underlying: str) -> Account:
        """
        Return the account in *underlying*, complete or not at all. Safe to retry.

        Raises:
            Unavailable: No complete answer.
        """
        ...

    async def place(self, intent: OrderIntent) -> Placed:
        """
        Send *intent* as a limit order. Never safe to retry.

        Raises:
            NeverSent: It did not leave; the same intent may be sent again.

            Refused: The venue certainly did not place it.

            OutcomeUnknown: It may have been placed; look its label up.
        """
        ...

    async def cancel(self, order: Order) -> Order:
        """
        Cancel *order* and return it as it then is. Safe to retry.

        Raises:
            Refused: There is no such order, or it is closed already.

            Unavailable: No answer.
        """
        ...

    async def open_orders(self, underlying: str) -> tuple[Order, ...]:
        """
        Return every working order on *underlying*, ours or not, oldest first. Safe to retry.

        Raises:
            Unavailable: No complete answer.
        """
        ...

    async def orders_by_label(self, underlying: str, label: str) -> tuple[Order, ...]:
        """
        Return all orders that ever carried *label*, oldest first. Safe to retry.

        Raises:
            Unavailable: One of the lists that would know did not answer.
        """
        ...

    async def activity(self, underlying: str, since: datetime) -> Activity:
        """
        Return our trades and deliveries at *since* or later. Safe to retry.

        Raises:
            Unavailable: No complete answer.
        """
        ...


def _option(contract: Contract) -> OptionContract:
    if not isinstance(contract, OptionContract):
        raise ValueError(f"{contract.symbol} is not an option")  # noqa: TRY004  a wrong value
    return contract
