"""Exit styles: when a short call that was sold by rule is bought back or moved."""

from enum import StrEnum

from attrs import field, frozen

from core.backtest.kernel import exit_code
from core.backtest.kernel_types import BY_DEFENCE, BY_DELTA, BY_PROFIT, BY_TIME, ExitCodes, Held
from ports.backtest_runs import ExitReason
from ports.checks import not_negative


class ExitStyle(StrEnum):
    """How a call ends; what it triggers on is in ExitRule."""

    HOLD_TO_EXPIRY = "hold_to_expiry"  # delivery, nothing else
    TAKE_PROFIT = "take_profit"  # bought back once enough of the premium is earned
    TP_AND_ROLL = "tp_and_roll"  # moved then, and when the index comes near the strike
    DEFENSIVE_ROLL = "defensive_roll"  # moved when the index comes near the strike
    TIME_EXIT = "time_exit"  # bought back with so many days left
    DELTA_EXIT = "delta_exit"  # bought back once the delta is so large

    @property
    def rolls(self) -> bool:
        """Whether another call is sold in place of the one bought back, if there is one."""
        return self in (ExitStyle.TP_AND_ROLL, ExitStyle.DEFENSIVE_ROLL)


@frozen(kw_only=True)
class ExitRule:
    """
    A style with its thresholds; every one is tested on quotes of the deciding snapshot.

    Captured is (premium sold - ask) / premium sold in percent; nearness index / strike. A style
    that rolls does nothing with *min_dte_to_roll* days left or less, nor after *max_rolls*.
    """

    style: ExitStyle = ExitStyle.HOLD_TO_EXPIRY
    take_profit_pct: float = field(default=80.0, validator=not_negative)
    min_dte_to_roll: float = field(default=2.0, validator=not_negative)
    defend_near_strike: float = field(default=0.98, validator=not_negative)
    max_rolls: int = 3
    time_exit_dte: float = field(default=1.0, validator=not_negative)
    delta_stop: float = field(default=0.50, validator=not_negative)

    @property
    def codes(self) -> ExitCodes:
        """The rule as compiled code takes it."""
        style = self.style
        is_mixed = style is ExitStyle.TP_AND_ROLL
        return ExitCodes(
            takes_profit=is_mixed or style is ExitStyle.TAKE_PROFIT,
            defends=is_mixed or style is ExitStyle.DEFENSIVE_ROLL,
            ends_by_time=style is ExitStyle.TIME_EXIT,
            ends_by_delta=style is ExitStyle.DELTA_EXIT,
            rolls=style.rolls,
            take_profit_pct=self.take_profit_pct,
            min_dte_to_roll=self.min_dte_to_roll,
            defend_near_strike=self.defend_near_strike,
            max_rolls=self.max_rolls,
            time_exit_dte=self.time_exit_dte,
            delta_stop=self.delta_stop,
        )


REASONS = {
    BY_PROFIT: ExitReason.TAKE_PROFIT,
    BY_DEFENCE: ExitReason.DEFENSIVE_ROLL,
    BY_TIME: ExitReason.TIME,
    BY_DELTA: ExitReason.DELTA,
}


def exit_reason(rule: ExitRule, held: Held) -> ExitReason | None:
    """Why a call that stands as *held* is to end now; None while it is not."""
    return REASONS.get(exit_code(rule.codes, held))
