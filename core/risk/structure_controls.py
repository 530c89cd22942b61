"""
The controls of strategies that trade structures: puts sold and options bought, besides calls sold.

Written like size_controls: what is missing blocks. What they do not say of an order is said by the
controls of calls, which bind it all the same.
"""

from core.risk.exposure import Holding, RiskState
from core.risk.limits import lots_within, within
from core.risk.size_controls import chain_count, covered, position_count
from ports.trading import OrderIntent, Side


def secured(intent: OrderIntent, state: RiskState) -> str | None:
    """
    A call sold is covered by coin. Puts sold are secured by the balance for the whole of their
    strikes, at the index; what is bought is paid out of it. Coin counts for both: a price cannot
    end above the one strike and below the other.
    """
    rules, balance_coin = state.snapshot.rules, state.account.balance_coin
    if intent.side is Side.BUY:
        premium_coin = intent.price * intent.amount
        if not within(premium_coin, balance_coin):
            return f"a premium of {premium_coin:.4f} is above the balance {balance_coin:.4f}"
        return None
    if intent.option.is_call:
        return covered(intent, state)
    needed_usd = intent.amount * intent.option.strike
    needed_usd += sum(
        rules.amount(each.short) * each.contract.strike for each in _short(state, is_call=False)
    )
    has_usd = balance_coin * state.snapshot.index_usd
    if not within(needed_usd, has_usd):
        return f"the strikes of puts come to {needed_usd:,.0f} USD, the balance to {has_usd:,.0f}"
    return None


def expiry_exposure(intent: OrderIntent, state: RiskState) -> str | None:
    """Calls and puts each within the limit of an expiry; what is bought adds nothing."""
    if intent.side is Side.BUY:
        return None
    rules, option = state.snapshot.rules, intent.option
    same = [
        each.short
        for each in _short(state, is_call=option.is_call)
        if each.contract.expiry.date() == option.expiry.date()
    ]
    lots = sum(same) + rules.lots_up(intent.amount)
    if lots > lots_within(state.limits.max_expiry_exposure, rules):
        return (
            f"{rules.amount(lots)} {option.kind}s short on {option.expiry:%d %b %Y} "
            f"is above {state.limits.max_expiry_exposure}"
        )
    return None


def position_counts(intent: OrderIntent, state: RiskState) -> str | None:
    """Calls sold count as they do for everybody; chains count whatever is traded."""
    is_call_sold = intent.option.is_call and intent.side is Side.SELL
    return (position_count if is_call_sold else chain_count)(intent, state)


def _short(state: RiskState, *, is_call: bool) -> tuple[Holding, ...]:
    return tuple(
        each for each in state.holdings if each.contract.is_call is is_call and each.short > 0
    )
