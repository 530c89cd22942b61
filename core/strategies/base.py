"""Strategy, the Protocol: a frozen value that proposes actions on what it is shown."""

from typing import Protocol

from attrs import frozen

from core.view import TickView
from ports.decision_log import Action, Candidate, Skipped
from ports.greg_log import GregEntry


@frozen(kw_only=True)
class Proposal:
    """
    What a strategy wants, and why not anything else: *candidates* passed every rule, best
    first; *skipped* are all other contracts by reason. *advice* is what it would tell a person
    of the positions it is shown, for Greg's decision log.
    """

    actions: tuple[Action, ...]
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]
    advice: tuple[GregEntry, ...] = ()


class Strategy(Protocol):
    """Holds no state: its past is in the positions it is shown."""

    @property
    def strategy_id(self) -> str:
        """The name its orders, fills and log lines carry; at most 20 ASCII characters."""
        ...

    @property
    def policy_version(self) -> str:
        """Which rules these are, written into every decision."""
        ...

    @property
    def underlyings(self) -> tuple[str, ...]:
        """The coins it trades."""
        ...

    def propose(self, view: TickView) -> Proposal:
        """The actions it wants now; at least one, DO_NOTHING with its reason if it must."""
        ...
