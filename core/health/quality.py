"""Quality of harvested snapshots: a report on each, and a summary of many."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

import numpy as np
from attrs import field, frozen

from core.health.quote_checks import CheckParams, Flaw, Quotes, flaws_of
from ports.columns import Bools
from ports.snapshots import ColumnKind, RawColumn, RawTable

_NUMERIC = (ColumnKind.INTEGER, ColumnKind.NUMBER)
_REQUIRED: Mapping[str, tuple[ColumnKind, ...]] = {
    "harvest_time": (ColumnKind.INSTANT,),
    "instrument_name": (ColumnKind.TEXT,),
    "underlying": (ColumnKind.TEXT,),
    "expiry": (ColumnKind.TEXT,),
    "option_type": (ColumnKind.TEXT,),
    "expiry_timestamp": _NUMERIC,
    "strike": _NUMERIC,
    "underlying_price": _NUMERIC,
    "mark_price": _NUMERIC,
    "best_bid_price": _NUMERIC,
    "best_ask_price": _NUMERIC,
    "mark_iv": _NUMERIC,
    "open_interest": _NUMERIC,
    "volume": _NUMERIC,
}
_OPTIONAL: Mapping[str, tuple[ColumnKind, ...]] = {"greek_delta": _NUMERIC, "greek_vega": _NUMERIC}
_WHOLE = "expiry_timestamp"  # whole seconds, whatever type they are stored in
_CORE = ("underlying_price", "mark_price", "mark_iv", "expiry_timestamp", "option_type")
_REPEATED = ("instrument_name", "mark_price", "best_bid_price", "best_ask_price")


class Quality(StrEnum):
    """What may be done with snapshots."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    NO_DATA = "no_data"


@frozen(kw_only=True)
class QualityParams:
    """
    From where on quality is degraded or failed; shares of rows or of snapshots.

    *flawed_share* is of rows with a flaw in their figures; sound recordings of Deribit have
    marks outside their quotes, and wings that are not convex, in a few of a hundred rows.
    *failed_share* is of files whose schema is wrong: one bad file in thousands fails no run.
    """

    core_share: float = 0.90
    flawed_share: float = 0.05
    low_quality_share: float = 0.20
    failed_share: float = 0.01
    checks: CheckParams = field(factory=CheckParams)


@frozen
class QualityIssue:
    """A flaw, the rows that have it, and the name of one of them."""

    flaw: Flaw
    rows: int
    example: str


@frozen(kw_only=True)
class SnapshotReport:
    """
    What is wrong with one snapshot.

    *core_fraction* is the share of rows with every core field; *flawed_fraction* that of rows
    with any flaw. *fingerprint* is the same for the same quotes.
    """

    file: str
    total_rows: int
    core_fraction: float
    flawed_fraction: float
    schema_issues: tuple[str, ...]
    quality_issues: tuple[QualityIssue, ...]
    status: Quality
    fingerprint: str


@frozen(kw_only=True)
class QualitySummary:
    """What is wrong with many snapshots; *core_fraction* is that of all their rows."""

    num_snapshots: int
    num_schema_failures: int
    num_low_quality: int
    num_stale_repeats: int
    core_fraction: float
    total_rows: int
    schema_issues: tuple[str, ...]  # the first of each file that failed
    flawed_rows: tuple[tuple[Flaw, int], ...]
    status: Quality


def report_on(table: RawTable, params: QualityParams) -> SnapshotReport:
    """
    Return what is wrong with the snapshot in *table*.

    Failed is a wrong schema: a column missing or of a wrong type, or more than one instant.
    Degraded is no row, too few rows with every core field, or too many with a flaw.
    """
    schema_issues = tuple(_schema_issues(table))
    flaws = {} if schema_issues else flaws_of(Quotes.of(table), params.checks)
    core = _share(_with_core(table), table.rows)
    flawed = _share(_any(flaws.values(), table.rows), table.rows)
    is_low = table.rows == 0 or core < params.core_share or flawed > params.flawed_share
    status = Quality.DEGRADED if is_low else Quality.OK
    return SnapshotReport(
        file=table.file,
        total_rows=table.rows,
        core_fraction=core,
        flawed_fraction=flawed,
        schema_issues=schema_issues,
        quality_issues=tuple(
            QualityIssue(flaw, int(rows.sum()), _example(table, rows))
            for flaw, rows in flaws.items()
            if rows.any()
        ),
        status=Quality.FAILED if schema_issues else status,
        fingerprint=_fingerprint(table),
    )


