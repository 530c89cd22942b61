"""DecisionLog that forgets: for runs whose journal nobody will read."""

from collections.abc import AsyncIterator

from ports.decision_log import Entry, Record


class FleetingDecisionLog:
    """
    Numbers entries and keeps none of them, unsealed.

    A backtest makes its results from entries as they come, a hundred thousand of them a year.
    """

    def __init__(self) -> None:
        self._seq = 0

    async def append(self, entry: Entry) -> Record:
        """Return *entry* with its number and no checksum."""
        self._seq += 1
        return Record(self._seq, "", entry)

    async def records(self, after: int = 0) -> AsyncIterator[Record]:  # noqa: ARG002
        """Yield nothing: nothing is kept."""
        nothing: tuple[Record, ...] = ()
        for record in nothing:
            yield record
