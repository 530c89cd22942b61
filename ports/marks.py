"""What is held, at the prices it is measured with."""

from datetime import datetime

from attrs import field, frozen
from attrs.validators import optional

from ports.checks import finite, positive, utc
from ports.instruments import FutureContract, OptionContract


@frozen
class PositionMark:
    """The mark of one contract, coin per contract."""

    contract: OptionContract
    mark_coin: float = field(validator=finite)


@frozen(kw_only=True)
class FutureMark:
    """
    The mark of a future, USD per coin, and what its funding came to since *since*.

    *funding* is a fraction of the coin held, which longs paid where it is positive. *since* is
    None where it is not known: it is asked for again with the next mark.
    """

    contract: FutureContract
    mark_usd: float = field(validator=positive)
    since: datetime | None = field(default=None, validator=optional(utc))
    funding: float = field(default=0.0, validator=finite)
