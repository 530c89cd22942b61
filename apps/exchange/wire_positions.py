"""Positions in Deribit's words, with their sensitivities and margins."""

from collections.abc import Iterable

from attrs import frozen

from apps.exchange.exchange import Exchange
from apps.exchange.ledger import CoinLedger
from apps.exchange.rpc import Fields
from core.pricing.averaging import open_share
from core.pricing.greeks import greeks
from core.pricing.marks import forward_of, iv_of
from core.risk.margin import (
    future_initial_coin,
    future_maintenance_coin,
    initial_margin_coin,
    maintenance_margin_coin,
)
from core.simulation.funds import account_of
from core.simulation.future_holding import FutureHolding
from core.simulation.matching import Moment
from core.simulation.perpetual import taker_fee_coin
from core.simulation.settling import last_settlement
from ports.instruments import Contract, FutureContract, OptionContract
from ports.trading import Account, FuturePosition, Order, Position, Side


@frozen(eq=False)
class Holdings:
    """The account of one coin at one moment, each position with its sensitivities."""

    moment: Moment
    account: Account
    books: CoinLedger
    sensitivities: "tuple[Sensitivities, ...]"  # by position
    settled: dict[str, float]  # marks of the last settlement by name
    settled_index: float | None


@frozen
class Sensitivities:
    """What one position moves by, whole: coin, per USD, USD per vol point, USD per day."""

    delta: float
    net_delta: float
    gamma: float
    vega: float
    theta: float


async def holdings(exchange: Exchange, coin: str) -> Holdings:
    """
    Return the account in *coin* now.

    Raises:
        RpcError: 13020, there is no such account.

        Unavailable: The market cannot value it.
    """
    moment = await exchange.moment(coin)
    account = account_of(moment, exchange.rates)
    return Holdings(
        moment=moment,
        account=account,
        books=exchange.books(coin),
        sensitivities=tuple(sensitivities_of(held, moment) for held in account.positions),
        settled=await exchange.settlement_marks(coin),
        settled_index=await exchange.settlement_index(coin),
    )


def all_positions(of: Holdings) -> list[Fields]:
    """The position objects of all that is held."""
    options = zip(of.account.positions, of.sensitivities, strict=True)
    told = [position_fields(held, sense, of) for held, sense in options]
    return told + [future_fields(held, of) for held in of.account.futures]


def positions_on(contract: Contract, of: Holdings) -> list[Fields]:
    """The position object of *contract*, in a list; an empty one where nothing is held."""
    return [each for each in all_positions(of) if each["instrument_name"] == contract.symbol]


def position_fields(held: Position, sense: Sensitivities, of: Holdings) -> Fields:
    """The position object of an option."""
    floating = held.size * (held.mark - held.average_price)
    realised = _realised_coin(of, held.contract)
    index = of.moment.snapshot.index_usd
    return {
        "instrument_name": held.contract.symbol,
        "kind": "option",
        "direction": _direction(held.size),
        "size": held.size,
        "average_price": held.average_price,
        "average_price_usd": held.average_price * index,
        "mark_price": held.mark,
        "index_price": index,
        "settlement_price": of.settled.get(held.contract.symbol),
        "floating_profit_loss": floating,
        "floating_profit_loss_usd": floating * index,
        "realized_profit_loss": realised,
        "total_profit_loss": floating + realised,
        "delta": sense.delta,
        "gamma": sense.gamma,
        "vega": sense.vega,
        "theta": sense.theta,
        "initial_margin": _initial_coin(held, of),
        "maintenance_margin": maintenance_margin_coin(held.contract, held.mark, held.size),
        "open_orders_margin": open_orders_margin(of.books.working[held.contract].values(), of),
    }


