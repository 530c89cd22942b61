"""The fast simulator of covered calls: one rule over columns of chains, in compiled code."""

from collections.abc import Iterator

import numpy as np
from attrs import field, frozen

from core.backtest.columns import CallColumns
from core.backtest.exits import REASONS
from core.backtest.kernel import simulate
from core.backtest.kernel_types import (
    BALANCE,
    TRADES,
    Log,
    Run,
    State,
    Terms,
    empty_log,
)
from core.backtest.rules import PROBLEMS, CallRule
from core.backtest.trades import HeldColumns, MarkColumns, equity_curve, trades_hash
from core.risk.limits import RiskLimits, lots_within
from core.risk.margin import STANDARD, MarginRates
from ports.backtest_runs import BacktestTrade, EquityCurve, ExitReason, Omission, StyleResult
from ports.checks import positive
from ports.columns import Floats, Ints
from ports.instruments import ContractRules

STRATEGY_ID = "call_rule_v1"


@frozen(kw_only=True)
class CallAccount:
    """What a run starts with: coin, the size of an order in contracts, and latency in snapshots."""

    deposit_coin: float = field(validator=positive)
    order_size: float = field(validator=positive)
    latency: int = 1


def beyond_reach(limits: RiskLimits) -> tuple[str, ...]:
    """Why the fast simulator may not stand in for the tick under *limits*; empty where it may."""
    if limits.daily_drawdown_limit_pct:
        return ("a daily drawdown limit is set, which only the tick watches",)
    return ()


def require_reach(limits: RiskLimits) -> None:
    """Refuse, by ValueError, *limits* that hold something only the tick works out."""
    beyond = beyond_reach(limits)
    if beyond:
        raise ValueError(f"the fast simulator cannot run this: {'; '.join(beyond)}")


def compiled(columns: CallColumns, rule: CallRule, account: CallAccount, limits: RiskLimits) -> Run:
    """Everything one run reads, as compiled code takes it."""
    return Run(
        columns.instants,
        columns.calls,
        columns.delivered,
        rule.codes,
        rule.exits.codes,
        terms_of(columns.rules, account, limits),
    )


def terms_of(
    rules: ContractRules, account: CallAccount, limits: RiskLimits, rates: MarginRates = STANDARD
) -> Terms:
    """The venue's terms and the account as compiled code takes them."""
    return Terms(
        deposit_coin=account.deposit_coin,
        lot=rules.amount_step,
        order_lots=rules.lots_down(account.order_size),
        least_lots=rules.lots_up(rules.min_amount),
        latency=account.latency,
        trade_fee=rules.trade_fee_coin,
        delivery_fee=rules.delivery_fee_coin,
        fee_cap=rules.fee_cap,
        margin_initial=rates.initial,
        margin_floor=rates.initial_floor,
        max_margin_pct=limits.max_margin_used_pct,
        max_notional_usd=limits.max_order_notional_usd,
        max_net_delta=limits.max_net_delta_abs,
        max_expiry_lots=lots_within(limits.max_expiry_exposure, rules),
    )


def fresh_state(account: CallAccount) -> State:
    """The state of an account that has only been paid into."""
    state = State(np.zeros(8), np.zeros(4, dtype=np.int64))
    state.figures[BALANCE] = account.deposit_coin
    return state


@frozen(kw_only=True, eq=False, repr=False)
class CallRun:
    """What the compiled run left behind, still as columns."""

    columns: CallColumns
    log: Log
    state: State
    deposit_coin: float

    @property
    def trades(self) -> int:
        """How many calls were sold."""
        return int(self.state.counts[TRADES])

    @property
    def pnl_coin(self) -> Floats:
        """Profit of each trade after fees, coin (t,); one left open counts at its last mark."""
        log, rows = self.log, slice(0, self.trades)
        is_open = log.closed_at[rows] < 0
        last = log.mark[-1] if len(log.mark) else np.nan
        ended = np.where(is_open, last, log.exit[rows])
        fees = log.entry_fee[rows] + np.where(is_open, 0.0, log.exit_fee[rows])
        return np.asarray(log.amount[rows] * (log.entry[rows] - ended) - fees)


def run_calls(
    columns: CallColumns, rule: CallRule, account: CallAccount, limits: RiskLimits
) -> CallRun:
    """
    Run *rule* over *columns* with an account of its own.

    Raises:
        ValueError: *limits* hold something that only the tick works out.
    """
    require_reach(limits)
    state, log = fresh_state(account), empty_log(len(columns.at_ms))
    simulate(compiled(columns, rule, account, limits), state, log, 0)
    return CallRun(columns=columns, log=log, state=state, deposit_coin=account.deposit_coin)


def style_result(run: CallRun, rule: CallRule) -> StyleResult:
    """*run* as it is kept and reported; metrics are worked out elsewhere."""
    trades = tuple(_trades(run))
    return StyleResult(
        exit_style=rule.exits.style,
        trades=trades,
        equity=_equity(run),
        metrics={},
        trades_hash=trades_hash(trades),
        omissions=tuple(_omissions(run)),
    )


def _trades(run: CallRun) -> Iterator[BacktestTrade]:
    columns, log, pnl = run.columns, run.log, run.pnl_coin
    for number in range(run.trades):
        yield _trade(run, columns, log, number, float(pnl[number]))


