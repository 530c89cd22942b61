"""Corpora: rows of training data as conversations of three messages."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import numpy as np
from attrs import field, frozen

from core.rng import rng_at
from core.training.prompts import JUDGE_ONE, RANK_ALL, ScoreShown, one_prompt, ranking_prompt
from core.training.rows import groups_of, is_judged
from core.training.schema import NO_TRADE, SELL, SKIP, Split, Table
from ports.checks import from_epoch_ms, not_negative
from ports.columns import Bools, Ints

PARTS = (Split.TRAIN, Split.VALID, Split.TEST)


class Form(StrEnum):
    """What one conversation is about."""

    CANDIDATE = "per_candidate"
    RANKING = "per_decision_ranking"


class Labels(StrEnum):
    """Whose answer is taught."""

    IMITATION = "imitation"  # what the collecting policy did
    HINDSIGHT = "hindsight"  # what would have earned most, where that was anything


@frozen
class Example:
    """One conversation."""

    system: str
    user: str
    answer: str

    @property
    def messages(self) -> dict[str, list[dict[str, str]]]:
        """It as chat models are trained on it."""
        roles = (("system", self.system), ("user", self.user), ("assistant", self.answer))
        return {"messages": [{"role": role, "content": content} for role, content in roles]}


@frozen(kw_only=True)
class CorpusParams:
    """Which conversations, whose answers, and how many SKIP for each SELL_CALL at most."""

    form: Form
    labels: Labels
    score: ScoreShown = ScoreShown.SHOWN
    skips_per_sell: float = field(default=1.0, validator=not_negative)
    seed: int = 7


def corpus_of(table: Table, params: CorpusParams) -> Mapping[Split, tuple[Example, ...]]:
    """
    The conversations of every part of *table*, in time order; what is under embargo is in none.

    Hindsight speaks only of decisions whose outcomes are all known.
    """
    parts: dict[Split, tuple[Example, ...]] = {}
    for part in PARTS:
        rows = table.where(table["split"] == part.value)
        make = _judged_alone if params.form is Form.CANDIDATE else _ranked
        parts[part] = tuple(make(rows, params))
    return parts


def _ranked(table: Table, params: CorpusParams) -> Iterator[Example]:
    for group in groups_of(table):
        if not _can_be_labelled(table, group, params.labels):
            continue
        rows = _shuffled(table, group, params.seed)
        user = ranking_prompt(table, rows, params.score)
        right = [place for place, row in enumerate(rows, 1) if _is_first(table, row, params.labels)]
        yield Example(RANK_ALL, user, str(right[0]) if right else NO_TRADE)


def _judged_alone(table: Table, params: CorpusParams) -> Iterator[Example]:
    sold = np.zeros(len(table), dtype=np.bool_)
    skipped = np.zeros(len(table), dtype=np.bool_)
    for group in groups_of(table):
        if table["instrument"][group[0]] and _can_be_labelled(table, group, params.labels):
            is_right = _is_right(table, group, params.labels)
            sold[group[is_right]] = True
            skipped[group[~is_right]] = True
    kept = _balanced(table, sold, skipped, params)
    for row in kept:
        answer = SELL if sold[row] else SKIP
        yield Example(JUDGE_ONE, one_prompt(table, int(row), params.score), answer)


def _balanced(
    table: Table,
    sold: Bools,
    skipped: Bools,
    params: CorpusParams,
) -> Ints:
    """Rows of all that is sold and of a draw of what is not, in order."""
    chosen, others = np.flatnonzero(sold), np.flatnonzero(skipped)
    most = int(params.skips_per_sell * len(chosen))
    if len(others) > most:
        at = from_epoch_ms(int(table["decision_ms"].min()))
        rng = rng_at(params.seed, f"corpus/{params.labels}/skips", at)
        others = rng.choice(others, most, replace=False)
    return np.sort(np.concatenate([chosen, others]))


def _can_be_labelled(table: Table, group: Ints, labels: Labels) -> bool:
    return labels is Labels.IMITATION or is_judged(table["outcome_status"][group])


def _is_right(table: Table, rows: Ints, labels: Labels) -> Bools:
    """Which calls are to be sold, (n,)."""
    if labels is Labels.IMITATION:
        return np.asarray(table["pick_order"][rows] > 0)
    return np.asarray(table["outcome_is_best"][rows] == 1)


def _is_first(table: Table, row: int, labels: Labels) -> bool:
    """Whether the one call to be sold is that in *row*."""
    if labels is Labels.IMITATION:
        return bool(table["pick_order"][row] == 1)
    return bool(table["outcome_is_best"][row] == 1)


def _shuffled(table: Table, group: Ints, seed: int) -> Sequence[int]:
    """*group* in an order that tells nothing, the same whoever is asked for the labels."""
    first = int(group[0])
    name = f"corpus/{table['underlying'][first]}/{table['exit_style'][first]}"
    rng = rng_at(seed, name, from_epoch_ms(int(table["decision_ms"][first])))
    return [int(row) for row in rng.permutation(group)]
