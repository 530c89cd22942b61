"""What a venue shows of a market: quotes on its grid, volatilities in percent of two decimals."""

import numpy as np
from attrs import evolve, frozen

from core.simulation.synthetic_quotes import round_down
from ports.columns import Floats
from ports.instruments import ContractRules
from ports.market_data import MarketData, MarketSnapshot

_GRID_SLACK = 1e-6  # of a tick, as in ContractRules


@frozen(eq=False)
class ShownMarket:
    """
    MarketData as the venue would tell it of *market*.

    A paper world in memory and one over the wire see the same figures, and decide alike.
    """

    market: MarketData

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData; raises what *market* raises."""
        return as_shown(await self.market.snapshot(underlying))


def as_shown(snapshot: MarketSnapshot) -> MarketSnapshot:
    """
    Return *snapshot* without what no venue could have told.

    A volatility is its percent of two decimals over 100, to the last bit, so that it survives
    the wire; a quote off the grid is NaN.
    """
    chain, rules = snapshot.chain, snapshot.rules
    shown = evolve(
        chain,
        mark_iv=np.round(100.0 * chain.mark_iv, 2) / 100.0,
        bid=_on_grid(chain.bid, rules),
        ask=_on_grid(chain.ask, rules),
    )
    return evolve(snapshot, chain=shown)


def _on_grid(price: Floats, rules: ContractRules) -> Floats:
    """*price* where it is on the grid, (n,); NaN elsewhere."""
    is_on_grid = np.abs(round_down(price, rules) - price) <= _GRID_SLACK * rules.tick_size
    return np.where(is_on_grid, price, np.nan)
