"""Settings of Greg and of hedging as the values that core knows."""

from collections.abc import Mapping

from attrs import evolve

from apps.settings.faults import Fault, SettingsError
from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.settings.venue import BASE_URLS
from apps.wiring.greg_risk import size_caps, tightened_mode
from apps.wiring.greg_rules import greg_rules
from core.context.sensor_values import DataSource, SensorParams, SensorVariant
from core.greg.bands import BandRule
from core.greg.catalogue import HedgeMode, StrategyCode
from core.greg.guards import Guard, guards_of
from core.greg.hedging import HedgeScope, HedgeStop, HedgeTerms
from core.greg.management import (
    BandBasis,
    FundingConvention,
    HedgeRule,
    PositionRules,
    PositionVariant,
)
from core.greg.modes import Caps, Environment, Mode, ModeState
from core.greg.sizing import with_notional
from core.strategies.greg import GregParams

_RULES_OF_GREG = (
    "greg_sensor_variants",
    "greg_entry_variants",
    "greg_scheduled_events",
    "greg_position_variants",
)


def sensor_params(settings: Settings) -> SensorParams:
    """
    How sensors are measured.

    Raises:
        SettingsError: There is no variant of a name.
    """
    names = settings.greg.greg_sensor_variants
    unknown = [name for name in names if name not in set(SensorVariant)]
    if unknown:
        raise _fault("greg.greg_sensor_variants", ", ".join(unknown), ", ".join(SensorVariant))
    return SensorParams(variants=frozenset(SensorVariant(name) for name in names))


def data_source(settings: Settings) -> DataSource:
    """
    Where the prices of the market of *settings* come from.

    Who answers at another address than Deribit's own may invent them, and counts as doing so.
    """
    venue = settings.venue
    if venue.is_deribit:
        is_own = venue.base_url in BASE_URLS.values()
        return DataSource.EXCHANGE if is_own else DataSource.SYNTHETIC
    return DataSource.RECORDED if venue.market == "replay" else DataSource.SYNTHETIC


def greg_params(settings: Settings) -> GregParams:
    """
    What Greg looks at, and by which rules.

    Raises:
        SettingsError: There is no guard or variant of a name.

        StoreDamaged: A shipped document is not as it was shipped.
    """
    rules, state = greg_rules(settings), tightened_mode(settings, mode_state(settings))
    return GregParams(
        underlyings=tuple(settings.venue.underlyings),
        data_source=data_source(settings),
        entry=rules.entry,
        position=rules.position,
        sensors=sensor_params(settings),
        convention=funding_convention(settings),
        variants=position_variants(settings),
        guards=guards_in_use(settings),
        caps=with_notional(size_caps(settings), state),
        mode=state.mode,
    )


def greg_config(settings: Settings, coin: Coin) -> dict[str, object]:
    """All of Greg's that can change what he opens and ends on *coin* in a backtest, by name."""
    given, caps = settings.greg.model_dump(mode="json"), size_caps(settings)
    limits = greg_rules(settings).entry.of(coin).thresholds.by_key()
    return {
        **{f"greg.{name}": given[name] for name in _RULES_OF_GREG},
        **{f"greg.entry_rules.{key}": value for key, value in limits.items()},
        "greg.max_equity_share": 100.0 * caps.equity_share,
        "greg.max_positions_per_underlying": float(caps.most_positions),
    }


def guards_in_use(settings: Settings) -> tuple[Guard, ...]:
    """
    The secondary guards that are told beside advice.

    Raises:
        SettingsError: There is no guard of a name.
    """
    try:
        return guards_of(settings.greg.greg_secondary_guards)
    except ValueError as error:
        raise _fault("greg.greg_secondary_guards", str(error), ", ".join(Guard)) from error


def position_variants(settings: Settings) -> frozenset[PositionVariant]:
    """
    The better rules for open positions that are in use.

    Raises:
        SettingsError: There is no variant of a name.
    """
    names = settings.greg.greg_position_variants
    unknown = [name for name in names if name not in set(PositionVariant)]
    if unknown:
        raise _fault("greg.greg_position_variants", ", ".join(unknown), ", ".join(PositionVariant))
    return frozenset(PositionVariant(name) for name in names)


def funding_convention(settings: Settings) -> FundingConvention:
    """How coin is taken up after a put went deep into the money."""
    return FundingConvention(settings.greg.assignment_funding_convention)


def band_rule(settings: Settings) -> BandRule:
    """Where the width of hedging bands comes from."""
    return BandRule(settings.hedge.hedge_band_rule)


def hedge_terms(settings: Settings, rules: PositionRules) -> HedgeTerms:
    """How a hedge is made beside the rule of its strategy."""
    return HedgeTerms(
        basis=BandBasis(settings.greg.hedge_band_basis),
        stop=HedgeStop(settings.hedge.hedge_stop),
        scope=HedgeScope(settings.hedge.hedge_scope),
        figures=rules.figures,
    )


def hedge_rules_in_use(
    settings: Settings, rules: PositionRules
) -> Mapping[StrategyCode, HedgeRule]:
    """The hedges of the document; the dynamic ones are looked at as *settings* say."""
    hedge = settings.hedge
    return {
        code: evolve(
            rule,
            every_s=float(hedge.hedge_check_interval_sec),
            on_move=hedge.hedge_on_price_move_pct,
        )
        if rule.mode is HedgeMode.DYNAMIC_DELTA
        else rule
        for code, rule in rules.hedges.items()
    }


def mode_state(settings: Settings) -> ModeState:
    """The gates as they stand when a process begins."""
    greg = settings.greg
    caps = Caps(
        per_position_usd=greg.greg_live_max_notional_usd_per_position,
        per_underlying_usd=greg.greg_live_max_notional_usd_per_underlying,
    )
    return ModeState(
        mode=Mode(greg.greg_trading_mode),
        enable_live=greg.greg_enable_live_execution,
        strategies=frozenset(
            StrategyCode(code) for code, is_on in greg.greg_strategy_live_enabled.items() if is_on
        ),
        caps=caps,
        most=caps,
        caps_spare_reductions=greg.greg_caps_spare_reductions,
        reason="settings",
    )


def greg_environment(settings: Settings) -> Environment:
    """Which venue the gates see."""
    return Environment(settings.venue.deribit_env)


def _fault(path: str, found: str, allowed: str) -> SettingsError:
    return SettingsError((Fault(path, found, allowed, ""),))
