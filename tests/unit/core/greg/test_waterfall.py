"""The entry waterfall: every limit below, at and above, every sensor unknown, every order."""

from itertools import product
from math import inf, nan, nextafter

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.context.sensors import SENSORS, Sensors
from core.greg.catalogue import CATALOGUE, StrategyCode
from core.greg.evaluations import Status, evaluations
from core.greg.thresholds import STEPS, EntryThresholds, entry_rules
from core.greg.waterfall import FALLBACK, select
from tests.support.greg_markets import (
    BEAR_CALL,
    BULL_PUT,
    CALENDAR,
    IRON_FLY,
    NOTHING,
    RUNAWAY,
    SHORT_PUT,
    STRADDLE,
    STRANGLE,
)

LIMITS = EntryThresholds()


MATRIX = (
    (STRADDLE, StrategyCode.STRADDLE, 3),
    (STRANGLE, StrategyCode.STRANGLE, 4),
    (CALENDAR, StrategyCode.CALENDAR, 1),
    (SHORT_PUT, StrategyCode.SHORT_PUT, 5),
    (BULL_PUT, StrategyCode.BULL_PUT, 6),
    (BEAR_CALL, StrategyCode.BEAR_CALL, 6),
    (IRON_FLY, StrategyCode.IRON_BUTTERFLY, 2),
    (RUNAWAY, StrategyCode.NO_TRADE, 0),
    (NOTHING, StrategyCode.NO_TRADE, 7),
)
_NONE, _STRADDLE, _STRANGLE = (
    StrategyCode.NO_TRADE,
    StrategyCode.STRADDLE,
    StrategyCode.STRANGLE,
)
_FLY, _CALENDAR = StrategyCode.IRON_BUTTERFLY, StrategyCode.CALENDAR
_PUT, _BULL, _BEAR = StrategyCode.SHORT_PUT, StrategyCode.BULL_PUT, StrategyCode.BEAR_CALL
_SKEWED_FLY = evolve(IRON_FLY, skew_25d=9.0, price_vs_ma200=-1.0)
_BELOW_MEAN = evolve(STRANGLE, price_vs_ma200=-1.0)
# sensors, the one that moves, its limit, and what is chosen below it, at it and above it
EDGES = (
    (IRON_FLY, "adx_14d", 35.0, (_FLY, _FLY, _NONE)),
    (IRON_FLY, "chop_factor_7d", 0.85, (_FLY, _FLY, _NONE)),
    (CALENDAR, "term_structure_spread", 5.0, (_NONE, _NONE, _CALENDAR)),
    (CALENDAR, "front_rv_iv_ratio", 0.8, (_CALENDAR, _NONE, _NONE)),
    (CALENDAR, "vrp_7d", 5.0, (_NONE, _NONE, _CALENDAR)),
    (IRON_FLY, "iv_rank_6m", 0.80, (_STRADDLE, _STRADDLE, _FLY)),
    (_SKEWED_FLY, "vrp_30d", 10.0, (_NONE, _NONE, _FLY)),
    (STRADDLE, "vrp_30d", 15.0, (_STRANGLE, _STRANGLE, _STRADDLE)),
    (STRADDLE, "chop_factor_7d", 0.6, (_STRADDLE, _STRANGLE, _STRANGLE)),
    (STRADDLE, "adx_14d", 20.0, (_STRADDLE, _STRANGLE, _STRANGLE)),
    (STRADDLE, "skew_25d", 4.0, (_STRADDLE, _NONE, _PUT)),
    (STRADDLE, "skew_25d", -4.0, (_NONE, _NONE, _STRADDLE)),
    (STRANGLE, "vrp_30d", 10.0, (_NONE, _STRANGLE, _STRANGLE)),
    (STRANGLE, "chop_factor_7d", 0.8, (_STRANGLE, _NONE, _NONE)),
    (STRANGLE, "adx_14d", 30.0, (_STRANGLE, _NONE, _NONE)),
    (_BELOW_MEAN, "skew_25d", 4.0, (_STRANGLE, _NONE, _NONE)),
    (STRANGLE, "skew_25d", -4.0, (_NONE, _NONE, _STRANGLE)),
    (SHORT_PUT, "skew_25d", 4.0, (_NONE, _NONE, _PUT)),
    (SHORT_PUT, "price_vs_ma200", 0.0, (_NONE, _NONE, _PUT)),
    (SHORT_PUT, "vrp_30d", 2.0, (_NONE, _NONE, _PUT)),
    (BULL_PUT, "skew_25d", 4.0, (_NONE, _NONE, _BULL)),
    (BULL_PUT, "rsi_14d", 30.0, (_BULL, _NONE, _NONE)),
    (BULL_PUT, "vrp_30d", 2.0, (_NONE, _NONE, _BULL)),
    (BEAR_CALL, "skew_25d", -4.0, (_BEAR, _NONE, _NONE)),
    (BEAR_CALL, "rsi_14d", 70.0, (_NONE, _NONE, _BEAR)),
    (BEAR_CALL, "vrp_30d", 2.0, (_NONE, _NONE, _BEAR)),
)


