"""Which contracts a strategy would trade now: expiries, strikes and how many."""

import numpy as np
from attrs import field, frozen

from core.greg.catalogue import CATALOGUE, LegPlan, StrategyCode, Window
from core.greg.thresholds import EntryWindows
from core.pricing.black76 import delta
from core.surface.forwards import with_forwards
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.columns import Bools, Floats
from ports.instruments import OptionContract, OptionKind
from ports.market_data import MarketSnapshot
from ports.trading import Side

_DAY_MS = 86_400_000
_FRONT_DAYS = 14  # a leg planned for less than this is the front one
_SPREADS = (StrategyCode.BULL_PUT, StrategyCode.BEAR_CALL)


@frozen(kw_only=True)
class PlannedLeg:
    """One leg with its quotes, coin per contract, and its delta; NaN is not quoted."""

    contract: OptionContract
    side: Side
    bid: float
    ask: float
    mark: float
    delta: float

    @property
    def taking_coin(self) -> float:
        """What a contract brings at the other side's price; negative is what it costs."""
        return self.bid if self.side is Side.SELL else -self.ask


@frozen(kw_only=True)
class Structure:
    """The legs of one strategy at one instant, as many contracts of each."""

    code: StrategyCode
    legs: tuple[PlannedLeg, ...]
    amount: float = field(default=0.0)

    @property
    def credit_coin(self) -> float:
        """What one of it brings at the quotes; negative is what it costs, NaN if unquoted."""
        return sum(leg.taking_coin for leg in self.legs)


@frozen
class NoStructure:
    """Why there is none."""

    reason: str


def structure_of(
    code: StrategyCode, snapshot: MarketSnapshot, windows: EntryWindows
) -> Structure | NoStructure:
    """
    Return the contracts of *code* on *snapshot*, by the deltas of its marks.

    The expiry is the one nearest to the middle of the strategy's own days, of those the entry
    window allows; strikes at the money are nearest to the forward, and legs that share a
    maturity share the strike. Wings lie beyond what is sold.
    """
    plans = CATALOGUE[code].legs
    if not plans:
        return NoStructure(f"{code} trades nothing")
    market = _Market.of(snapshot)
    legs: list[PlannedLeg] = []
    for plan in plans:
        found = _leg(code, plan, market, windows, legs)
        if isinstance(found, NoStructure):
            return found
        legs.append(found)
    return Structure(code=code, legs=tuple(legs))


@frozen(eq=False)
class _Market:
    """A chain with its deltas, columns (n,)."""

    snapshot: MarketSnapshot
    chain: ChainTable
    forward: Floats
    delta: Floats
    days: Floats

    @classmethod
    def of(cls, snapshot: MarketSnapshot) -> "_Market":
        chain = snapshot.chain
        forward = with_forwards(chain)
        years = chain.years_left(snapshot.taken_at)
        return cls(
            snapshot,
            chain,
            forward,
            delta(forward, chain.strike, years, chain.mark_iv, chain.is_call),
            (chain.expiry_ms - epoch_ms(snapshot.taken_at)) / _DAY_MS,
        )

    def of_kind(self, expiry_ms: int, kind: OptionKind) -> Bools:
        rows: Bools = (self.chain.expiry_ms == expiry_ms) & (
            self.chain.is_call == (kind is OptionKind.CALL)
        )
        return rows

    def leg(self, row: int, side: Side) -> PlannedLeg:
        chain = self.chain
        return PlannedLeg(
            contract=chain.contract(row),
            side=side,
            bid=float(chain.bid[row]),
            ask=float(chain.ask[row]),
            mark=float(chain.mark[row]),
            delta=float(self.delta[row]),
        )


def _leg(
    code: StrategyCode,
    plan: LegPlan,
    market: _Market,
    windows: EntryWindows,
    before: list[PlannedLeg],
) -> PlannedLeg | NoStructure:
    expiry_ms = _expiry(plan, market, _window(code, plan, windows))
    if expiry_ms is None:
        return NoStructure(f"no expiry of {plan.dte.low} to {plan.dte.high} days is listed")
    chain, is_at_money = market.chain, plan.delta is None
    rows = market.of_kind(expiry_ms, plan.kind)
    rows &= np.isfinite(market.delta) & np.isfinite(chain.mark)
    rows &= _is_shared(code, market, windows) if is_at_money else _beyond(plan, market, before)
    if is_at_money and before:
        rows &= chain.strike == before[0].contract.strike
    if not rows.any():
        return NoStructure(f"no {plan.kind} for {_wish(plan)} is marked")
    if plan.delta is None:
        distance = np.abs(chain.strike - np.median(market.forward[rows]))
    else:
        distance = np.abs(100.0 * np.abs(market.delta) - plan.delta)
    return market.leg(int(np.flatnonzero(rows)[np.argmin(distance[rows])]), plan.side)


def _is_shared(code: StrategyCode, market: _Market, windows: EntryWindows) -> Bools:
    """Where every leg at the money of *code* is listed."""
    strike = market.chain.strike
    shared = np.ones(len(strike), dtype=np.bool_)
    for plan in CATALOGUE[code].legs:
        expiry_ms = _expiry(plan, market, _window(code, plan, windows))
        if plan.delta is None and expiry_ms is not None:
            shared &= np.isin(strike, strike[market.of_kind(expiry_ms, plan.kind)])
    return shared


def _window(code: StrategyCode, plan: LegPlan, windows: EntryWindows) -> Window:
    if code in _SPREADS:
        return windows.credit_spread
    return windows.calendar_front if plan.dte.high <= _FRONT_DAYS else windows.standard


def _expiry(plan: LegPlan, market: _Market, window: Window) -> int | None:
    """Nearest to the middle of the plan's own days, of those in *window*; the earlier of two."""
    whole = np.floor(market.days)
    allowed = (whole >= window.low) & (whole <= window.high)
    if not allowed.any():
        return None
    aim = 0.5 * (plan.dte.low + plan.dte.high)
    expiries, days = market.chain.expiry_ms[allowed], market.days[allowed]
    return int(expiries[np.argmin(np.abs(days - aim))])


def _beyond(plan: LegPlan, market: _Market, before: list[PlannedLeg]) -> Bools:
    """Where a wing may lie: further out of the money than what is sold of its kind."""
    sold = [leg.contract.strike for leg in before if leg.contract.kind is plan.kind]
    strike = market.chain.strike
    if plan.side is Side.SELL or not sold:
        return np.ones(len(strike), dtype=np.bool_)
    outside: Bools = strike > sold[0] if plan.kind is OptionKind.CALL else strike < sold[0]
    return outside


def _wish(plan: LegPlan) -> str:
    return "the money" if plan.delta is None else f"{plan.delta:g} delta"
