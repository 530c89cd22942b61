"""HEDGE_ENGINE: how much of the perpetual would take a position's delta back into its band."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import floor

from attrs import field, frozen

from core.greg.catalogue import HedgeMode, StrategyCode
from core.greg.management import BandBasis, HedgeRule
from ports.checks import finite, utc
from ports.trading import Side

_LEAST_COIN = 0.001  # less is not worth an order
_DECIMALS = 4
_WIDE = 2.0  # bands: from there on no cooldown holds a hedge back


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
    """An order in the perpetual: *size* in coin, deltas before and after it in coin."""

    underlying: str
    instrument: str
    side: Side
    size: float
    net_delta_before: float
    net_delta_after: float
    strategy_position_id: str
    strategy_type: StrategyCode
    timestamp: datetime = field(validator=utc)


def hedge_order(
    position: HedgedPosition,
    rule: HedgeRule,
    now: datetime,
    *,
    target: float = 0.0,
    basis: BandBasis = BandBasis.ABSOLUTE,
) -> HedgeOrder | None:
    """
    Return the order that takes *position* to *target*; None within the band or where not hedged.
    """
    if rule.mode is HedgeMode.NONE or not _is_beyond(position, rule, basis):
        return None
    before = position.net_delta
    needed = target - before
    if abs(needed) < _LEAST_COIN:
        return None
    size = round(abs(needed), _DECIMALS)
    side = Side.BUY if needed > 0 else Side.SELL
    return HedgeOrder(
        underlying=position.underlying,
        instrument=f"{position.underlying}-PERPETUAL",
        side=side,
        size=size,
        net_delta_before=round(before, _DECIMALS),
        net_delta_after=round(before + side.sign * size, _DECIMALS),
        strategy_position_id=position.position_id,
        strategy_type=position.code,
        timestamp=now,
    )


def hedge_orders(
    positions: Sequence[HedgedPosition],
    rules: dict[StrategyCode, HedgeRule],
    now: datetime,
    basis: BandBasis = BandBasis.ABSOLUTE,
) -> tuple[HedgeOrder, ...]:
    """Return the orders of those *positions* that need one."""
    found = (
        hedge_order(each, rules[each.code], now, basis=basis)
        for each in positions
        if each.code in rules
    )
    return tuple(order for order in found if order is not None)


def is_due(
    position: HedgedPosition,
    rule: HedgeRule,
    now: datetime,
    hedged_at: datetime | None,
    basis: BandBasis = BandBasis.ABSOLUTE,
) -> bool:
    """
    Whether *position*, last really hedged at *hedged_at*, may be looked at now.

    A breach of twice the band never waits.
    """
    if rule.every_s is None:
        return False
    if hedged_at is None or now - hedged_at >= timedelta(seconds=rule.every_s):
        return True
    return abs(position.net_delta) > _WIDE * _band(position, rule, basis)


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


def _is_beyond(position: HedgedPosition, rule: HedgeRule, basis: BandBasis) -> bool:
    return abs(position.net_delta) > _band(position, rule, basis)


def _band(position: HedgedPosition, rule: HedgeRule, basis: BandBasis) -> float:
    """The band in coin of the whole position."""
    return rule.band * position.contracts if basis is BandBasis.PER_UNIT else rule.band