@pytest.mark.parametrize(("sensors", "code", "index"), MATRIX, ids=lambda value: str(value)[:28])
def test_the_environment_matrix(sensors: Sensors, code: StrategyCode, index: int) -> None:
    """Each market of the specification leads to its strategy, at its step."""
    found = select(sensors, LIMITS)

    assert (found.strategy, found.step_index, found.step_name) == (code, index, STEPS[index])
    assert not found.safety_degraded


@pytest.mark.parametrize(("sensors", "name", "limit", "codes"), EDGES)
def test_each_limit_at_the_nearest_numbers(
    sensors: Sensors, name: str, limit: float, codes: tuple[StrategyCode, ...]
) -> None:
    """The nearest number below a limit, the limit itself, and the nearest above."""
    values = (nextafter(limit, -inf), limit, nextafter(limit, inf))
    found = [select(evolve(sensors, **{name: value}), LIMITS).strategy for value in values]

    assert found == list(codes)


@pytest.mark.parametrize("unknown", [None, nan, inf, -inf])
def test_an_unknown_sensor_matches_nothing(unknown: float | None) -> None:
    """Each sensor that a choice was made by undoes it when it is unknown, however it is said."""
    used = {
        StrategyCode.STRADDLE: ("vrp_30d", "chop_factor_7d", "adx_14d", "skew_25d"),
        StrategyCode.STRANGLE: ("vrp_30d", "chop_factor_7d", "adx_14d", "skew_25d"),
        StrategyCode.CALENDAR: ("term_structure_spread", "front_rv_iv_ratio", "vrp_7d"),
        StrategyCode.SHORT_PUT: ("skew_25d", "price_vs_ma200", "vrp_30d"),
        StrategyCode.BULL_PUT: ("skew_25d", "rsi_14d", "vrp_30d"),
        StrategyCode.BEAR_CALL: ("skew_25d", "rsi_14d", "vrp_30d"),
        StrategyCode.IRON_BUTTERFLY: ("iv_rank_6m", "vrp_30d"),
    }
    for sensors, code, _ in MATRIX[:7]:
        for name in SENSORS:
            found = select(evolve(sensors, **{name: unknown}), LIMITS)
            assert (found.strategy is code) == (name not in used[code]), name
            assert found.safety_degraded == (name in ("adx_14d", "chop_factor_7d"))


def test_nothing_known_is_no_trade() -> None:
    """The filter cannot fire, and nothing else can: the default, marked as degraded."""
    found = select(Sensors(), LIMITS)

    assert (found.strategy, found.step_name) == (StrategyCode.NO_TRADE, "DEFAULT")
    assert found.safety_degraded
    assert found.sensors.missing == SENSORS


