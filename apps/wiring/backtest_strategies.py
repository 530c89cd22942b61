"""The strategies of a backtest: the call rule, or the one that trades live with other exits."""

from attrs import evolve

from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest_greg import MANAGED, is_greg
from apps.wiring.backtest_params import GREG, LADDER_ID, call_account, call_rule
from apps.wiring.params import covered_call_params
from core.backtest.covered_call import STRATEGY_ID
from core.backtest.exits import ExitStyle
from core.backtest.ladder import PROFILES, LadderedCalls, LadderMode, LadderParams
from core.backtest.rules import RuledCalls
from core.simulation.listing import deribit_rules
from core.strategies.base import Strategy
from core.strategies.covered_call import CoveredCall, CoveredCallParams
from core.strategies.upkeep import UpkeepParams

_NEVER = 1e9  # days to expiry, percent of premium: no call lives so long or earns so much


def strategies_in(settings: Settings, coin: Coin, style: str) -> tuple[Strategy, ...]:
    """
    What trades *coin* in a backtest that ends calls by *style*.

    Greg's structures are traded by a manager of their own.

    Raises:
        ValueError: What trades has no such exits.
    """
    if is_greg(settings) != (style == MANAGED):
        raise ValueError(f"{MANAGED} is how {GREG} ends what it opens, and nothing else does")
    if is_greg(settings):
        return ()
    size: dict[str, float] = {coin: call_account(settings, coin).order_size}
    if settings.is_training_enabled:
        return (_ladder(settings, coin, style),)
    if settings.backtest.backtest_strategy == STRATEGY_ID:
        return (RuledCalls(STRATEGY_ID, call_rule(settings, style), size),)
    params = evolve(covered_call_params(settings), underlyings=(coin,), order_size=size)
    return (CoveredCall("covered_call_v1", _with_exits(params, ExitStyle(style))),)


def _ladder(settings: Settings, coin: Coin, style: str) -> LadderedCalls:
    """The training profiles side by side; each call a share of the order, a lot at least."""
    policy, rules = settings.policy, deribit_rules(coin)
    calls = policy.max_calls_per_underlying_training
    share = settings.backtest.backtest_order_size.get(coin, 0.0) / calls
    lots = max(rules.lots_down(share), rules.lots_up(rules.min_amount))
    params = LadderParams(
        profiles=tuple(PROFILES[name] for name in policy.training_strategies),
        mode=LadderMode(policy.training_profile_mode),
        max_calls=calls,
        max_per_expiry=policy.training_max_calls_per_expiry,
        call_size=rules.amount(lots),
    )
    return LadderedCalls(LADDER_ID, call_rule(settings, style), params, (coin,))


def _with_exits(params: CoveredCallParams, style: ExitStyle) -> CoveredCallParams:
    return evolve(params, upkeep=_upkeep(params.upkeep, style))


def _upkeep(live: UpkeepParams, style: ExitStyle) -> UpkeepParams:
    """The upkeep of *style*: parts of the *live* one left out."""
    undefended = evolve(live, itm_dte=0.0, near_dte=0.0)
    if style is ExitStyle.HOLD_TO_EXPIRY:
        return evolve(undefended, last_dte=_NEVER)
    if style is ExitStyle.TAKE_PROFIT:
        return undefended
    if style is ExitStyle.DEFENSIVE_ROLL:
        return evolve(live, take_profit_pct=_NEVER)
    if style is ExitStyle.TP_AND_ROLL:
        return live
    raise ValueError(f"covered_call_v1 has no {style}: choose another style, or call_rule_v1")
