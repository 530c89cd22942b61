"""
The twenty pre-trade controls, read from their specification once more: a judge of the judge.

Decimals and whole lots; nothing here runs code of core. What it reads of a RiskState are its
plain fields. Readings that the specification leaves open, and that both sides share:

- positions count as the venue or as our book says, whichever is more short; long options give
  no credit, and neither do closing orders before they are filled;
- a net delta must be within its limit whether or not pending orders are filled;
- an order that is filled and not booked still counts as pending.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from attrs import frozen

from ports.positions import OrderRecord
from ports.trading import Order, OrderIntent, OrderState, Side
from tests.support.risk_figures import (
    Quote,
    Stock,
    coin_lots,
    delta_range,
    lots,
    margin_use,
    number,
    outstanding,
    quote_of,
    spread_use,
    stock_of,
    tick_at,
)

if TYPE_CHECKING:
    from core.risk.exposure import RiskState

STARRED = frozenset({8, 12, 13})  # bind closing orders too
_NEAR = Decimal("1e-9")
_TEN_MINUTES = timedelta(minutes=10)
_ENDED_UNSEEN = frozenset({OrderState.NOT_PLACED, OrderState.DENIED})
_IN_DOUBT = frozenset({OrderState.SENT, OrderState.UNKNOWN})
_AT_VENUE = frozenset({OrderState.OPEN, OrderState.PARTIAL, OrderState.PENDING_CANCEL})


class Answer(Enum):
    """What the specification says of one control, in order of weight."""

    PASSES = 0
    SILENT = 1  # it does not say
    ROUNDING = 2  # within 1e-9 of the limit and not at it: floats may say either
    BLOCKS = 3


@frozen
class _Case:
    """An order, the state it is judged in, and what both say of its contract."""

    intent: OrderIntent
    state: "RiskState"
    quote: Quote
    stock: Stock


@frozen
class Judgement:
    """The answer of every control, by its number."""

    answers: dict[int, Answer]

    def numbers(self, answer: Answer) -> set[int]:
        """The controls that give *answer*."""
        return {number for number, given in self.answers.items() if given is answer}

    @property
    def overall(self) -> Answer:
        """What becomes of the order: the heaviest of all answers."""
        return _worst(self.answers.values())

    def faults(self, blocked: set[int]) -> str:
        """Where *blocked*, the controls that said no, contradict this; empty if nowhere."""
        missed = self.numbers(Answer.BLOCKS) - blocked
        wrong = self.numbers(Answer.PASSES) & blocked
        said = [f"must block: {sorted(missed)}"] if missed else []
        return ", ".join(said + ([f"must not block: {sorted(wrong)}"] if wrong else []))


def check(intent: OrderIntent, state: "RiskState") -> Judgement:
    """What each control must say of *intent* in *state*."""
    case = _Case(intent, state, quote_of(intent.contract, state), stock_of(state))
    answers = {number: control(case) for number, control in _CONTROLS.items()}
    if intent.reduce_only:
        fits = lots(intent.amount, state) <= case.stock.closable(intent)
        rest = Answer.PASSES if fits else Answer.SILENT
        answers = {n: each if n in STARRED else rest for n, each in answers.items()}
        answers[1] = Answer.PASSES if fits else Answer.BLOCKS
    elif not _sells_call(intent):
        answers |= dict.fromkeys((2, 3, 4, 6), Answer.SILENT)  # said of calls sold only
    return Judgement(answers)


def _order_size(case: _Case) -> Answer:
    rules, coin = case.state.snapshot.rules, case.intent.contract.underlying
    step, least = number(rules.amount_step), number(rules.min_amount)
    steps = number(case.intent.amount) / step
    size = round(steps) * step
    if abs(steps - round(steps)) > _NEAR * steps or size < least:
        return Answer.BLOCKS
    return _at_most(size, number(case.state.limits.order_size.get(coin, 0.0)))


def _covered(case: _Case) -> Answer:
    needed = lots(case.intent.amount, case.state) + sum(case.stock.short_calls.values())
    return _blocks(needed > coin_lots(case.state))


def _expiry_exposure(case: _Case) -> Answer:
    day, step = case.intent.contract.expiry.date(), number(case.state.snapshot.rules.amount_step)
    short = sum(n for each, n in case.stock.short_calls.items() if each.expiry.date() == day)
    exposure = (short + lots(case.intent.amount, case.state)) * step
    return _at_most(exposure, number(case.state.limits.max_expiry_exposure))


def _position_count(case: _Case) -> Answer:
    calls = {*case.stock.short_calls, case.intent.contract}
    chains = {key for key, each in case.state.book.positions.items() if each.closed_at is None}
    for record in case.state.book.orders.values():
        if record.state in _IN_DOUBT | _AT_VENUE or outstanding(record) > 0:
            chains.add(record.intent.position_id)
    chains |= {each.position_id for each in (*case.state.planned, case.intent)}
    too_many = len(calls) > case.state.limits.max_calls_per_underlying
    return _blocks(too_many or len(chains) > case.state.limits.max_open_positions)


def _notional(case: _Case) -> Answer:
    usd = number(case.intent.amount) * number(case.state.snapshot.index_usd)
    return _at_most(usd, number(case.state.limits.max_order_notional_usd))


def _margin(case: _Case) -> Answer:
    use = margin_use(case.intent, case.state, case.stock)
    if use is None:
        return Answer.SILENT  # valued by a model: there is no mark to compute with
    if use.equity <= 0 or number(case.state.account.equity_coin) <= 0:
        return Answer.BLOCKS
    return _at_most(100 * use.margin, number(case.state.limits.max_margin_used_pct) * use.equity)


def _net_delta(case: _Case) -> Answer:
    reach = delta_range(case.intent, case.state, case.stock)
    if reach is None:
        return Answer.SILENT
    limit = number(case.state.limits.max_net_delta_abs)
    return _worst([_at_most(reach.highest, limit), _at_most(-reach.lowest, limit)])


def _price_collar(case: _Case) -> Answer:
    price, limits, rules = number(case.intent.price), case.state.limits, case.state.snapshot.rules
    if not case.quote.mark.is_finite() or case.quote.mark <= 0:
        return Answer.BLOCKS
    width = max(
        number(limits.price_collar_pct) / 100 * case.quote.mark,
        limits.price_collar_ticks * tick_at(case.quote.mark, rules),
    )
    ticks = price / tick_at(price, rules)
    on_tick = _blocks(abs(ticks - round(ticks)) > _NEAR * ticks)
    answers = [on_tick, _at_most(abs(price - case.quote.mark), width)]
    if case.intent.side is Side.SELL:
        if not case.quote.forward.is_finite() or case.quote.forward <= 0:
            answers.append(Answer.SILENT)  # control 10 says no to an opening
        else:
            answers.append(_at_most(_intrinsic(case.intent, case.quote), price))
    elif case.quote.ask.is_finite():
        highest = case.quote.ask * (1 + number(limits.price_collar_ask_pct) / 100)
        answers.append(_at_most(price, highest))
    elif not case.intent.reduce_only:
        answers.append(Answer.SILENT)
    return _worst(answers)


def _quote_age(case: _Case) -> Answer:
    if case.quote.at is None:
        return Answer.BLOCKS
    ages = (
        (case.state.now - case.quote.at, case.state.limits.quote_age),
        (case.state.now - case.state.snapshot.taken_at, case.state.limits.index_age),
        (case.state.now - case.state.account.read_at, case.state.limits.account_age),
    )
    if any(age > limit for age, limit in ages):
        return Answer.BLOCKS
    from_the_future = any(age < -case.state.limits.clock_skew for age, _ in ages)
    return Answer.SILENT if from_the_future else Answer.PASSES


def _quote_sanity(case: _Case) -> Answer:
    limits = case.state.limits
    figures = (case.quote.bid, case.quote.ask, case.quote.mark, case.quote.iv, case.quote.forward)
    if not all(figure.is_finite() for figure in figures):
        return Answer.BLOCKS
    if not 0 < case.quote.bid < case.quote.ask or case.quote.forward <= 0:
        return Answer.BLOCKS
    use = spread_use(case.quote, limits.max_spread_pct)
    answers = [
        _at_most(Decimal("0.8") * case.quote.bid, case.quote.mark),
        _at_most(case.quote.mark, Decimal("1.2") * case.quote.ask),
        _at_most(number(limits.iv_min), case.quote.iv),
        _at_most(case.quote.iv, number(limits.iv_max)),
        _at_most(use.wide, use.allowed),
    ]
    if case.quote.open_interest.is_finite():
        answers.append(_at_most(number(limits.min_open_interest), case.quote.open_interest))
    else:
        answers.append(_blocks(limits.unknown_liquidity_blocks))
    return _worst(answers)


def _instrument(case: _Case) -> Answer:
    at = case.state.now.astimezone(UTC)
    opens_at = at.replace(hour=8, minute=5, second=0, microsecond=0)
    closes_at = at.replace(hour=7, minute=55, second=0, microsecond=0)
    right = _sells_call(case.intent) and case.quote.at is not None
    right = right and case.state.account.underlying == case.intent.contract.underlying
    expires_soon = case.intent.contract.expiry - case.state.now <= case.state.limits.before_expiry
    if not right or expires_soon or closes_at <= at < opens_at:
        return Answer.BLOCKS
    return Answer.SILENT if at == opens_at else Answer.PASSES


def _duplicate(case: _Case) -> Answer:
    same = case.intent.contract.symbol, case.intent.side
    others: list[OrderIntent | Order] = [*case.state.planned, *case.state.closed]
    others += [each for each in case.state.external if each.state in _IN_DOUBT | _AT_VENUE]
    answers = [_blocks((each.contract.symbol, each.side) == same) for each in others]
    answers += [
        _collision(record, case.intent, case.state)
        for record in case.state.book.orders.values()
        if record.intent.contract == case.intent.contract
    ]
    return _worst(answers)


def _collision(record: OrderRecord, intent: OrderIntent, state: "RiskState") -> Answer:
    if record.state in _IN_DOUBT:
        return Answer.BLOCKS  # no further order goes to that symbol
    if record.intent.side is not intent.side:
        return Answer.PASSES
    if record.state in _AT_VENUE:
        return Answer.BLOCKS
    age = state.now - record.sent_at
    if record.intent.strategy_id != intent.strategy_id or age > state.limits.duplicate_window:
        return Answer.PASSES
    unclear = record.state in _ENDED_UNSEEN or age == state.limits.duplicate_window
    return Answer.SILENT if unclear else Answer.BLOCKS


def _throttle(case: _Case) -> Answer:
    records = case.state.book.orders.values()
    seen = [each for each in records if each.state not in _ENDED_UNSEEN]
    answers = {_bucket([each.sent_at for each in some], case.state) for some in (seen, records)}
    answer = answers.pop() if len(answers) == 1 else Answer.SILENT
    if case.intent.reduce_only:
        return answer
    sent = [each.sent_at for each in seen if not each.intent.reduce_only]
    sent += [case.state.now for each in case.state.planned if not each.reduce_only]
    today = sum(at.date() == case.state.now.date() for at in sent)
    lately = _fewer_than(case.state.limits.max_opens_per_10_min, sent, case.state)
    return _worst([answer, lately, _blocks(today >= case.state.limits.max_opens_per_day)])


def _bucket(requests: Iterable[datetime], state: "RiskState") -> Answer:
    """A bucket that holds a burst and fills at a rate; every request takes one token out."""
    burst = Decimal(state.limits.request_burst)
    rate = number(state.limits.requests_per_s) / 1_000_000
    batch = [state.now for _ in (*state.planned, *state.closed)]
    level, last = burst, None
    for at in [*sorted(requests), *batch, state.now]:
        if last is not None:
            level = min(burst, level - 1 + rate * ((at - last) // timedelta(microseconds=1)))
        last = at
    return _at_most(Decimal(1), level)


def _repeated(case: _Case) -> Answer:
    fills = [
        each.updated_at
        for each in case.state.book.orders.values()
        if each.filled_amount > 0 and each.intent.strategy_id == case.intent.strategy_id
    ]
    return _fewer_than(case.state.limits.max_fills_per_10_min, fills, case.state)


def _rejections(case: _Case) -> Answer:
    rejected = [
        each.updated_at
        for each in case.state.book.orders.values()
        if each.state is OrderState.REJECTED
    ]
    return _fewer_than(case.state.limits.max_rejections_per_10_min, rejected, case.state)


def _drawdown(case: _Case) -> Answer:
    limit, fall = number(case.state.limits.daily_drawdown_limit_pct), case.state.book.drawdown
    if limit == 0:
        return Answer.PASSES
    if fall is None or not limit.is_finite() or limit < 0 or fall.peak_usd <= 0:
        return Answer.BLOCKS
    peak, equity = number(fall.peak_usd), number(fall.equity_usd)
    reached = _at_most(limit * peak, 100 * (peak - equity))
    return {Answer.PASSES: Answer.BLOCKS, Answer.BLOCKS: Answer.PASSES}.get(reached, reached)


def _reconciled(case: _Case) -> Answer:
    last = case.state.book.reconciliations.get(case.state.snapshot.underlying)
    if (
        last is None
        or not last.clean
        or case.state.now - last.at > case.state.limits.reconciliation_age
    ):
        return Answer.BLOCKS
    in_doubt = [each for each in case.state.book.orders.values() if each.state in _IN_DOUBT]
    return _blocks(
        any(case.state.now - each.sent_at > case.state.limits.unknown_age for each in in_doubt)
    )


def _environment(case: _Case) -> Answer:
    return _blocks(not case.state.environment_agrees)


def _kill_switch(case: _Case) -> Answer:
    book = case.state.book
    return _blocks(case.state.controls.kill_switch or book.halted != "" or book.is_paused)


def _clock(case: _Case) -> Answer:
    return _blocks(abs(case.state.clock_skew) > case.state.limits.clock_skew)


def _sells_call(intent: OrderIntent) -> bool:
    return intent.side is Side.SELL and intent.contract.is_call


def _intrinsic(intent: OrderIntent, quote: Quote) -> Decimal:
    gain = quote.forward - number(intent.contract.strike)
    return max(gain if intent.contract.is_call else -gain, Decimal(0)) / quote.forward


def _fewer_than(most: int, instants: Iterable[datetime], state: "RiskState") -> Answer:
    """Whether fewer than *most* lie within ten minutes; at exactly ten it is not said."""
    ages = [state.now - at for at in instants]
    if sum(age < _TEN_MINUTES for age in ages) >= most:
        return Answer.BLOCKS
    return Answer.SILENT if sum(age <= _TEN_MINUTES for age in ages) >= most else Answer.PASSES


def _at_most(figure: Decimal, limit: Decimal) -> Answer:
    if not (figure.is_finite() and limit.is_finite()):
        return Answer.BLOCKS
    if figure != limit and abs(figure - limit) <= _NEAR * max(abs(figure), abs(limit)):
        return Answer.ROUNDING
    return _blocks(figure > limit)


def _blocks(breached: bool) -> Answer:
    return Answer.BLOCKS if breached else Answer.PASSES


def _worst(answers: Iterable[Answer]) -> Answer:
    return max(answers, key=lambda answer: answer.value, default=Answer.PASSES)


_CONTROLS: dict[int, Callable[[_Case], Answer]] = {
    1: _order_size,
    2: _covered,
    3: _expiry_exposure,
    4: _position_count,
    5: _notional,
    6: _margin,
    7: _net_delta,
    8: _price_collar,
    9: _quote_age,
    10: _quote_sanity,
    11: _instrument,
    12: _duplicate,
    13: _throttle,
    14: _repeated,
    15: _rejections,
    16: _drawdown,
    17: _reconciled,
    18: _environment,
    19: _kill_switch,
    20: _clock,
}
