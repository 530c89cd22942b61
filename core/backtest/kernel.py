"""
The covered-call rule as compiled code: what is sold, when it ends, and a whole run of both.

The tick decides with `choose_row` and `exit_code`; `simulate` uses the same two and does by
itself what venue, risk and book do for the tick.
"""

from math import isfinite, nan

import numpy as np

from core.backtest.kernel_types import (
    AMOUNT,
    BALANCE,
    BEST,
    BY_DEFENCE,
    BY_DELTA,
    BY_PROFIT,
    BY_TIME,
    CHAINS,
    ENTRY,
    EXPIRED,
    EXPIRY,
    FEES,
    MARK,
    NO_BUYER,
    NO_EXPIRY,
    NO_MARKET,
    NO_STRIKE,
    REFUSED,
    ROLLS,
    STRIKE,
    TOO_SMALL,
    TRADES,
    UNCOVERED,
    WORST,
    Calls,
    End,
    EntryCodes,
    ExitCodes,
    Held,
    Log,
    Run,
    Sale,
    State,
    Terms,
)
from core.kernel import inline, kernel
from ports.columns import Ints

# The digest of kernel_types.py: numba's cache sees a change of this file, not of that one.
TYPES = "8f010bea0630c22d"

DAY_MS = 86_400_000
_WEEK_MS = 7 * DAY_MS
_FRIDAY_0805_MS = DAY_MS + (8 * 60 + 5) * 60_000  # 1 January 1970 was a Thursday
_FRIDAY = 1  # days after a Thursday
_SETTLES_MS = ((7 * 60 + 55) * 60_000, (8 * 60 + 5) * 60_000)  # of a day: nothing is opened
_BEFORE_EXPIRY_MS = 3_600_000  # nothing is opened in the last hour of a contract
_ROUNDED = 1e-12


@inline
def is_entry_time(is_weekly: bool, now_ms: int) -> bool:
    """Whether a call may be sold: at any time, or in the day that begins on Friday at 08:05."""
    return not is_weekly or (now_ms - _FRIDAY_0805_MS) % _WEEK_MS < DAY_MS


