"""Which call is sold, and when: the rule that both engines of the backtest follow."""

from collections.abc import Mapping
from enum import StrEnum
from math import nan

import numpy as np
from attrs import field, frozen

from core.backtest.exits import ExitRule, exit_reason
from core.backtest.kernel import choose_row, is_entry_time
from core.backtest.kernel_types import (
    NO_BUYER,
    NO_EXPIRY,
    NO_MARKET,
    NO_STRIKE,
    REFUSED,
    TOO_SMALL,
    UNCOVERED,
    Calls,
    EntryCodes,
    Held,
)
from core.pricing.black76 import delta, tenor_years
from core.risk.exposure import coin_lots
from core.strategies.base import Proposal
from core.view import TickView
from ports.chain import ChainTable
from ports.checks import epoch_ms, not_negative
from ports.columns import Floats
from ports.decision_log import Action, ActionType, MarketContext
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot
from ports.positions import Leg, TrackedPosition

PROBLEMS = {
    NO_MARKET: "no snapshot to decide on",
    NO_EXPIRY: "no expiry within the days wanted",
    NO_STRIKE: "no call with a bid and a delta within bounds",
    TOO_SMALL: "the coin held does not cover the smallest order",
    REFUSED: "not quoted, or refused by risk, at the moment of the sale",
    UNCOVERED: "bought back, but the coin left does not cover the call to roll to",
    NO_BUYER: "no ask, or one too far from the mark, to buy back at",
}


class Schedule(StrEnum):
    """When a call may be sold, if none is held."""

    WEEKLY = "weekly"  # within the day that begins on Friday at 08:05 UTC
    ALWAYS = "always"  # at every snapshot


class Expiries(StrEnum):
    """Which expiries are looked at."""

    FRIDAYS = "fridays"
    ALL = "all"


@frozen(kw_only=True)
class CallRule:
    """
    Sell the call nearest to *target_delta* on the expiry nearest to *target_dte* days.

    The expiry is chosen first, among those within *dte_min* and *dte_max* days, the earlier of
    two that are equally near; then the strike, among its calls whose delta is within *delta_min*
    and *delta_max*, whose bid is worth *premium_min_usd* and whose mark volatility is *ivrv_min*
    times the realised one, the lower of two. Where that leaves nothing, no call is sold and no
    other expiry is tried.
    """

    schedule: Schedule = Schedule.WEEKLY
    expiries: Expiries = Expiries.FRIDAYS
    target_dte: float = field(default=7.0, validator=not_negative)
    dte_min: float = field(default=3.5, validator=not_negative)
    dte_max: float = field(default=10.5, validator=not_negative)
    target_delta: float = field(default=0.25, validator=not_negative)
    delta_min: float = field(default=0.10, validator=not_negative)
    delta_max: float = field(default=0.40, validator=not_negative)
    premium_min_usd: float = field(default=0.0, validator=not_negative)
    ivrv_min: float = field(default=0.0, validator=not_negative)
    exits: ExitRule = field(factory=ExitRule)

    @property
    def codes(self) -> EntryCodes:
        """The choice of calls as compiled code takes it."""
        return EntryCodes(
            is_weekly=self.schedule is Schedule.WEEKLY,
            is_friday_only=self.expiries is Expiries.FRIDAYS,
            target_dte=self.target_dte,
            dte_min=self.dte_min,
            dte_max=self.dte_max,
            target_delta=self.target_delta,
            delta_min=self.delta_min,
            delta_max=self.delta_max,
            premium_min_usd=self.premium_min_usd,
            ivrv_min=self.ivrv_min,
        )


def deltas_of(calls: ChainTable, snapshot: MarketSnapshot) -> Floats:
    """The Black-76 delta of each of *calls*, (n,), on its own forward and mark volatility."""
    tenor = calls.years_left(snapshot.taken_at)
    return np.asarray(delta(calls.forward, calls.strike, tenor, calls.mark_iv, calls.is_call))


def delta_of(contract: OptionContract, snapshot: MarketSnapshot) -> float:
    """The same of one *contract*; NaN where it is not listed."""
    chain, row = snapshot.chain, snapshot.chain.row_of(contract)
    if row is None:
        return nan
    tenor = tenor_years(int(chain.expiry_ms[row]), epoch_ms(snapshot.taken_at))
    forward, iv = float(chain.forward[row]), float(chain.mark_iv[row])
    return delta(forward, contract.strike, tenor, iv, contract.is_call)


@frozen
class Choice:
    """The call to sell, or why there is none: a word and a sentence."""

    contract: OptionContract | None
    reason: str
    detail: str = ""


def realised_vol_of(context: MarketContext) -> float:
    """The realised volatility that implied is compared with; NaN where none is known."""
    return context.realized_vol_30d or context.realized_vol_7d or nan


