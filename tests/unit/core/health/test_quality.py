"""Reports on snapshots: schema, core fields, flaws, and what many reports add up to."""

from datetime import timedelta

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.health.quality import (
    Quality,
    QualityParams,
    SnapshotReport,
    report_on,
    summarise,
    unreadable,
)
from core.health.quote_checks import Flaw
from core.usecases.harvest import derive
from ports.harvest_columns import table_of
from ports.snapshots import ColumnKind, RawColumn, RawTable
from tests.support.harvests import sound_harvest
from tests.support.markets import NOW

PARAMS = QualityParams()
REQUIRED = (
    "harvest_time",
    "instrument_name",
    "underlying",
    "expiry",
    "option_type",
    "expiry_timestamp",
    "strike",
    "underlying_price",
    "mark_price",
    "best_bid_price",
    "best_ask_price",
    "mark_iv",
    "open_interest",
    "volume",
)


def sound(forward: float = 100_000.0, file: str = "file") -> RawTable:
    harvest = sound_harvest(forward=forward)
    return table_of(harvest, derive(harvest.market), file)


def with_column(table: RawTable, name: str, column: RawColumn | None) -> RawTable:
    columns = {key: each for key, each in table.columns.items() if key != name}
    return evolve(table, columns=columns if column is None else columns | {name: column})


def with_cells(table: RawTable, name: str, rows: slice, value: float) -> RawTable:
    column = table.columns[name]
    values = np.array(column.values, dtype=np.float64)
    values[rows] = value
    return with_column(table, name, RawColumn(column.kind, values))


def report(table: RawTable) -> SnapshotReport:
    return report_on(table, PARAMS)


def test_a_sound_snapshot_is_ok() -> None:
    """Every core field is there, and nothing is wrong."""
    told = report(sound())

    assert (told.status, told.total_rows, told.core_fraction) == (Quality.OK, 20, 1.0)
    assert (told.schema_issues, told.quality_issues) == ((), ())


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_column_fails_the_schema(name: str) -> None:
    """Each of the fourteen is required, and named."""
    told = report(with_column(sound(), name, None))

    assert told.status is Quality.FAILED
    assert told.schema_issues == (f"column {name} is missing",)


@pytest.mark.parametrize("name", [*REQUIRED, "greek_delta", "greek_vega"])
def test_a_column_of_another_kind_fails_the_schema(name: str) -> None:
    """Numbers where text should be, text where numbers should be."""
    is_text = sound().columns[name].kind is ColumnKind.TEXT
    wrong = (
        RawColumn(ColumnKind.NUMBER, np.zeros(20))
        if is_text
        else RawColumn(ColumnKind.TEXT, np.array(["x"] * 20))
    )
    told = report(with_column(sound(), name, wrong))

    assert told.status is Quality.FAILED
    assert name in told.schema_issues[0]


@pytest.mark.parametrize("name", ["greek_delta", "greek_vega"])
def test_greeks_may_be_absent(name: str) -> None:
    """The earliest files of others lack them altogether."""
    assert report(with_column(sound(), name, None)).status is Quality.OK


def test_an_expiry_between_seconds_fails_the_schema() -> None:
    """It is whole, whatever type it is stored in."""
    told = report(with_cells(sound(), "expiry_timestamp", slice(3, 4), 1_774_598_400.5))

    assert "expiry_timestamp" in told.schema_issues[0]


def test_two_instants_in_one_snapshot_fail_the_schema() -> None:
    """A snapshot has one capture time."""
    later = (NOW + timedelta(minutes=1)).timestamp() * 1000
    told = report(with_cells(sound(), "harvest_time", slice(0, 1), later))

    assert "more than one instant" in told.schema_issues[0]


@pytest.mark.parametrize(
    ("rows", "status"), [(1, Quality.OK), (2, Quality.OK), (3, Quality.DEGRADED)]
)
def test_missing_core_fields_degrade(rows: int, status: Quality) -> None:
    """Below nine tenths of the rows with every core field."""
    told = report(with_cells(sound(), "mark_iv", slice(0, rows), float("nan")))

    assert told.status is status
    assert told.core_fraction == 1.0 - rows / 20


def test_no_row_is_degraded() -> None:
    """An empty snapshot is not ok."""
    empty = RawTable(
        "file",
        0,
        {name: RawColumn(each.kind, each.values[:0]) for name, each in sound().columns.items()},
    )

    assert report(empty).status is Quality.DEGRADED


def test_flaws_are_counted_and_exemplified() -> None:
    """How many rows, and the name of one of them; more than a twentieth degrades."""
    told = report(with_cells(sound(), "best_bid_price", slice(0, 2), 0.9))

    assert [(each.flaw, each.rows) for each in told.quality_issues] == [
        (Flaw.CROSSED, 2),
        (Flaw.MARK_OUTSIDE, 2),
    ]
    assert told.quality_issues[0].example == "BTC-27MAR26-80000-C"
    assert (told.flawed_fraction, told.status) == (0.1, Quality.DEGRADED)


def test_nothing_is_no_data() -> None:
    """No snapshot at all is never ok."""
    told = summarise([], PARAMS)

    assert (told.status, told.num_snapshots, told.total_rows) == (Quality.NO_DATA, 0, 0)


def test_one_bad_file_in_a_thousand_does_not_fail_a_run() -> None:
    """It degrades; more than a hundredth fails."""
    good, bad = report(sound()), unreadable("cut.parquet", "cut short")

    assert summarise([good] * 999 + [bad], PARAMS).status is Quality.DEGRADED
    assert summarise([good] * 98 + [bad] * 2, PARAMS).status is Quality.FAILED
    assert summarise([good] * 999 + [bad], PARAMS).schema_issues == ("cut.parquet: cut short",)


def test_low_quality_degrades_from_a_fifth_on() -> None:
    """A fifth of low snapshots is borne, more is not."""
    good = report(sound())
    low = report(with_cells(sound(), "best_bid_price", slice(0, 2), 0.9))

    assert summarise([good] * 4 + [low], PARAMS).status is Quality.OK
    assert summarise([good] * 3 + [low], PARAMS).status is Quality.DEGRADED


def test_a_stale_repeat_is_counted() -> None:
    """The very quotes of the snapshot before; the same quotes with another between are none."""
    one, other = report(sound()), report(sound(101_000.0))

    assert summarise([one, one, other, one], PARAMS).num_stale_repeats == 1


def test_flawed_rows_add_up() -> None:
    """Over all snapshots, the most frequent first."""
    crossed = report(with_cells(sound(), "best_bid_price", slice(0, 2), 0.9))
    told = summarise([crossed, report(sound()), crossed], PARAMS)

    assert dict(told.flawed_rows) == {Flaw.CROSSED: 4, Flaw.MARK_OUTSIDE: 4}


@settings(derandomize=True, deadline=None, max_examples=30)
@given(missing=st.lists(st.integers(0, 20), min_size=1, max_size=6))
def test_the_core_fraction_is_weighted_by_rows(missing: list[int]) -> None:
    """That of a summary is the share of all rows that have every core field."""
    reports = [
        report(with_cells(sound(), "mark_price", slice(0, count), float("nan")))
        for count in missing
    ]
    told = summarise(reports, PARAMS)

    assert told.core_fraction == pytest.approx(1.0 - sum(missing) / (20 * len(missing)))
    assert told.num_low_quality == sum(count > 2 for count in missing)