def test_zero_is_a_value() -> None:
    """A skew of zero is neutral, a premium of zero is none."""
    assert select(evolve(STRADDLE, skew_25d=0.0), LIMITS).strategy is StrategyCode.STRADDLE
    assert select(evolve(SHORT_PUT, vrp_30d=0.0), LIMITS).strategy is StrategyCode.NO_TRADE


def test_the_first_match_wins() -> None:
    """Safety before the calendar, that before the fly, that before the neutral ones."""
    everything = evolve(
        STRADDLE, term_structure_spread=9.0, iv_rank_6m=0.95, adx_14d=36.0, vrp_7d=9.0
    )
    assert select(everything, LIMITS).strategy is StrategyCode.NO_TRADE
    calm = evolve(everything, adx_14d=14.0)
    assert select(calm, LIMITS).strategy is StrategyCode.CALENDAR
    flat = evolve(calm, term_structure_spread=0.0)
    assert select(flat, LIMITS).strategy is StrategyCode.IRON_BUTTERFLY
    hidden = evolve(BULL_PUT, price_vs_ma200=1.0)
    assert select(hidden, LIMITS).strategy is StrategyCode.SHORT_PUT
    assert select(evolve(hidden, price_vs_ma200=None), LIMITS).strategy is StrategyCode.BULL_PUT


_values = st.one_of(st.none(), st.floats(-60, 60), st.sampled_from([-4.0, 0.0, 4.0, 10.0]))


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.fixed_dictionaries(dict.fromkeys(SENSORS, _values)))
def test_what_is_never_chosen(values: dict[str, float | None]) -> None:
    """The invariants of the specification, and exactly one passing row of eight."""
    sensors = Sensors(**values)
    found = select(sensors, LIMITS)
    vrp, skew = sensors.vrp_30d, sensors.skew_25d
    if found.strategy in (StrategyCode.STRADDLE, StrategyCode.STRANGLE):
        assert skew is not None
        assert abs(skew) < 4.0
    if found.strategy not in (StrategyCode.NO_TRADE, StrategyCode.CALENDAR):
        assert vrp is not None
        assert vrp >= 0.0
    if found.strategy is StrategyCode.CALENDAR:
        assert sensors.front_rv_iv_ratio is not None
        assert sensors.front_rv_iv_ratio < 1.0
    if sensors.adx_14d is not None and sensors.adx_14d > 35.0:
        assert found.strategy is StrategyCode.NO_TRADE

    rows = evaluations(found, LIMITS)
    assert [row.code for row in rows] == list(CATALOGUE)
    assert [row.code for row in rows if row.status is Status.PASS] == [found.strategy]


def test_rows_say_why() -> None:
    """Failing, unknown, and met but pre-empted, each in its words and with inclusive limits."""
    at_limit = evolve(STRANGLE, vrp_30d=15.0, chop_factor_7d=0.6, adx_14d=20.0, skew_25d=4.0)
    rows = {row.code: row for row in evaluations(select(at_limit, LIMITS), LIMITS)}
    straddle = rows[StrategyCode.STRADDLE]
    assert all(each.is_ok for each in straddle.criteria)
    assert straddle.status is Status.BLOCKED
    assert straddle.summary.startswith("eligible but for a limit that it only touches")
    rows = {row.code: row for row in evaluations(select(STRADDLE, LIMITS), LIMITS)}
    told = "eligible, pre-empted by STRATEGY_A_STRADDLE at STRADDLE_CHECK"
    assert rows[StrategyCode.STRANGLE].summary == told

    rows = {row.code: row for row in evaluations(select(BULL_PUT, LIMITS), LIMITS)}
    notes = {each.metric: each.note for each in rows[StrategyCode.STRADDLE].criteria}
    assert notes["vrp_30d"].startswith("below_min (")
    assert notes["adx_14d"].startswith("above_max (")
    assert notes["skew_25d"].startswith("above_abs_max (")
    assert rows[StrategyCode.STRADDLE].status is Status.BLOCKED

    known = evolve(CALENDAR, vrp_7d=None)
    rows = {row.code: row for row in evaluations(select(known, LIMITS), LIMITS)}
    assert rows[StrategyCode.CALENDAR].status is Status.NO_DATA
    assert [each.note for each in rows[StrategyCode.CALENDAR].criteria].count("missing_data") == 1
    failing = evolve(known, front_rv_iv_ratio=0.9)
    rows = {row.code: row for row in evaluations(select(failing, LIMITS), LIMITS)}
    assert rows[StrategyCode.CALENDAR].status is Status.BLOCKED