def _trade(
    run: CallRun, columns: CallColumns, log: Log, number: int, pnl_coin: float
) -> BacktestTrade:
    at, row = int(log.opened_at[number]), int(log.opened_row[number])
    amount, entry = float(log.amount[number]), float(log.entry[number])
    entry_index, entry_fee = float(columns.index_usd[at]), float(log.entry_fee[number])
    contract = columns.contract(row)
    end = _ending(run, number)
    return BacktestTrade(
        number=number + 1,
        chain=int(log.chain[number]),
        strategy_id=STRATEGY_ID,
        contract=contract,
        amount=amount,
        opened_at=columns.taken_at[at],
        closed_at=contract.expiry if end.settlement else columns.taken_at[end.at],
        entry_reason="roll" if number and log.chain[number - 1] == log.chain[number] else "best",
        exit_reason=end.reason,
        entry_index_usd=entry_index,
        exit_index_usd=end.index_usd,
        entry_coin=entry,
        exit_coin=end.price,
        entry_mark_coin=float(columns.mark[row]),
        exit_mark_coin=end.mark,
        entry_delta=float(columns.delta[row]),
        entry_iv=float(columns.mark_iv[row]),
        entry_dte=contract.days_left(columns.taken_at[at]),
        entry_forward_usd=float(columns.forward[row]),
        fees_coin=entry_fee + end.fee,
        fees_usd=entry_fee * entry_index + end.fee * end.index_usd,
        pnl_coin=pnl_coin,
        pnl_usd=(amount * entry - entry_fee) * entry_index
        - (amount * end.price + end.fee) * end.index_usd,
        favorable_coin=end.best,
        adverse_coin=end.worst,
        margin_coin=float(log.margin[number]),
        settlement=end.settlement,
        settlement_error_usd=end.settlement_error_usd,
    )


@frozen(kw_only=True)
class _Ending:
    at: int
    reason: ExitReason
    price: float
    mark: float
    fee: float
    index_usd: float
    best: float
    worst: float
    settlement: str = ""
    settlement_error_usd: float = 0.0


def _ending(run: CallRun, number: int) -> _Ending:
    columns, log = run.columns, run.log
    at, row = int(log.closed_at[number]), int(log.closed_row[number])
    if at < 0:
        return _left_open(run)
    best, worst = float(log.best[number]), float(log.worst[number])
    price, fee = float(log.exit[number]), float(log.exit_fee[number])
    if row >= 0:
        return _Ending(
            at=at,
            reason=REASONS[int(log.reason[number])],
            price=price,
            mark=float(columns.mark[row]),
            fee=fee,
            index_usd=float(columns.index_usd[at]),
            best=best,
            worst=worst,
        )
    delivery = columns.delivery(int(columns.expiry_ms[log.opened_row[number]]))
    if delivery is None:
        raise AssertionError("a call was delivered at no price")
    return _Ending(
        at=at,
        reason=ExitReason.ASSIGNED if price > 0.0 else ExitReason.EXPIRED,
        price=price,
        mark=price,
        fee=fee,
        index_usd=delivery.price_usd,
        best=best,
        worst=worst,
        settlement=delivery.source,
        settlement_error_usd=delivery.error_usd,
    )


def _left_open(run: CallRun) -> _Ending:
    last, figures = len(run.columns.at_ms) - 1, run.state.figures
    return _Ending(
        at=last,
        reason=ExitReason.LEFT_OPEN,
        price=float(run.log.mark[last]),
        mark=float(run.log.mark[last]),
        fee=0.0,
        index_usd=float(run.columns.index_usd[last]),
        best=float(figures[5]),
        worst=float(figures[6]),
    )


def _equity(run: CallRun) -> EquityCurve:
    columns, log = run.columns, run.log
    number = np.flatnonzero(log.held)
    row = log.held_row[number]
    is_listed = row >= 0
    of_trade = np.searchsorted(log.opened_at[: run.trades], number, side="right") - 1
    sold_row = log.opened_row[of_trade]
    seen = np.where(is_listed, row, sold_row)
    forward = np.where(is_listed, columns.forward[seen], np.nan)
    margin = _margin(columns, seen, log.mark[number], log.held[number])
    held = HeldColumns(
        mark_number=number,
        size=log.held[number],
        expiry_ms=columns.expiry_ms[sold_row],
        strike=columns.strike[sold_row],
        is_call=np.ones(len(number), dtype=np.bool_),
        forward=forward,
        iv=np.where(is_listed, columns.mark_iv[seen], np.nan),
        mark=log.mark[number],
        margin_coin=margin,
    )
    unknown = np.full(len(columns.at_ms), np.nan)
    marks = MarkColumns(
        at_ms=columns.at_ms,
        index_usd=columns.index_usd,
        cash_coin=log.cash,
        low_coin=unknown,
        high_coin=unknown,
    )
    return equity_curve(marks, held)


def _margin(columns: CallColumns, row: Ints, mark: Floats, size: Floats) -> Floats:
    out = np.maximum(columns.strike[row] - columns.forward[row], 0.0) / columns.forward[row]
    per_contract = np.maximum(STANDARD.initial - out, STANDARD.initial_floor) + mark
    return np.asarray(per_contract * -size)


def _omissions(run: CallRun) -> Iterator[Omission]:
    """Every problem once, when it begins: the ticks that only repeat it are left out."""
    problem = run.log.problem
    begins = np.flatnonzero((problem != 0) & (problem != np.concatenate([[0], problem[:-1]])))
    for at in begins:
        yield Omission(
            at=run.columns.taken_at[int(at)],
            subject=run.columns.underlying,
            reason=PROBLEMS[int(problem[at])],
        )
