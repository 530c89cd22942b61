"""VenueLog in memory: gone with the process, or handed to the next venue of a test."""

from collections.abc import AsyncIterator

from attrs import define, field

from ports.venue_log import VenueStep


@define(eq=False)
class MemoryVenueLog:
    """The steps of a venue, in a list."""

    kept: list[VenueStep] = field(factory=list)

    async def append(self, step: VenueStep) -> None:
        """See VenueLog; it never fails."""
        self.kept.append(step)

    async def steps(self) -> AsyncIterator[VenueStep]:
        """See VenueLog; it never fails."""
        for step in tuple(self.kept):
            yield step
