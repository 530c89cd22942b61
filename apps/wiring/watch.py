"""Which contracts clients look at: of those the feed is asked what a chain leaves out."""

from attrs import define, field

from ports.chain import ChainTable
from ports.instruments import OptionContract

MOST_WATCHED = 10  # contracts of a coin


@define(eq=False)
class Watch:
    """The contracts that clients looked at last."""

    _contracts: dict[OptionContract, None] = field(factory=dict, init=False)  # the oldest first

    def add(self, contract: OptionContract) -> bool:
        """Watch *contract*, and the one watched longest no more; return whether it is new."""
        is_new = contract not in self._contracts
        self._contracts.pop(contract, None)
        self._contracts[contract] = None
        of_coin = [each for each in self._contracts if each.underlying == contract.underlying]
        for old in of_coin[:-MOST_WATCHED]:
            del self._contracts[old]
        return is_new

    def rows(self, chain: ChainTable) -> list[int]:
        """The rows of *chain* that are watched."""
        found = (chain.row_of(contract) for contract in self._contracts)
        return [row for row in found if row is not None]
