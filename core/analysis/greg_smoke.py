"""Each strategy opened on one market, and what the engines say as the price moves: a dry run."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
from attrs import evolve, frozen

from core.greg.advice import Advice
from core.greg.catalogue import StrategyCode
from core.greg.hedging import HedgeOrder, HedgeTerms, hedge_order
from core.greg.holdings import HeldLeg, Holding, hedged_of, position_of
from core.greg.management import HedgeRule, PositionRules
from core.greg.modes import STRATEGIES
from core.greg.positions import advise
from core.greg.structures import NoStructure, structure_of
from core.greg.thresholds import EntryWindows
from core.pricing.black76 import premium_coin
from core.simulation.listing import deribit_rules
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.instruments import OptionKind
from ports.market_data import MarketSnapshot
from ports.trading import Side

SPOT_USD = {"BTC": 100_000.0, "ETH": 3_500.0}
MOVES = (0.0, 0.03, -0.03, 0.05, -0.05)
SIZE = 1.0  # contracts a leg
_VOLATILITY = 0.6
_FRONT_DAYS, _DAYS = 10, 35
_STRIKE_PLACES = 6  # of a dollar: a strike at the money is the spot itself
_EXITS = frozenset({Advice.CLOSE, Advice.TAKE_PROFIT, Advice.ASSIGN})


@frozen(kw_only=True)
class SmokeStep:
    """One move of the price from the untouched position, and what is said then."""

    move: float
    action: Advice
    reason: str
    hedge: HedgeOrder | None

    @property
    def is_exit(self) -> bool:
        """Whether the position would be ended."""
        return self.action in _EXITS


@frozen(kw_only=True)
class SmokeStrategy:
    """One strategy: what was opened, *error* where it could not be, and each move."""

    code: StrategyCode
    position_id: str
    legs: tuple[HeldLeg, ...] = ()
    steps: tuple[SmokeStep, ...] = ()
    error: str = ""

    @property
    def opened(self) -> bool:
        """Whether there was something to open, and every step was judged."""
        return bool(self.legs) and not self.error


@frozen(kw_only=True)
class SmokeRules:
    """What the engines go by."""

    position: PositionRules
    hedges: Mapping[StrategyCode, HedgeRule]
    windows: EntryWindows


def smoke_test(
    snapshot: MarketSnapshot, rules: SmokeRules, run_id: str
) -> tuple[SmokeStrategy, ...]:
    """Return all seven strategies on *snapshot*; one that fails stops no other."""
    return tuple(_strategy(code, snapshot, rules, f"{run_id}_{code}") for code in STRATEGIES)


def flat_market(underlying: str, spot_usd: float, at: datetime) -> MarketSnapshot:
    """
    Return a market of one volatility: expiries of ten and of 35 days, strikes within 40 %.

    Raises:
        ValueError: Not BTC or ETH, or *spot_usd* is not positive.
    """
    strikes = np.round(spot_usd * np.arange(0.6, 1.4001, 0.025), _STRIKE_PLACES)
    rows = [
        (epoch_ms(at + timedelta(days=days)), float(strike), kind is OptionKind.CALL)
        for days in (_FRONT_DAYS, _DAYS)
        for strike in strikes
        for kind in (OptionKind.CALL, OptionKind.PUT)
    ]
    count = len(rows)
    unknown = np.full(count, np.nan)
    chain = ChainTable(
        underlying=underlying,
        expiry_ms=[row[0] for row in rows],
        strike=[row[1] for row in rows],
        is_call=[row[2] for row in rows],
        forward=np.full(count, spot_usd),
        bid=unknown,
        ask=unknown,
        bid_amount=unknown,
        ask_amount=unknown,
        mark=unknown,
        mark_iv=np.full(count, _VOLATILITY),
        open_interest=unknown,
        volume=unknown,
        quoted_at_ms=np.full(count, epoch_ms(at)),
    )
    return moved(MarketSnapshot(underlying, at, spot_usd, chain, deribit_rules(underlying)), 0.0)


def moved(snapshot: MarketSnapshot, move: float) -> MarketSnapshot:
    """Return *snapshot* after its price went by *move*, marked anew at the same volatilities."""
    chain, now = snapshot.chain, snapshot.taken_at
    forward = chain.forward * (1.0 + move)
    mark = premium_coin(forward, chain.strike, chain.years_left(now), chain.mark_iv, chain.is_call)
    index_usd = snapshot.index_usd * (1.0 + move)
    return evolve(snapshot, index_usd=index_usd, chain=evolve(chain, forward=forward, mark=mark))


def _strategy(
    code: StrategyCode, snapshot: MarketSnapshot, rules: SmokeRules, position_id: str
) -> SmokeStrategy:
    start = moved(snapshot, 0.0)
    found = structure_of(code, start, rules.windows)
    if isinstance(found, NoStructure):
        return SmokeStrategy(code=code, position_id=position_id, error=found.reason)
    holding = Holding(
        position_id=position_id,
        code=code,
        underlying=snapshot.underlying,
        legs=tuple(
            HeldLeg(leg.contract, SIZE if leg.side is Side.BUY else -SIZE, leg.mark)
            for leg in found.legs
        ),
        opened_at=snapshot.taken_at,
    )
    steps = tuple(_step(holding, moved(snapshot, move), move, rules) for move in MOVES)
    unjudged = [each for each in steps if each is None]
    return SmokeStrategy(
        code=code,
        position_id=position_id,
        legs=holding.legs,
        steps=tuple(each for each in steps if each is not None),
        error=f"{len(unjudged)} moves could not be judged" if unjudged else "",
    )


def _step(
    holding: Holding, seen: MarketSnapshot, move: float, rules: SmokeRules
) -> SmokeStep | None:
    """What is said of *holding* on *seen*; None where a figure is missing."""
    now, terms = seen.taken_at, HedgeTerms(figures=rules.position.figures)
    advice = advise(position_of(holding, seen, now), rules.position)
    hedged = hedged_of(holding, seen, now)
    if advice is None or advice.data_missing or hedged is None:
        return None
    order = hedge_order(hedged, rules.hedges[holding.code], now, terms=terms)
    return SmokeStep(move=move, action=advice.action, reason=advice.reason, hedge=order)
