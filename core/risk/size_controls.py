"""
Controls 1 to 7: how large, how much of what there is, and how exposed after the trade.

Each answers None, or the sentence why the order may not go. A figure that is missing, NaN or
infinite fails its comparison, and every comparison is written so that failing blocks.
"""

from attrs import frozen

from core.pricing.black76 import net_delta
from core.pricing.marks import forward_of, iv_of, mark_of
from core.risk.exposure import RiskState, coin_lots
from core.risk.limits import lots_within, within
from core.risk.margin import future_initial_coin, initial_margin_coin
from ports.instruments import OptionContract
from ports.trading import Order, OrderIntent, Side


def order_size(intent: OrderIntent, state: RiskState) -> str | None:
    rules = state.snapshot.rules
    lots = rules.lots(intent.amount)
    largest = state.limits.order_size.get(intent.contract.underlying, 0.0)
    if lots < rules.lots_up(rules.min_amount):
        return f"size {intent.amount} is below the venue's minimum {rules.min_amount}"
    if lots > lots_within(largest, rules):
        return f"size {intent.amount} is above the order limit {largest}"
    return None


def covered(intent: OrderIntent, state: RiskState) -> str | None:
    if not intent.option.is_call or intent.side is Side.BUY:
        return None
    rules = state.snapshot.rules
    free = coin_lots(state.account, rules) - sum(each.short for each in state.short_calls)
    if rules.lots_up(intent.amount) > free:
        return f"size {intent.amount} is above the uncovered coin {rules.amount(max(free, 0))}"
    return None


def expiry_exposure(intent: OrderIntent, state: RiskState) -> str | None:
    rules, date = state.snapshot.rules, intent.option.expiry.date()
    same = (each.short for each in state.short_calls if each.contract.expiry.date() == date)
    lots = sum(same) + rules.lots_up(intent.amount)
    if lots > lots_within(state.limits.max_expiry_exposure, rules):
        return (
            f"{rules.amount(lots)} short on {intent.option.expiry:%d %b %Y} "
            f"is above {state.limits.max_expiry_exposure}"
        )
    return None


def position_count(intent: OrderIntent, state: RiskState) -> str | None:
    calls = {each.contract for each in state.short_calls} | {intent.contract}
    if len(calls) > state.limits.max_calls_per_underlying:
        return f"{len(calls)} calls on one coin, at most {state.limits.max_calls_per_underlying}"
    return chain_count(intent, state)


def chain_count(intent: OrderIntent, state: RiskState) -> str | None:
    chains = {position.position_id for position in state.book.open_positions()}
    chains |= {
        record.intent.position_id
        for record in state.book.orders.values()
        if record.state.is_working or record.working_amount > 0
    }
    chains |= {planned.position_id for planned in state.planned} | {intent.position_id}
    if len(chains) > state.limits.max_open_positions:
        return f"{len(chains)} open positions in all, at most {state.limits.max_open_positions}"
    return None


def notional(intent: OrderIntent, state: RiskState) -> str | None:
    limit_usd = state.limits.max_order_notional_usd
    notional_usd = intent.amount * state.snapshot.index_usd
    if not within(notional_usd, limit_usd):
        return f"notional {notional_usd:,.0f} USD is above {limit_usd:,.0f}"
    return None


def margin_after(intent: OrderIntent, state: RiskState) -> str | None:
    """The account once this and every pending sell is filled; see `pending_funds`."""
    funds = pending_funds(state)
    cost_coin = _cost_coin(intent, intent.amount, state)
    sells = intent.side is Side.SELL  # what is bought is paid at once, and needs none
    margin_coin = _margin_coin(intent.option, intent.amount, state) if sells else 0.0
    return funds.after(margin_coin, cost_coin).beyond(state.limits.max_margin_used_pct)


@frozen
class Funds:
    """Initial margin and equity of an account, in coin."""

    margin_coin: float
    equity_coin: float

    def after(self, margin_coin: float, cost_coin: float) -> "Funds":
        """The funds once an order has taken *margin_coin* and cost *cost_coin*."""
        return Funds(self.margin_coin + margin_coin, self.equity_coin - cost_coin)

    def beyond(self, limit_pct: float) -> str | None:
        """Why that is more margin than *limit_pct* of equity, None if it is not."""
        is_solvent = self.equity_coin > 0
        used_pct = 100.0 * self.margin_coin / self.equity_coin if is_solvent else float("inf")
        if not within(used_pct, limit_pct):
            return f"margin {used_pct:.1f} % after the trade, at most {limit_pct}"
        return None


