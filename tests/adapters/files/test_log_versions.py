"""Logs that a newer program wrote: rightly sealed, and not for us."""

from pathlib import Path

import pytest

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.sealed_lines import SealedLines
from adapters.files.venue_log import FileVenueLog
from ports.codec import Fields
from ports.errors import StoreForeign
from ports.venue_log import Deposit
from tests.support.entries import NOW

NEWER: list[Fields] = [
    {"type": "Alarm", "version": 2, "at": "2026-01-02T09:30:00.000000Z"},
    {"type": "VenueStep", "version": 2, "at": "2026-01-02T09:30:00.000000Z"},
    {"type": "Dreamt", "version": 1},
]


@pytest.mark.parametrize("payload", NEWER, ids=lambda payload: payload["type"])
async def test_a_newer_entry_is_foreign(tmp_path: Path, payload: Fields) -> None:
    """A journal with an entry we do not know is refused where it stands, not called damaged."""
    SealedLines(Disk(), tmp_path, "journal").append(NOW, payload)
    with pytest.raises(StoreForeign, match="number 1 of the journal: cannot read"):
        await anext(FileDecisionLog(Disk(), tmp_path).records())


@pytest.mark.parametrize("payload", NEWER, ids=lambda payload: payload["type"])
async def test_a_newer_step_is_foreign(tmp_path: Path, payload: Fields) -> None:
    """So is the memory of a venue."""
    SealedLines(Disk(), tmp_path, "venue").append(NOW, payload)
    with pytest.raises(StoreForeign, match="number 1 of the venue's log: cannot read"):
        await anext(FileVenueLog(Disk(), tmp_path).steps())


async def test_a_step_of_before_the_perpetual_is_read(tmp_path: Path) -> None:
    """A venue's memory that knows of no terms, funding or triggers is that of plain orders."""
    old = {
        "type": "VenueStep",
        "version": 1,
        "at": "2026-01-02T09:30:00.000000Z",
        "deposits": [{"underlying": "BTC", "amount_coin": 1.0}],
        "orders": [],
        "fills": [],
        "deliveries": [],
    }
    SealedLines(Disk(), tmp_path, "venue").append(NOW, old)
    step = await anext(FileVenueLog(Disk(), tmp_path).steps())

    assert step.deposits == (Deposit("BTC", 1.0),)
    assert (step.terms, step.triggers, step.fundings, step.settlements) == ({}, (), (), ())
