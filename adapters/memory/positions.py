"""PositionStore in memory."""

from ports.positions import BookSnapshot


class MemoryPositionStore:
    """The newest snapshot of a book of *environment*."""

    def __init__(self, environment: str) -> None:
        self._environment = environment
        self._snapshot: BookSnapshot | None = None

    async def load(self) -> BookSnapshot | None:
        """Return the newest snapshot, or None if there is none."""
        return self._snapshot

    async def save(self, snapshot: BookSnapshot) -> None:
        """
        Keep *snapshot* in place of the one before.

        Raises:
            ValueError: It is of another environment.
        """
        if snapshot.environment != self._environment:
            raise ValueError(
                f"a book of {snapshot.environment!r} cannot be kept as one of {self._environment!r}"
            )
        self._snapshot = snapshot

    def free_bytes(self) -> int | None:
        """None: it is not a disk."""
        return None
