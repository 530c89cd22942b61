"""judge(): every control an order would break, in one fixed order, with the figures."""

from collections.abc import Callable

from attrs import frozen

from core.risk import conduct_controls as conduct
from core.risk import future_controls as future
from core.risk import market_controls as market
from core.risk import size_controls as size
from core.risk import structure_controls as structure
from core.risk.exposure import RiskState, reduces
from ports.decision_log import Breach, Verdict
from ports.instruments import FutureContract
from ports.trading import OrderIntent


@frozen
class Control:
    """A control: its number, the code it answers with, and whether closing orders obey it too."""

    number: int
    code: str
    check: Callable[[OrderIntent, RiskState], str | None]
    binds_closing: bool = False


_CONDUCT = (
    Control(12, "duplicate", conduct.duplicate, binds_closing=True),
    Control(13, "throttle", conduct.throttle, binds_closing=True),
    Control(14, "repeated_execution", conduct.repeated_execution),
    Control(15, "rejections", conduct.rejections),
    Control(16, "drawdown", conduct.drawdown),
    Control(17, "not_reconciled", conduct.reconciled),
    Control(18, "environment", conduct.environment),
    Control(19, "kill_switch", conduct.kill_switch),
    Control(20, "clock_skew", conduct.clock),
)
_OF_ANY_OPTION = (
    Control(5, "notional", size.notional),
    Control(6, "margin", size.margin_after),
    Control(6, "equity_unknown", size.equity_known),
    Control(7, "net_delta", size.net_delta_after),
    Control(8, "price_collar", market.price_collar, binds_closing=True),
    Control(9, "stale", market.quote_age),
    Control(10, "quote", market.quote_sanity),
)
OF_OPTIONS = (
    Control(1, "order_size", size.order_size),
    Control(2, "not_covered", size.covered),
    Control(3, "expiry_exposure", size.expiry_exposure),
    Control(4, "position_count", size.position_count),
    *_OF_ANY_OPTION,
    Control(11, "instrument", market.instrument),
    *_CONDUCT,
)
OF_STRUCTURES = (
    Control(1, "order_size", size.order_size),
    Control(2, "not_covered", structure.secured),
    Control(3, "expiry_exposure", structure.expiry_exposure),
    Control(4, "position_count", structure.position_counts),
    *_OF_ANY_OPTION,
    Control(11, "instrument", market.tradable),
    *_CONDUCT,
)
OF_FUTURES = (
    Control(1, "order_size", future.future_size),
    Control(4, "position_count", size.chain_count),
    Control(5, "notional", future.future_notional),
    Control(6, "margin", future.future_margin),
    Control(6, "equity_unknown", size.equity_known),
    Control(7, "net_delta", future.future_net_delta),
    Control(8, "price_collar", future.future_price, binds_closing=True),
    Control(9, "stale", future.future_ages),
    Control(11, "instrument", future.perpetual),
    Control(11, "not_hedging", future.hedges),
    *_CONDUCT,
)


# Ports and numpy raise these on figures that make no sense; anything else is a bug and stops us.
FAILURES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def judge(intent: OrderIntent, state: RiskState) -> Verdict:
    """
    Every reason why *intent* may not be sent in *state*; none of them stops the others.

    An order that only reduces a position answers to the controls that bind closing alone. An
    exception inside a control is a refusal by that control.
    """
    closing = _is_closing(intent, state)
    breaches = [
        breach
        for control in _controls_of(intent, state)
        if control.binds_closing or not closing
        if (breach := _ask(control, intent, state)) is not None
    ]
    if intent.reduce_only and not closing:
        detail = f"{intent.contract.symbol}: {intent.amount} is more than there is to reduce"
        breaches.insert(0, Breach(1, "not_reducing", detail))
    return Verdict(tuple(breaches))


def _controls_of(intent: OrderIntent, state: RiskState) -> tuple[Control, ...]:
    if isinstance(intent.contract, FutureContract):
        return OF_FUTURES
    return OF_STRUCTURES if intent.strategy_id in state.limits.structured else OF_OPTIONS


def _is_closing(intent: OrderIntent, state: RiskState) -> bool:
    try:
        return reduces(intent, state)
    except FAILURES:
        return False


def _ask(control: Control, intent: OrderIntent, state: RiskState) -> Breach | None:
    try:
        detail = control.check(intent, state)
    except FAILURES as error:
        detail = f"the control itself failed: {error}"
    return None if detail is None else Breach(control.number, control.code, detail)
