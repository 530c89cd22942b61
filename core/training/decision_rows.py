"""Decisions as rows: each call taken, or that none was, under one header."""

import numpy as np

from core.training.rows import groups_of
from core.training.schema import (
    DTYPES,
    EMPTY,
    NO_CANDIDATES,
    NOTHING,
    SELL,
    Block,
    Table,
    table_of,
)
from ports.columns import Ints

_DECISION_TEXT = """
decision_time | text | | when the decision was made, UTC
decision_ms | whole | | the same, milliseconds from 1970
underlying | text | | coin
exit_style | text | | how the call is ended
action | text | | SELL_CALL or DO_NOTHING
reason | text | | why nothing was done
strategy | text | | profile that took the call
instrument | text | | the call; empty where nothing was done
spot | number | | index, USD per coin
strike | number | | USD per coin
dte | number | | days to expiry
delta | number | | Black-76 delta
score | number | | points that its profile gives it
best_score | number | | the most points of any candidate
candidates | whole | | how many there were
propensity | number | | probability that the policy takes this call here
outcome_status | text | | as in the rows of candidates
outcome_known_ms | whole | | when it was known; 0 is not yet
outcome_reward_coin | number | | the call after fees, coin per contract
outcome_reward_usd | number | | the same in USD
outcome_max_drawdown_pct | number | | of coin and call
outcome_best_instrument | text | | the candidate that earned most; empty if none did anything
outcome_best_reward_coin | number | | what that earned
split | text | | train, valid, test or embargo
"""
DECISION_COLUMNS = table_of(_DECISION_TEXT, Block.KEY)


def decision_rows(table: Table) -> Table:
    """One row for every call taken in *table*, and one for every decision that took none."""
    lines: dict[str, list[object]] = {column.name: [] for column in DECISION_COLUMNS}
    for rows in groups_of(table):
        taken = rows[table["pick_order"][rows] > 0]
        taken = taken[np.argsort(table["pick_order"][taken], kind="stable")]
        for row in taken if len(taken) else rows[:1]:
            for name, value in _decision(table, rows, int(row)).items():
                lines[name].append(value)
    return Table(
        {
            column.name: np.array(lines[column.name], dtype=DTYPES[column.kind])
            for column in DECISION_COLUMNS
        }
    )


def _decision(table: Table, rows: Ints, row: int) -> dict[str, object]:
    is_taken = table["pick_order"][row] > 0
    best = rows[table["outcome_is_best"][rows] == 1]
    scores = table["score"][rows]
    told: dict[str, object] = {
        column.name: table[column.name][row] if is_taken else EMPTY[column.kind]
        for column in DECISION_COLUMNS
        if column.name in table.columns
    }
    always = ("decision_time", "decision_ms", "underlying", "exit_style", "spot", "split")
    told |= {name: table[name][row] for name in always}
    return told | {
        "action": SELL if is_taken else NOTHING,
        "reason": "" if is_taken else _reason(table, row),
        "candidates": table["candidates"][row],
        "best_score": np.nanmax(scores) if np.isfinite(scores).any() else np.nan,
        "outcome_best_instrument": table["instrument"][best[0]] if len(best) else "",
        "outcome_best_reward_coin": table["outcome_reward_coin"][best[0]] if len(best) else np.nan,
    }


def _reason(table: Table, row: int) -> str:
    return "no_candidate" if table["action"][row] == NO_CANDIDATES else "not_chosen"
