"""Which hedge a position needs: by its own delta, or by that of all that is hedged on its coin."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from attrs import evolve, frozen

from core.greg.catalogue import HedgeMode
from core.greg.hedging import (
    HEDGEABLE,
    HedgedPosition,
    HedgeOrder,
    HedgeScope,
    HedgeTerms,
    hedge_order,
    order_of,
)
from core.greg.holdings import Holding, hedged_of
from core.greg.management import HedgeRule
from ports.market_data import MarketSnapshot

RuleOf: TypeAlias = Callable[[Holding, MarketSnapshot], HedgeRule]


@frozen(kw_only=True)
class HedgeSight:
    """What hedges are worked out from: the positions *held*, their market, rules and terms."""

    held: Sequence[Holding]
    snapshot: MarketSnapshot
    rule_of: RuleOf
    terms: HedgeTerms
    now: datetime


@frozen(kw_only=True)
class HedgeNeed:
    """
    The *order* that a position needs by its *rule*; None within the band.

    *leaning* is what was compared with the band; None where a delta in it is unknown.
    """

    rule: HedgeRule
    leaning: HedgedPosition | None
    order: HedgeOrder | None = None


def hedge_need(holding: Holding, sight: HedgeSight) -> HedgeNeed:
    """
    Return the hedge that *holding* needs.

    By the book, the delta of all that is hedged on its coin is compared with the band of its
    strategy, as one position would be; the order is its part of what they need together.
    """
    book = _book(holding, sight)
    whole = evolve(
        holding,
        legs=tuple(leg for each in book for leg in each.legs),
        perp_usd=sum(each.perp_usd for each in book),
    )
    rule = sight.rule_of(whole, sight.snapshot)
    leaning = hedged_of(whole, sight.snapshot, sight.snapshot.taken_at)
    if leaning is None:
        return HedgeNeed(rule=rule, leaning=None)
    order = hedge_order(leaning, rule, sight.now, terms=sight.terms)
    if order is not None and len(book) > 1:
        order = _part(order, holding, book, sight)
    return HedgeNeed(rule=rule, leaning=leaning, order=order)


def _book(holding: Holding, sight: HedgeSight) -> tuple[Holding, ...]:
    """What is hedged together with *holding*: it alone, or all on its coin that hold options."""
    if sight.terms.scope is HedgeScope.POSITION or not holding.legs:
        return (holding,)
    return tuple(
        each
        for each in sight.held
        if (each.underlying, each.sandbox) == (holding.underlying, holding.sandbox)
        and each.legs
        and each.code in HEDGEABLE
        and sight.rule_of(each, sight.snapshot).mode is not HedgeMode.NONE
    )


def _part(
    order: HedgeOrder, holding: Holding, book: Sequence[Holding], sight: HedgeSight
) -> HedgeOrder | None:
    """
    The part of *holding* in the *order* of its *book*; None where others do it all.

    Those that lean as the book does are hedged, the furthest first, none beyond zero: each hedge
    stays one of its position.
    """
    found = (hedged_of(each, sight.snapshot, sight.snapshot.taken_at) for each in book)
    same_way = [each for each in found if each is not None and each.net_delta * order.needed < 0.0]
    left = abs(order.needed)
    for each in sorted(same_way, key=lambda each: -abs(each.net_delta)):
        coin = min(abs(each.net_delta), left)
        if coin < sight.terms.figures.least_coin:
            return None
        if each.position_id == holding.position_id:
            return order_of(each, order.side.sign * coin, sight.now)
        left -= coin
    return None
