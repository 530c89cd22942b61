"""Cases put exactly at a limit, a notch within and a notch beyond; and things that go wrong."""

from collections.abc import Callable
from datetime import timedelta
from math import inf, nan
from typing import Any

import numpy as np
from attrs import evolve

from ports.checks import epoch_ms
from ports.positions import Drawdown, Reconciliation
from ports.trading import OrderState, Side
from tests.support.risk_figures import delta_range, lots, margin_use, number, stock_of
from tests.support.risk_states import Case, Draw, order, record_of

Edge = Callable[[Case, Draw, int], Case]  # -1 a notch within the limit, 0 at it, 1 beyond
Fault = Callable[[Case, Draw], Case]
_SECOND = timedelta(seconds=1)


def with_limits(case: Case, **limits: Any) -> Case:
    """*case* under other limits."""
    return evolve(case, state=evolve(case.state, limits=evolve(case.state.limits, **limits)))


def with_quote(case: Case, **figures: float) -> Case:
    """*case* with other figures in the row of its contract."""
    chain, row = case.state.snapshot.chain, case.row
    if row is None:
        return case
    columns: dict[str, Any] = {}
    for name, figure in figures.items():
        column = np.array(getattr(chain, name))
        column[row] = figure
        columns[name] = column
    snapshot = evolve(case.state.snapshot, chain=evolve(chain, **columns))
    return evolve(case, state=evolve(case.state, snapshot=snapshot))


def with_book(case: Case, **fields: Any) -> Case:
    """*case* with other fields in its book."""
    return evolve(case, state=evolve(case.state, book=evolve(case.state.book, **fields)))


def with_account(case: Case, **fields: Any) -> Case:
    """*case* with other fields in its account."""
    return evolve(case, state=evolve(case.state, account=evolve(case.state.account, **fields)))


def priced(case: Case, price: float) -> Case:
    """*case* with another limit price."""
    return evolve(case, intent=evolve(case.intent, price=round(price, 6)))


def _amount(case: Case, count: int) -> float:
    return case.state.snapshot.rules.amount(count)


def _order_size(case: Case, _draw: Draw, where: int) -> Case:
    most = _amount(case, lots(case.intent.amount, case.state) - where)
    return with_limits(case, order_size={case.intent.contract.underlying: most})


def _cover(case: Case, draw: Draw, where: int) -> Case:
    needed = lots(case.intent.amount, case.state) + sum(stock_of(case.state).short_calls.values())
    if where == 1 and draw.below(0.5):
        return with_account(case, balance_coin=round(_amount(case, needed) - 1e-8, 8))
    return with_account(case, balance_coin=_amount(case, needed - where))


def _exposure(case: Case, _draw: Draw, where: int) -> Case:
    day = case.intent.contract.expiry.date()
    short = stock_of(case.state).short_calls
    same = sum(count for contract, count in short.items() if contract.expiry.date() == day)
    most = same + lots(case.intent.amount, case.state) - where
    return with_limits(case, max_expiry_exposure=max(_amount(case, most), 1e-9))


def _calls(case: Case, _draw: Draw, where: int) -> Case:
    calls = {*stock_of(case.state).short_calls, case.intent.contract}
    return with_limits(case, max_calls_per_underlying=len(calls) - where)


def _chains(case: Case, draw: Draw, _where: int) -> Case:
    return with_limits(case, max_open_positions=draw.whole(1, 5))


def _notional(case: Case, _draw: Draw, where: int) -> Case:
    usd = number(case.intent.amount) * number(case.state.snapshot.index_usd)
    return with_limits(case, max_order_notional_usd=float(usd) - where)


def _margin(case: Case, _draw: Draw, where: int) -> Case:
    use = margin_use(case.intent, case.state, stock_of(case.state))
    if use is None:
        return case
    limit = number(case.state.limits.max_margin_used_pct) / 100
    initial = number(case.state.account.initial_margin_coin) + limit * use.equity - use.margin
    if initial < 1:
        return case
    return with_account(case, initial_margin_coin=float(initial) + where * 1e-6)


def _delta(case: Case, _draw: Draw, where: int) -> Case:
    reach = delta_range(case.intent, case.state, stock_of(case.state))
    if reach is None:
        return case
    worst = float(max(reach.highest, -reach.lowest))
    return with_limits(case, max_net_delta_abs=worst * (1 - 1e-7 * (where or -1)))


def _collar(case: Case, draw: Draw, where: int) -> Case:
    row = case.row
    if row is None:
        return case
    mark = float(case.state.snapshot.chain.mark[row])
    return priced(case, mark + draw.one((-1, 1)) * (0.2 * mark + where * 0.0005))


def _intrinsic(case: Case, draw: Draw, where: int) -> Case:
    """The strike is 4 % below the forward: the intrinsic value is 0.04."""
    contract = case.state.snapshot.chain.contract(0)
    intent = order(draw, contract, round(0.04 - where * 0.0005, 4), 1, Side.SELL)
    return with_quote(evolve(case, intent=intent), bid=0.0395, mark=0.04, ask=0.0405)


