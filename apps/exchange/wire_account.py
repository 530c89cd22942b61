"""The account in Deribit's words."""

from attrs import frozen

from apps.exchange.exchange import ACCOUNT_ID, ACCOUNT_NAME, Exchange
from apps.exchange.limits import UNLIMITED, Allowance, Cost
from apps.exchange.rpc import Fields
from apps.exchange.wire_positions import Holdings, Sensitivities, holding_of, open_orders_margin
from core.simulation.settling import last_settlement
from ports.checks import epoch_ms
from ports.instruments import OptionContract
from ports.venue_log import VenueStep


def account_fields(of: Holdings, allowed: dict[Cost, Allowance] | None) -> Fields:
    """The account object of one currency: segregated standard margin."""
    account, coin, index = of.account, of.account.underlying, f"{of.account.underlying.lower()}_usd"
    futures = _futures_totals(of)
    options_value = account.equity_coin - account.balance_coin - futures.profit
    orders = [order for each in of.books.working.values() for order in each.values()]
    initial = account.initial_margin_coin + open_orders_margin(orders, of)
    margin_balance = account.balance_coin + futures.profit
    available = margin_balance - initial
    total = _totals(of.sensitivities)
    delta_total = total.net_delta + futures.delta
    upl = sum((held.size * (held.mark - held.average_price) for held in account.positions), 0.0)
    rpl = _session_coin(of)
    return {
        "currency": coin,
        "balance": account.balance_coin,
        "equity": account.equity_coin,
        "margin_balance": margin_balance,  # equity less the value of options
        "available_funds": available,
        "available_withdrawal_funds": max(min(available, account.balance_coin), 0.0),
        "initial_margin": initial,
        "maintenance_margin": account.maintenance_margin_coin,
        "projected_initial_margin": account.initial_margin_coin,
        "projected_maintenance_margin": account.maintenance_margin_coin,
        "delta_total": delta_total,
        "projected_delta_total": delta_total,
        "delta_total_map": {index: delta_total},
        "options_value": options_value,
        "options_pl": upl + rpl,
        "options_session_rpl": rpl,
        "options_session_upl": upl,
        **_sensitivity_fields(total, index),
        "futures_pl": futures.total,
        "futures_session_rpl": futures.realised,
        "futures_session_upl": futures.unrealised,
        "session_rpl": rpl + futures.realised,
        "session_upl": upl + futures.unrealised,
        "total_pl": upl + rpl + futures.total,
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


def _sensitivity_fields(total: Sensitivities, index: str) -> Fields:
    return {
        "options_delta": total.delta,
        "options_gamma": total.gamma,
        "options_vega": total.vega,
        "options_theta": total.theta,
        "options_gamma_map": {index: total.gamma},
        "options_vega_map": {index: total.vega},
        "options_theta_map": {index: total.theta},
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


def changed_coins(step: VenueStep) -> set[str]:
    """The coins whose account *step* changed."""
    coins = {order.contract.underlying for order in step.orders}
    coins |= {waiting.order.contract.underlying for waiting in step.triggers}
    coins |= {delivery.contract.underlying for delivery in step.deliveries}
    coins |= {settlement.contract.underlying for settlement in step.settlements}
    return coins | {deposit.underlying for deposit in step.deposits}


@frozen
class _Futures:
    """The futures of an account together, in coin; profits are those of the session."""

    delta: float
    realised: float
    unrealised: float
    total: float  # since they were entered

    @property
    def profit(self) -> float:
        return self.realised + self.unrealised


def _futures_totals(of: Holdings) -> _Futures:
    held = of.account.futures
    unrealised = sum((holding_of(each, of).unrealised_coin(each.mark) for each in held), 0.0)
    opened = sum((holding_of(each, of).open_profit_coin(each.mark) for each in held), 0.0)
    realised = sum((each.profit_coin for each in held), 0.0) - unrealised
    return _Futures(
        delta=sum((each.size_coin for each in held), 0.0),
        realised=realised,
        unrealised=unrealised,
        total=opened + realised,
    )


def _totals(senses: tuple[Sensitivities, ...]) -> Sensitivities:
    return Sensitivities(
        delta=sum(each.delta for each in senses),
        net_delta=sum(each.net_delta for each in senses),
        gamma=sum(each.gamma for each in senses),
        vega=sum(each.vega for each in senses),
        theta=sum(each.theta for each in senses),
    )


def _session_coin(of: Holdings) -> float:
    since = last_settlement(of.moment.at)
    recent = (
        trade
        for trade in of.books.trades
        if trade.fill.at >= since and isinstance(trade.fill.contract, OptionContract)
    )
    return sum((trade.profit_coin for trade in recent), 0.0)


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
