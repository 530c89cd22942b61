"""What happens at Greg's desk, as entries of the journal; his decision log is a copy of them."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from ports.checks import finite, not_negative, utc
from ports.greg_log import GregEntry
from ports.instruments import OptionContract


class GregEvent(StrEnum):
    """What an entry does to the decision log: the methods of GregSink."""

    SUGGESTED = "suggested"
    EXECUTED = "executed"
    NOTED = "noted"  # refusals, dismissals, changes of mode and configuration


@frozen(kw_only=True)
class GregNoted:
    """An event of Greg's desk."""

    at: datetime = field(validator=utc)
    event: GregEvent
    entry: GregEntry


@frozen
class SandboxLeg:
    """An invented trade: contracts with their sign, at a price in coin."""

    contract: OptionContract
    size: float = field(validator=finite)
    price_coin: float = field(validator=not_negative)


@frozen(kw_only=True)
class SandboxOpened:
    """A position of the sandbox was made up: nothing was ever sent for it."""

    at: datetime = field(validator=utc)
    position_id: str
    strategy_id: str
    underlying: str
    origin: str
    run_id: str
    index_usd: float = field(validator=finite)
    legs: tuple[SandboxLeg, ...]


@frozen(kw_only=True)
class SandboxClosed:
    """Positions of the sandbox were put away."""

    at: datetime = field(validator=utc)
    position_ids: tuple[str, ...]
    reason: str


GregJournal = GregNoted | SandboxOpened | SandboxClosed
