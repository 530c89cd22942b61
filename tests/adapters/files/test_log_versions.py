"""Logs that a newer program wrote: rightly sealed, and not for us."""

from pathlib import Path

import pytest

from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.sealed_lines import SealedLines
from adapters.files.venue_log import FileVenueLog
from ports.codec import Fields
from ports.errors import StoreForeign
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
