"""VenueLog in files."""

from collections.abc import AsyncIterator
from pathlib import Path

from adapters.files.disk import Disk
from adapters.files.sealed_lines import SealedLines, TornTail
from ports.errors import StoreForeign
from ports.venue_log import VENUE_STEPS, VenueStep


class FileVenueLog:
    """
    The memory of a simulated venue in *directory*, `venue-<day>-<seq>.jsonl`; see SealedLines.

    Raises:
        StoreDamaged, StoreForeign: As SealedLines; nothing was changed.
    """

    def __init__(self, disk: Disk, directory: Path) -> None:
        self._lines = SealedLines(disk, directory, "venue")

    @property
    def torn(self) -> TornTail | None:
        """What a crash left behind the last whole line, found at opening."""
        return self._lines.torn

    async def append(self, step: VenueStep) -> None:
        """
        Keep *step*, synced on return.

        Raises:
            StoreUnwritable: It is not safely written, and nothing more will be taken.
        """
        self._lines.append(step.at, VENUE_STEPS.encode(step))

    async def steps(self) -> AsyncIterator[VenueStep]:
        """
        Yield every step, oldest first.

        Raises:
            StoreDamaged: A line is missing or is not as it was written.

            StoreForeign: A line is as it was written, by a newer program.
        """
        for line in self._lines.lines():
            try:
                yield VENUE_STEPS.decode(line.payload)
            except ValueError as error:
                raise StoreForeign(f"number {line.seq} of the venue's log: {error}") from error
