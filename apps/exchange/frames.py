"""The market as the exchange shows it: one frame per coin, renewed as its clock goes on."""

from asyncio import Lock
from collections import defaultdict
from datetime import datetime, timedelta
from functools import cached_property
from math import isfinite

import numpy as np
from attrs import define, field, frozen

from core.pricing.averaging import open_share
from core.pricing.greeks import Greeks, greeks
from core.pricing.implied import implied_vol
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.clock import Clock
from ports.columns import Floats
from ports.errors import Unavailable
from ports.instruments import OptionContract
from ports.market_data import MarketData, MarketSnapshot

_LEAST_BAND = 0.015  # coin; recorded bands are this wide far out of the money,
_BAND_SHARE = 0.2  # and about so much of the mark deep in it. The formula is not public.
_LEAST_PRICE = 0.0001  # coin
_NOTHING = timedelta(0)


@frozen(eq=False, repr=False)
class Listing:
    """The contracts of a chain and their names, in its order."""

    chain: ChainTable
    contracts: tuple[OptionContract, ...]
    names: tuple[str, ...]
    row_of: dict[str, int]

    @classmethod
    def of(cls, chain: ChainTable) -> "Listing":
        """Name the contracts of *chain*."""
        contracts = chain.contracts
        names = tuple(contract.symbol for contract in contracts)
        return cls(chain, contracts, names, {name: row for row, name in enumerate(names)})

    def is_of(self, chain: ChainTable) -> bool:
        """Whether *chain* lists the same contracts in the same rows."""
        return all(
            np.array_equal(getattr(self.chain, name), getattr(chain, name))
            for name in ("expiry_ms", "strike", "is_call")
        )


@frozen(eq=False, repr=False)
class Frame:
    """
    One coin as it is shown, until the next frame.

    Lists are in the chain's order, with its units; volatilities as fractions, NaN where there
    is none. *bid_iv* and *ask_iv* are 0 where a quote has no time value.
    """

    snapshot: MarketSnapshot
    listing: Listing
    bid: list[float]
    ask: list[float]
    bid_amount: list[float]
    ask_amount: list[float]
    mark: list[float]
    mark_iv: list[float]
    forward: list[float]
    open_interest: list[float]
    volume: list[float]

    @classmethod
    def of(cls, snapshot: MarketSnapshot, listing: Listing) -> "Frame":
        """Show *snapshot*; what it leaves open is worked out when it is asked for."""
        chain = snapshot.chain
        return cls(
            snapshot=snapshot,
            listing=listing,
            bid=chain.bid.tolist(),
            ask=chain.ask.tolist(),
            bid_amount=chain.bid_amount.tolist(),
            ask_amount=chain.ask_amount.tolist(),
            mark=chain.mark.tolist(),
            mark_iv=chain.mark_iv.tolist(),
            forward=chain.forward.tolist(),
            open_interest=chain.open_interest.tolist(),
            volume=chain.volume.tolist(),
        )

    @cached_property
    def bid_iv(self) -> list[float]:
        """The volatilities in the bids."""
        return _quoted_iv(self.snapshot, self.snapshot.chain.bid)

    @cached_property
    def ask_iv(self) -> list[float]:
        """The volatilities in the asks."""
        return _quoted_iv(self.snapshot, self.snapshot.chain.ask)

    @cached_property
    def greeks(self) -> list[list[float]]:
        """Delta, gamma, vega, theta and rho by contract; delta fades while the mean is taken."""
        chain = self.snapshot.chain
        years = chain.years_left(self.snapshot.taken_at)
        found = greeks(chain.forward, chain.strike, years, chain.mark_iv, chain.is_call)
        shown: list[list[float]] = _as_shown(found, open_share(years)).tolist()
        return shown

    @property
    def coin(self) -> str:
        """The coin it shows."""
        return self.snapshot.underlying

    @property
    def at_ms(self) -> int:
        """When it was taken."""
        return epoch_ms(self.snapshot.taken_at)

    @property
    def index_usd(self) -> float:
        """USD per coin."""
        return self.snapshot.index_usd

    def least_price(self, row: int) -> float:
        """The lower end of the band of prices that are taken, on the grid."""
        low = self.mark[row] - self._half_band(row)
        return max(self.snapshot.rules.price_up(max(low, _LEAST_PRICE)), _LEAST_PRICE)

    def most_price(self, row: int) -> float:
        """The upper end of the band of prices that are taken, on the grid."""
        return self.snapshot.rules.price_down(self.mark[row] + self._half_band(row))

    def _half_band(self, row: int) -> float:
        return max(_LEAST_BAND, _BAND_SHARE * self.mark[row])


