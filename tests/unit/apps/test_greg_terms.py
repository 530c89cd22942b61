"""Variants of the entry rules and reviewed thresholds, from the settings to the rules in force."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from apps.settings.faults import SettingsError
from apps.settings.greg import GregSettings
from apps.settings.root import Settings
from apps.settings.venue import VenueSettings
from apps.wiring.greg_rules import greg_rules
from apps.wiring.greg_terms import entry_terms, save_proposals
from core.greg.entry_terms import EntryTerms, EntryVariant
from core.greg.environment import EnvMode
from core.greg.rolling import ThresholdProposal

LINE = ThresholdProposal(
    key="straddle_vrp_min",
    value=12.5,
    previous=15.0,
    sensor="vrp_30d",
    percentile=75.0,
    sample_size=166,
)


def told(data: Path, **greg: object) -> Settings:
    """Settings with these of Greg, and their data in *data*."""
    return Settings(
        greg=GregSettings.model_validate(greg),
        venue=VenueSettings.model_validate({"data_dir": data}),
    )


def test_without_settings_no_variant_is_in_use(tmp_path: Path) -> None:
    """And no coin has limits of its own."""
    rules = greg_rules(told(tmp_path))

    assert rules.entry.terms == EntryTerms()
    assert rules.entry.by_underlying == {}
    assert (rules.entry, rules.warning) == (rules.shipped, "")


def test_variants_and_events_arrive(tmp_path: Path) -> None:
    """By name and as instants of UTC; both count in live too."""
    settings = told(
        tmp_path,
        greg_entry_variants=["jump_test", "hysteresis"],
        greg_scheduled_events=["2026-03-18T18:00Z", "2026-04-29T18:00"],
    )
    for mode in EnvMode:
        terms = greg_rules(settings, mode).entry.terms
        assert terms.variants == {EntryVariant.JUMP_TEST, EntryVariant.HYSTERESIS}
        assert terms.events == (
            datetime(2026, 3, 18, 18, tzinfo=UTC),
            datetime(2026, 4, 29, 18, tzinfo=UTC),
        )
    assert greg_rules(settings).shipped.terms == EntryTerms()


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"greg_entry_variants": ["moon"]}, "greg.greg_entry_variants"),
        ({"greg_scheduled_events": ["soon"]}, "greg.greg_scheduled_events"),
    ],
)
def test_a_wrong_word_is_a_fault(tmp_path: Path, wrong: dict[str, object], path: str) -> None:
    """Named by its setting."""
    with pytest.raises(SettingsError) as caught:
        entry_terms(told(tmp_path, **wrong))
    assert [fault.path for fault in caught.value.faults] == [path]


def saved(tmp_path: Path, line: ThresholdProposal = LINE, reviewer: str = "a person") -> Settings:
    """Settings that name a file of thresholds which *reviewer* has looked at."""
    path = tmp_path / "thresholds.json"
    save_proposals(path, {"BTC": (line,)}, date(2026, 5, 31))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"reviewed_by": ""', f'"reviewed_by": "{reviewer}"'), "utf-8")
    return told(tmp_path, greg_thresholds_file=str(path))


def test_reviewed_thresholds_count_in_test_alone(tmp_path: Path) -> None:
    """For their coin; live goes by the document, always."""
    settings = saved(tmp_path)
    test, live = greg_rules(settings, EnvMode.TEST), greg_rules(settings, EnvMode.LIVE)

    assert test.entry.of("BTC").thresholds.straddle_vrp_min == 12.5
    assert test.entry.of("ETH").thresholds == test.shipped.thresholds
    assert live.entry.by_underlying == {}


@pytest.mark.parametrize(
    ("line", "reviewer", "said"),
    [
        (LINE, "", "nobody who reviewed it"),
        (
            ThresholdProposal(
                key="straddle_moon",
                value=1.0,
                previous=1.0,
                sensor="vrp_30d",
                percentile=75.0,
                sample_size=90,
            ),
            "a person",
            "straddle_moon: unknown",
        ),
    ],
)
def test_what_may_not_count_is_said(
    tmp_path: Path, line: ThresholdProposal, reviewer: str, said: str
) -> None:
    """A file that nobody reviewed, or with a key of no threshold, changes nothing."""
    rules = greg_rules(saved(tmp_path, line, reviewer))

    assert rules.entry.by_underlying == {}
    assert said in rules.warning


@pytest.mark.parametrize("text", ["", "{", "[]", '{"meta": {"as_of": "2026-05-31"}}', "[" * 9999])
def test_a_damaged_file_changes_nothing(tmp_path: Path, text: str) -> None:
    """And is told, as is one that is not there."""
    settings = saved(tmp_path)
    (tmp_path / "thresholds.json").write_text(text, "utf-8")
    assert "thresholds at" in greg_rules(settings).warning
    (tmp_path / "thresholds.json").unlink()
    assert greg_rules(settings).entry.by_underlying == {}