def _beyond_ask(case: Case, draw: Draw, where: int) -> Case:
    ask = 0.005 * draw.whole(4, 9)
    shown = with_quote(case, bid=ask - 0.0005, mark=ask, ask=ask)
    return priced(shown, 1.1 * ask + where * 0.0005)


def _age(case: Case, draw: Draw, where: int) -> Case:
    kind, now, limits = draw.whole(0, 2), case.state.now, case.state.limits
    if kind == 0:
        at = now - limits.quote_age - where * _SECOND
        return with_quote(case, quoted_at_ms=epoch_ms(at))
    if kind == 1:
        at = now - limits.index_age - where * _SECOND
        snapshot = evolve(case.state.snapshot, taken_at=at)
        return evolve(case, state=evolve(case.state, snapshot=snapshot))
    return with_account(case, read_at=now - limits.account_age - where * _SECOND)


def _spread(case: Case, draw: Draw, where: int) -> Case:
    wide = with_quote(case, bid=0.039, mark=0.04, ask=0.041)
    if draw.below(0.5):
        return with_limits(wide, max_spread_pct=5.0 - where * 0.001)
    return with_quote(case, bid=0.039 - where * 0.0001, mark=0.04, ask=0.041 + where * 0.0001)


def _iv(case: Case, draw: Draw, where: int) -> Case:
    return with_quote(case, mark_iv=draw.one((0.01 - where * 1e-6, 5.0 + where * 1e-6)))


def _mark_in_quote(case: Case, draw: Draw, where: int) -> Case:
    mark = draw.one((0.04 - where * 1e-5, 0.0612 + where * 1e-5))
    return with_quote(case, bid=0.05, mark=round(mark, 6), ask=0.051)


def _open_interest(case: Case, _draw: Draw, where: int) -> Case:
    return with_quote(case, open_interest=case.state.limits.min_open_interest - where)


def _expiry(case: Case, _draw: Draw, where: int) -> Case:
    left = case.intent.contract.expiry - case.state.now
    return with_limits(case, before_expiry=left + where * _SECOND)


def _repeat(case: Case, draw: Draw, where: int) -> Case:
    sent_at = case.state.now - case.state.limits.duplicate_window + where * _SECOND
    state = draw.one((OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED))
    record = record_of(evolve(case.intent, label="before"), state, sent_at)
    return with_book(case, orders={**case.state.book.orders, "before": record})


def _rate(case: Case, draw: Draw, _where: int) -> Case:
    limited = with_limits(
        case, request_burst=draw.whole(1, 4), requests_per_s=0.5 * draw.whole(1, 6)
    )
    orders = dict(case.state.book.orders)
    for place in range(draw.whole(1, 6)):
        sent_at = case.state.now - timedelta(milliseconds=250 * draw.whole(0, 8))
        contract = draw.one(case.state.snapshot.chain.contracts)
        intent = order(draw, contract, 0.03, 1, Side.SELL)
        orders[f"r{place}"] = record_of(intent, OrderState.REJECTED, sent_at)
    return with_book(limited, orders=orders)


def _counts(case: Case, draw: Draw, where: int) -> Case:
    """Every count at once, with an order that is ten minutes old, a second more or less."""
    at = case.state.now - timedelta(minutes=10) + where * _SECOND
    state = draw.one((OrderState.REJECTED, OrderState.FILLED))
    contract = draw.one(case.state.snapshot.chain.contracts)
    record = record_of(order(draw, contract, 0.03, 1, Side.SELL), state, at)
    if state is OrderState.FILLED:
        amount = record.intent.amount
        record = evolve(record, filled_amount=amount, booked_amount=amount)
    limited = with_limits(
        case,
        max_opens_per_10_min=draw.whole(1, 4),
        max_opens_per_day=draw.whole(1, 4),
        max_fills_per_10_min=draw.whole(1, 2),
        max_rejections_per_10_min=draw.whole(1, 2),
    )
    return with_book(limited, orders={**case.state.book.orders, "old": record})


def _drawdown(case: Case, draw: Draw, where: int) -> Case:
    fall_pct = 0.5 * draw.whole(1, 40)
    equity_usd = round(100_000.0 * (1 - fall_pct / 100), 2)
    limited = with_limits(case, daily_drawdown_limit_pct=fall_pct - where * 1e-4)
    fall = Drawdown(day="2026-03-02", peak_usd=100_000.0, equity_usd=equity_usd)
    return with_book(limited, drawdown=fall)


def _reconciliation(case: Case, _draw: Draw, where: int) -> Case:
    at = case.state.now - case.state.limits.reconciliation_age - where * _SECOND
    last = Reconciliation(at=at, clean=True, differing=0)
    return with_book(case, reconciliations={case.state.snapshot.underlying: last})


def _doubt(case: Case, draw: Draw, where: int) -> Case:
    sent_at = case.state.now - case.state.limits.unknown_age - where * _SECOND
    contract = draw.one(case.state.snapshot.chain.contracts)
    intent = order(draw, contract, 0.03, 1, draw.one((Side.SELL, Side.BUY)))
    record = record_of(intent, draw.one((OrderState.UNKNOWN, OrderState.SENT)), sent_at)
    return with_book(case, orders={**case.state.book.orders, "doubt": record})


