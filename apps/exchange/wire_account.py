"""Positions and the account in Deribit's words."""

from collections.abc import Iterable

import numpy as np
from attrs import frozen

from apps.exchange.exchange import ACCOUNT_ID, ACCOUNT_NAME, Exchange, last_settlement
from apps.exchange.ledger import CoinLedger
from apps.exchange.limits import UNLIMITED, Allowance, Cost
from apps.exchange.rpc import Fields
from core.pricing.greeks import greeks
from core.pricing.marks import forward_of, iv_of
from core.risk.margin import initial_margin_coin, maintenance_margin_coin
from core.simulation.funds import account_of
from core.simulation.matching import Moment
from ports.checks import epoch_ms
from ports.instruments import OptionContract
from ports.trading import Account, Order, Position, Side
from ports.venue_log import VenueStep


@frozen(eq=False)
class Holdings:
    """The account of one coin at one moment, each position with its sensitivities."""

    moment: Moment
    account: Account
    books: CoinLedger
    sensitivities: "tuple[Sensitivities, ...]"  # by position
    settled: dict[str, float]  # marks of the last settlement by name


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
        sensitivities=tuple(_sensitivities(held, moment) for held in account.positions),
        settled=await exchange.settlement_marks(coin),
    )


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


def no_position(contract: OptionContract, of: Holdings) -> Fields:
    """The position object where nothing is held."""
    empty = Position(contract=contract, size=0.0, average_price=0.0, mark=0.0)
    row = of.moment.snapshot.chain.row_of(contract)
    mark = None if row is None else float(of.moment.snapshot.chain.mark[row])
    fields = position_fields(empty, Sensitivities(0.0, 0.0, 0.0, 0.0, 0.0), of)
    return {**fields, "mark_price": mark}


def account_fields(of: Holdings, allowed: dict[Cost, Allowance] | None) -> Fields:
    """The account object of one currency: segregated standard margin."""
    account, coin, index = of.account, of.account.underlying, f"{of.account.underlying.lower()}_usd"
    options_value = account.equity_coin - account.balance_coin
    orders = [order for each in of.books.working.values() for order in each.values()]
    initial = account.initial_margin_coin + open_orders_margin(orders, of)
    available = account.balance_coin - initial
    delta, net, gamma, vega, theta = _totals(of.sensitivities)
    upl = sum((held.size * (held.mark - held.average_price) for held in account.positions), 0.0)
    rpl = _session_coin(of)
    return {
        "currency": coin,
        "balance": account.balance_coin,
        "equity": account.equity_coin,
        "margin_balance": account.balance_coin,  # equity less the value of options
        "available_funds": available,
        "available_withdrawal_funds": max(available, 0.0),
        "initial_margin": initial,
        "maintenance_margin": account.maintenance_margin_coin,
        "projected_initial_margin": account.initial_margin_coin,
        "projected_maintenance_margin": account.maintenance_margin_coin,
        "delta_total": net,
        "projected_delta_total": net,
        "delta_total_map": {index: net},
        "options_value": options_value,
        "options_pl": upl + rpl,
        "options_session_rpl": rpl,
        "options_session_upl": upl,
        "options_delta": delta,
        "options_gamma": gamma,
        "options_vega": vega,
        "options_theta": theta,
        "options_gamma_map": {index: gamma},
        "options_vega_map": {index: vega},
        "options_theta_map": {index: theta},
        "futures_pl": 0.0,
        "futures_session_rpl": 0.0,
        "futures_session_upl": 0.0,
        "session_rpl": rpl,
        "session_upl": upl,
        "total_pl": upl + rpl,
        "fee_balance": 0.0,
        "spot_reserve": 0.0,
        "additional_reserve": 0.0,
        "locked_balance": 0.0,
        "margin_model": "segregated_sm",
        "portfolio_margining_enabled": False,
        "cross_collateral_enabled": False,
        "estimated_liquidation_ratio": 0.0,
        "estimated_liquidation_ratio_map": {index: 0.0},
        "limits": _limits(allowed),
    }


def empty_account(currency: str, allowed: dict[Cost, Allowance] | None) -> Fields:
    """The account object of a currency that is not traded here."""
    numbers = dict.fromkeys(_AMOUNTS, 0.0)
    maps: dict[str, object] = {name: {} for name in _MAPS}
    return {
        "currency": currency,
        **numbers,
        **maps,
        "margin_model": "segregated_sm",
        "portfolio_margining_enabled": False,
        "cross_collateral_enabled": False,
        "limits": _limits(allowed),
    }


def owner_fields(exchange: Exchange, opened_ms: int) -> Fields:
    """Who the account belongs to: the part of a summary that is the same for all currencies."""
    return {
        "id": ACCOUNT_ID,
        "username": ACCOUNT_NAME,
        "system_name": ACCOUNT_NAME,
        "email": f"{ACCOUNT_NAME}@localhost",
        "type": "main",
        "creation_timestamp": opened_ms,
        "referrer_id": None,
        "login_enabled": False,
        "security_keys_enabled": False,
        "mmp_enabled": False,
        "interuser_transfers_enabled": False,
        "block_rfq_self_match_prevention": True,
        "self_trading_reject_mode": exchange.self_trading_mode,
        "self_trading_extended_to_subaccounts": False,
    }


