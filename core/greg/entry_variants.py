"""The entry engine with the variants in use: limits that hold on, another order, and vetoes."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from attrs import evolve

from core.context.sensor_values import MarketFacts, SensorBundle
from core.greg.catalogue import StrategyCode
from core.greg.entry_terms import EntryTerms, EntryVariant
from core.greg.thresholds import EntryRules, EntryThresholds
from core.greg.waterfall import Selection, select

_PUT, _SPREAD = "ACCUMULATION_CHECK", "DIRECTIONAL_SPREAD_CHECK"
STEP_OF = {
    StrategyCode.CALENDAR: "CALENDAR_CHECK",
    StrategyCode.IRON_BUTTERFLY: "EXTREME_VOL_CHECK",
    StrategyCode.STRADDLE: "STRADDLE_CHECK",
    StrategyCode.STRANGLE: "STRANGLE_CHECK",
    StrategyCode.SHORT_PUT: _PUT,
    StrategyCode.BULL_PUT: _SPREAD,
    StrategyCode.BEAR_CALL: _SPREAD,
}
# Of each step the limits that sensors must exceed to match, and those they must stay below.
_FLOORS = {
    "SAFETY_FILTER": ("safety_adx_high", "safety_chop_high"),
    "CALENDAR_CHECK": ("calendar_term_spread_min", "calendar_vrp_7d_min"),
    "EXTREME_VOL_CHECK": ("iron_fly_iv_rank_min", "iron_fly_vrp_min"),
    "STRADDLE_CHECK": ("straddle_vrp_min",),
    "STRANGLE_CHECK": ("strangle_vrp_min",),
    _PUT: ("skew_neutral_threshold", "min_vrp_directional"),
    _SPREAD: ("skew_neutral_threshold", "min_vrp_directional", "rsi_upper"),
}
_CEILINGS = {
    "CALENDAR_CHECK": ("calendar_front_rv_iv_ratio_max",),
    "STRADDLE_CHECK": ("straddle_chop_max", "straddle_adx_max", "skew_neutral_threshold"),
    "STRANGLE_CHECK": ("strangle_chop_max", "strangle_adx_max", "skew_neutral_threshold"),
    _SPREAD: ("rsi_lower",),
}


def selected(bundle: SensorBundle, rules: EntryRules, before: str = "") -> Selection:
    """
    Return what *rules* choose for *bundle*, by the variants that are in use.

    *before* is the step that chose last, empty where nothing did. A variant that forbids the
    choice makes it NO_TRADE at a step of the variant's name. Without variants it is the choice
    of the waterfall.
    """
    rules = rules.of(bundle.underlying)
    terms, limits = rules.terms, rules.thresholds
    if terms.has(EntryVariant.SPREAD_BEFORE_PUT):
        rules = evolve(rules, steps=_spread_first(rules.steps))
    eased = {}
    if terms.has(EntryVariant.HYSTERESIS) and before in _FLOORS:
        eased = {before: eased_limits(limits, before, terms.band_share)}
    found = select(bundle.sensors, limits, rules, eased=eased)
    if found.strategy is StrategyCode.NO_TRADE:
        return found
    for variant, forbids in _VETOES.items():
        why = forbids(found.strategy, bundle, terms) if terms.has(variant) else ""
        if why:
            return evolve(
                found,
                strategy=StrategyCode.NO_TRADE,
                step_name=variant.upper(),
                reasoning=f"{why}; it would be {found.strategy}, {found.reasoning}",
            )
    return found


def step_held(codes: Iterable[StrategyCode]) -> str:
    """The step of the last of *codes*, strategies that are open on a coin; empty without one."""
    last = list(codes)[-1:]
    return STEP_OF.get(last[0], "") if last else ""


def eased_limits(limits: EntryThresholds, step: str, share: float) -> EntryThresholds:
    """Return *limits* with those of *step* moved by *share* of themselves: it matches on."""
    moved = dict.fromkeys(_FLOORS.get(step, ()), -share)
    moved |= dict.fromkeys(_CEILINGS.get(step, ()), share)
    return evolve(
        limits,
        **{
            name: getattr(limits, name) + by * abs(getattr(limits, name))
            for name, by in moved.items()
        },
    )


def _spread_first(steps: tuple[str, ...]) -> tuple[str, ...]:
    """*steps* with the defined risk before the naked put."""
    if _PUT not in steps or _SPREAD not in steps:
        return steps
    rest = [step for step in steps if step != _SPREAD]
    rest.insert(rest.index(_PUT), _SPREAD)
    return tuple(rest)


def _jumped(_: StrategyCode, bundle: SensorBundle, terms: EntryTerms) -> str:
    sigmas = bundle.market.jump_sigmas
    if sigmas is None:
        return "jumps unknown"
    is_calm = sigmas <= terms.most_jump_sigmas
    return "" if is_calm else f"a jump of {sigmas:.1f} sigma > {terms.most_jump_sigmas:g}"


def _illiquid(_: StrategyCode, bundle: SensorBundle, terms: EntryTerms) -> str:
    share, held = bundle.market.spread_share, bundle.market.open_interest
    if share is None or held is None:
        return "liquidity unknown"
    if share > terms.most_spread_share:
        return f"spread {share:.1%} of the mark > {terms.most_spread_share:.0%}"
    if held < terms.least_open_interest:
        return f"open interest {held:g} < {terms.least_open_interest:g}"
    return ""


def _event_ahead(code: StrategyCode, bundle: SensorBundle, terms: EntryTerms) -> str:
    if code is StrategyCode.CALENDAR:
        return ""
    ahead = _events(terms, bundle.at, bundle.at + terms.event_wait)
    return f"an event at {ahead[0]:%Y-%m-%d %H:%M} UTC" if ahead else ""


def _no_front_event(code: StrategyCode, bundle: SensorBundle, terms: EntryTerms) -> str:
    if code is not StrategyCode.CALENDAR:
        return ""
    market = bundle.market
    if market.front_expires_at is None or _is_inverted(market):
        return "forward volatility unknown or not below the back leg"
    if not _events(terms, bundle.at, market.front_expires_at):
        return f"no event before {market.front_expires_at:%Y-%m-%d}"
    return ""


def _is_inverted(market: MarketFacts) -> bool:
    forward, back = market.forward_iv, market.month_iv
    return forward is None or back is None or forward >= back


def _events(terms: EntryTerms, after: datetime, until: datetime) -> list[datetime]:
    return [each for each in sorted(terms.events) if timedelta(0) <= each - after <= until - after]


_VETOES: dict[EntryVariant, Callable[[StrategyCode, SensorBundle, EntryTerms], str]] = {
    EntryVariant.JUMP_TEST: _jumped,
    EntryVariant.LIQUIDITY_TEST: _illiquid,
    EntryVariant.SCHEDULED_EVENT: _event_ahead,
    EntryVariant.FRONT_EVENT: _no_front_event,
}
