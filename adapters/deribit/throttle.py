"""Throttle: the venue's credits counted on our side, so that it never has to refuse us."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from attrs import define, evolve, field, frozen

from ports.errors import RateLimited


@frozen
class Limit:
    """So many requests at once, then so many a second; *headroom* of them are for cancels only."""

    burst: float
    per_second: float
    headroom: float = 0.0


@define(eq=False)
class _Bucket:
    limit: Limit
    left: float  # requests
    counted_at_s: float

    def wait_s(self, reserve: float, now_s: float) -> float:
        """The seconds until there is a request to take: 0 if there is one now."""
        refilled = self.left + (now_s - self.counted_at_s) * self.limit.per_second
        self.left, self.counted_at_s = min(self.limit.burst, refilled), now_s
        missing = reserve + 1.0 - self.left
        if missing <= _ROUNDING:
            return 0.0
        return max(missing / self.limit.per_second, _SHORTEST_WAIT_S)


_ROUNDING = 1e-9  # of a request: a bucket refilled for exactly the time it asked for is full enough
_SHORTEST_WAIT_S = 0.001  # less could be lost when it is added to a clock, and waited for for ever
_LISTING, _LOG, _OTHER, _MATCHING = "listing", "log", "other", "matching"
_SUBSCRIBING, _FREE = "subscribing", "free"

# The venue's default row and its lowest tier of order limits, in requests: 500 credits each of
# 50,000 with 10,000 a second, and so on. Cancels draw on the matching bucket too.
LIMITS = {
    _LISTING: Limit(burst=50, per_second=1),
    _LOG: Limit(burst=8, per_second=1),
    _SUBSCRIBING: Limit(burst=10, per_second=10 / 3),
    _OTHER: Limit(burst=100, per_second=20),
    _MATCHING: Limit(burst=20, per_second=5, headroom=5),
    _FREE: Limit(burst=1e6, per_second=1e6),  # of the paper exchange only
}
UNLIMITED = dict.fromkeys(LIMITS, Limit(burst=1e6, per_second=1e6))  # of a venue that counts none
_CANCELS = frozenset({"private/cancel"})
_KIND_OF = {
    "public/get_instruments": _LISTING,
    "private/get_transaction_log": _LOG,
    "paper/advance": _FREE,
    **dict.fromkeys(("public/subscribe", "private/subscribe"), _SUBSCRIBING),
    **dict.fromkeys(("private/buy", "private/sell", "private/edit", *_CANCELS), _MATCHING),
}


@define(eq=False, kw_only=True)
class Throttle:
    """
    One bucket per class of method; a request waits for its turn, at most *longest_wait_s*.

    *limits* are never exceeded, whatever the account tells.
    """

    limits: Mapping[str, Limit] = field(factory=lambda: LIMITS)
    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    longest_wait_s: float = 5.0
    _buckets: dict[str, _Bucket] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        for kind, limit in self.limits.items():
            self._buckets[kind] = _Bucket(limit, limit.burst, self.now_s())

    async def turn(self, method: str) -> None:
        """
        Return when *method* may be sent, and count it.

        Raises:
            RateLimited: Not within the longest wait; nothing was counted.
        """
        await self.free(method)
        self._buckets[_KIND_OF.get(method, _OTHER)].left -= 1.0

    async def free(self, method: str) -> None:
        """
        Return when *method* may be sent, and count nothing.

        Raises:
            RateLimited: Not within the longest wait.
        """
        bucket = self._buckets[_KIND_OF.get(method, _OTHER)]
        reserve = 0.0 if method in _CANCELS else bucket.limit.headroom
        give_up_at_s = self.now_s() + self.longest_wait_s
        while (wait_s := bucket.wait_s(reserve, self.now_s())) > 0.0:
            if self.now_s() + wait_s > give_up_at_s:
                raise RateLimited(f"{method}: our own limit frees it in {wait_s:.1f} s")
            await self.sleep(wait_s)

    def emptied(self, method: str) -> None:
        """Believe the venue when it says that there are no credits left for *method*."""
        bucket = self._buckets[_KIND_OF.get(method, _OTHER)]
        bucket.left, bucket.counted_at_s = 0.0, self.now_s()

    def narrow(self, *, matching: Limit, other: Limit) -> None:
        """Stay within the limits that the account tells of, where they are below ours."""
        for kind, told in ((_MATCHING, matching), (_OTHER, other)):
            self._buckets[kind].limit = _narrower(self.limits[kind], told)


def _narrower(ours: Limit, told: Limit) -> Limit:
    burst = min(ours.burst, told.burst)
    return evolve(
        ours,
        burst=burst,
        per_second=min(ours.per_second, told.per_second),
        headroom=min(ours.headroom, burst / 4.0),  # a quarter for cancels, as by default
    )
