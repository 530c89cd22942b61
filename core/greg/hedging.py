"""HEDGE_ENGINE: how much of the perpetual would take a position's delta back into its band."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from math import floor

from attrs import field, frozen

from core.greg.catalogue import CATALOGUE, HedgeMode, StrategyCode
from core.greg.management import BandBasis, HedgeFigures, HedgeRule
from ports.checks import finite, utc
from ports.trading import Side

_DECIMALS = 4
HEDGEABLE = frozenset(code for code, info in CATALOGUE.items() if info.hedge != HedgeMode.NONE)


class HedgeScope(StrEnum):
    """What has to lean before a position is hedged."""

    POSITION = "position"  # itself
    BOOK = "book"  # all that is hedged on its coin, together


class HedgeStop(StrEnum):
    """Where a hedge ends."""

    TARGET = "target"
    EDGE = "edge"  # of the band, on the side it came from


@frozen
class LegDelta:
    """A leg's delta per contract with the sign of the position, and its contracts."""

    delta: float = field(default=0.0, validator=finite)
    size: float = field(default=1.0, validator=finite)


@frozen(kw_only=True)
class HedgedPosition:
    """A position as the hedge sees it; *perp_size* in coin, signed."""

    position_id: str
    code: StrategyCode
    underlying: str
    legs: tuple[LegDelta, ...]
    perp_size: float = field(default=0.0, validator=finite)

    @property
    def net_delta(self) -> float:
        """Coin: that of the legs and the perpetual's own."""
        return sum(leg.delta * leg.size for leg in self.legs) + self.perp_size

    @property
    def contracts(self) -> float:
        """The contracts of its largest leg."""
        return max((abs(leg.size) for leg in self.legs), default=0.0)


@frozen(kw_only=True)
class HedgeOrder:
    """
    An order in the perpetual: the coin *needed*, negative sold, and the deltas before and after it.

    USD are worked out of what is needed; *size* is that in the digits that are shown.
    """

    underlying: str
    instrument: str
    needed: float = field(validator=finite)
    net_delta_before: float
    net_delta_after: float
    strategy_position_id: str
    strategy_type: StrategyCode
    timestamp: datetime = field(validator=utc)

    @property
    def side(self) -> Side:
        """Bought where coin is needed, sold where there is too much."""
        return Side.BUY if self.needed > 0.0 else Side.SELL

    @property
    def size(self) -> float:
        """Coin, without sign, rounded to four decimals."""
        return round(abs(self.needed), _DECIMALS)


@frozen(kw_only=True)
class HedgeTerms:
    """
    How a hedge is made beside the rule of its strategy.

    *basis* says what bands are measured in, *stop* where a hedge ends, *scope* what has to lean.
    """

    basis: BandBasis = BandBasis.ABSOLUTE
    stop: HedgeStop = HedgeStop.TARGET
    scope: HedgeScope = HedgeScope.POSITION
    figures: HedgeFigures = field(factory=HedgeFigures)


def hedge_order(
    position: HedgedPosition,
    rule: HedgeRule,
    now: datetime,
    *,
    target: float | None = None,
    basis: BandBasis = BandBasis.ABSOLUTE,
    terms: HedgeTerms | None = None,
) -> HedgeOrder | None:
    """
    Return the order that takes *position* to *target*, by default that of *rule*.

    None within the band, where the strategy is not hedged, or where less than the least order
    would do. *terms* rule where they are given, *basis* alone otherwise.
    """
    terms = terms or HedgeTerms(basis=basis)
    if position.code not in HEDGEABLE or rule.mode == HedgeMode.NONE:
        return None
    before, band = position.net_delta, _band(position, rule, terms.basis)
    if abs(before) <= band:
        return None
    aim = rule.target if target is None else target
    if terms.stop == HedgeStop.EDGE:
        aim = band if before > 0.0 else -band
    needed = aim - before
    if abs(needed) < terms.figures.least_coin:
        return None
    return order_of(position, needed, now)


def order_of(position: HedgedPosition, needed: float, now: datetime) -> HedgeOrder:
    """Return the order of the coin *needed*, negative sold, for *position*."""
    before = position.net_delta
    return HedgeOrder(
        underlying=position.underlying,
        instrument=f"{position.underlying}-PERPETUAL",
        needed=needed,
        net_delta_before=round(before, _DECIMALS),
        net_delta_after=round(before + needed, _DECIMALS) + 0.0,
        strategy_position_id=position.position_id,
        strategy_type=position.code,
        timestamp=now,
    )


def hedge_orders(
    positions: Sequence[HedgedPosition],
    rules: Mapping[StrategyCode, HedgeRule],
    now: datetime,
    *,
    basis: BandBasis = BandBasis.ABSOLUTE,
    terms: HedgeTerms | None = None,
) -> tuple[HedgeOrder, ...]:
    """Return the orders of those *positions* that need one."""
    found = (
        hedge_order(each, rules[each.code], now, basis=basis, terms=terms)
        for each in positions
        if each.code in rules
    )
    return tuple(order for order in found if order is not None)


def is_check_due(
    rule: HedgeRule, now: datetime, checked_at: datetime | None, moved: float = 0.0
) -> bool:
    """
    Whether a position is to be looked at again, last looked at *checked_at*.

    *moved* is how far the price went since, a fraction with any sign.
    """
    if rule.every_s is None:
        return False
    if checked_at is None or now - checked_at >= timedelta(seconds=rule.every_s):
        return True
    return rule.on_move is not None and abs(moved) >= rule.on_move


def is_due(
    position: HedgedPosition,
    rule: HedgeRule,
    now: datetime,
    hedged_at: datetime | None,
    *,
    basis: BandBasis = BandBasis.ABSOLUTE,
    figures: HedgeFigures | None = None,
) -> bool:
    """
    Whether *position* may be hedged again, last really hedged at *hedged_at*.

    Only an acknowledged order counts as that; a dry run never holds anything back, and neither
    does a cooldown once the band is breached twice over.
    """
    if rule.every_s is None:
        return False
    if hedged_at is None or now - hedged_at >= timedelta(seconds=rule.every_s):
        return True
    urgent = (figures or HedgeFigures()).urgent_bands * _band(position, rule, basis)
    return abs(position.net_delta) > urgent


def usd_amount(size_coin: float, index_usd: float, lot_usd: float) -> float:
    """
    Return what the venue takes for *size_coin*: USD in whole lots, rounded; zero below one.

    Raises:
        ValueError: The index or the lot is not positive.
    """
    if not (index_usd > 0.0 and lot_usd > 0.0):
        raise ValueError(f"index and lot must be positive, were {index_usd} and {lot_usd}")
    wanted = abs(size_coin) * index_usd
    return floor(wanted / lot_usd + 0.5) * lot_usd if wanted >= lot_usd else 0.0


def _band(position: HedgedPosition, rule: HedgeRule, basis: BandBasis) -> float:
    """The band in coin of the whole position."""
    return rule.band * position.contracts if basis == BandBasis.PER_UNIT else rule.band