def unreadable(file: str, reason: str) -> SnapshotReport:
    """The report on a *file* of which nothing can be read."""
    return SnapshotReport(
        file=file,
        total_rows=0,
        core_fraction=0.0,
        flawed_fraction=0.0,
        schema_issues=(reason,),
        quality_issues=(),
        status=Quality.FAILED,
        fingerprint="",
    )


def summarise(reports: Sequence[SnapshotReport], params: QualityParams) -> QualitySummary:
    """
    Return what *reports*, oldest first, add up to; no data is no_data and never ok.

    A stale repeat is a snapshot with the very quotes of the one before.
    """
    failures = [each for each in reports if each.status is Quality.FAILED]
    low = sum(each.status is Quality.DEGRADED for each in reports)
    rows = sum(each.total_rows for each in reports)
    core = sum(each.core_fraction * each.total_rows for each in reports) / rows if rows else 0.0
    flawed: Counter[Flaw] = Counter()
    for report in reports:
        flawed.update({issue.flaw: issue.rows for issue in report.quality_issues})
    return QualitySummary(
        num_snapshots=len(reports),
        num_schema_failures=len(failures),
        num_low_quality=low,
        num_stale_repeats=_repeats(reports),
        core_fraction=core,
        total_rows=rows,
        schema_issues=tuple(f"{each.file}: {each.schema_issues[0]}" for each in failures),
        flawed_rows=tuple(flawed.most_common()),
        status=_status(len(reports), len(failures), low, core, params),
    )


def _status(count: int, failures: int, low: int, core: float, params: QualityParams) -> Quality:
    if count == 0:
        return Quality.NO_DATA
    if failures / count > params.failed_share:
        return Quality.FAILED
    if failures or low / count > params.low_quality_share or core < params.core_share:
        return Quality.DEGRADED
    return Quality.OK


def _schema_issues(table: RawTable) -> Iterable[str]:
    for name, kinds in _REQUIRED.items():
        if name not in table.columns:
            yield f"column {name} is missing"
        elif table.columns[name].kind not in kinds:
            yield _wrong_kind(name, table.columns[name], kinds)
    for name, kinds in _OPTIONAL.items():
        if name in table.columns and table.columns[name].kind not in kinds:
            yield _wrong_kind(name, table.columns[name], kinds)
    if _is_numeric(table, _WHOLE) and not _is_whole(table.columns[_WHOLE]):
        yield f"column {_WHOLE} holds what is no whole number"
    taken = table.columns.get("harvest_time")
    if taken is not None and taken.kind is ColumnKind.INSTANT and len(np.unique(taken.values)) > 1:
        yield "column harvest_time holds more than one instant"


def _wrong_kind(name: str, column: RawColumn, kinds: tuple[ColumnKind, ...]) -> str:
    return f"column {name} holds {column.kind}, not {' or '.join(kinds)}"


def _is_numeric(table: RawTable, name: str) -> bool:
    return name in table.columns and table.columns[name].kind in _NUMERIC


def _is_whole(column: RawColumn) -> bool:
    values = np.asarray(column.values, dtype=np.float64)
    known = values[np.isfinite(values)]
    return bool(np.all(known == np.round(known)))


def _with_core(table: RawTable) -> Bools:
    """The rows that have every core field."""
    whole = np.ones(table.rows, dtype=np.bool_)
    for name in _CORE:
        column = table.columns.get(name)
        whole &= False if column is None else _known(column)
    return whole


def _known(column: RawColumn) -> Bools:
    if column.kind is ColumnKind.TEXT:
        return np.asarray(column.values != "", dtype=np.bool_)
    return np.isfinite(np.asarray(column.values, dtype=np.float64))


def _any(masks: Iterable[Bools], rows: int) -> Bools:
    found = np.zeros(rows, dtype=np.bool_)
    for mask in masks:
        found |= mask
    return found


def _share(mask: Bools, rows: int) -> float:
    return float(mask.sum()) / rows if rows else 0.0


def _example(table: RawTable, rows: Bools) -> str:
    return str(table.columns["instrument_name"].values[int(np.argmax(rows))])


def _fingerprint(table: RawTable) -> str:
    digest = hashlib.sha256()
    for name in _REPEATED:
        if name in table.columns:
            digest.update(np.ascontiguousarray(table.columns[name].values).tobytes())
    return digest.hexdigest()


def _repeats(reports: Sequence[SnapshotReport]) -> int:
    prints = [each.fingerprint for each in reports if each.total_rows > 0]
    return sum(before == after for before, after in pairwise(prints))