@define(eq=False, kw_only=True, repr=False)
class Frames:
    """
    MarketData that answers with one and the same frame for *step*: what is shown is what is
    traded on.
    """

    market: MarketData
    clock: Clock
    step: timedelta
    _frames: dict[str, Frame] = field(factory=dict, init=False)
    _looked_at: dict[str, datetime] = field(factory=dict, init=False)
    _turns: dict[str, Lock] = field(factory=lambda: defaultdict(Lock), init=False)

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData."""
        return (await self.frame(underlying)).snapshot

    async def frame(self, underlying: str) -> Frame:
        """
        Return the frame of *underlying* that is shown now.

        Raises:
            Unavailable: The market does not answer.
        """
        if (fresh := self._fresh(underlying)) is not None:
            return fresh
        async with self._turns[underlying]:  # who waited for the market need not ask it again
            return self._fresh(underlying) or await self._renewed(underlying)

    def forget(self, underlying: str) -> None:
        """Look at *underlying* anew when it is next asked for."""
        self._frames.pop(underlying, None)

    def _fresh(self, underlying: str) -> Frame | None:
        """The frame of *underlying* if it is still to be shown."""
        known = self._frames.get(underlying)
        if (
            known is None
            or not _NOTHING <= self.clock.now() - self._looked_at[underlying] < self.step
        ):
            return None
        return known

    async def _renewed(self, underlying: str) -> Frame:
        now, known = self.clock.now(), self._frames.get(underlying)
        snapshot = await self.market.snapshot(underlying)
        if known is None or not _shows_the_same(known.snapshot, snapshot):
            listing = known.listing if known and known.listing.is_of(snapshot.chain) else None
            known = Frame.of(snapshot, listing or Listing.of(snapshot.chain))
        self._frames[underlying], self._looked_at[underlying] = known, now
        return known

    def shown(self, underlying: str) -> Frame:
        """
        Return the newest frame of *underlying* without looking at the market.

        Raises:
            Unavailable: There is none yet.
        """
        if underlying not in self._frames:
            raise Unavailable(f"nothing of {underlying} was shown yet")
        return self._frames[underlying]


def _shows_the_same(old: MarketSnapshot, new: MarketSnapshot) -> bool:
    """Whether nothing was seen since: a recording stands still until its next instant."""
    return old.taken_at == new.taken_at and len(old.chain) == len(new.chain)


def known(value: float) -> float | None:
    """*value*, or None where nobody knows it: JSON has no NaN."""
    return value if isfinite(value) else None


def _quoted_iv(snapshot: MarketSnapshot, price: Floats) -> list[float]:
    """The volatility in a quote, (n,): 0 without a quote, or with one that allows none."""
    chain, years = snapshot.chain, snapshot.chain.years_left(snapshot.taken_at)
    iv, _ = implied_vol(price, chain.forward, chain.strike, years, chain.is_call)
    ivs: list[float] = np.nan_to_num(np.minimum(iv, 9.99), nan=0.0).tolist()  # 999 % at most
    return ivs


def _as_shown(found: Greeks, share: Floats) -> Floats:
    """(n, 5): what a ticker shows of the greeks, with its five decimals."""
    columns = (share * found.delta, found.gamma, found.vega, found.exchange_theta, found.rho)
    return np.stack(columns, axis=1, dtype=np.float64).round(5)
