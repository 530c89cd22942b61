"""
Controls 12 to 20: how we behave: not twice, not too fast, not blind, not against a stop.

Written like size_controls: what is missing blocks.
"""

from datetime import datetime, timedelta

from core.risk.exposure import RiskState
from ports.trading import OrderIntent, OrderState

_TEN_MINUTES = timedelta(minutes=10)


def duplicate(intent: OrderIntent, state: RiskState) -> str | None:
    for planned in state.planned:
        if (planned.contract, planned.side) == (intent.contract, intent.side):
            return f"{planned.label} is about to trade the same"
    for record in state.book.orders.values():
        other = record.intent
        if (other.contract, other.side) != (intent.contract, intent.side):
            continue
        if record.state.is_working:
            return f"order {other.label} on {other.contract.symbol} is {record.state}"
        recent = state.now - record.sent_at < state.limits.duplicate_window
        if recent and record.reached_venue and other.strategy_id == intent.strategy_id:
            return f"{other.label} traded the same less than a minute ago"
    return None


def throttle(intent: OrderIntent, state: RiskState) -> str | None:
    limits, now = state.limits, state.now
    sent = [record for record in state.book.orders.values() if record.reached_venue]
    planned = len(state.planned) + len(state.closed)
    requests = sorted(record.sent_at for record in sent) + [now] * planned
    if not _has_room(requests, state):
        return f"more than {limits.request_burst} requests, {limits.requests_per_s} a second"
    if intent.reduce_only:
        return None
    opens = [record.sent_at for record in sent if not record.intent.reduce_only]
    opens += [now for each in state.planned if not each.reduce_only]
    if sum(now - at < _TEN_MINUTES for at in opens) >= limits.max_opens_per_10_min:
        return f"{limits.max_opens_per_10_min} opening orders within ten minutes"
    if sum(at.date() == now.date() for at in opens) >= limits.max_opens_per_day:
        return f"{limits.max_opens_per_day} opening orders within the day"
    return None


def repeated_execution(intent: OrderIntent, state: RiskState) -> str | None:
    fills = sum(
        record.booked_amount > 0
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
    limit, fall = state.limits.daily_drawdown_limit_pct, state.book.drawdown
    if limit > 0 and fall is not None and not fall.fall_pct < limit:
        return f"equity fell {fall.fall_pct:.2f} % today, limit {limit}"
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
        unknown = record.state in (OrderState.UNKNOWN, OrderState.SENT)
        if unknown and state.now - record.sent_at > state.limits.unknown_age:
            return f"the outcome of {record.intent.label} is unknown"
    return None


def environment(_intent: OrderIntent, state: RiskState) -> str | None:
    return None if state.environment_agrees else "credentials, address and environment disagree"


def kill_switch(_intent: OrderIntent, state: RiskState) -> str | None:
    if state.controls.kill_switch:
        return f"the kill switch is on: {state.controls.kill_reason or 'no reason given'}"
    return f"trading is halted: {state.book.halted}" if state.book.halted else None


def clock(_intent: OrderIntent, state: RiskState) -> str | None:
    if not abs(state.clock_skew) <= state.limits.clock_skew:
        return f"our clock is {state.clock_skew.total_seconds():.1f} s from the venue's"
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
    return level >= 1.0
