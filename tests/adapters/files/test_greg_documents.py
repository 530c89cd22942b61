"""Rule documents as shipped, truncated and foreign; overrides, and where they count."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields

from adapters.files.rule_documents import ENTRY, POSITION, read_rules
from adapters.files.rule_overrides import OverridesFile, read_overrides, write_overrides
from core.greg.advice import Urgency
from core.greg.catalogue import StrategyCode, Window
from core.greg.environment import (
    EnvMode,
    OverridesRefused,
    RuleOverrides,
    definitions,
    rules_in,
    threshold_views,
    with_entry_overrides,
)
from core.greg.evaluations import Status, evaluations
from core.greg.management import HedgeFigures, PositionLimits, PositionRules, position_rules
from core.greg.thresholds import STEPS, EntryRules, EntryThresholds, entry_rules
from core.greg.waterfall import select
from ports.errors import StoreDamaged
from tests.support.greg_markets import STRADDLE

SHIPPED = entry_rules(read_rules(ENTRY))
# Section 3 of the specification, by hand.
TABLE = {
    "safety_adx_high": 35.0,
    "safety_chop_high": 0.85,
    "calendar_term_spread_min": 5.0,
    "calendar_front_rv_iv_ratio_max": 0.8,
    "calendar_vrp_7d_min": 5.0,
    "iron_fly_iv_rank_min": 0.80,
    "iron_fly_vrp_min": 10.0,
    "straddle_vrp_min": 15.0,
    "straddle_adx_max": 20.0,
    "straddle_chop_max": 0.6,
    "strangle_vrp_min": 10.0,
    "strangle_adx_max": 30.0,
    "strangle_chop_max": 0.8,
    "skew_neutral_threshold": 4.0,
    "min_vrp_directional": 2.0,
    "min_vrp_floor": 0.0,
    "rsi_thresholds.lower": 30.0,
    "rsi_thresholds.upper": 70.0,
}


def test_the_shipped_entry_rules_are_the_table() -> None:
    """Number by number; and they are what a truncated document falls back to."""
    assert SHIPPED.thresholds.by_key() == TABLE
    assert EntryRules() == SHIPPED
    assert SHIPPED.steps == STEPS
    windows = SHIPPED.windows
    assert (windows.standard, windows.calendar_front) == (Window(25, 45), Window(7, 14))
    assert windows.credit_spread == Window(20, 35)


def test_the_shipped_document_says_every_number() -> None:
    """None is left to a default, nested ones included."""
    told = read_rules(ENTRY)["calibration"]
    flat = {
        **{key: value for key, value in told.items() if not isinstance(value, dict)},
        **{f"rsi_thresholds.{key}": value for key, value in told["rsi_thresholds"].items()},
    }
    assert flat == TABLE
    positions = read_rules(POSITION)
    assert set(positions["calibration"]) == {each.name for each in fields(PositionLimits)}
    assert set(positions["priority"]) == {each.name for each in fields(Urgency)}
    assert set(positions["hedge_engine"]) == {each.name for each in fields(HedgeFigures)}


def test_the_shipped_position_rules_are_version_1_1() -> None:
    """And what a truncated document falls back to."""
    assert position_rules(read_rules(POSITION)) == PositionRules()


@pytest.mark.parametrize("key", [*TABLE])
def test_each_key_may_be_left_out(key: str) -> None:
    """Its number is then that of 8.0, never zero."""
    document: dict[str, Any] = json.loads(ENTRY.read_text(encoding="utf-8"))
    if "." in key:
        outer, inner = key.split(".")
        del document["calibration"][outer][inner]
    else:
        del document["calibration"][key]
    assert entry_rules(document).thresholds.by_key()[key] == TABLE[key]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"entry_windows": [1]}, "entry_windows: no object"),
        ({"entry_windows": {"weekly": [1, 7]}}, "entry_windows.weekly: unknown"),
        ({"entry_windows": {"standard": [45, 25]}}, "entry_windows.standard"),
        ({"entry_windows": {"standard": [25.5, 45]}}, "entry_windows.standard"),
        ({"entry_windows": {"standard": [0, 45]}}, "entry_windows.standard"),
        ({"entry_windows": {"standard": 30}}, "entry_windows.standard"),
    ],
)
def test_a_window_that_is_none_is_named(told: dict[str, Any], said: str) -> None:
    """And the document refused."""
    with pytest.raises(ValueError, match=said):
        entry_rules({"meta": {"module": "ENTRY_ENGINE", "version": "8.0"}, **told})


@pytest.mark.parametrize(
    ("read", "module", "version"),
    [
        (entry_rules, "POSITION_ENGINE", "8.0"),
        (entry_rules, "ENTRY_ENGINE", "7.9"),
        (position_rules, "ENTRY_ENGINE", "1.1"),
        (position_rules, "POSITION_ENGINE", "2.0"),
    ],
)
def test_rules_of_another_module_or_version_are_refused(
    read: Callable[[dict[str, Any]], object], module: str, version: str
) -> None:
    """Either of them is enough."""
    with pytest.raises(ValueError, match=f"module {module}, version {version}"):
        read({"meta": {"module": module, "version": version}})


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"priority": {"high_loss": 2}}, "priority.high_loss: unknown"),
        ({"priority": 3}, "priority: no object"),
        ({"hedge_engine": {"least_coin": "x"}}, "hedge_engine.least_coin: not a finite"),
        (
            {"hedges": {"STRATEGY_A_STRADDLE": {"mode": "DYNAMIC_DELTA", "target_delta": None}}},
            "hedges.STRATEGY_A_STRADDLE.target_delta",
        ),
        (
            {
                "hedges": {
                    "STRATEGY_B_CALENDAR": {"mode": "LIGHT_DELTA", "check_interval_sec": True}
                }
            },
            "hedges.STRATEGY_B_CALENDAR.check_interval_sec",
        ),
        *(
            ({"hedges": {"STRATEGY_A_STRADDLE": {"mode": "DYNAMIC_DELTA", key: value}}}, said)
            for key, value, said in (
                ("check_interval_sec", 0, "every_s must be positive"),
                ("check_interval_sec", -60, "every_s must be positive"),
                ("price_move_pct", -0.01, "on_move must be positive"),
            )
        ),
    ],
)
def test_a_position_number_that_is_none_is_named(told: dict[str, Any], said: str) -> None:
    """And the document refused."""
    with pytest.raises(ValueError, match=said):
        position_rules({"meta": {"module": "POSITION_ENGINE", "version": "1.1"}, **told})


def test_hedges_take_their_numbers_from_the_document() -> None:
    """Band, target, interval and move; urgency and least order too."""
    block = {
        "mode": "DYNAMIC_DELTA",
        "delta_threshold": 0.3,
        "target_delta": 0.05,
        "check_interval_sec": 30,
        "price_move_pct": 0.02,
    }
    found = position_rules(
        {
            "meta": {"module": "POSITION_ENGINE", "version": "1.1"},
            "hedges": {"STRATEGY_A_STRADDLE": block},
            "hedge_engine": {"least_coin": 0.01},
            "priority": {"high_delta_abs": 0.5},
        }
    )
    rule = found.hedges[StrategyCode.STRADDLE]
    assert (rule.band, rule.target, rule.every_s, rule.on_move) == (0.3, 0.05, 30.0, 0.02)
    assert found.figures == HedgeFigures(least_coin=0.01)
    assert found.urgency == Urgency(high_delta_abs=0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"meta": {"module": "ENTRY_ENG', "rules.json"),
        ("", "rules.json"),
        ("[1, 2]", "document"),
        ('{"meta": 7}', "meta"),
        ('{"meta": {"module": "ENTRY_ENGINE"}}', "meta.version"),
        ('{"meta": {"module": "ENTRY_ENGINE", "version": 8}}', "meta.version"),
        ('{"meta": {"module": "M", "version": "8"}, "calibration": [1]}', "calibration"),
        ('{"meta": {"module": "M", "version": "8"}, "meta": {}}', "'meta' is told twice"),
        ('{"meta": {"module": "M", "version": "8"}, "calibration": {"a": NaN}}', "NaN"),
        ("[" * 100_000, "rules.json"),
    ],
)
def test_what_is_no_document_is_named(tmp_path: Path, text: str, said: str) -> None:
    """Cut off, told twice, of another shape, or no numbers: the file and the fault."""
    path = tmp_path / "rules.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StoreDamaged, match=said):
        read_rules(path)
    with pytest.raises(StoreDamaged, match=r"none\.json"):
        read_rules(tmp_path / "none.json")


def test_live_shows_the_shipped_rules_always() -> None:
    """Whatever was overridden, and whatever the switch says."""
    overrides = RuleOverrides(
        use_entry_rule_overrides=True, entry_rules={"gregbot": {"straddle_vrp_min": 12.0}}
    )
    assert rules_in(EnvMode.LIVE, SHIPPED, overrides) == SHIPPED
    found = rules_in(EnvMode.TEST, SHIPPED, overrides)
    assert found.thresholds == evolve(SHIPPED.thresholds, straddle_vrp_min=12.0)


def test_overrides_count_only_with_their_switch() -> None:
    """And only those of the bot that is asked for."""
    told = {"gregbot": {"straddle_vrp_min": 12.0}}
    assert rules_in(EnvMode.TEST, SHIPPED, RuleOverrides(entry_rules=told)) == SHIPPED
    on = RuleOverrides(entry_rules=told, use_entry_rule_overrides=True)
    assert rules_in(EnvMode.TEST, SHIPPED, on, bot="another") == SHIPPED


def test_one_number_changes_selector_criteria_and_form_alike() -> None:
    """In test; live is untouched."""
    saved = with_entry_overrides(
        RuleOverrides(),
        {"straddle_vrp_min": 12, "rsi_thresholds.lower": 25},
        mode=EnvMode.TEST,
        is_used=True,
    )
    test, live = (rules_in(mode, SHIPPED, saved) for mode in (EnvMode.TEST, EnvMode.LIVE))
    sensors = evolve(STRADDLE, vrp_30d=13.0)

    for rules, chosen in ((test, StrategyCode.STRADDLE), (live, StrategyCode.STRANGLE)):
        selection = select(sensors, rules.thresholds, rules)
        assert selection.strategy is chosen
        rows = {row.code: row for row in evaluations(selection, rules.thresholds)}
        is_test = rules is test
        assert (rows[StrategyCode.STRADDLE].status is Status.PASS) == is_test
        shown = {each.code: each for each in definitions(rules)}
        assert shown[StrategyCode.STRADDLE].criteria[0].least == (12.0 if is_test else 15.0)
        assert shown[StrategyCode.BULL_PUT].criteria[1].most == (25.0 if is_test else 30.0)
    views = {each.key: each for each in threshold_views(SHIPPED.thresholds, test.thresholds)}
    assert (views["straddle_vrp_min"].default_value, views["straddle_vrp_min"].current_value) == (
        15.0,
        12.0,
    )
    assert (views["straddle_vrp_min"].unit, views["rsi_thresholds.lower"].unit) == ("vol pts", "")
    assert set(views) == set(TABLE)


def test_saving_merges_key_by_key() -> None:
    """What was saved before stays; the switch only where it is told."""
    first = with_entry_overrides(
        RuleOverrides(), {"straddle_vrp_min": 12}, mode=EnvMode.TEST, is_used=True
    )
    second = with_entry_overrides(first, {"straddle_adx_max": 22}, mode=EnvMode.TEST)
    assert second.entry_rules == {"gregbot": {"straddle_vrp_min": 12.0, "straddle_adx_max": 22.0}}
    assert second.use_entry_rule_overrides


@pytest.mark.parametrize("mode", list(EnvMode))
def test_nothing_is_saved_of_a_wrong_call(mode: EnvMode) -> None:
    """In live never; in test not if a key is unknown or a value no number: all are listed."""
    told = {"straddle_vrp_min": "12", "no_such": 1, "rsi_thresholds": 30, "safety_adx_high": 30}
    with pytest.raises(OverridesRefused) as refusal:
        with_entry_overrides(RuleOverrides(), told, mode=mode)
    expected = 1 if mode is EnvMode.LIVE else 3
    assert len(refusal.value.faults) == expected


def test_overrides_come_back_as_they_were_saved(tmp_path: Path) -> None:
    """In a file with its three switches, all off where there is none."""
    path = tmp_path / "overrides.json"
    assert read_overrides(path).file == OverridesFile()
    assert not OverridesFile().use_entry_rule_overrides
    file = OverridesFile(
        use_entry_rule_overrides=True, entry_rules={"gregbot": {"straddle_vrp_min": 12.0}}
    )
    write_overrides(path, file)
    assert read_overrides(path).file == file
    assert read_overrides(path).warning == ""


@pytest.mark.parametrize(
    "text",
    [
        '{"use_entry_rule_overrides": tr',
        '{"entry_rules": {"gregbot": {"straddle_vrp_min": "12"}}}',
        '{"entry_rules": {"gregbot": {"straddle_vrp_min": NaN}}}',
        '{"entry_rules": {"gregbot": {"straddle_vrp_min": true}}}',
        '{"something": 1}',
        "[]",
        "",
    ],
)
def test_a_damaged_file_counts_as_empty_and_says_so(tmp_path: Path, text: str) -> None:
    """Nothing of it is in force."""
    path = tmp_path / "overrides.json"
    path.write_text(text, encoding="utf-8")
    found = read_overrides(path)
    assert found.file == OverridesFile()
    assert "counts as empty" in found.warning


def test_thresholds_may_be_told_as_json_tells_them() -> None:
    """Limits by document keys over those of 8.0, sensors by name; a wrong key is refused."""
    sensors = {"vrp_30d": 13.0, "chop_factor_7d": 0.5, "adx_14d": 14.0, "skew_25d": 0.5, "x": 1.0}
    assert select(sensors, {"straddle_vrp_min": 12}).strategy is StrategyCode.STRADDLE
    assert select(sensors, {}).strategy is StrategyCode.STRANGLE
    assert select(sensors, EntryThresholds()).strategy == "STRATEGY_A_STRANGLE"
    nested = select(
        {"vrp_30d": 5.0, "skew_25d": 5.0, "rsi_14d": 28.0}, {"rsi_thresholds": {"lower": 25}}
    )
    assert nested.strategy is StrategyCode.NO_TRADE
    with pytest.raises(ValueError, match="straddle: unknown"):
        select(sensors, {"straddle": 1})