def document(**calibration: object) -> dict[str, object]:
    """A rule document."""
    return {"meta": {"module": "ENTRY_ENGINE", "version": "8.0.1"}, "calibration": calibration}


def test_a_truncated_document_has_the_defaults() -> None:
    """What it says counts, nested keys too; what it leaves out is that of 8.0, never zero."""
    rules = entry_rules(document(straddle_vrp_min=12, rsi_thresholds={"lower": 25}))

    assert rules.thresholds == evolve(LIMITS, straddle_vrp_min=12.0, rsi_lower=25.0)
    assert rules.steps == STEPS
    assert select(evolve(STRADDLE, vrp_30d=13.0), rules=rules).strategy is StrategyCode.STRADDLE


def test_a_document_without_steps_falls_back() -> None:
    """No step, no trade."""
    found = select(STRADDLE, rules=entry_rules({**document(), "steps": []}))

    assert (found.strategy, found.step_name) == (StrategyCode.NO_TRADE, FALLBACK)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"meta": {"module": "POSITION_ENGINE", "version": "8.0"}}, "module POSITION_ENGINE"),
        ({"meta": {"module": "ENTRY_ENGINE", "version": "7.0"}}, "version 7.0"),
        ({}, "module None"),
        (document(no_such_key=1), "no_such_key: unknown"),
        (document(straddle_vrp_min="12", strangle_adx_max=nan), "strangle_adx_max: not a finite"),
        (document(rsi_thresholds={"lower": True}), "rsi_thresholds.lower: not a finite"),
        (document(rsi_thresholds=30), "rsi_thresholds: unknown"),
        ({**document(), "steps": ["GUESS"]}, "GUESS"),
        ({**document(), "calibration": [1]}, "calibration: unknown"),
    ],
)
def test_a_foreign_document_is_refused(told: dict[str, object], said: str) -> None:
    """With what is wrong in it; nothing is guessed."""
    with pytest.raises(ValueError, match=said):
        entry_rules(told)


def test_overrides_name_every_fault() -> None:
    """Two wrong ones are told together, and keys are those of the listing."""
    with pytest.raises(ValueError, match=r"a: unknown; safety_adx_high: not a finite"):
        LIMITS.overridden({"a": 1, "safety_adx_high": inf})
    by_key = LIMITS.by_key()
    assert by_key["rsi_thresholds.upper"] == 70.0
    assert LIMITS.overridden({key: value + 1 for key, value in by_key.items()}).by_key() == {
        key: value + 1 for key, value in by_key.items()
    }


def test_directions_exclude_each_other() -> None:
    """No skew, RSI and premium satisfy both branches of the last step."""
    for skew, rsi in product((-5.0, -4.0, 0.0, 4.0, 5.0), (20.0, 50.0, 80.0)):
        sensors = evolve(NOTHING, skew_25d=skew, rsi_14d=rsi, price_vs_ma200=-1.0)
        expected = {
            (5.0, 20.0): StrategyCode.BULL_PUT,
            (-5.0, 80.0): StrategyCode.BEAR_CALL,
        }.get((skew, rsi), StrategyCode.NO_TRADE)
        assert select(sensors, LIMITS).strategy is expected
