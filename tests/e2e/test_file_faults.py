"""A whole agent on files of which every operation goes wrong in turn, and the life after it."""

import pytest

from tests.support.faulty_files import FaultKind, Loss
from tests.support.file_faults import ENDS, LOSSES, on_real_files, without_power

_EVERY = 17  # calls; `scripts/file_faults` breaks each


@pytest.mark.parametrize("kind", FaultKind, ids=lambda kind: kind.name)
def test_real_files(kind: FaultKind) -> None:
    """
    Whatever call fails, finds no room, is torn or the last one: the next process goes on, books
    agree, no label has two orders, every order was written down, the journal folds to the book.
    """
    assert list(on_real_files(kind, _EVERY)) == []


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("kind", ENDS, ids=lambda kind: kind.name)
def test_a_loss_of_power(kind: FaultKind, loss: Loss) -> None:
    """The same where what was not synced is gone, half gone, or reads as NUL."""
    assert list(without_power(kind, loss, _EVERY)) == []
