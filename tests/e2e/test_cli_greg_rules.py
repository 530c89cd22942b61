"""`greg rules`: limits as they stand, a person's overrides, and what they change."""

import json
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.support.command_line import options_agent
from tests.support.recorded import recorded_data

LIVE = ("--set", "venue.env_mode=live")


def asked(cwd: Path, *arguments: str) -> dict[str, Any]:
    """What a command says as JSON."""
    ended = options_agent("greg", *arguments, "--json", cwd=cwd)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def values(block: dict[str, Any]) -> dict[str, float]:
    """What is in force in *block*."""
    lines = block["rules"] if "rules" in block else block["fields"]
    return {each["key"]: each["current_value"] for each in lines}


def test_the_three_blocks_have_the_fields_of_their_forms(tmp_path: Path) -> None:
    """Nested bounds are listed too, and every switch is off."""
    shown = asked(tmp_path, "rules", "show")

    assert set(shown["entry_rules"]) == {"rules", "use_overrides"}
    assert set(shown["entry_rules"]["rules"][0]) == {
        *("key", "label", "default_value", "current_value", "unit")
    }
    assert {"rsi_thresholds.lower", "rsi_thresholds.upper"} <= values(shown["entry_rules"]).keys()
    assert values(shown["bot_risk"]) == {
        "max_equity_share": 25.0,
        "max_notional_usd_per_position": 500.0,
        "max_notional_usd_per_underlying": 2000.0,
        "max_positions_per_underlying": 3.0,
    }
    for name in ("entry_rules", "global_risk", "bot_risk"):
        assert shown[name]["use_overrides"] is False


def test_an_entry_rule_changes_the_selector_in_test_alone(tmp_path: Path) -> None:
    """Saved without its switch it counts for nothing; reset it is gone."""
    key = "safety_adx_high"
    for arguments, value in (
        (("set", "entry", f"{key}=0.5"), 35.0),
        (("set", "entry", "--use"), 0.5),
        (("reset", "entry"), 35.0),
    ):
        shown = asked(tmp_path, "rules", *arguments)
        calibration = asked(tmp_path, "advise", "BTC")["calibration"]["calibration"]
        assert values(shown["entry_rules"])[key] == calibration[key] == value
    asked(tmp_path, "rules", "set", "entry", f"{key}=0.5", "--use")
    assert values(asked(tmp_path, "rules", "show", "--env", "live")["entry_rules"])[key] == 35.0


def test_risk_of_the_bot_lowers_its_caps(tmp_path: Path) -> None:
    """In test, with its switch; in live the caps are those of the settings."""
    asked(tmp_path, "rules", "set", "bot", "max_notional_usd_per_underlying=300", "--use")
    lowered = asked(tmp_path, "mode")
    live = asked(tmp_path, "mode", *LIVE)

    assert (lowered["max_notional_per_position"], lowered["max_notional_per_underlying"]) == (
        300.0,
        300.0,
    )
    assert live["max_notional_per_underlying"] == 2000.0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("set", "entry", "moon=1", "safety_adx_high=much"), 2, "moon: unknown"),
        (("set", "entry", "safety_adx_high=much"), 2, "not a finite number: 'much'"),
        (("set", "entry", "safety_adx_high"), 2, "not a finite number"),
        (("set", "bot", "max_equity_share=30"), 2, "looser than 25"),
        (("set", "global", "max_margin_used_pct=-1"), 2, "not positive"),
        (("set", "planet", "a=1"), 2, "planet"),
        (("set", "entry", "safety_adx_high=30", *LIVE), 4, "live is read only"),
        (("reset", "global", *LIVE), 4, "live is read only"),
    ],
)
def test_nothing_is_saved_of_a_wrong_call(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Every fault is said, and the file is not touched."""
    ended = options_agent("greg", "rules", *arguments, cwd=tmp_path)

    assert ended.returncode == code
    assert said in ended.stderr
    assert not (tmp_path / "data" / "greg_overrides.json").exists()


def test_thresholds_of_a_recorded_past(tmp_path: Path) -> None:
    """
    The median of the days that `greg history` tells, with sample and date, beside those in force.

    They count once somebody has put a name to the file, for their coin and in test alone.
    """
    data = recorded_data()
    span = (
        *("--chains", str(data / "chains" / "timeseries"), "--dvol", str(data / "dvol")),
        *("--spot", str(data / "spot"), "--from", "2026-01-20", "--to", "2026-04-10"),
    )
    days = asked(tmp_path, "history", *span, "--coin", "ETH")["days"]
    told = asked(tmp_path, "thresholds", *span, "--out", "thresholds.json")
    proposed = {each["key"]: each for each in told["thresholds"]["ETH"]}
    known = [day["sensors"]["chop_factor_7d"] for day in days]
    known = [value for value in known if value is not None]

    assert told["as_of"] == "2026-04-10"
    chop = proposed["strangle_chop_max"]
    assert chop["value"] == pytest.approx(median(known))
    assert (chop["previous"], chop["sample_size"]) == (0.8, len(known))
    path = tmp_path / "thresholds.json"
    use = ("--set", f"greg.greg_thresholds_file={path}")
    assert asked(tmp_path, "advise", *use)["calibration_by_underlying"] == {}
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"reviewed_by": ""', '"reviewed_by": "a desk"'), encoding="utf-8")
    in_force = asked(tmp_path, "advise", *use)["calibration_by_underlying"]
    assert in_force["ETH"]["calibration"]["strangle_chop_max"] == chop["value"]
    assert asked(tmp_path, "advise", *use, *LIVE)["calibration_by_underlying"] == {}
