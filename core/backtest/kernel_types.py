"""What the compiled covered-call rule takes and leaves: named columns, numbers and codes."""

from math import nan
from typing import NamedTuple

import numpy as np

from ports.columns import Bools, Floats, Ints

BY_PROFIT, BY_DEFENCE, BY_TIME, BY_DELTA = 1, 2, 3, 4
EXPIRED, LEFT_OPEN = 5, 6
NO_MARKET, NO_EXPIRY, NO_STRIKE, TOO_SMALL, REFUSED, NO_BUYER, UNCOVERED = range(1, 8)


class EntryCodes(NamedTuple):
    """When a call is sold, and which: see rules.CallRule."""

    is_weekly: bool
    is_friday_only: bool
    target_dte: float
    dte_min: float
    dte_max: float
    target_delta: float
    delta_min: float
    delta_max: float
    premium_min_usd: float
    ivrv_min: float


class ExitCodes(NamedTuple):
    """How it ends: see exits.ExitRule."""

    takes_profit: bool
    defends: bool
    ends_by_time: bool
    ends_by_delta: bool
    rolls: bool
    take_profit_pct: float
    min_dte_to_roll: float
    defend_near_strike: float
    max_rolls: int
    time_exit_dte: float
    delta_stop: float


class Held(NamedTuple):
    """A short call as the deciding snapshot shows it; NaN is not quoted."""

    sold_at: float  # premium, coin per contract
    ask: float
    delta: float
    dte: float
    strike: float
    index_usd: float
    rolls: int


class Calls(NamedTuple):
    """Calls of one snapshot or many, columns (n,), each snapshot's by expiry and strike."""

    expiry_ms: Ints
    strike: Floats
    forward: Floats
    bid: Floats
    ask: Floats
    mark: Floats
    mark_iv: Floats
    delta: Floats
    net_delta: Floats
    is_sellable: Bools
    is_buyable: Bools


class Instants(NamedTuple):
    """The snapshots, (s,): rows of calls from first[i] to first[i + 1], so first is (s + 1,)."""

    at_ms: Ints
    index_usd: Floats
    rv: Floats  # realised volatility, as the context of that instant has it
    first: Ints


class Deliveries(NamedTuple):
    """What expiries were delivered at, (e,), by expiry; NaN is not known."""

    expiry_ms: Ints
    price_usd: Floats


class Terms(NamedTuple):
    """Sizes in lots, fees and margins of the venue, and what a run starts with."""

    deposit_coin: float
    lot: float
    order_lots: int
    least_lots: int
    latency: int  # snapshots between deciding and trading
    trade_fee: float
    delivery_fee: float
    fee_cap: float
    margin_initial: float
    margin_floor: float
    max_margin_pct: float
    max_notional_usd: float
    max_net_delta: float
    max_expiry_lots: int


class State(NamedTuple):
    """What is carried from one part of a run to the next: (8,) and (4,)."""

    figures: Floats
    counts: Ints


BALANCE, ENTRY, STRIKE, AMOUNT, FEES, BEST, WORST, MARK = range(8)  # of State.figures
EXPIRY, TRADES, CHAINS, ROLLS = range(4)  # of State.counts; EXPIRY 0 is flat


class Log(NamedTuple):
    """
    Trades, (t,) each, of which State.counts says how many are written, and marks, (s,) each.

    Rows are those of Calls, -1 where there is none: a delivery, or a call that is not listed.
    """

    opened_at: Ints  # snapshots
    opened_row: Ints
    closed_at: Ints
    closed_row: Ints
    reason: Ints
    chain: Ints
    amount: Floats
    entry: Floats
    exit: Floats
    entry_fee: Floats
    exit_fee: Floats
    margin: Floats
    best: Floats
    worst: Floats
    cash: Floats  # of marks
    held: Floats
    held_row: Ints
    mark: Floats
    problem: Ints  # why an entry or exit that was due did not happen, 0 where none


class Run(NamedTuple):
    """Everything that one run reads."""

    instants: Instants
    calls: Calls
    deliveries: Deliveries
    entry: EntryCodes
    ending: ExitCodes
    terms: Terms


class Sale(NamedTuple):
    """A call to be sold: in which snapshot and row, how much, in which campaign."""

    at: int
    row: int
    amount: float
    chain: int


class End(NamedTuple):
    """How the call held ends: in which snapshot and row, at what price and fee, and why."""

    at: int
    row: int
    price: float
    fee: float
    reason: int


def empty_log(snapshots: int) -> Log:
    """A log for so many snapshots, and as many trades and one."""

    def ints() -> Ints:
        return np.full(snapshots + 1, -1, dtype=np.int64)

    def floats() -> Floats:
        return np.full(snapshots + 1, nan)

    return Log(
        opened_at=ints(),
        opened_row=ints(),
        closed_at=ints(),
        closed_row=ints(),
        reason=ints(),
        chain=ints(),
        amount=floats(),
        entry=floats(),
        exit=floats(),
        entry_fee=floats(),
        exit_fee=floats(),
        margin=floats(),
        best=floats(),
        worst=floats(),
        cash=floats()[:snapshots],
        held=np.zeros(snapshots),
        held_row=ints()[:snapshots],
        mark=floats()[:snapshots],
        problem=np.zeros(snapshots, dtype=np.int64),
    )
