"""Corpora: three messages each, labels that are right, orders that tell nothing."""

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from core.training.corpus import PARTS, CorpusParams, Example, Form, Labels, corpus_of
from core.training.prompts import JUDGE_ONE, RANK_ALL, ScoreShown
from core.training.rows import groups_of, is_judged
from core.training.schema import NO_TRADE, SELL, SKIP, Split, Table
from tests.support.training import STYLES, rows

FORMS, LABELS = list(Form), list(Labels)


@lru_cache
def held() -> Table:
    """The rows of one exit style."""
    return rows().where(rows()["exit_style"] == STYLES[0].value)


@lru_cache
def corpus(
    form: Form, labels: Labels, score: ScoreShown = ScoreShown.SHOWN
) -> dict[Split, tuple[Example, ...]]:
    return dict(corpus_of(held(), CorpusParams(form=form, labels=labels, score=score)))


def strike_of(example: Example, number: int) -> str:
    """The strike and days of candidate *number* of a ranking prompt."""
    (line,) = (line for line in example.user.splitlines() if line.startswith(f"{number}: "))
    return " ".join(line.split()[1:3])


def right_row(
    table: Table, group: "np.ndarray[tuple[int], np.dtype[np.int64]]", how: Labels
) -> int:
    """The row that is to be chosen; -1 is none."""
    column = {Labels.IMITATION: "pick_order", Labels.HINDSIGHT: "outcome_is_best"}[how]
    found = group[table[column][group] == 1]
    return int(found[0]) if len(found) else -1


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("form", FORMS)
def test_a_conversation_is_three_messages(form: Form, labels: Labels) -> None:
    """System, user, assistant, in every part; the answer is one of those asked for."""
    for part in PARTS:
        examples = corpus(form, labels)[part]
        assert examples
        for example in examples:
            roles = [message["role"] for message in example.messages["messages"]]
            assert roles == ["system", "user", "assistant"]
            if form is Form.CANDIDATE:
                assert (example.system, example.answer in (SELL, SKIP)) == (JUDGE_ONE, True)
            else:
                assert example.system == RANK_ALL
                assert example.answer == NO_TRADE or example.answer.isdigit()


@pytest.mark.parametrize("labels", LABELS)
def test_the_number_answered_is_the_call_to_be_sold(labels: Labels) -> None:
    """The strike and days of the numbered line are those of the row; else NO_TRADE."""
    table = held().where(held()["split"] == "train")
    groups = [
        group
        for group in groups_of(table)
        if labels is Labels.IMITATION or is_judged(table["outcome_status"][group])
    ]
    examples = corpus(Form.RANKING, labels)[Split.TRAIN]

    assert len(groups) == len(examples)
    for group, example in zip(groups, examples, strict=True):
        row = right_row(table, group, labels)
        if row < 0:
            assert example.answer == NO_TRADE
        else:
            said = f"strike={table['strike'][row]:.6g} dte={table['dte'][row]:.6g}"
            assert strike_of(example, int(example.answer)) == said


def test_the_place_of_the_right_answer_tells_nothing() -> None:
    """Relative places of the imitated call fill the whole list: mean 1/2 within 4 errors."""
    places = []
    for part in PARTS:
        for example in corpus(Form.RANKING, Labels.IMITATION)[part]:
            count = sum(line[0].isdigit() for line in example.user.splitlines())
            if count > 4:
                places.append((int(example.answer) - 0.5) / count)

    assert len(places) > 40
    assert np.mean(places) == pytest.approx(0.5, abs=4.0 * np.sqrt(1.0 / 12.0 / len(places)))


@pytest.mark.parametrize("labels", LABELS)
def test_skips_do_not_outnumber_sales(labels: Labels) -> None:
    """One for each, in every part; what is sold is all there."""
    table = held()
    for part in PARTS:
        counts = Counter(example.answer for example in corpus(Form.CANDIDATE, labels)[part])
        assert 0 < counts[SKIP] <= counts[SELL]
    sold = int(((table["pick_order"] > 0) & (table["split"] == "train")).sum())
    train = corpus(Form.CANDIDATE, Labels.IMITATION)[Split.TRAIN]
    assert Counter(example.answer for example in train)[SELL] == sold


def test_a_masked_score_is_gone_and_nothing_else() -> None:
    """The ablation takes the teacher's own figure out of every prompt."""
    shown = corpus(Form.RANKING, Labels.IMITATION)[Split.TRAIN]
    masked = corpus(Form.RANKING, Labels.IMITATION, ScoreShown.MASKED)[Split.TRAIN]

    for one, other in zip(shown, masked, strict=True):
        kept = [word for word in one.user.split() if not word.startswith("score=")]
        assert kept == other.user.split()
        assert "score=" not in other.user


def test_both_labels_are_asked_the_same() -> None:
    """Imitation and hindsight differ in the answer alone, wherever both have one."""
    imitated = {each.user: each.answer for each in corpus(Form.RANKING, Labels.IMITATION)["train"]}
    judged = corpus(Form.RANKING, Labels.HINDSIGHT)[Split.TRAIN]

    assert all(example.user in imitated for example in judged)
    assert any(imitated[example.user] != example.answer for example in judged)


def test_a_decision_without_candidates_is_answered_by_no_trade() -> None:
    """It is no malformed row: the state of the market is shown, and no candidate."""
    table = held()
    empty = table.where(table["split"] == "train").where(np.array([0]))
    for name in ("instrument", "action"):
        empty = empty.having(**{name: np.array(["" if name == "instrument" else "NO_CANDIDATES"])})
    empty = empty.having(pick_order=np.array([0]), outcome_is_best=np.array([0]))

    ranked = corpus_of(empty, CorpusParams(form=Form.RANKING, labels=Labels.IMITATION))
    alone = corpus_of(empty, CorpusParams(form=Form.CANDIDATE, labels=Labels.IMITATION))

    (example,) = ranked[Split.TRAIN]
    assert example.user.endswith("candidates: none")
    assert example.answer == NO_TRADE
    assert alone[Split.TRAIN] == ()
