"""
Controls 12 to 20: how we behave: not twice, not too fast, not blind, not against a stop.

Written like size_controls: what is missing blocks.
"""

from datetime import datetime, timedelta

from core.risk.exposure import RiskState
from core.risk.limits import within
from ports.positions import OrderRecord
from ports.trading import OrderIntent, OrderState

_TEN_MINUTES = timedelta(minutes=10)
_UNRESOLVED = frozenset({OrderState.SENT, OrderState.UNKNOWN})
_ROUNDED = 1e-9  # of a request: float rounding


def duplicate(intent: OrderIntent, state: RiskState) -> str | None:
    same = (intent.contract, intent.side)
    for planned in (*state.planned, *state.closed):
        if (planned.contract, planned.side) == same:
            return f"{planned.label} is about to trade the same"
    for order in state.external:
        if (order.contract, order.side) == same and order.state.is_working:
            return f"order {order.order_id} of another origin trades the same"
    for record in state.book.orders.values():
        if record.intent.contract == intent.contract:
            detail = _collision(record, intent, state)
            if detail is not None:
                return detail
    return None


def throttle(intent: OrderIntent, state: RiskState) -> str | None:
    """
    A request counts whatever became of it; an opening counts if the venue may have seen it, those
    in options apart from those in futures.
    """
    limits, now, records = state.limits, state.now, state.book.orders.values()
    batch = (*state.planned, *state.closed)
    requests = sorted(record.sent_at for record in records) + [now for _ in batch]
    if not _has_room(requests, state):
        return f"more than {limits.request_burst} requests, {limits.requests_per_s} a second"
    if intent.reduce_only:
        return None
    kind = type(intent.contract)
    opens = [
        record.sent_at for record in records if record.reached_venue and _opens(record.intent, kind)
    ]
    opens += [now for each in state.planned if _opens(each, kind)]
    if sum(now - at < _TEN_MINUTES for at in opens) >= limits.max_opens_per_10_min:
        return f"{limits.max_opens_per_10_min} opening orders within ten minutes"
    if sum(at.date() == now.date() for at in opens) >= limits.max_opens_per_day:
        return f"{limits.max_opens_per_day} opening orders within the day"
    return None


def repeated_execution(intent: OrderIntent, state: RiskState) -> str | None:
    fills = sum(
        record.filled_amount > 0
        and record.intent.strategy_id == intent.strategy_id
        and state.now - record.updated_at < _TEN_MINUTES
        for record in state.book.orders.values()
    )
    if fills >= state.limits.max_fills_per_10_min:
        return f"{intent.strategy_id} filled {fills} orders within ten minutes"
    return None


def rejections(_intent: OrderIntent, state: RiskState) -> str | None:
    count = sum(
        record.state is OrderState.REJECTED and state.now - record.updated_at < _TEN_MINUTES
        for record in state.book.orders.values()
    )
    if count >= state.limits.max_rejections_per_10_min:
        return f"the venue rejected {count} orders within ten minutes"
    return None


def drawdown(_intent: OrderIntent, state: RiskState) -> str | None:
    limit_pct, fall = state.limits.daily_drawdown_limit_pct, state.book.drawdown
    if limit_pct == 0:
        return None
    if fall is None or not fall.peak_usd > 0:
        return "equity was not measured yet, and a drawdown limit is set"
    if within(limit_pct, fall.fall_pct) or not within(fall.fall_pct, limit_pct):
        return f"equity fell {fall.fall_pct:.2f} % today, limit {limit_pct}"
    return None


def reconciled(_intent: OrderIntent, state: RiskState) -> str | None:
    last = state.book.reconciliations.get(state.snapshot.underlying)
    if last is None:
        return "the book was not compared with the venue yet"
    if not last.clean:
        return f"the book differs from the venue: {'; '.join(last.differences)}"
    if not state.now - last.at <= state.limits.reconciliation_age:
        return f"the last comparison with the venue was at {last.at:%H:%M:%S}"
    for record in state.book.working:
        if record.state in _UNRESOLVED and state.now - record.sent_at > state.limits.unknown_age:
            return f"the outcome of {record.intent.label} is unknown"
    return None


def environment(_intent: OrderIntent, state: RiskState) -> str | None:
    return None if state.environment_agrees else "credentials, address and environment disagree"


def kill_switch(_intent: OrderIntent, state: RiskState) -> str | None:
    if state.controls.kill_switch:
        return f"the kill switch is on: {state.controls.kill_reason or 'no reason given'}"
    if state.book.halted:
        return f"trading is halted: {state.book.halted}"
    if state.book.is_paused:
        return f"new risk is paused, health is {state.book.health}: {state.book.health_cause}"
    return None


def clock(_intent: OrderIntent, state: RiskState) -> str | None:
    if not abs(state.clock_skew) <= state.limits.clock_skew:
        return f"our clock is {state.clock_skew.total_seconds():.1f} s from the venue's"
    return None


def _opens(intent: OrderIntent, kind: type[object]) -> bool:
    return not intent.reduce_only and isinstance(intent.contract, kind)


def _collision(record: OrderRecord, intent: OrderIntent, state: RiskState) -> str | None:
    """Why *intent* must wait for *record*, an order on the same contract."""
    other = record.intent
    if record.state in _UNRESOLVED:
        return f"the outcome of {other.label} on {other.contract.symbol} is not known"
    if other.side is not intent.side:
        return None
    if record.state.is_working:
        return f"order {other.label} on {other.contract.symbol} is {record.state}"
    recent = state.now - record.sent_at < state.limits.duplicate_window
    if recent and record.reached_venue and other.strategy_id == intent.strategy_id:
        return f"{other.label} traded the same less than a minute ago"
    return None


def _has_room(requests: list[datetime], state: RiskState) -> bool:
    """Whether a bucket of request_burst, refilled at requests_per_s, holds one more now."""
    limits, level, last = state.limits, float(state.limits.request_burst), None
    for at in requests:
        if last is not None:
            refill = (at - last).total_seconds() * limits.requests_per_s
            level = min(level + refill, limits.request_burst)
        level, last = level - 1.0, at
    if last is not None:
        refill = (state.now - last).total_seconds() * limits.requests_per_s
        level = min(level + refill, limits.request_burst)
    return level >= 1.0 - _ROUNDED
