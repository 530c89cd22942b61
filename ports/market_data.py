"""The market as every decision sees it."""

from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from ports.chain import ChainTable
from ports.checks import positive, utc
from ports.instruments import ContractRules


@frozen(eq=False)
class MarketSnapshot:
    """One underlying at one instant: what every decision starts from."""

    underlying: str
    taken_at: datetime = field(validator=utc)
    index_usd: float = field(validator=positive)
    chain: ChainTable
    rules: ContractRules


class MarketData(Protocol):
    """The market as it is: live, recorded or invented."""

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """
        Return the newest consistent view of *underlying* and its listed options.

        Safe to retry. Rows come sorted by expiry, strike, kind; a contract
        without a mark is left out rather than filled in; expired contracts are not listed.

        Raises:
            Unavailable: No answer within the adapter's timeout, or no such underlying.

            Malformed: The venue answered something that is not a chain.
        """
        ...
