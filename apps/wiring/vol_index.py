"""Recorded closes of the venue's volatility index."""

from pathlib import Path

from adapters.files.vol_index_closes import VolIndexClose, read_closes


def closes_of(directory: Path, underlying: str) -> tuple[VolIndexClose, ...]:
    """
    The daily closes of *underlying* recorded in *directory*, oldest first.

    Raises:
        Unavailable, StoreDamaged: As read_closes.
    """
    return read_closes(directory, underlying)
