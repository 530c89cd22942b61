"""Lost answers as values: how one is lost, and when it was known what became of its request."""

from datetime import datetime, timedelta

import numpy as np
from attrs import frozen

from apps.exchange.faults.kinds import Fault, FaultKind

AT_MOST = timedelta(seconds=5)  # after the end of validity
VALID_FOR = timedelta(seconds=5)
_LOST = (
    FaultKind.DROPPED,
    FaultKind.ANSWER_LOST,
    FaultKind.ANSWER_LATE,
    FaultKind.DELAYED,
    FaultKind.SERVER_ERROR,
    FaultKind.SERVER_ERROR_AFTER,
    FaultKind.ERROR_AFTER,
    FaultKind.TRUNCATED,
    FaultKind.FOREIGN,
    FaultKind.WRONG_ID,
    FaultKind.RESULT_AND_ERROR,
    FaultKind.NO_RESULT_NO_ERROR,
)
_SPANS = tuple(timedelta(seconds=each) for each in (1, 4, 12, 40))


@frozen
class Loss:
    """
    One request whose answer was lost.

    *known_after* is from the end of its validity to the instant at which we knew what became
    of it, None if we never did. A cancel is valid for ever: it is counted as an order would be.
    """

    label: str
    known_after: timedelta | None


@frozen
class Tally:
    """What came of many losses."""

    losses: tuple[Loss, ...]
    doubled: int  # labels with more than one order
    violations: tuple[str, ...]  # of what must always be true

    @property
    def unresolved(self) -> tuple[Loss, ...]:
        """What was not known in time."""
        return tuple(
            each for each in self.losses if each.known_after is None or each.known_after > AT_MOST
        )


def loss_of(method: str, chance: np.random.Generator, starts_at: datetime) -> Fault:
    """One of the ways in which the answer to *method* can be lost, from *starts_at* on."""
    return Fault(
        kind=_LOST[int(chance.integers(len(_LOST)))],
        method=method,
        span=_SPANS[int(chance.integers(len(_SPANS)))],
        starts_at=starts_at,
    )
