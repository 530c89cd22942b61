"""What can go wrong outside, in our words."""

from enum import StrEnum
from typing import ClassVar


class Severity(StrEnum):
    """How far a failure reaches: this tick, new risk, or everything until a person looks."""

    TRANSIENT = "transient"
    DEGRADED = "degraded"
    FATAL = "fatal"


class PortError(Exception):
    """The outside failed; adapters raise nothing else."""

    severity: ClassVar[Severity] = Severity.DEGRADED


class Unavailable(PortError):
    """No answer in time, or "not now"; a read may be tried again."""

    severity = Severity.TRANSIENT


class RateLimited(Unavailable):
    """The venue refused the request before looking at it: too many, too fast."""


class NeverSent(PortError):
    """The request certainly did not leave: the same one may be sent again."""

    severity = Severity.TRANSIENT


class OutcomeUnknown(PortError):
    """The request may have been carried out: look it up, never send it again blindly."""


class Malformed(PortError):
    """The answer is not what it should be."""


class Refused(PortError):
    """The venue looked at the request and said no; *code* is the venue's own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message


class Unauthorised(PortError):
    """Credentials are missing, wrong, or do not allow this."""

    severity = Severity.FATAL


class StoreDamaged(PortError):
    """What was written is not what is read; a person must look."""

    severity = Severity.FATAL


class StoreUnwritable(PortError):
    """A write or its sync failed; nothing later may rely on it."""

    severity = Severity.FATAL


class StoreForeign(PortError):
    """The file belongs to another environment or to a newer version of this program."""

    severity = Severity.FATAL


class StoreLocked(PortError):
    """Another process holds the book."""

    severity = Severity.FATAL