def opened_ms(exchange: Exchange) -> int:
    """When the account had its first entry; now if it has none."""
    books = (exchange.books(coin) for coin in exchange.params.coins)
    firsts = [epoch_ms(each.entries[0].at) for each in books if each.entries]
    return min(firsts, default=epoch_ms(exchange.now))


def open_orders_margin(orders: Iterable[Order], of: Holdings) -> float:
    """What working *orders* bind in coin: premium and fee of buys, the short margin of sells."""
    return sum((order_margin_coin(order, of.moment) for order in orders), 0.0)


def order_margin_coin(order: Order, moment: Moment) -> float:
    """What is left of one *order* binds, in coin; nothing if it only reduces."""
    if order.reduce_only or not order.open_amount:
        return 0.0
    if order.side is Side.BUY:
        fee_coin = moment.rules.trade_fee(order.price, order.open_amount)
        return order.price * order.open_amount + fee_coin
    row = moment.snapshot.chain.row_of(order.contract)
    mark = order.price if row is None else float(moment.snapshot.chain.mark[row])
    forward = forward_of(moment.snapshot, order.contract, moment.at)
    return initial_margin_coin(order.contract, forward, mark, -order.open_amount)


def changed_coins(step: VenueStep) -> set[str]:
    """The coins whose account *step* changed."""
    coins = {order.contract.underlying for order in step.orders}
    coins |= {delivery.contract.underlying for delivery in step.deliveries}
    return coins | {deposit.underlying for deposit in step.deposits}


def _sensitivities(held: Position, moment: Moment) -> Sensitivities:
    forward = forward_of(moment.snapshot, held.contract, moment.at)
    iv = iv_of(moment.snapshot, held.contract, moment.at)
    years = held.contract.years_left(moment.at)
    found = greeks(forward, held.contract.strike, years, iv, held.contract.is_call)
    return Sensitivities(
        delta=held.size * float(found.delta),
        net_delta=held.size * float(found.net_delta),
        gamma=held.size * float(found.gamma),
        vega=held.size * float(found.vega),
        theta=held.size * float(found.exchange_theta),
    )


def _totals(senses: tuple[Sensitivities, ...]) -> list[float]:
    if not senses:
        return [0.0] * 5
    rows = np.array([[s.delta, s.net_delta, s.gamma, s.vega, s.theta] for s in senses])
    return [float(total) for total in rows.sum(axis=0)]


def _initial_coin(held: Position, of: Holdings) -> float:
    forward = forward_of(of.moment.snapshot, held.contract, of.moment.at)
    return initial_margin_coin(held.contract, forward, held.mark, held.size)


def _realised_coin(of: Holdings, contract: OptionContract) -> float:
    since = last_settlement(of.moment.at)
    return sum((trade.profit_coin for trade in of.books.trades_since(contract, since)), 0.0)


def _session_coin(of: Holdings) -> float:
    since = last_settlement(of.moment.at)
    recent = (trade for trade in of.books.trades if trade.fill.at >= since)
    return sum((trade.profit_coin for trade in recent), 0.0)


def _direction(size: float) -> str:
    if size == 0:
        return "zero"
    return "buy" if size > 0 else "sell"


def _limits(allowed: dict[Cost, Allowance] | None) -> Fields:
    """What is told of the limits; without any, more than anybody needs."""
    told = allowed or UNLIMITED
    trading, quiet = _rate(told[Cost.MATCHING]), _rate(told[Cost.NON_MATCHING])
    return {
        "limits_per_currency": False,
        "non_matching_engine": quiet,
        "matching_engine": {
            "trading": {"total": trading},
            "spot": trading,
            "quotes": trading,
            "max_quotes": trading,
            "guaranteed_quotes": trading,
            "cancel_all": _rate(told[Cost.CANCEL_ALL]),
        },
    }


def _rate(allowance: Allowance) -> Fields:
    return {"rate": round(allowance.rate), "burst": round(allowance.burst)}


_AMOUNTS = (
    "balance",
    "equity",
    "margin_balance",
    "available_funds",
    "available_withdrawal_funds",
    "initial_margin",
    "maintenance_margin",
    "projected_initial_margin",
    "projected_maintenance_margin",
    "delta_total",
    "projected_delta_total",
    "options_value",
    "options_pl",
    "options_session_rpl",
    "options_session_upl",
    "options_delta",
    "options_gamma",
    "options_vega",
    "options_theta",
    "futures_pl",
    "futures_session_rpl",
    "futures_session_upl",
    "session_rpl",
    "session_upl",
    "total_pl",
    "fee_balance",
    "spot_reserve",
    "additional_reserve",
    "locked_balance",
    "estimated_liquidation_ratio",
)
_MAPS = (
    "delta_total_map",
    "options_gamma_map",
    "options_vega_map",
    "options_theta_map",
    "estimated_liquidation_ratio_map",
)
