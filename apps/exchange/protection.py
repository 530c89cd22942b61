"""Market maker protection: how much may trade of protected orders, and for how long they stop."""

from datetime import datetime, timedelta

import attrs
from attrs import field, frozen


@frozen(kw_only=True)
class Protection:
    """
    Limits of what protected orders in one coin may trade within *interval_s*; None is no limit.

    Quantity in coin, both directions added up; net transaction delta in coin; vega in USD a vol
    point. A breach freezes them for *frozen_time_s*, 0 until a reset. The first *settled* trades
    of the coin do not count: they were before it was set, reset or breached.
    """

    interval_s: int
    frozen_time_s: int
    quantity_limit: float | None
    delta_limit: float | None
    vega_limit: float | None
    max_quote_quantity: float | None
    settled: int
    triggered_at: datetime | None = field(default=None)

    @property
    def frozen_until(self) -> datetime | None:
        """When a breach is over; None without one, or if only a reset ends it."""
        if self.triggered_at is None or self.frozen_time_s == 0:
            return None
        return self.triggered_at + timedelta(seconds=self.frozen_time_s)

    def is_frozen(self, now: datetime) -> bool:
        """Whether protected orders are refused."""
        if self.triggered_at is None:
            return False
        return self.frozen_until is None or now < self.frozen_until

    def is_breached(self, traded: "Traded") -> bool:
        """Whether *traded* is beyond a limit."""
        pairs = (
            (traded.quantity, self.quantity_limit),
            (abs(traded.delta), self.delta_limit),
            (abs(traded.vega), self.vega_limit),
        )
        return any(limit is not None and figure > limit for figure, limit in pairs)

    def triggered(self, now: datetime, trades: int) -> "Protection":
        """The protection once it was breached, by the last of so many *trades*."""
        return attrs.evolve(self, triggered_at=now, settled=trades)

    def reset(self, trades: int) -> "Protection":
        """The protection as if the *trades* until now had not been."""
        return attrs.evolve(self, triggered_at=None, settled=trades)


@frozen
class Traded:
    """What traded of protected orders: coin in all, net delta in coin, vega in USD."""

    quantity: float
    delta: float
    vega: float
