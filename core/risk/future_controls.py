"""
The controls of orders in a future: size, funds, delta, price, and what the order is for.

Written like size_controls: what is missing blocks. A future is counted in USD, and its amount in
coin is that at the index.
"""

from datetime import datetime, timedelta

from core.pricing.black76 import delta
from core.pricing.marks import forward_of, iv_of
from core.risk.exposure import RiskState
from core.risk.limits import within
from core.risk.margin import future_initial_coin
from core.risk.size_controls import delta_reach, pending_funds
from ports.instruments import FutureContract
from ports.positions import Leg, TrackedPosition
from ports.trading import OrderIntent, Side

_FEE = 0.0005  # of the coin, the dearest that taking was ever published at


def future_size(intent: OrderIntent, state: RiskState) -> str | None:
    rules = state.future_rules
    if rules is None:
        return f"the grid of {intent.contract.symbol} is not known"
    if rules.lots(intent.amount) < rules.lots_up(rules.min_amount):
        return f"{intent.amount} USD is below the venue's minimum {rules.min_amount}"
    return None


def future_notional(intent: OrderIntent, state: RiskState) -> str | None:
    limit_usd = state.limits.max_order_notional_usd
    if not within(intent.amount, limit_usd):
        return f"notional {intent.amount:,.0f} USD is above {limit_usd:,.0f}"
    return None


def future_margin(intent: OrderIntent, state: RiskState) -> str | None:
    """The account once this and every pending order is filled."""
    reach, coin, index = state.futures, state.snapshot.underlying, state.snapshot.index_usd
    after = reach.with_filled(_coin(intent, state))
    margin_coin = future_initial_coin(coin, after.largest)
    margin_coin -= future_initial_coin(coin, reach.largest)
    signed_usd = intent.side.sign * intent.amount
    cost_coin = -_future(intent).profit_coin(signed_usd, intent.price, index)
    cost_coin += _FEE * intent.amount / intent.price
    funds = pending_funds(state).after(margin_coin, cost_coin)
    return funds.beyond(state.limits.max_margin_used_pct)


def future_net_delta(intent: OrderIntent, state: RiskState) -> str | None:
    """Within the limit, or nearer to it than the coin is without the order."""
    limit, before = state.limits.max_net_delta_abs, delta_reach(state)
    worst = before.shifted(_coin(intent, state)).worst
    if not (within(abs(worst), limit) or abs(worst) < abs(before.worst)):
        return f"net delta {worst:.4f} after the trade, at most {limit}"
    return None


def future_price(intent: OrderIntent, state: RiskState) -> str | None:
    rules, index, price = state.future_rules, state.snapshot.index_usd, intent.price
    if rules is None:
        return f"the grid of {intent.contract.symbol} is not known"
    width_usd = state.limits.future_collar_pct / 100.0 * index
    if not within(abs(price - index), width_usd):
        return f"price {price} is further than {width_usd:.2f} from the index {index}"
    if not rules.is_on_tick(price):
        return f"price {price} is not on the tick {rules.tick_size}"
    return None


def future_ages(_intent: OrderIntent, state: RiskState) -> str | None:
    limits = state.limits
    ages: tuple[tuple[str, datetime, timedelta], ...] = (
        ("index", state.snapshot.taken_at, limits.index_age),
        ("account", state.account.read_at, limits.account_age),
    )
    for name, at, limit in ages:
        age = state.now - at
        if not -limits.clock_skew <= age <= limit:
            return f"{name} is {age.total_seconds():.0f} s old, at most {limit.total_seconds():.0f}"
    return None


def perpetual(intent: OrderIntent, state: RiskState) -> str | None:
    contract = _future(intent)
    if state.account.underlying != contract.underlying:
        return f"{contract.symbol} is not of the account in {state.account.underlying}"
    if contract.expiry is not None:
        return f"{contract.symbol}: only the perpetual is traded"
    return None


def hedges(intent: OrderIntent, state: RiskState) -> str | None:
    """
    The order must bring the delta of the position it is sent for nearer to zero, or take up the
    coin of a put that was sold and is closed.
    """
    position = state.book.positions.get(intent.position_id)
    if position is None or position.sandbox:
        return f"{intent.position_id} is no position that could be hedged"
    if any(each.intent.position_id == intent.position_id for each in state.book.unsettled):
        return f"an order for {intent.position_id} is not settled yet: what it holds is not known"
    before = position.future_usd / state.snapshot.index_usd
    before += sum(leg.size * _delta(leg, state) for leg in position.open_legs)
    after = before + _coin(intent, state)
    if abs(after) < abs(before) or _takes_up(intent, position, state):
        return None
    return f"the delta of {intent.position_id} would go from {before:+.4f} to {after:+.4f}"


def _takes_up(intent: OrderIntent, position: TrackedPosition, state: RiskState) -> bool:
    """Whether *intent* buys no more coin than the last put of *position* was sold on."""
    if intent.side is not Side.BUY or position.open_legs or not position.legs:
        return False
    last = position.legs[-1]
    if last.contract.is_call or state.future_rules is None:
        return False
    lot_usd, index = state.future_rules.amount_step, state.snapshot.index_usd
    most_usd = last.contracts_sold * index + lot_usd
    return within(position.future_usd + intent.amount, most_usd)


def _coin(intent: OrderIntent, state: RiskState) -> float:
    """What *intent* adds to the delta, coin."""
    return intent.side.sign * intent.amount / state.snapshot.index_usd


def _delta(leg: Leg, state: RiskState) -> float:
    """Delta of one contract, as the hedge engine measures it."""
    contract = leg.contract
    forward = forward_of(state.snapshot, contract, state.now)
    iv = iv_of(state.snapshot, contract, state.now)
    tenor = contract.years_left(state.now)
    return float(delta(forward, contract.strike, tenor, iv, contract.is_call))


def _future(intent: OrderIntent) -> FutureContract:
    if not isinstance(intent.contract, FutureContract):
        raise ValueError(f"{intent.contract.symbol} is not a future")  # noqa: TRY004
    return intent.contract