@inline
def choose_expiry(
    rule: EntryCodes, expiry_ms: Ints, first: int, last: int, taken_ms: int
) -> tuple[int, int]:
    """The rows of the expiry nearest to the target, the earlier of two; none are (0, 0)."""
    best_first, best_last, nearest = 0, 0, np.inf
    row = first
    while row < last:
        start, expiry = row, expiry_ms[row]
        while row < last and expiry_ms[row] == expiry:
            row += 1
        dte = (expiry - taken_ms) / DAY_MS
        is_friday = (expiry // DAY_MS) % 7 == _FRIDAY
        distance = abs(dte - rule.target_dte)
        if dte < rule.dte_min or dte > rule.dte_max or distance >= nearest:
            continue
        if is_friday or not rule.is_friday_only:
            best_first, best_last, nearest = start, row, distance
    return best_first, best_last


@inline
def choose_strike(
    rule: EntryCodes, calls: Calls, rows: tuple[int, int], index_usd: float, rv: float
) -> int:
    """The row within *rows* nearest to the target delta, the lower of two; -1 is none."""
    least_bid = rule.premium_min_usd / index_usd
    least_iv = rule.ivrv_min * rv if rule.ivrv_min > 0.0 else 0.0
    best, nearest = -1, np.inf
    for row in range(rows[0], rows[1]):
        bid, delta = calls.bid[row], calls.delta[row]
        is_inside = rule.delta_min <= delta <= rule.delta_max
        is_rich = bid > 0.0 and bid >= least_bid and calls.mark_iv[row] >= least_iv
        distance = abs(delta - rule.target_delta)
        if is_inside and is_rich and distance < nearest:
            best, nearest = row, distance
    return best


@kernel
def choose_row(
    rule: EntryCodes, calls: Calls, taken_ms: int, index_usd: float, rv: float
) -> tuple[int, int]:
    """
    The row of the call to sell among those of one snapshot, and why there is none.

    The row is -1 where there is none, and the second figure then NO_EXPIRY or NO_STRIKE, else
    0. A call without bid, volatility or delta is no choice.
    """
    rows = choose_expiry(rule, calls.expiry_ms, 0, calls.expiry_ms.size, taken_ms)
    if rows[0] == rows[1]:
        return -1, NO_EXPIRY
    row = choose_strike(rule, calls, rows, index_usd, rv)
    return row, 0 if row >= 0 else NO_STRIKE


@inline
def exit_of(rule: ExitCodes, held: Held) -> int:
    """Why *held* is to end, one of BY_*; 0 while it is not. NaN triggers nothing."""
    if rule.rolls and (held.rolls >= rule.max_rolls or held.dte <= rule.min_dte_to_roll):
        return 0
    captured_pct = 100.0 * (held.sold_at - held.ask) / held.sold_at
    if rule.takes_profit and captured_pct >= rule.take_profit_pct:
        return BY_PROFIT
    if rule.defends and held.index_usd >= rule.defend_near_strike * held.strike:
        return BY_DEFENCE
    if rule.ends_by_time and held.dte <= rule.time_exit_dte:
        return BY_TIME
    if rule.ends_by_delta and held.delta >= rule.delta_stop:
        return BY_DELTA
    return 0


@kernel
def exit_code(rule: ExitCodes, held: Held) -> int:
    """`exit_of`, to be called from outside."""
    return exit_of(rule, held)


@inline
def _row_of(calls: Calls, first: int, last: int, expiry_ms: int, strike: float) -> int:
    """The row of a contract from *first* to *last*; -1 if it is not there."""
    low, high = first, last
    while low < high:
        middle = (low + high) // 2
        is_before = calls.expiry_ms[middle] < expiry_ms or (
            calls.expiry_ms[middle] == expiry_ms and calls.strike[middle] < strike
        )
        if is_before:
            low = middle + 1
        else:
            high = middle
    is_found = low < last and calls.expiry_ms[low] == expiry_ms and calls.strike[low] == strike
    return low if is_found else -1


@inline
def _row_now(run: Run, at: int, expiry_ms: int, strike: float) -> int:
    """The row of a contract in snapshot *at*; -1 if it is not listed there."""
    first, last = run.instants.first[at], run.instants.first[at + 1]
    return _row_of(run.calls, first, last, expiry_ms, strike)


@inline
def _margin_coin(run: Run, row: int) -> float:
    """The initial margin of one contract short, as core.risk.margin."""
    calls, terms = run.calls, run.terms
    out_of_money = max(calls.strike[row] - calls.forward[row], 0.0) / calls.forward[row]
    return float(max(terms.margin_initial - out_of_money, terms.margin_floor) + calls.mark[row])


@kernel
def is_allowed(run: Run, row: int, balance: float, amount: float, at: int) -> bool:
    """Whether risk lets *amount* of the call in *row* be sold by an account that is flat."""
    calls, terms, now_ms = run.calls, run.terms, run.instants.at_ms[at]
    if row < 0 or not calls.is_sellable[row]:
        return False
    in_day_ms = now_ms % DAY_MS // 60_000 * 60_000  # the control reads hours and minutes
    if _SETTLES_MS[0] <= in_day_ms < _SETTLES_MS[1]:
        return False
    if calls.expiry_ms[row] - now_ms <= _BEFORE_EXPIRY_MS:
        return False
    bid = calls.bid[row]
    fee = min(terms.trade_fee, terms.fee_cap * bid)
    equity = balance - ((calls.mark[row] - bid) + fee) * amount
    used_pct = 100.0 * _margin_coin(run, row) * amount / equity
    notional_usd = amount * run.instants.index_usd[at]
    slack = 1.0 + _ROUNDED
    return (
        equity > 0.0
        and used_pct <= terms.max_margin_pct * slack
        and notional_usd <= terms.max_notional_usd * slack
        and amount * calls.net_delta[row] <= terms.max_net_delta * slack
        and round(amount / terms.lot) <= terms.max_expiry_lots
    )


@inline
def _covered_lots(terms: Terms, balance: float) -> int:
    """The lots that the coin held covers, and no more than an order has."""
    lots = int(np.floor(max(balance, 0.0) / terms.lot * (1.0 + _ROUNDED)))
    return min(lots, terms.order_lots)


@kernel
def open_call(run: Run, state: State, log: Log, sale: Sale) -> None:
    """Sell what *sale* says at its bid."""
    figures, counts, calls, terms = state.figures, state.counts, run.calls, run.terms
    row, amount, number = sale.row, sale.amount, counts[TRADES]
    entry = calls.bid[row]
    fee = min(terms.trade_fee, terms.fee_cap * entry) * amount
    figures[BALANCE] -= fee
    figures[BALANCE] += entry * amount
    figures[ENTRY], figures[STRIKE], figures[AMOUNT] = entry, calls.strike[row], amount
    figures[FEES], figures[BEST], figures[WORST] = fee, -np.inf, np.inf
    counts[EXPIRY] = calls.expiry_ms[row]
    log.opened_at[number], log.opened_row[number], log.chain[number] = sale.at, row, sale.chain
    log.amount[number], log.entry[number], log.entry_fee[number] = amount, entry, fee
    log.margin[number] = _margin_coin(run, row) * amount
    counts[TRADES] = number + 1


@inline
def _end(state: State, log: Log, end: End) -> None:
    """End the call held as *end* says."""
    figures, counts = state.figures, state.counts
    number = counts[TRADES] - 1
    figures[BALANCE] -= end.fee
    figures[BALANCE] -= end.price * figures[AMOUNT]
    log.closed_at[number], log.closed_row[number] = end.at, end.row
    log.reason[number], log.exit[number], log.exit_fee[number] = end.reason, end.price, end.fee
    log.best[number], log.worst[number] = figures[BEST], figures[WORST]
    counts[EXPIRY], figures[AMOUNT] = 0, 0.0


@inline
def _bought_back(run: Run, state: State, at: int, row: int, reason: int) -> End:
    """The end of all that is held at the ask in *row*."""
    price = run.calls.ask[row]
    fee = min(run.terms.trade_fee, run.terms.fee_cap * price) * state.figures[AMOUNT]
    return End(at, row, price, fee, reason)


@kernel
def _deliver(run: Run, state: State, log: Log, at: int) -> None:
    """Deliver the call held, if the price of its expiry is known."""
    expiry_ms, terms = state.counts[EXPIRY], run.terms
    price = run.deliveries.price_usd[np.searchsorted(run.deliveries.expiry_ms, expiry_ms)]
    if isfinite(price):
        payoff = max(price - state.figures[STRIKE], 0.0) / price
        is_daily = (expiry_ms // DAY_MS) % 7 != _FRIDAY
        fee = 0.0 if is_daily else min(terms.delivery_fee, terms.fee_cap * payoff)
        _end(state, log, End(at, -1, payoff, fee * state.figures[AMOUNT], EXPIRED))


@kernel
def _mark(run: Run, state: State, log: Log, at: int) -> None:
    """Value what is held at its mark, or at the last one there was, and write it down."""
    figures, counts = state.figures, state.counts
    log.cash[at] = figures[BALANCE]
    if counts[EXPIRY] == 0:
        return
    row = _row_now(run, at, counts[EXPIRY], figures[STRIKE])
    if row >= 0 and isfinite(run.calls.mark[row]):
        figures[MARK] = run.calls.mark[row]
    pnl = figures[AMOUNT] * (figures[ENTRY] - figures[MARK]) - figures[FEES]
    figures[BEST], figures[WORST] = max(figures[BEST], pnl), min(figures[WORST], pnl)
    log.held[at], log.held_row[at], log.mark[at] = -figures[AMOUNT], row, figures[MARK]


@kernel
def _exit(run: Run, state: State, log: Log, at: int, seen: int) -> int:
    """Let the rule look at what is held on snapshot *seen*; the problem of an exit, 0 if none."""
    instants, calls, figures, counts = run.instants, run.calls, state.figures, state.counts
    first, last, seen_ms = instants.first[seen], instants.first[seen + 1], instants.at_ms[seen]
    row = _row_of(calls, first, last, counts[EXPIRY], figures[STRIKE])
    held = Held(
        figures[ENTRY],
        calls.ask[row] if row >= 0 else nan,
        calls.delta[row] if row >= 0 else nan,
        max(counts[EXPIRY] - seen_ms, 0) / DAY_MS,
        figures[STRIKE],
        instants.index_usd[seen],
        counts[ROLLS],
    )
    reason = exit_of(run.ending, held)
    if reason == 0:
        return 0
    target = -1
    if run.ending.rolls:
        rows = choose_expiry(run.entry, calls.expiry_ms, first, last, seen_ms)
        index_usd, rv = instants.index_usd[seen], instants.rv[seen]
        target = choose_strike(run.entry, calls, rows, index_usd, rv)
        target = -1 if target == row else target
    here = _row_now(run, at, counts[EXPIRY], figures[STRIKE])
    if here < 0 or not calls.is_buyable[here]:
        return NO_BUYER
    if target < 0:
        _end(state, log, _bought_back(run, state, at, here, reason))
        return 0
    fresh = _row_now(run, at, calls.expiry_ms[target], calls.strike[target])
    if not is_allowed(run, fresh, figures[BALANCE], figures[AMOUNT], at):
        return REFUSED
    amount, chain = figures[AMOUNT], log.chain[counts[TRADES] - 1]
    _end(state, log, _bought_back(run, state, at, here, reason))
    if _covered_lots(run.terms, figures[BALANCE]) < round(amount / run.terms.lot):
        return UNCOVERED
    open_call(run, state, log, Sale(at, fresh, amount, chain))
    counts[ROLLS] += 1
    return 0


@kernel
def _entry(run: Run, state: State, log: Log, at: int, seen: int) -> int:
    """Let the rule sell a call by snapshot *seen*; why it could not, 0 if it could."""
    instants, calls, figures, counts = run.instants, run.calls, state.figures, state.counts
    if seen < 0:
        return NO_MARKET
    first, last = instants.first[seen], instants.first[seen + 1]
    rows = choose_expiry(run.entry, calls.expiry_ms, first, last, instants.at_ms[seen])
    if rows[0] == rows[1]:
        return NO_EXPIRY
    index_usd, rv = instants.index_usd[seen], instants.rv[seen]
    target = choose_strike(run.entry, calls, rows, index_usd, rv)
    if target < 0:
        return NO_STRIKE
    lots = _covered_lots(run.terms, figures[BALANCE])
    if lots < run.terms.least_lots:
        return TOO_SMALL
    amount = np.round(lots * run.terms.lot, 12)
    fresh = _row_now(run, at, calls.expiry_ms[target], calls.strike[target])
    if not is_allowed(run, fresh, figures[BALANCE], amount, at):
        return REFUSED
    counts[CHAINS] += 1
    counts[ROLLS] = 0
    open_call(run, state, log, Sale(at, fresh, amount, counts[CHAINS]))
    return 0


@kernel
def simulate(run: Run, state: State, log: Log, start: int) -> None:
    """
    Run the rule over the snapshots from *start* on, writing *log* and moving *state* along.

    At each: a call whose expiry has passed is delivered; then one decision is made on the
    snapshot *terms.latency* before and carried out at this one's quotes; then what is held is
    marked. What the risk engine and the venue would refuse does not happen, see docs/backtest.md.
    """
    counts, at_ms = state.counts, run.instants.at_ms
    for at in range(start, at_ms.size):
        seen = at - run.terms.latency if at > 0 else -1  # the first is only looked at
        if 0 < counts[EXPIRY] <= at_ms[at]:
            _deliver(run, state, log, at)
        if counts[EXPIRY] == 0:
            if is_entry_time(run.entry.is_weekly, at_ms[at]):
                log.problem[at] = _entry(run, state, log, at, seen)
        elif seen >= 0:
            log.problem[at] = _exit(run, state, log, at, seen)
        _mark(run, state, log, at)
