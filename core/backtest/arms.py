"""Arms: what each call that might have been sold would have come to, one at a time."""

from enum import StrEnum
from math import nan

import numpy as np
from attrs import define, frozen

from core.backtest.columns import CallColumns
from core.backtest.covered_call import CallAccount, beyond_reach, fresh_state, terms_of
from core.backtest.exits import REASONS
from core.backtest.kernel import DAY_MS, is_allowed, open_call, simulate
from core.backtest.kernel_types import BALANCE, EXPIRY, MARK, TRADES, Log, Run, Sale, empty_log
from core.backtest.rules import CallRule
from core.risk.limits import RiskLimits
from ports.backtest_runs import ExitReason

_NOTHING_MORE = 1 << 40  # lots: no account covers so many, so what has ended is not begun again


class ArmStatus(StrEnum):
    """How far the story of a call goes."""

    SETTLED = "settled"  # to its end
    OPEN = "open"  # the data end before it does
    UNSOLD = "unsold"  # risk would refuse the sale at the quotes of the moment
    UNSEEN = "unseen"  # the data end before the sale


@frozen(kw_only=True)
class ArmOutcome:
    """
    One contract sold at its bid, *latency* snapshots after the decision, and kept by a rule.

    Rewards are the calls alone after fees, rolls included, in USD each flow at the index of its
    instant; hodl_usd is what one coin gained from sale to end, and the drawdown, percent, that of
    coin and calls together at marks. *known_at_ms* is the snapshot that first told the end. NaN
    and 0 where there is none.
    """

    status: ArmStatus
    filled_at_ms: int = 0
    known_at_ms: int = 0
    reason: str = ""
    legs: int = 0
    reward_coin: float = nan
    reward_usd: float = nan
    hodl_usd: float = nan
    max_drawdown_pct: float = nan

    @property
    def is_sold(self) -> bool:
        """Whether there was a sale."""
        return self.status in (ArmStatus.SETTLED, ArmStatus.OPEN)


@define(eq=False)
class Arms:
    """Calls of *columns* sold one by one under *rule*; the log is written anew for each."""

    columns: CallColumns
    rule: CallRule
    latency: int
    _run: Run
    _account: CallAccount
    _log: Log

    @classmethod
    def over(
        cls, columns: CallColumns, rule: CallRule, limits: RiskLimits, latency: int = 1
    ) -> "Arms":
        """
        Arms of one contract each, on one coin each.

        Raises:
            ValueError: *limits* hold something that only the tick works out.
        """
        beyond = beyond_reach(limits)
        if beyond:
            raise ValueError(f"arms cannot be run under these limits: {'; '.join(beyond)}")
        account = CallAccount(deposit_coin=1.0, order_size=1.0, latency=latency)
        terms = terms_of(columns.rules, account, limits)
        run = Run(
            columns.instants,
            columns.calls,
            columns.delivered,
            # Only the hour of a new entry is read off this, and there is none.
            rule.codes._replace(is_weekly=True),
            rule.exits.codes,
            terms._replace(least_lots=_NOTHING_MORE),
        )
        return cls(columns, rule, latency, run, account, empty_log(len(columns.at_ms)))

    def outcome(self, seen: int, expiry_ms: int, strike: float) -> ArmOutcome:
        """What the call came to that was decided on in snapshot *seen*."""
        at = seen + self.latency
        if at >= len(self.columns.at_ms):
            return ArmOutcome(status=ArmStatus.UNSEEN)
        row = self._row(at, expiry_ms, strike)
        if row < 0 or not is_allowed(self._run, row, 1.0, 1.0, at):
            return ArmOutcome(status=ArmStatus.UNSOLD)
        state = fresh_state(self._account)
        open_call(self._run, state, self._log, Sale(at, row, 1.0, 1))
        state.figures[MARK] = self.columns.mark[row]
        instants = self._run.instants
        cut = instants._replace(at_ms=instants.at_ms[: self._end(expiry_ms)])
        balance = float(state.figures[BALANCE])
        simulate(self._run._replace(instants=cut), state, self._log, at + 1)
        legs = int(state.counts[TRADES])
        if state.counts[EXPIRY] != 0:
            sold_ms = int(self.columns.at_ms[at])
            return ArmOutcome(status=ArmStatus.OPEN, filled_at_ms=sold_ms, legs=legs)
        return self._settled(at, row, legs, balance)

    def _row(self, at: int, expiry_ms: int, strike: float) -> int:
        """The row of a contract in snapshot *at*; -1 if it is not listed there."""
        columns = self.columns
        rows = slice(int(columns.first[at]), int(columns.first[at + 1]))
        same = (columns.expiry_ms[rows] == expiry_ms) & (columns.strike[rows] == strike)
        found = np.flatnonzero(same)
        return rows.start + int(found[0]) if len(found) else -1

    def _end(self, expiry_ms: int) -> int:
        """One past the last snapshot that can matter to a call of *expiry_ms* and its rolls."""
        exits = self.rule.exits
        rolls = exits.max_rolls if exits.style.rolls else 0
        latest = expiry_ms + int(rolls * self.rule.dte_max * DAY_MS)
        return int(np.searchsorted(self.columns.at_ms, latest)) + 1

    def _settled(self, at: int, row: int, legs: int, balance: float) -> ArmOutcome:
        columns, log = self.columns, self._log
        closed = int(log.closed_at[legs - 1])
        index = np.append(columns.index_usd[at:closed], self._end_index(legs - 1))
        marks = np.append(columns.mark[row], log.mark[at + 1 : closed])
        cash = np.concatenate([[balance], log.cash[at + 1 : closed + 1]])
        equity_usd = (cash - np.append(marks, 0.0)) * index
        peak = np.maximum.accumulate(equity_usd)
        reward_coin, reward_usd = self._rewards(legs)
        return ArmOutcome(
            status=ArmStatus.SETTLED,
            filled_at_ms=int(columns.at_ms[at]),
            known_at_ms=int(columns.at_ms[closed]),
            reason=self._reason(legs - 1),
            legs=legs,
            reward_coin=reward_coin,
            reward_usd=reward_usd,
            hodl_usd=float(index[-1] - index[0]),
            max_drawdown_pct=float(100.0 * np.nanmax(1.0 - equity_usd / peak)),
        )

    def _rewards(self, legs: int) -> tuple[float, float]:
        """Profit of all *legs* after fees, coin and USD."""
        log, coin, usd = self._log, 0.0, 0.0
        for leg in range(legs):
            gained = float(log.entry[leg] - log.entry_fee[leg])
            paid = float(log.exit[leg] + log.exit_fee[leg])
            opened = float(self.columns.index_usd[log.opened_at[leg]])
            coin += gained - paid
            usd += gained * opened - paid * self._end_index(leg)
        return coin, usd

    def _end_index(self, leg: int) -> float:
        """The index that ended *leg*: its delivery price, or that of the buy-back."""
        log, columns = self._log, self.columns
        if log.closed_row[leg] >= 0:
            return float(columns.index_usd[log.closed_at[leg]])
        delivery = columns.delivery(int(columns.expiry_ms[log.opened_row[leg]]))
        if delivery is None:
            raise AssertionError("a call was delivered at no price")
        return delivery.price_usd

    def _reason(self, leg: int) -> str:
        if self._log.closed_row[leg] >= 0:
            return REASONS[int(self._log.reason[leg])]
        return ExitReason.ASSIGNED if self._log.exit[leg] > 0.0 else ExitReason.EXPIRED
