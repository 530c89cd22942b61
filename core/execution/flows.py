"""What trades and deliveries do to the legs of a position."""

from datetime import datetime

from attrs import evolve

from ports.positions import Leg, TrackedPosition
from ports.trading import Delivery, Fill, Position, Side

_DECIMALS = 8  # of a contract: finer than any amount step, coarser than float rounding


def tidy(amount: float) -> float:
    """*amount* without the dust of float sums."""
    return round(amount, _DECIMALS) + 0.0


def filled(position: TrackedPosition, fill: Fill) -> TrackedPosition:
    """*position* after *fill* of an option, which opens a leg or changes that of its contract."""
    held = [leg for leg in position.legs if leg.contract == fill.contract and leg.closed_at is None]
    if held:
        leg = _with_fill(held[-1], fill)
        legs = tuple(leg if each is held[-1] else each for each in position.legs)
    else:
        opened = Leg(contract=fill.option, opened_at=fill.at)
        legs = (*position.legs, _with_fill(opened, fill))
    return ended(evolve(position, legs=legs), fill.at, "closed")


def delivered(
    position: TrackedPosition, delivery: Delivery, index_usd: float, share: float
) -> TrackedPosition:
    """*position* after its *share*, 0 to 1, of *delivery*."""
    legs = tuple(
        _with_delivery(leg, delivery, index_usd, share)
        if leg.contract == delivery.contract and leg.size != 0.0
        else leg
        for leg in position.legs
    )
    return ended(evolve(position, legs=legs), delivery.at, "expired")


def healed_leg(leg: Leg, found: Position | None, at: datetime) -> Leg:
    """*leg* in the size that the venue holds; ended at *at* where it holds none."""
    if found is None:
        return evolve(leg, size=0.0, closed_at=at)
    return evolve(leg, size=found.size)


def untold(found: Position, index_usd: float, at: datetime) -> TrackedPosition:
    """What the venue holds and nobody told us of, as a position of its own."""
    cash_coin = found.average_price * abs(found.size)
    short = found.size < 0
    leg = Leg(
        contract=found.contract,
        opened_at=at,
        size=found.size,
        contracts_sold=-found.size if short else 0.0,
        sold_coin=cash_coin if short else 0.0,
        sold_usd=cash_coin * index_usd if short else 0.0,
        bought_coin=0.0 if short else cash_coin,
        bought_usd=0.0 if short else cash_coin * index_usd,
        mark_coin=found.mark,
    )
    return TrackedPosition(
        position_id=f"healed-{found.contract.symbol}-{at:%Y%m%dT%H%M%S%f}",
        strategy_id="healed",
        underlying=found.contract.underlying,
        opened_at=at,
        legs=(leg,),
        origin="HEALED",
        exit_style="healed_from_exchange",
    )


def ended(position: TrackedPosition, at: datetime, exit_style: str) -> TrackedPosition:
    """*position*, ended *at* if nothing of it is held any more; *exit_style* is of its options."""
    if position.open_legs or (not position.legs and position.future is None):
        return evolve(position, closed_at=None)
    is_held = position.future_usd != 0.0
    return evolve(position, closed_at=None if is_held else at, exit_style=exit_style)


def _with_fill(leg: Leg, fill: Fill) -> Leg:
    cash_coin = fill.price * fill.amount
    size = tidy(leg.size + fill.side.sign * fill.amount)
    sells = fill.side is Side.SELL
    return evolve(
        leg,
        size=size,
        contracts_sold=tidy(leg.contracts_sold + (fill.amount if sells else 0.0)),
        sold_coin=leg.sold_coin + (cash_coin if sells else 0.0),
        sold_usd=leg.sold_usd + (cash_coin * fill.index_usd if sells else 0.0),
        bought_coin=leg.bought_coin + (0.0 if sells else cash_coin),
        bought_usd=leg.bought_usd + (0.0 if sells else cash_coin * fill.index_usd),
        fees_coin=leg.fees_coin + fill.fee_coin,
        fees_usd=leg.fees_usd + fill.fee_coin * fill.index_usd,
        mark_coin=fill.price if leg.mark_coin is None else leg.mark_coin,
        closed_at=fill.at if size == 0.0 else None,
    )


def _with_delivery(leg: Leg, delivery: Delivery, index_usd: float, share: float) -> Leg:
    cash_coin, fee_coin = delivery.cash_coin * share, delivery.fee_coin * share
    return evolve(
        leg,
        size=0.0,
        settled_coin=leg.settled_coin + cash_coin,
        settled_usd=leg.settled_usd + cash_coin * index_usd,
        fees_coin=leg.fees_coin + fee_coin,
        fees_usd=leg.fees_usd + fee_coin * index_usd,
        closed_at=delivery.at,
    )
