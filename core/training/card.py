"""The card of a data set: what is in it, from when to when, and how it was made."""

from collections.abc import Mapping

import numpy as np
from attrs import field, frozen

from core.training.rows import groups_of
from core.training.schema import VERSION, Status, Table
from ports.columns import Floats


@frozen(kw_only=True)
class StyleStats:
    """What the calls of one exit style came to, those that were settled; coin per contract."""

    exit_style: str
    rows: int
    settled: int
    sold_by_policy: int
    reward_min: float | None
    reward_mean: float | None
    reward_max: float | None
    win_rate: float | None
    policy_reward_mean: float | None
    best_reward_mean: float | None  # of the best candidate of each decision, where that is known


@frozen(kw_only=True)
class DataFile:
    """One file of the set."""

    name: str
    rows: int
    size_bytes: int
    sha256: str


@frozen(kw_only=True)
class DatasetCard:
    """What a data set is; *made_from* names program, settings and hashes of the data."""

    schema_version: int = VERSION
    underlying: str
    first: str
    last: str
    rows: int
    decisions: int
    decisions_without_candidates: int
    candidates_per_decision: float
    actions: Mapping[str, int]
    statuses: Mapping[str, int]
    splits: Mapping[str, int]
    embargo_days: float
    styles: tuple[StyleStats, ...]
    made_from: Mapping[str, str]
    notes: tuple[str, ...] = ()
    files: tuple[DataFile, ...] = field(default=())


def card_of(
    table: Table, embargo_days: float, made_from: Mapping[str, str], notes: tuple[str, ...] = ()
) -> DatasetCard:
    """The card of *table*, of which no file is written yet."""
    decided = np.unique(table["decision_ms"])
    empty = np.unique(table["decision_ms"][table["candidates"] == 0])
    first_rows = np.array([group[0] for group in groups_of(table)])
    times = np.sort(table["decision_time"])
    return DatasetCard(
        underlying=", ".join(np.unique(table["underlying"]).tolist()),
        first=str(times[0]),
        last=str(times[-1]),
        rows=len(table),
        decisions=len(decided),
        decisions_without_candidates=len(empty),
        candidates_per_decision=float(table["candidates"][first_rows].mean()),
        actions=_counts(table, "action"),
        statuses=_counts(table, "outcome_status"),
        splits=_counts(table, "split"),
        embargo_days=embargo_days,
        styles=tuple(
            _style(table.where(table["exit_style"] == style), str(style))
            for style in np.unique(table["exit_style"])
        ),
        made_from=made_from,
        notes=notes,
    )


def _counts(table: Table, name: str) -> dict[str, int]:
    values, counts = np.unique(table[name], return_counts=True)
    return {str(value) or "none": int(count) for value, count in zip(values, counts, strict=True)}


def _style(table: Table, style: str) -> StyleStats:
    settled = table.where(table["outcome_status"] == Status.SETTLED.value)
    reward = settled["outcome_reward_coin"]
    has_any = len(reward) > 0
    return StyleStats(
        exit_style=style,
        rows=len(table),
        settled=len(settled),
        sold_by_policy=int((table["pick_order"] > 0).sum()),
        reward_min=float(reward.min()) if has_any else None,
        reward_mean=_mean(reward),
        reward_max=float(reward.max()) if has_any else None,
        win_rate=_mean((reward > 0).astype(np.float64)),
        policy_reward_mean=_mean(reward[settled["pick_order"] > 0]),
        best_reward_mean=_mean(reward[settled["outcome_is_best"] == 1]),
    )


def _mean(cells: Floats) -> float | None:
    return float(cells.mean()) if len(cells) else None