def pending_funds(state: RiskState) -> Funds:
    """
    The account as the venue would show it once every pending sell is filled, and every pending
    order in a future.

    Calls that the batch closes first are taken out. Each trade costs its fee, and the distance
    of its price from the mark.
    """
    rules, reach = state.snapshot.rules, state.futures
    margin_coin, equity_coin = state.account.initial_margin_coin, state.account.equity_coin
    for closed in state.closed:
        margin_coin -= _margin_coin(closed.option, closed.amount, state)
        equity_coin -= _cost_coin(closed, closed.amount, state)
    for pending in state.pending:
        if pending.opens_short:
            equity_coin -= _cost_coin(pending.order, pending.amount, state)
    for each in state.holdings:
        if each.unmargined > 0:
            margin_coin += _margin_coin(each.contract, rules.amount(each.unmargined), state)
    if reach.largest > abs(reach.held):
        coin = state.snapshot.underlying
        margin_coin += future_initial_coin(coin, reach.largest)
        margin_coin -= future_initial_coin(coin, reach.held)
    return Funds(margin_coin, equity_coin)


def net_delta_after(intent: OrderIntent, state: RiskState) -> str | None:
    """Pending orders may be filled or not: the delta must be within the limit either way."""
    limit = state.limits.max_net_delta_abs
    reach = delta_reach(state)
    worst = reach.shifted(intent.side.sign * intent.amount * _net_delta(intent.option, state)).worst
    if not within(abs(worst), limit):
        return f"net delta {worst:.4f} after the trade, at most {limit}"
    return None


@frozen
class DeltaReach:
    """Net delta that a coin may come to, coin: the least and the most."""

    lowest: float
    highest: float

    @property
    def worst(self) -> float:
        """The end that is farther from zero."""
        return self.lowest if abs(self.lowest) > abs(self.highest) else self.highest

    def shifted(self, change_coin: float) -> "DeltaReach":
        """Both ends moved by *change_coin*."""
        return DeltaReach(self.lowest + change_coin, self.highest + change_coin)


def delta_reach(state: RiskState) -> DeltaReach:
    """
    The net delta as pending orders are filled or not. Futures held at the venue, and orders on
    them, count like options.
    """
    step = state.snapshot.rules.amount_step
    lowest, highest = state.futures.fewest, state.futures.most
    for each in state.holdings:
        if each.fewest == each.most == 0:
            continue
        delta = step * _net_delta(each.contract, state)
        lowest += min(each.fewest * delta, each.most * delta)
        highest += max(each.fewest * delta, each.most * delta)
    return DeltaReach(lowest, highest)


def equity_known(_intent: OrderIntent, state: RiskState) -> str | None:
    equity = state.account.equity_coin
    return None if 0 < equity < float("inf") else f"equity is {equity}"


def _margin_coin(contract: OptionContract, amount: float, state: RiskState) -> float:
    """Initial margin of *amount* contracts short, in coin."""
    forward = forward_of(state.snapshot, contract, state.now)
    mark = mark_of(state.snapshot, contract, state.now)
    return initial_margin_coin(contract, forward, mark, -amount)


def _cost_coin(order: OrderIntent | Order, amount: float, state: RiskState) -> float:
    """What equity at the marks loses when *amount* of *order* is filled, in coin."""
    mark = mark_of(state.snapshot, order.option, state.now)
    fee_coin = state.snapshot.rules.trade_fee(order.price, amount)
    return order.side.sign * (order.price - mark) * amount + fee_coin


def _net_delta(contract: OptionContract, state: RiskState) -> float:
    """Net delta of one contract, coin."""
    forward = forward_of(state.snapshot, contract, state.now)
    iv = iv_of(state.snapshot, contract, state.now)
    tenor = contract.years_left(state.now)
    return float(net_delta(forward, contract.strike, tenor, iv, contract.is_call))
