"""Settings of Greg and of hedging as the values that core knows."""

import pytest

from apps.settings.faults import SettingsError
from apps.settings.greg import GregSettings, HedgeSettings
from apps.settings.root import Settings
from apps.settings.venue import VenueSettings
from apps.wiring.desk import volatility_for
from apps.wiring.greg_params import (
    band_rule,
    data_source,
    funding_convention,
    greg_environment,
    greg_params,
    guards_in_use,
    hedge_rules_in_use,
    hedge_terms,
    mode_state,
    position_variants,
    sensor_params,
)
from core.context.sensor_values import DataSource, SensorVariant
from core.greg.bands import BandRule
from core.greg.catalogue import StrategyCode
from core.greg.guards import Guard
from core.greg.hedging import HedgeScope, HedgeStop, HedgeTerms
from core.greg.management import BandBasis, FundingConvention, PositionRules, PositionVariant
from core.greg.modes import Caps, Environment, Mode, ModeState
from core.strategies.covered_call import CoveredCall
from core.strategies.greg import Greg, GregParams
from core.usecases.read_volatility import KeptVolatility
from tests.support.markets import StillClock
from tests.support.sensing import ToldVolatility
from tests.support.views import PARAMS


def greg(**told: object) -> Settings:
    """Settings with these of Greg."""
    return Settings(greg=GregSettings.model_validate(told))


def test_without_settings_everything_is_closed_and_plain() -> None:
    """Advice only, no switch, no flag, the caps of the specification; no variant, no guard."""
    settings = Settings()
    state = mode_state(settings)

    assert state == ModeState(
        caps=Caps(per_position_usd=500.0, per_underlying_usd=2000.0), reason="settings"
    )
    assert sensor_params(settings).variants == frozenset()
    assert position_variants(settings) == frozenset()
    assert guards_in_use(settings) == ()
    assert funding_convention(settings) is FundingConvention.AS_SPECIFIED
    assert band_rule(settings) is BandRule.FIXED
    terms = hedge_terms(settings, PositionRules())
    assert terms == HedgeTerms()
    assert greg_environment(settings) is Environment.TESTNET
    assert not settings.hedge.hedge_enabled
    assert greg_params(settings).data_source is DataSource.SYNTHETIC


def test_every_setting_arrives() -> None:
    """Each under its own name."""
    settings = greg(
        greg_trading_mode="paper",
        greg_enable_live_execution=True,
        greg_strategy_live_enabled={"STRATEGY_B_CALENDAR": True, "STRATEGY_C_SHORT_PUT": False},
        greg_live_max_notional_usd_per_position=600.0,
        greg_live_max_notional_usd_per_underlying=900.0,
        assignment_funding_convention="carry_aware",
        hedge_band_basis="per_unit",
        greg_secondary_guards=["iv_rise"],
        greg_sensor_variants=["rank_percentile"],
        greg_position_variants=["early_put"],
        greg_caps_spare_reductions=True,
    )
    state = mode_state(settings)
    caps = Caps(per_position_usd=600.0, per_underlying_usd=900.0)

    assert (state.mode, state.enable_live) == (Mode.PAPER, True)
    assert state.strategies == {StrategyCode.CALENDAR}
    assert (state.caps, state.most, state.caps_spare_reductions) == (caps, caps, True)
    assert funding_convention(settings) is FundingConvention.CARRY_AWARE
    assert hedge_terms(settings, PositionRules()).basis is BandBasis.PER_UNIT
    assert guards_in_use(settings) == (Guard.IV_RISE,)
    assert sensor_params(settings).variants == {SensorVariant.RANK_PERCENTILE}
    assert position_variants(settings) == {PositionVariant.EARLY_PUT}


def test_settings_of_hedging_arrive() -> None:
    """Interval and move of the dynamic ones only; rule, stop and scope."""
    settings = Settings(
        hedge=HedgeSettings(
            hedge_check_interval_sec=30,
            hedge_on_price_move_pct=0.02,
            hedge_band_rule="zakamouline",
            hedge_stop="edge",
            hedge_scope="book",
        )
    )
    rules = hedge_rules_in_use(settings, PositionRules())
    assert (rules[StrategyCode.STRANGLE].every_s, rules[StrategyCode.STRANGLE].on_move) == (
        30,
        0.02,
    )
    assert (rules[StrategyCode.CALENDAR].every_s, rules[StrategyCode.CALENDAR].on_move) == (
        3600,
        None,
    )
    assert rules[StrategyCode.BULL_PUT].every_s is None
    assert band_rule(settings) is BandRule.ZAKAMOULINE
    terms = hedge_terms(settings, PositionRules())
    assert (terms.stop, terms.scope) == (HedgeStop.EDGE, HedgeScope.BOOK)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("greg_sensor_variants", sensor_params),
        ("greg_position_variants", position_variants),
        ("greg_secondary_guards", guards_in_use),
    ],
)
def test_an_unknown_name_is_a_fault(name: str, read: object) -> None:
    """With the setting's path and the names there are."""
    assert callable(read)
    with pytest.raises(SettingsError) as refusal:
        read(greg(**{name: ["moon"]}))
    (fault,) = refusal.value.faults
    assert fault.path == f"greg.{name}"


@pytest.mark.parametrize(
    ("told", "source"),
    [
        ({"venue_kind": "deribit"}, DataSource.EXCHANGE),
        (
            {"venue_kind": "deribit", "deribit_base_url": "http://127.0.0.1:8099"},
            DataSource.SYNTHETIC,
        ),
        ({"venue_kind": "paper"}, DataSource.SYNTHETIC),
        ({"venue_kind": "exchange"}, DataSource.SYNTHETIC),
        ({"venue_kind": "paper", "market": "replay", "replay_data": "x"}, DataSource.RECORDED),
    ],
)
def test_only_deribit_itself_is_an_exchange(told: dict[str, str], source: DataSource) -> None:
    """What answers elsewhere may invent its prices."""
    assert data_source(Settings(venue=VenueSettings.model_validate(told))) is source


def test_only_greg_has_volatility_asked_for() -> None:
    """Other strategies do not look at it, and nobody asks where nobody tells."""
    calls, source, clock = CoveredCall("covered_call_v1", PARAMS), ToldVolatility(), StillClock()
    both = (Greg("greg_vrp_harvester", GregParams()), calls)

    assert volatility_for((calls,), source, clock) is None
    assert volatility_for(both, None, clock) is None
    asked = volatility_for(both, source, clock)
    assert isinstance(asked, KeptVolatility)
    assert asked.source is source