def future_fields(held: FuturePosition, of: Holdings) -> Fields:
    """The position object of a future: profits of the session, and in total since its entry."""
    holding = holding_of(held, of)
    due = of.moment.funding_of(held.contract)
    funding = holding.funding_coin + (0.0 if due is None else due.amount_coin)
    floating = holding.unrealised_coin(held.mark)
    coin, index = held.contract.underlying, of.moment.snapshot.index_usd
    initial = future_initial_coin(coin, held.size_coin)
    return {
        "instrument_name": held.contract.symbol,
        "kind": "future",
        "direction": _direction(held.size_usd),
        "size": held.size_usd,
        "size_currency": held.size_coin,
        "average_price": held.average_price,
        "mark_price": held.mark,
        "index_price": index,
        "settlement_price": of.settled_index,
        "floating_profit_loss": floating,
        "realized_profit_loss": holding.realised_coin + funding,
        "realized_funding": funding,
        "total_profit_loss": holding.open_profit_coin(held.mark),
        "delta": held.size_coin,
        "initial_margin": initial,
        "maintenance_margin": future_maintenance_coin(coin, held.size_coin),
        "open_orders_margin": open_orders_margin(of.books.working[held.contract].values(), of),
        "leverage": 50,
        "interest_value": funding,
        "estimated_liquidation_price": None,
    }


def no_position(contract: Contract, of: Holdings) -> Fields:
    """The position object where nothing is held."""
    if isinstance(contract, FutureContract):
        mark_usd = of.moment.mark_of_future(contract)
        return future_fields(
            FuturePosition(
                contract=contract, size_usd=0.0, average_price=0.0, mark=mark_usd, profit_coin=0.0
            ),
            of,
        )
    empty = Position(contract=contract, size=0.0, average_price=0.0, mark=0.0)
    row = of.moment.snapshot.chain.row_of(contract)
    mark = None if row is None else float(of.moment.snapshot.chain.mark[row])
    fields = position_fields(empty, Sensitivities(0.0, 0.0, 0.0, 0.0, 0.0), of)
    return {**fields, "mark_price": mark}


def open_orders_margin(orders: Iterable[Order], of: Holdings) -> float:
    """What working *orders* bind in coin: premium and fee of buys, the short margin of sells."""
    return sum((order_margin_coin(order, of.moment) for order in orders), 0.0)


def order_margin_coin(order: Order, moment: Moment) -> float:
    """What is left of one *order* binds, in coin; nothing if it only reduces."""
    if order.reduce_only or not order.open_amount:
        return 0.0
    return margin_of(order.contract, order.side, order.open_amount, order.price, moment)


def margin_of(contract: Contract, side: Side, amount: float, price: float, moment: Moment) -> float:
    """What an order binds on its own, in coin: premium and fee, or the margin of what it opens."""
    if isinstance(contract, FutureContract):
        fee_coin = taker_fee_coin(amount, price, moment.at)
        return future_initial_coin(contract.underlying, amount / price) + fee_coin
    if side is Side.BUY:
        return price * amount + moment.rules.trade_fee(price, amount)
    row = moment.snapshot.chain.row_of(contract)
    mark = price if row is None else float(moment.snapshot.chain.mark[row])
    forward = forward_of(moment.snapshot, contract, moment.at)
    return initial_margin_coin(contract, forward, mark, -amount)


def holding_of(held: FuturePosition, of: Holdings) -> FutureHolding:
    empty = FutureHolding(contract=held.contract, funded_at=of.moment.at)
    return of.moment.account.futures.get(held.contract, empty)


def sensitivities_of(held: Position, moment: Moment) -> Sensitivities:
    """What *held* moves by at *moment*."""
    forward = forward_of(moment.snapshot, held.contract, moment.at)
    iv = iv_of(moment.snapshot, held.contract, moment.at)
    years = held.contract.years_left(moment.at)
    found = greeks(forward, held.contract.strike, years, iv, held.contract.is_call)
    share = float(open_share(years))
    return Sensitivities(
        delta=held.size * share * float(found.delta),
        net_delta=held.size * share * float(found.net_delta),
        gamma=held.size * float(found.gamma),
        vega=held.size * float(found.vega),
        theta=held.size * float(found.exchange_theta),
    )


def _initial_coin(held: Position, of: Holdings) -> float:
    forward = forward_of(of.moment.snapshot, held.contract, of.moment.at)
    return initial_margin_coin(held.contract, forward, held.mark, held.size)


def _realised_coin(of: Holdings, contract: OptionContract) -> float:
    since = last_settlement(of.moment.at)
    return sum((trade.profit_coin for trade in of.books.trades_since(contract, since)), 0.0)


def _direction(size: float) -> str:
    if size == 0:
        return "zero"
    return "buy" if size > 0 else "sell"
