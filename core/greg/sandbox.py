"""Invented positions to look at the desk with: tagged, kept apart, and never sent anywhere."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from math import floor

from attrs import evolve, frozen

from core.greg.catalogue import CATALOGUE, STRATEGY_ID, StrategyCode
from core.greg.modes import STRATEGIES
from core.greg.structures import NoStructure, structure_of
from core.greg.thresholds import EntryWindows
from core.pricing.black76 import premium_coin
from ports.greg_journal import SandboxLeg, SandboxOpened
from ports.instruments import OptionContract, OptionKind
from ports.market_data import MarketSnapshot
from ports.positions import SANDBOX_ORIGIN
from ports.trading import Side

ORIGIN, MODE = SANDBOX_ORIGIN, "DRY_RUN"
SPOT_USD = {"BTC": 100_000.0, "ETH": 4_000.0}
SIZES = {"BTC": 0.01, "ETH": 0.1}  # contracts, below every lot that is traded
_PRICE_COIN = 0.02  # of every leg: two percent of spot
_EXPIRY_HOUR = 8
_CALL, _PUT = OptionKind.CALL, OptionKind.PUT


@frozen
class NotMade:
    """Why a position of the sandbox could not be made."""

    strategy: str
    underlying: str
    reason: str


@frozen
class _Plan:
    """A leg: long +1 or short -1, its distance from spot, and its days."""

    sign: int
    kind: OptionKind
    offset: float
    days: int


_PLANS = {
    StrategyCode.STRADDLE: (_Plan(-1, _CALL, 0.0, 7), _Plan(-1, _PUT, 0.0, 7)),
    StrategyCode.STRANGLE: (_Plan(-1, _CALL, 0.05, 7), _Plan(-1, _PUT, -0.05, 7)),
    StrategyCode.CALENDAR: (_Plan(-1, _CALL, 0.0, 7), _Plan(1, _CALL, 0.0, 30)),
    StrategyCode.SHORT_PUT: (_Plan(-1, _PUT, -0.05, 7),),
    StrategyCode.IRON_BUTTERFLY: (
        _Plan(1, _PUT, -0.05, 7),
        _Plan(-1, _PUT, 0.0, 7),
        _Plan(-1, _CALL, 0.0, 7),
        _Plan(1, _CALL, 0.05, 7),
    ),
    StrategyCode.BULL_PUT: (_Plan(-1, _PUT, -0.03, 7), _Plan(1, _PUT, -0.08, 7)),
    StrategyCode.BEAR_CALL: (_Plan(-1, _CALL, 0.03, 7), _Plan(1, _CALL, 0.08, 7)),
}


def run_id_at(now: datetime) -> str:
    """The name of a run that begins *now*."""
    return f"{ORIGIN}_{now:%Y%m%dT%H%M%SZ}"


def refusal(*, is_dry_run: bool, is_testnet: bool) -> str:
    """Why no sandbox may be opened here, empty where it may."""
    if is_dry_run or is_testnet:
        return ""
    return "the sandbox is refused: dry run is off and this is not testnet"


def sandbox_position(
    strategy: str,
    underlying: str,
    size: float,
    now: datetime,
    run_id: str,
    *,
    iv: float | None = None,
) -> SandboxOpened | NotMade:
    """
    Return a position of *strategy* with *size* contracts a leg, opened *now* in *run_id*.

    Strikes lie about the spot of SPOT_USD, expiries at the first 08:00 UTC after the days of the
    plan, and every leg has one price; the same run, strategy and coin have the same id. With *iv*,
    a fraction, legs have Black's price at that volatility, and the days of the catalogue.
    """
    why = _why_not(strategy, underlying, size)
    if why:
        return NotMade(strategy, underlying, why)
    if iv is not None and not 0.0 < iv < float("inf"):
        return NotMade(strategy, underlying, f"volatility must be positive, was {iv}")
    code, spot = StrategyCode(strategy), SPOT_USD[underlying]
    legs = tuple(_leg(plan, underlying, spot, size, now) for plan in _PLANS[code])
    if iv is not None:
        legs = tuple(
            _priced(leg, days, spot, iv, now) for leg, days in zip(legs, _dated(code), strict=True)
        )
    return _opened(code, underlying, legs, index_usd=spot, now=now, run_id=run_id)


def sandbox_on_chain(
    strategy: str,
    snapshot: MarketSnapshot,
    size: float,
    windows: EntryWindows,
    *,
    now: datetime,
    run_id: str,
) -> SandboxOpened | NotMade:
    """Return a position of what *strategy* would trade on *snapshot*, at its marks."""
    underlying = snapshot.underlying
    why = _why_not(strategy, underlying, size)
    if why:
        return NotMade(strategy, underlying, why)
    code = StrategyCode(strategy)
    found = structure_of(code, snapshot, windows)
    if isinstance(found, NoStructure):
        return NotMade(strategy, underlying, found.reason)
    legs = tuple(
        SandboxLeg(leg.contract, size if leg.side is Side.BUY else -size, leg.mark)
        for leg in found.legs
    )
    return _opened(code, underlying, legs, index_usd=snapshot.index_usd, now=now, run_id=run_id)


def _why_not(strategy: str, underlying: str, size: float) -> str:
    if strategy not in STRATEGIES:
        return "unknown strategy"
    if underlying not in SPOT_USD:
        return "unknown coin"
    return "" if 0.0 < size < float("inf") else f"size must be positive, was {size}"


def _opened(
    code: StrategyCode,
    underlying: str,
    legs: Sequence[SandboxLeg],
    *,
    index_usd: float,
    now: datetime,
    run_id: str,
) -> SandboxOpened:
    tail = sha256(f"{now.isoformat()}/{underlying}/{code}".encode()).hexdigest()[:8]
    return SandboxOpened(
        at=now,
        position_id=f"sandbox_{underlying}_{code}_{tail}",
        strategy_id=STRATEGY_ID,
        underlying=underlying,
        origin=ORIGIN,
        run_id=run_id,
        index_usd=index_usd,
        legs=tuple(legs),
    )


def strike_near(underlying: str, price_usd: float) -> float:
    """The listed strike nearest to *price_usd*, by the grid of the sandbox."""
    low_step, high_step, border = (
        (1_000.0, 2_500.0, 50_000.0) if underlying == "BTC" else (50.0, 100.0, 2_000.0)
    )
    step = low_step if price_usd < border else high_step
    return floor(price_usd / step + 0.5) * step


def _leg(plan: _Plan, underlying: str, spot: float, size: float, now: datetime) -> SandboxLeg:
    strike = strike_near(underlying, spot * (1.0 + plan.offset))
    expiry = _expiry_after(now + timedelta(days=plan.days))
    contract = OptionContract(underlying, expiry, strike, plan.kind)
    return SandboxLeg(contract, plan.sign * size, _PRICE_COIN)


def _dated(code: StrategyCode) -> tuple[int, ...]:
    """The days of each leg of the plan in the middle of the catalogue's, the nearer ones first."""
    middles = sorted({(leg.dte.low + leg.dte.high) // 2 for leg in CATALOGUE[code].legs})
    nearest = min(plan.days for plan in _PLANS[code])
    return tuple(middles[0] if plan.days == nearest else middles[-1] for plan in _PLANS[code])


def _priced(leg: SandboxLeg, days: int, spot: float, iv: float, now: datetime) -> SandboxLeg:
    contract = evolve(leg.contract, expiry=_expiry_after(now + timedelta(days=days)))
    price = premium_coin(spot, contract.strike, contract.years_left(now), iv, contract.is_call)
    return SandboxLeg(contract, leg.size, float(price))


def _expiry_after(instant: datetime) -> datetime:
    """The first expiry at or after *instant*."""
    same_day = instant.replace(hour=_EXPIRY_HOUR, minute=0, second=0, microsecond=0)
    return same_day if same_day >= instant else same_day + timedelta(days=1)
