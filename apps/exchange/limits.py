"""Credits: what requests cost, and when there are none left."""

from enum import StrEnum

from attrs import define, field, frozen

from apps.exchange.rpc import RpcError


class Cost(StrEnum):
    """The classes of requests that are counted apart."""

    NON_MATCHING = "non_matching"
    INSTRUMENTS = "get_instruments"
    SUBSCRIBE = "subscribe"
    TRANSACTION_LOG = "get_transaction_log"
    MATCHING = "matching"
    CANCEL_ALL = "cancel_all"
    FREE = "free"


@frozen
class Allowance:
    """A bucket of credits: it fills by *refill_per_s* up to *most*; each request takes *cost*."""

    cost: float
    most: float
    refill_per_s: float

    @classmethod
    def of_rate(cls, rate: float, burst: float) -> "Allowance":
        """So many requests a second, and so many at once."""
        return cls(1.0, burst, rate)

    @property
    def rate(self) -> float:
        """Requests a second that can go on for ever."""
        return self.refill_per_s / self.cost

    @property
    def burst(self) -> float:
        """Requests at once."""
        return self.most / self.cost


_CLASSES = {
    Cost.NON_MATCHING: Allowance(500.0, 50_000.0, 10_000.0),
    Cost.INSTRUMENTS: Allowance(10_000.0, 500_000.0, 10_000.0),
    Cost.SUBSCRIBE: Allowance(3_000.0, 30_000.0, 10_000.0),
    Cost.TRANSACTION_LOG: Allowance(10_000.0, 80_000.0, 10_000.0),
    Cost.CANCEL_ALL: Allowance.of_rate(200.0, 250.0),
}
TIERS = {  # of 7-day volume; 4 is everybody's to begin with
    1: Allowance.of_rate(30.0, 100.0),
    2: Allowance.of_rate(20.0, 50.0),
    3: Allowance.of_rate(10.0, 30.0),
    4: Allowance.of_rate(5.0, 20.0),
}


UNLIMITED = dict.fromkeys(Cost, Allowance.of_rate(1e6, 1e6))  # what is told where none is counted


def allowances(tier: int) -> dict[Cost, Allowance]:
    """Return what an account of *tier* is allowed."""
    return {**_CLASSES, Cost.MATCHING: TIERS[tier]}


@define(eq=False)
class Meter:
    """
    The credits of one account.

    *allowed* None is no limit. Requests without an account are not counted: Deribit limits
    them by address, at figures it does not publish.
    """

    allowed: dict[Cost, Allowance] | None
    _left: dict[Cost, float] = field(factory=dict, init=False)
    _seen_s: dict[Cost, float] = field(factory=dict, init=False)

    def take(self, cost: Cost, now_s: float) -> None:
        """
        Take the credits of one request at *now_s*; a clock that goes back brings none.

        Raises:
            RpcError: 10028, there are not enough.
        """
        if self.allowed is None or cost is Cost.FREE:
            return
        allowance = self.allowed[cost]
        passed_s = max(0.0, now_s - self._seen_s.get(cost, now_s))
        left = self._left.get(cost, allowance.most) + passed_s * allowance.refill_per_s
        left = min(left, allowance.most)
        self._seen_s[cost] = now_s
        self._left[cost] = left - allowance.cost if left >= allowance.cost else left
        if left < allowance.cost:
            raise RpcError(10028, "too_many_requests")
