"""Books by hand: entries that an order, its trades, deliveries and marks lead to."""

from datetime import datetime, timedelta

from attrs import evolve

from core.execution.book import fold
from ports.decision_log import Delivered, Entry, Marked, OrderUpdated, Sent
from ports.instruments import OptionContract
from ports.marks import PositionMark
from ports.positions import Book, Leg
from ports.trading import Account, Delivery, Fill, OrderIntent, OrderState, Position, Side
from tests.support.markets import NOW, call

A, B = call(105_000.0), call(110_000.0)
LABEL = "s.1.open"


def intent(
    contract: OptionContract = A,
    side: Side = Side.SELL,
    amount: float = 1.0,
    *,
    label: str = LABEL,
    position_id: str = "p",
) -> OrderIntent:
    """An order of strategy s; buys only reduce."""
    return OrderIntent(
        label=label,
        strategy_id="s",
        position_id=position_id,
        contract=contract,
        side=side,
        amount=amount,
        price=0.03,
        reduce_only=side is Side.BUY,
        post_only=False,
        valid_until=NOW + timedelta(seconds=5),
        expires_at=NOW + timedelta(seconds=120),
    )


def fill(
    trade_id: str = "t1",
    contract: OptionContract = A,
    side: Side = Side.SELL,
    amount: float = 1.0,
    price: float = 0.03,
    *,
    label: str | None = LABEL,
    fee_coin: float = 0.0,
    index_usd: float = 100_000.0,
    at: datetime = NOW,
) -> Fill:
    """A trade of ours, without fee unless told."""
    return Fill(
        trade_id=trade_id,
        order_id="1",
        label=label,
        contract=contract,
        side=side,
        amount=amount,
        price=price,
        fee_coin=fee_coin,
        index_usd=index_usd,
        at=at,
        is_maker=False,
    )


def sent(order: OrderIntent | None = None, at: datetime = NOW) -> Sent:
    """That *order* is about to leave."""
    return Sent(at=at, intent=order or intent())


def updated(
    state: OrderState,
    *fills: Fill,
    label: str = LABEL,
    filled: float = 0.0,
    at: datetime = NOW,
) -> OrderUpdated:
    """What became known of the order called *label*."""
    return OrderUpdated(
        at=at,
        label=label,
        state=state,
        order_id="1",
        filled_amount=filled,
        fills=fills,
        reason="",
    )


def traded(order: OrderIntent, *fills: Fill) -> tuple[Entry, ...]:
    """*order* sent and filled at once by *fills*."""
    told = tuple(evolve(each, label=order.label) for each in fills)
    return sent(order), updated(OrderState.FILLED, *told, label=order.label, filled=order.amount)


def marked(
    equity_coin: float,
    *marks: tuple[OptionContract, float],
    index_usd: float = 100_000.0,
    at: datetime = NOW,
    underlying: str = "BTC",
) -> Marked:
    """A mark of the account at *equity_coin*, with *marks* of what is held."""
    return Marked(
        at=at,
        underlying=underlying,
        index_usd=index_usd,
        equity_coin=equity_coin,
        marks=tuple(PositionMark(*each) for each in marks),
    )


def delivered(
    contract: OptionContract = A,
    size: float = -1.0,
    cash_coin: float = 0.0,
    *,
    fee_coin: float = 0.0,
    delivery_id: str = "d1",
    at: datetime = NOW,
) -> Delivered:
    """That *size* of *contract* was delivered for *cash_coin*."""
    delivery = Delivery(
        delivery_id=delivery_id,
        contract=contract,
        size=size,
        at=at,
        delivery_price_usd=110_000.0,
        price_source="told",
        price_error_usd=0.0,
        cash_coin=cash_coin,
        fee_coin=fee_coin,
    )
    return Delivered(at=at, delivery=delivery, index_usd=110_000.0)


def held(contract: OptionContract, size: float) -> Position:
    """What the venue says it holds for us."""
    return Position(contract=contract, size=size, average_price=0.03, mark=0.02)


def account(*positions: Position, balance_coin: float = 10.0) -> Account:
    """The venue's account with *positions*, without margin."""
    return Account(
        underlying="BTC",
        read_at=NOW,
        balance_coin=balance_coin,
        equity_coin=balance_coin,
        initial_margin_coin=0.0,
        maintenance_margin_coin=0.0,
        positions=positions,
    )


def book_of(*entries: Entry) -> Book:
    """The book that *entries* fold to."""
    return fold(Book(environment="test"), entries)


def unmarked(book: Book) -> Book:
    """*book* as if none of its legs had ever been marked."""
    positions = {
        key: evolve(each, legs=tuple(evolve(leg, mark_coin=None) for leg in each.legs))
        for key, each in book.positions.items()
    }
    return evolve(book, positions=positions)


def only_leg(book: Book) -> Leg:
    """The one leg of the one position in *book*."""
    (position,) = book.positions.values()
    (leg,) = position.legs
    return leg
