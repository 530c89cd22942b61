"""Variants of the entry rules: each off by default, and what each does once it is on."""

from datetime import UTC, datetime, timedelta
from math import inf, nextafter
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.context.sensor_values import DataSource, MarketFacts, SensorBundle
from core.context.sensors import SENSORS, Sensors
from core.greg.catalogue import StrategyCode
from core.greg.entry_terms import EntryTerms, EntryVariant
from core.greg.entry_variants import STEP_OF, eased_limits, selected, step_held
from core.greg.evaluations import Status
from core.greg.reading import entry_reading
from core.greg.thresholds import STEPS, EntryRules, EntryThresholds
from core.greg.waterfall import select
from tests.support.greg_markets import (
    BEAR_CALL,
    BULL_PUT,
    CALENDAR,
    IRON_FLY,
    RUNAWAY,
    SHORT_PUT,
    STRADDLE,
    STRANGLE,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
QUIET = MarketFacts(
    jump_sigmas=2.0,
    spread_share=0.02,
    open_interest=5_000.0,
    month_iv=50.0,
    forward_iv=45.0,
    front_expires_at=NOW + timedelta(days=7),
)
OFF, ALL = EntryRules(), frozenset(EntryVariant)


def bundle(sensors: Sensors, market: MarketFacts = QUIET) -> SensorBundle:
    """What is known of BTC."""
    return SensorBundle(
        underlying="BTC", at=NOW, data_source=DataSource.RECORDED, sensors=sensors, market=market
    )


def rules(*variants: EntryVariant, **terms: object) -> EntryRules:
    """The rules with *variants* in use."""
    return EntryRules(terms=EntryTerms(variants=frozenset(variants), **terms))  # type: ignore[arg-type]


@given(
    st.fixed_dictionaries({name: st.none() | st.floats(-60.0, 110.0) for name in SENSORS}),
    st.sampled_from((*STEPS, "")),
)
@settings(derandomize=True, deadline=None)
def test_off_changes_nothing(values: dict[str, float | None], before: str) -> None:
    """Whatever the market says beside its sensors, and whatever was chosen before."""
    sensors = Sensors(**values)
    plain = select(sensors, EntryThresholds())

    for market in (MarketFacts(), QUIET):
        assert selected(bundle(sensors, market), OFF, before) == plain


@pytest.mark.parametrize(
    ("sensors", "code"),
    [
        (STRADDLE, StrategyCode.STRADDLE),
        (STRANGLE, StrategyCode.STRANGLE),
        (SHORT_PUT, StrategyCode.SHORT_PUT),
        (IRON_FLY, StrategyCode.IRON_BUTTERFLY),
        (BULL_PUT, StrategyCode.BULL_PUT),
        (BEAR_CALL, StrategyCode.BEAR_CALL),
    ],
)
def test_a_quiet_liquid_market_passes_every_test(sensors: Sensors, code: StrategyCode) -> None:
    """With all variants in use the choice is the one without them."""
    assert selected(bundle(sensors), rules(*ALL)).strategy is code


@pytest.mark.parametrize(
    ("variant", "figure", "limit", "is_ceiling"),
    [
        (EntryVariant.JUMP_TEST, "jump_sigmas", 4.0, True),
        (EntryVariant.LIQUIDITY_TEST, "spread_share", 0.10, True),
        (EntryVariant.LIQUIDITY_TEST, "open_interest", 100.0, False),
    ],
)
def test_a_market_is_refused_beyond_its_limit(
    variant: EntryVariant, figure: str, limit: float, is_ceiling: bool
) -> None:
    """At the limit it passes, one step beyond it does not, and neither does the unknown."""
    beyond = nextafter(limit, inf if is_ceiling else -inf)
    moved: list[dict[str, Any]] = [{figure: value} for value in (limit, beyond, None)]
    found = [selected(bundle(STRADDLE, evolve(QUIET, **each)), rules(variant)) for each in moved]

    assert [each.strategy for each in found] == [
        StrategyCode.STRADDLE,
        StrategyCode.NO_TRADE,
        StrategyCode.NO_TRADE,
    ]
    assert {each.step_name for each in found[1:]} == {variant.upper()}
    assert "it would be STRATEGY_A_STRADDLE" in found[1].reasoning
    assert "unknown" in found[2].reasoning


def test_rows_of_a_refused_market() -> None:
    """NO_TRADE passes alone, and the strategy says what pre-empted it."""
    jumped = bundle(STRADDLE, evolve(QUIET, jump_sigmas=9.0))
    rows = entry_reading(jumped, rules(EntryVariant.JUMP_TEST)).evaluations

    assert [row.code for row in rows if row.status is Status.PASS] == [StrategyCode.NO_TRADE]
    assert rows[0].summary == "eligible, pre-empted by NO_TRADE at JUMP_TEST"


@pytest.mark.parametrize(
    ("hours", "code"),
    [
        (-1, StrategyCode.STRADDLE),
        (0, StrategyCode.NO_TRADE),
        (48, StrategyCode.NO_TRADE),
        (49, StrategyCode.STRADDLE),
    ],
)
def test_no_volatility_is_sold_before_an_event(hours: int, code: StrategyCode) -> None:
    """Within two days of it; what is over does not matter, and a calendar lives of it."""
    event = (NOW + timedelta(hours=hours),)
    found = selected(bundle(STRADDLE), rules(EntryVariant.SCHEDULED_EVENT, events=event))
    calendar = selected(bundle(CALENDAR), rules(EntryVariant.SCHEDULED_EVENT, events=event))

    assert found.strategy is code
    assert calendar.strategy is StrategyCode.CALENDAR


@pytest.mark.parametrize(
    ("days", "market", "code"),
    [
        (3, QUIET, StrategyCode.CALENDAR),
        (8, QUIET, StrategyCode.NO_TRADE),
        (3, evolve(QUIET, forward_iv=50.0), StrategyCode.NO_TRADE),
        (3, evolve(QUIET, forward_iv=None), StrategyCode.NO_TRADE),
        (3, evolve(QUIET, front_expires_at=None), StrategyCode.NO_TRADE),
    ],
)
def test_a_calendar_needs_an_event_in_its_front(
    days: int, market: MarketFacts, code: StrategyCode
) -> None:
    """And forward volatility below the back leg; nothing else is asked for either."""
    in_use = rules(EntryVariant.FRONT_EVENT, events=(NOW + timedelta(days=days),))

    assert selected(bundle(CALENDAR, market), in_use).strategy is code
    assert selected(bundle(STRADDLE, market), in_use).strategy is StrategyCode.STRADDLE


def test_defined_risk_goes_before_the_naked_put() -> None:
    """Oversold above the mean: the spread instead of the put; otherwise the put as before."""
    oversold = evolve(SHORT_PUT, rsi_14d=25.0)
    in_use = rules(EntryVariant.SPREAD_BEFORE_PUT)

    assert selected(bundle(oversold), OFF).strategy is StrategyCode.SHORT_PUT
    assert selected(bundle(oversold), in_use).strategy is StrategyCode.BULL_PUT
    assert selected(bundle(SHORT_PUT), in_use).strategy is StrategyCode.SHORT_PUT


HELD = (
    (STRADDLE, {"vrp_30d": 14.3}, StrategyCode.STRADDLE),
    (STRADDLE, {"adx_14d": 20.9}, StrategyCode.STRADDLE),
    (STRADDLE, {"skew_25d": -4.1}, StrategyCode.STRADDLE),
    (STRANGLE, {"chop_factor_7d": 0.83}, StrategyCode.STRANGLE),
    (CALENDAR, {"front_rv_iv_ratio": 0.83}, StrategyCode.CALENDAR),
    (IRON_FLY, {"iv_rank_6m": 0.77}, StrategyCode.IRON_BUTTERFLY),
    (SHORT_PUT, {"skew_25d": 3.9}, StrategyCode.SHORT_PUT),
    (BULL_PUT, {"rsi_14d": 31.0}, StrategyCode.BULL_PUT),
    (BEAR_CALL, {"rsi_14d": 67.0}, StrategyCode.BEAR_CALL),
)


@pytest.mark.parametrize(("sensors", "moved", "code"), HELD)
def test_what_was_chosen_stays_within_its_band(
    sensors: Sensors, moved: dict[str, float], code: StrategyCode
) -> None:
    """Five percent beyond a limit it stays, where it was not chosen before it is not chosen."""
    seen = bundle(evolve(sensors, **moved))
    held = selected(seen, rules(EntryVariant.HYSTERESIS), STEP_OF[code])

    assert selected(seen, rules(EntryVariant.HYSTERESIS)).strategy is not code
    assert selected(seen, OFF, STEP_OF[code]).strategy is not code
    assert held.strategy is code
    rows = entry_reading(seen, rules(EntryVariant.HYSTERESIS), STEP_OF[code]).evaluations
    assert [row.code for row in rows if row.status is Status.PASS] == [code]


def test_a_closed_market_stays_closed_within_its_band() -> None:
    """ADX must fall five percent below the limit of safety before anything is chosen again."""
    calmer = evolve(RUNAWAY, adx_14d=34.0, iv_rank_6m=0.9)
    in_use = rules(EntryVariant.HYSTERESIS)

    assert selected(bundle(calmer), in_use).strategy is StrategyCode.IRON_BUTTERFLY
    assert selected(bundle(calmer), in_use, "SAFETY_FILTER").strategy is StrategyCode.NO_TRADE
    calm = evolve(calmer, adx_14d=33.0)
    assert selected(bundle(calm), in_use, "SAFETY_FILTER").strategy is StrategyCode.IRON_BUTTERFLY


def test_a_band_widens_only_its_own_step() -> None:
    """In the direction that lets it match, for limits of either sign."""
    limits = EntryThresholds(straddle_vrp_min=-10.0)
    eased = eased_limits(limits, "STRADDLE_CHECK", 0.5)

    assert eased == evolve(
        limits,
        straddle_vrp_min=-15.0,
        straddle_chop_max=0.6 + 0.3,
        straddle_adx_max=30.0,
        skew_neutral_threshold=6.0,
    )
    assert eased_limits(limits, "DEFAULT", 0.5) == limits


def test_what_is_held_was_chosen() -> None:
    """The step of the newest position; none held, none chosen."""
    codes = (StrategyCode.STRADDLE, StrategyCode.BEAR_CALL)
    assert step_held(codes) == "DIRECTIONAL_SPREAD_CHECK"
    assert step_held(()) == ""


def test_a_coin_may_have_limits_of_its_own() -> None:
    """They replace the document's for that coin and for no other."""
    lower = evolve(EntryThresholds(), straddle_vrp_min=12.0)
    by_coin = EntryRules(by_underlying={"BTC": lower})
    rich = evolve(STRADDLE, vrp_30d=13.0)
    of_ether = evolve(bundle(rich), underlying="ETH")

    assert selected(bundle(rich), by_coin).strategy is StrategyCode.STRADDLE
    assert selected(of_ether, by_coin).strategy is StrategyCode.STRANGLE
