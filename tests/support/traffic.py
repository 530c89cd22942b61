"""What leaves a process, checked: no more requests than the venue has credits for, no secrets."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from attrs import frozen

from tests.support.events import Violation


@frozen
class Asked:
    """A request for *method* left the process."""

    at: datetime
    method: str


@frozen(eq=False)
class Traffic:
    """What else there is to check: all requests, what must stay secret, the journal's text."""

    asked: Sequence[Asked] = ()
    secrets: Collection[str] = ()
    journal: str = ""


@frozen
class _Credits:
    """A bucket of the venue's credits: what one request costs, and how it refills."""

    most: float
    cost: float
    per_s: float = 10_000.0


# Section 5 of the interface: its default row, and the lowest tier of orders.
_REST = _Credits(most=50_000.0, cost=500.0)
_ORDERS = _Credits(most=20.0, cost=1.0, per_s=5.0)
_BUCKETS = {
    "public/get_instruments": _Credits(most=500_000.0, cost=10_000.0),
    "private/get_transaction_log": _Credits(most=80_000.0, cost=10_000.0),
    **dict.fromkeys(("private/buy", "private/sell", "private/edit", "private/cancel"), _ORDERS),
}
_BY_ADDRESS = "public/auth"  # strangers are not counted by credits


def within_credits(asked: Sequence[Asked]) -> Iterator[Violation]:
    """I8: requests stay within the venue's credits."""
    left: dict[_Credits, float] = {}
    seen: dict[_Credits, datetime] = {}
    for request in asked:
        if request.method == _BY_ADDRESS:
            continue
        bucket = _BUCKETS.get(request.method, _REST)
        passed_s = (request.at - seen.get(bucket, request.at)).total_seconds()
        refilled = min(bucket.most, left.get(bucket, bucket.most) + passed_s * bucket.per_s)
        left[bucket], seen[bucket] = refilled - bucket.cost, request.at
        if left[bucket] < -1e-6:
            yield Violation("I8", f"no credits left for {request.method} at {request.at}")


def without_secrets(traffic: Traffic) -> Iterator[Violation]:
    """I9: no secret is in the journal."""
    for secret in sorted(traffic.secrets):
        if secret in traffic.journal:
            yield Violation("I9", f"the journal holds a secret of {len(secret)} characters")
