"""Own orders kept apart, and protected ones stopped when too much has traded."""

from datetime import timedelta

from apps.exchange.exchange import Exchange
from apps.exchange.ledger import TradeRecord
from apps.exchange.protection import Traded
from apps.exchange.rpc import RpcError
from apps.exchange.wire_positions import sensitivities_of
from core.simulation.matching import Moment
from ports.instruments import Contract, OptionContract
from ports.trading import Position, Side


def require_unfrozen(exchange: Exchange, coin: str) -> None:
    """
    Let a protected order in *coin* pass.

    Raises:
        RpcError: 13030, they are frozen.
    """
    protection = exchange.protections.get(coin)
    if protection is not None and protection.is_frozen(exchange.now):
        raise RpcError(13030, "mmp_trigger")


async def clear_way(exchange: Exchange, contract: Contract, side: Side, price: float) -> None:
    """Where own orders that rest give way, cancel those that an order on *side* would meet."""
    if exchange.self_trading_mode != "cancel_maker":
        return
    for record in exchange.working_records(contract.underlying):
        other = record.order
        meets = other.contract == contract and other.side is not side
        if meets and side.sign * (price - other.price) >= 0:
            await exchange.cancelled_if_open(record, "user_request")


async def protect(exchange: Exchange, coin: str) -> None:
    """
    Cancel the protected orders in *coin* if more of them has traded than may.

    Raises:
        Unavailable: The market does not answer.
    """
    protection = exchange.protections.get(coin)
    if protection is None or protection.is_frozen(exchange.now):
        return
    books = exchange.books(coin)
    since = exchange.now - timedelta(seconds=protection.interval_s)
    trades = [
        trade
        for trade in books.trades[protection.settled :]
        if trade.fill.at > since and books.orders[trade.fill.order_id].terms.mmp
    ]
    if not trades or not protection.is_breached(_traded(trades, await exchange.moment(coin))):
        return
    exchange.protections[coin] = protection.triggered(exchange.now, len(books.trades))
    for record in exchange.working_records(coin):
        if record.terms.mmp:
            await exchange.cancelled_if_open(record, "mmp_trigger")


def _traded(trades: list[TradeRecord], moment: Moment) -> Traded:
    quantity = delta = vega = 0.0
    for trade in trades:
        fill = trade.fill
        signed = fill.side.sign * fill.amount
        if not isinstance(fill.contract, OptionContract):
            quantity += fill.amount / fill.price
            delta += signed / fill.price
            continue
        held = Position(
            contract=fill.contract, size=signed, average_price=fill.price, mark=fill.price
        )
        sense = sensitivities_of(held, moment)
        quantity += fill.amount
        delta += sense.net_delta
        vega += sense.vega
    return Traded(quantity, delta, vega)
