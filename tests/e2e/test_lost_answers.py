"""Answers are lost in every way: nothing is doubled, and soon it is known what became of it."""

import pytest

from tests.support.lost_answers import Sort, lost_answers


@pytest.mark.parametrize("sort", list(Sort))
def test_what_an_answer_would_have_said_is_found_out(sort: Sort) -> None:
    """
    Of each lost answer it is known by valid_until + 5 s what became of its request, and no
    label ever has two orders. `scripts/lost_answers` loses a thousand of each sort.
    """
    tally = lost_answers(sort, wanted=20)

    assert len(tally.losses) >= 20
    assert tally.unresolved == ()
    assert tally.violations == ()
    assert tally.doubled == 0