def choose(rule: CallRule, snapshot: MarketSnapshot, rv: float) -> Choice:
    """The call that *rule* sells by *snapshot*, where realised volatility is *rv*."""
    calls = snapshot.chain.where(snapshot.chain.is_call)
    untold_figure, untold = np.empty(0), np.empty(0, dtype=np.bool_)  # only risk asks for these
    row, problem = choose_row(
        rule.codes,
        Calls(
            calls.expiry_ms,
            calls.strike,
            calls.forward,
            calls.bid,
            calls.ask,
            calls.mark,
            calls.mark_iv,
            deltas_of(calls, snapshot),
            untold_figure,
            untold,
            untold,
        ),
        epoch_ms(snapshot.taken_at),
        snapshot.index_usd,
        rv,
    )
    if row < 0:
        code = "no_expiry" if problem == NO_EXPIRY else "no_strike"
        return Choice(None, code, PROBLEMS[problem])
    return Choice(calls.contract(row), "best")


@frozen
class RuledCalls:
    """
    The rule as a Strategy: one call per coin, kept as its exits say, sold as CallRule says.

    *order_size* in contracts, by underlying; never more than the coin held covers.
    """

    strategy_id: str
    rule: CallRule
    order_size: Mapping[str, float]

    @property
    def policy_version(self) -> str:
        """Which rules these are."""
        return "call_rule_v1"

    @property
    def underlyings(self) -> tuple[str, ...]:
        """The coins it trades."""
        return tuple(self.order_size)

    def propose(self, view: TickView) -> Proposal:
        """What the rule wants on the market of *view*, at its now."""
        held = [(position, leg) for position in view.positions for leg in position.open_legs]
        if view.working or view.rolls:
            action = self._nothing(view, "order_working")
        elif held:
            action = self._kept(view, *held[0])
        else:
            action = self._opened(view)
        return Proposal(actions=(action,), candidates=(), skipped=())

    def _opened(self, view: TickView) -> Action:
        if not is_entry_time(self.rule.codes.is_weekly, epoch_ms(view.now)):
            return self._nothing(view, "not_entry_time")
        found = choose(self.rule, view.snapshot, realised_vol_of(view.context))
        if found.contract is None:
            return self._nothing(view, found.reason, found.detail)
        amount = self._amount(view)
        if amount <= 0.0:
            return self._nothing(view, "too_small", PROBLEMS[TOO_SMALL])
        symbol = found.contract.symbol
        return Action(
            type=ActionType.OPEN_COVERED_CALL,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=found.reason,
            detail=f"{symbol}: nearest to delta {self.rule.target_delta:g}",
            amount=amount,
            position_id=f"{self.strategy_id}-{symbol}-{view.now:%Y%m%dT%H%M%S%f}",
            contract=found.contract,
        )

    def _kept(self, view: TickView, position: TrackedPosition, leg: Leg) -> Action:
        reason = exit_reason(self.rule.exits, held_figures(view, position, leg))
        if reason is None:
            return self._nothing(view, "hold")
        target = None
        if self.rule.exits.style.rolls:
            target = choose(self.rule, view.snapshot, realised_vol_of(view.context)).contract
            target = None if target == leg.contract else target
        return Action(
            type=ActionType.ROLL_COVERED_CALL if target else ActionType.CLOSE_COVERED_CALL,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=reason,
            detail=f"{leg.contract.symbol} to {target.symbol if target else 'cash'}",
            amount=-leg.size,
            position_id=position.position_id,
            contract=target,
            from_contract=leg.contract,
        )

    def _amount(self, view: TickView) -> float:
        """The order size, clamped down to the coin held; 0 below the venue's minimum."""
        rules = view.snapshot.rules
        size = self.order_size[view.underlying]
        lots = min(rules.lots_down(size), coin_lots(view.account, rules))
        return rules.amount(lots) if lots >= rules.lots_up(rules.min_amount) else 0.0

    def _nothing(self, view: TickView, reason: str, detail: str = "") -> Action:
        return Action(
            type=ActionType.DO_NOTHING,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=reason,
            detail=detail,
        )


def held_figures(view: TickView, position: TrackedPosition, leg: Leg) -> Held:
    """*leg* of *position* as the market of *view* shows it."""
    snapshot, contract = view.snapshot, leg.contract
    chain, row = snapshot.chain, snapshot.chain.row_of(contract)
    return Held(
        sold_at=leg.sold_coin / leg.contracts_sold,
        ask=float(chain.ask[row]) if row is not None else nan,
        delta=delta_of(contract, snapshot),
        dte=contract.days_left(snapshot.taken_at),
        strike=contract.strike,
        index_usd=snapshot.index_usd,
        rolls=position.num_rolls,
    )
