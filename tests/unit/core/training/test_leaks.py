"""The leak check catches what is planted, whatever it is called and wherever it lies."""

import numpy as np
import pytest
from attrs import evolve

from core.training.corpus import CorpusParams, Example, Form, Labels, corpus_of
from core.training.leaks import prompt_leaks, table_leaks
from core.training.schema import FEATURES, OUTCOMES, SELL, STAMPS, Split, Table
from tests.support.training import rows

HOUR_MS = 3_600_000


def planted(name: str, row: int, value: object) -> Table:
    """The clean rows with *value* in one cell."""
    cells = rows()[name].copy()
    cells[row] = value
    return rows().having(**{name: cells})


def example(form: Form = Form.CANDIDATE) -> Example:
    params = CorpusParams(form=form, labels=Labels.HINDSIGHT)
    return corpus_of(rows(), params)[Split.TRAIN][3]


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_feature_dated_after_its_decision_is_caught(stamp: str) -> None:
    """One millisecond in one row is enough; every feature that rests on it is named."""
    row = int(np.flatnonzero(rows()["pick_order"] > 0)[7])
    late = planted(stamp, row, rows()["decision_ms"][row] + 1)

    found = table_leaks(late)

    named = {leak.where for leak in found}
    known = {
        column.name
        for column in FEATURES
        if column.stamp == stamp and str(rows()[column.name][row]) not in ("nan", "")
    }
    assert named == known != set()
    assert all("(1 rows)" in leak.what for leak in found)


def test_a_field_that_the_schema_does_not_know_is_caught() -> None:
    """Nobody says when it was known, so nobody may be told."""
    (leak,) = table_leaks(rows().having(return_next_7d_pct=np.zeros(len(rows()))))

    assert leak.where == "return_next_7d_pct"


@pytest.mark.parametrize("feature", ["score", "volume", "skew_25d"])
def test_an_outcome_under_the_name_of_a_feature_is_caught(feature: str) -> None:
    """Its stamp may say what it likes: the figures are those of the reward."""
    (leak,) = table_leaks(rows().having(**{feature: rows()["outcome_reward_coin"].copy()}))

    assert (leak.where, leak.what) == (feature, "repeats outcome_reward_coin")


def test_an_outcome_before_its_decision_is_caught() -> None:
    """A call cannot be over before it was decided on."""
    row = int(np.flatnonzero(rows()["outcome_known_ms"] > 0)[0])
    early = planted("outcome_known_ms", row, rows()["decision_ms"][row] - HOUR_MS)

    assert "outcome_known_ms" in {leak.where for leak in table_leaks(early)}


def test_parts_that_overlap_are_caught() -> None:
    """Rows of the embargo put back into training reach into the validation."""
    split = rows()["split"].copy()
    split[split == Split.EMBARGO.value] = Split.TRAIN.value

    assert "split" in {leak.where for leak in table_leaks(rows().having(split=split))}


def test_a_feature_without_a_stamp_is_caught() -> None:
    """Known at no instant is not known."""
    row = int(np.flatnonzero(rows()["pick_order"] > 0)[0])

    assert table_leaks(planted("quote_as_of_ms", row, 0))


@pytest.mark.parametrize("form", list(Form))
def test_prompts_of_ours_are_clean(form: Form) -> None:
    """Every one of every part, for both sets of labels."""
    for labels in Labels:
        corpus = corpus_of(rows(), CorpusParams(form=form, labels=labels))
        examples = [each for part in corpus.values() for each in part]
        assert len(examples) > 50
        assert prompt_leaks("corpus", examples) == ()


@pytest.mark.parametrize("outcome", [column.name for column in OUTCOMES])
@pytest.mark.parametrize("form", ["{user}\n{name}: 1", "{user} {name}=1"])
def test_an_outcome_in_a_prompt_is_caught(outcome: str, form: str) -> None:
    """On a line of its own or behind a candidate, under any outcome's name."""
    clean = example()
    told = evolve(clean, user=form.format(user=clean.user, name=outcome))

    (leak,) = prompt_leaks("corpus", [clean, told])

    assert leak.where == "corpus, example 2"
    assert "outcome" in leak.what


@pytest.mark.parametrize(
    "told",
    [
        "reward: 0.01",
        "max_drawdown_pct: 3",
        "pnl_vs_hodl: 5",
        "chosen: 4",
        "the best is number 3",
        "action: SELL_CALL",
        f"regime: {SELL}",
        "spot: SKIP",
        "decision_time: 2026-01-01T00:00:00Z",
    ],
)
def test_a_label_or_anything_else_in_a_prompt_is_caught(told: str) -> None:
    """What is no feature with a value of its kind may not be there."""
    clean = example(Form.RANKING)

    assert len(prompt_leaks("x", [evolve(clean, user=f"{clean.user}\n{told}")])) == 1
    assert len(prompt_leaks("x", [evolve(clean, system=f"{clean.system} {told}")])) == 1