def _skew(case: Case, draw: Draw, where: int) -> Case:
    skew = case.state.limits.clock_skew + where * timedelta(milliseconds=1)
    return evolve(case, state=evolve(case.state, clock_skew=draw.one((-1, 1)) * skew))


EDGES: tuple[Edge, ...] = (
    _order_size,
    _cover,
    _exposure,
    _calls,
    _chains,
    _notional,
    _margin,
    _delta,
    _collar,
    _intrinsic,
    _beyond_ask,
    _age,
    _spread,
    _iv,
    _mark_in_quote,
    _open_interest,
    _expiry,
    _repeat,
    _rate,
    _counts,
    _drawdown,
    _reconciliation,
    _doubt,
    _skew,
)


def _not_known(case: Case, draw: Draw) -> Case:
    name = draw.one(("bid", "ask", "mark", "mark_iv", "forward", "open_interest"))
    return with_quote(case, **{name: draw.one((nan, nan, inf, -inf, 0.0))})


def _crossed(case: Case, _draw: Draw) -> Case:
    return with_quote(case, bid=0.05, ask=0.04)


def _no_limit(case: Case, draw: Draw) -> Case:
    names = ("max_margin_used_pct", "max_net_delta_abs", "max_spread_pct", "min_open_interest")
    name = draw.one((*names, "daily_drawdown_limit_pct"))
    return with_limits(case, **{name: draw.one((nan, inf, -inf))})


def _no_order_size(case: Case, draw: Draw) -> Case:
    return with_limits(case, order_size=draw.one(({}, {case.intent.contract.underlying: nan})))


def _research(case: Case, _draw: Draw) -> Case:
    return with_quote(with_limits(case, unknown_liquidity_blocks=False), open_interest=nan)


def _unlisted(case: Case, _draw: Draw) -> Case:
    contract = evolve(case.intent.contract, strike=2.0 * case.intent.contract.strike)
    return evolve(case, intent=evolve(case.intent, contract=contract))


def _off_grid(case: Case, draw: Draw) -> Case:
    amount = case.intent.amount * draw.one((0.5, 1.03, 1 + 1e-15, 1e6, 1e300))
    return evolve(case, intent=evolve(case.intent, amount=amount))


def _off_tick(case: Case, draw: Draw) -> Case:
    return priced(case, case.intent.price + draw.one((0.0001, -0.00025)))


def _opening_buy(case: Case, _draw: Draw) -> Case:
    return evolve(case, intent=evolve(case.intent, side=Side.BUY, reduce_only=False))


def _poor(case: Case, draw: Draw) -> Case:
    return with_account(case, equity_coin=draw.one((0.0, -1.0, 0.01)))


def _no_coin(case: Case, draw: Draw) -> Case:
    return with_account(case, balance_coin=draw.one((0.0, -1.0)))


def _other_coin(case: Case, _draw: Draw) -> Case:
    return with_account(case, underlying="SOL")


def _stopped(case: Case, draw: Draw) -> Case:
    if draw.below(0.5):
        return with_book(case, halted="the books differ")
    if draw.below(0.3):
        return with_book(case, is_paused=True)
    controls = evolve(case.state.controls, kill_switch=True)
    return evolve(case, state=evolve(case.state, controls=controls))


def _foreign(case: Case, _draw: Draw) -> Case:
    return evolve(case, state=evolve(case.state, environment_agrees=False))


def _not_compared(case: Case, draw: Draw) -> Case:
    dirty = Reconciliation(at=case.state.now, clean=False, differing=1, differences=("x",))
    coin = case.state.snapshot.underlying
    return with_book(case, reconciliations=draw.one(({}, {coin: dirty})))


def _not_measured(case: Case, _draw: Draw) -> Case:
    return with_limits(case, daily_drawdown_limit_pct=5.0)


def _filled_first(case: Case, draw: Draw) -> Case:
    """The batch bought something back before."""
    contract = draw.one(case.state.snapshot.chain.contracts)
    closed = order(draw, contract, 0.03, draw.whole(1, 2), Side.BUY)
    return evolve(case, state=evolve(case.state, closed=(closed,)))


FAULTS: tuple[Fault, ...] = (
    _not_known,
    _crossed,
    _no_limit,
    _no_order_size,
    _research,
    _unlisted,
    _off_grid,
    _off_tick,
    _opening_buy,
    _poor,
    _no_coin,
    _other_coin,
    _stopped,
    _foreign,
    _not_compared,
    _not_measured,
    _filled_first,
)


def on_edge(case: Case, draw: Draw) -> Case:
    """*case* at one limit, within or beyond."""
    return draw.one(EDGES)(case, draw, draw.whole(-1, 1))


def with_fault(case: Case, draw: Draw) -> Case:
    """*case* with one thing wrong."""
    return draw.one(FAULTS)(case, draw)
