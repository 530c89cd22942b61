"""The market of a backtest: recorded or invented quotes as orders of a run would meet them."""

from enum import StrEnum

import numpy as np
from attrs import define, evolve, field, frozen

from core.simulation.synthetic_quotes import (
    ModelValues,
    half_spread,
    round_down,
    round_up,
)
from ports.chain import ChainTable
from ports.checks import not_negative
from ports.clock import Clock
from ports.columns import Bools, Floats
from ports.instruments import ContractRules
from ports.market_data import MarketData, MarketSnapshot

_DEEP = 1e6  # contracts: more than any order


class FillPrice(StrEnum):
    """Where the quotes that orders meet come from."""

    QUOTES = "quotes"  # recorded bid and ask, and nothing where there is none
    MODEL = "model"  # the same; the usual spread about the mark where neither is quoted


class FillSize(StrEnum):
    """How much trades at the quote."""

    WHOLE = "whole"  # every order: recordings tell no amounts
    SHOWN = "shown"  # what is displayed, or a tenth of the day's volume where that is not told


@frozen(kw_only=True)
class FillParams:
    """
    How orders are filled: bid and ask lie *spread_share* half-spreads from their middle.

    1 is what was quoted, 0.5 a patient order, above 1 a stress of costs; *fee_share* likewise
    scales the venue's fees.
    """

    price: FillPrice = FillPrice.QUOTES
    size: FillSize = FillSize.WHOLE
    spread_share: float = field(default=1.0, validator=not_negative)
    fee_share: float = field(default=1.0, validator=not_negative)


@define(eq=False)
class TradableMarket:
    """
    MarketData with the quotes that *params* make of those of *market*.

    One snapshot per coin and instant is kept: a tick asks for it many times. Rows that repeat a
    contract are dropped after the first, crossed quotes are none; `flaws` counts both.
    """

    market: MarketData
    clock: Clock
    params: FillParams = field(factory=FillParams)
    flaws: dict[str, int] = field(factory=dict, init=False)
    _kept: dict[str, tuple[object, MarketSnapshot]] = field(factory=dict, init=False)

    async def snapshot(self, underlying: str) -> MarketSnapshot:
        """See MarketData; raises what *market* raises."""
        now = self.clock.now()
        kept = self._kept.get(underlying)
        if kept is None or kept[0] != now:
            made = self._made(await self.market.snapshot(underlying))
            self._kept[underlying] = kept = (now, made)
        return kept[1]

    def _made(self, snapshot: MarketSnapshot) -> MarketSnapshot:
        chain, params = snapshot.chain, self.params
        repeated = _repeated(chain)
        if repeated.any():
            self._count("repeated contracts", int(repeated.sum()))
            chain = chain.where(~repeated)
        crossed = chain.bid >= chain.ask
        if crossed.any():
            self._count("crossed quotes", int(crossed.sum()))
        bid, ask = np.where(crossed, np.nan, chain.bid), np.where(crossed, np.nan, chain.ask)
        if params.price is FillPrice.MODEL:
            bid, ask = _modelled(snapshot, chain, bid, ask)
        bid, ask = _spread(bid, ask, params.spread_share, snapshot.rules)
        chain = evolve(chain, bid=bid, ask=ask)
        if params.size is FillSize.WHOLE:
            chain = evolve(
                chain,
                bid_amount=np.where(np.isfinite(bid), _DEEP, np.nan),
                ask_amount=np.where(np.isfinite(ask), _DEEP, np.nan),
            )
        return evolve(snapshot, chain=chain, rules=_scaled(snapshot.rules, params.fee_share))

    def _count(self, flaw: str, rows: int) -> None:
        self.flaws[flaw] = self.flaws.get(flaw, 0) + rows


def _repeated(chain: ChainTable) -> Bools:
    """Whether a row is the contract of the row before, (n,)."""
    same = np.zeros(len(chain), dtype=np.bool_)
    same[1:] = (
        (np.diff(chain.expiry_ms) == 0)
        & (np.diff(chain.strike) == 0)
        & (chain.is_call[1:] == chain.is_call[:-1])
    )
    return same


def _spread(bid: Floats, ask: Floats, share: float, rules: ContractRules) -> tuple[Floats, Floats]:
    """Both quotes at *share* of their distance from the middle, on the grid, none below it."""
    if share == 1.0:
        return bid, ask
    middle, half = (bid + ask) / 2.0, share * (ask - bid) / 2.0
    low = round_down(np.maximum(middle - half, 0.0), rules)
    is_paired = np.isfinite(middle)
    low = np.where(low >= rules.tick_size, low, np.nan)
    return np.where(is_paired, low, bid), np.where(is_paired, round_up(middle + half, rules), ask)


def _modelled(
    snapshot: MarketSnapshot, chain: ChainTable, bid: Floats, ask: Floats
) -> tuple[Floats, Floats]:
    """The usual spread about the mark where nothing is quoted on either side."""
    years = chain.years_left(snapshot.taken_at)
    values = ModelValues(
        mark=chain.mark,
        log_moneyness=np.log(chain.strike / chain.forward),
        years=years,
        mark_iv=chain.mark_iv,
        expiry_iv=_at_the_money(chain),
    )
    half = np.maximum(half_spread(snapshot.underlying, values), 0.5 * snapshot.rules.tick_size)
    unquoted = ~np.isfinite(bid) & ~np.isfinite(ask) & np.isfinite(half)
    low = round_down(np.maximum(chain.mark - half, 0.0), snapshot.rules)
    low = np.where(low >= snapshot.rules.tick_size, low, np.nan)
    high = round_up(chain.mark + half, snapshot.rules)
    return np.where(unquoted, low, bid), np.where(unquoted, high, ask)


def _at_the_money(chain: ChainTable) -> Floats:
    """The mark volatility of the strike nearest to the forward in each row's expiry, (n,)."""
    out = np.full(len(chain), np.nan)
    for expiry_ms in np.unique(chain.expiry_ms):
        rows = np.flatnonzero(chain.expiry_ms == expiry_ms)
        nearest = np.argmin(np.abs(np.log(chain.strike[rows] / chain.forward[rows])))
        out[rows] = chain.mark_iv[rows[nearest]]
    return out


def _scaled(rules: ContractRules, share: float) -> ContractRules:
    """*rules* with *share* of the fees; the cap stays where it is unless there is no fee."""
    if share == 1.0:
        return rules
    return evolve(
        rules,
        trade_fee_coin=share * rules.trade_fee_coin,
        delivery_fee_coin=share * rules.delivery_fee_coin,
        fee_cap=share * rules.fee_cap,
    )
