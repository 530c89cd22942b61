"""Variants of the entry rules: which are in use, and by which limits."""

from datetime import datetime, timedelta
from enum import StrEnum

from attrs import field, frozen

from ports.checks import not_negative


class EntryVariant(StrEnum):
    """A better way to choose an entry, off unless it is named."""

    HYSTERESIS = "hysteresis"  # what was chosen stays until it is clearly beyond its limits
    JUMP_TEST = "jump_test"  # nothing within a week of a jump
    LIQUIDITY_TEST = "liquidity_test"  # nothing where spreads are wide or interest is small
    SCHEDULED_EVENT = "scheduled_event"  # no short volatility shortly before an event
    FRONT_EVENT = "front_event"  # a calendar only about an event, forward below the back leg
    SPREAD_BEFORE_PUT = "spread_before_put"  # the bull put first where the market is oversold


@frozen(kw_only=True)
class EntryTerms:
    """
    Which variants are in use, and their limits.

    *events* are the instants of what is scheduled, such as a central bank's decision.
    """

    variants: frozenset[EntryVariant] = frozenset()
    events: tuple[datetime, ...] = ()
    band_share: float = field(default=0.05, validator=not_negative)  # of a limit, of hysteresis
    most_jump_sigmas: float = field(default=4.0, validator=not_negative)
    most_spread_share: float = field(default=0.10, validator=not_negative)
    least_open_interest: float = field(default=100.0, validator=not_negative)  # contracts
    event_wait: timedelta = timedelta(hours=48)

    def has(self, variant: EntryVariant) -> bool:
        """Whether *variant* is in use."""
        return variant in self.variants
