"""What trades, funding and the venue's word do to the future of a position."""

from datetime import datetime

from attrs import evolve

from core.execution.flows import ended, tidy
from ports.decision_log import Marked
from ports.instruments import FutureContract
from ports.marks import FutureMark
from ports.positions import FutureLeg, TrackedPosition
from ports.trading import Fill, FuturePosition


def future_filled(position: TrackedPosition, fill: Fill) -> TrackedPosition:
    """
    *position* after *fill* of its future.

    Raises:
        ValueError: The fill is of an option, or of another future than the one held.
    """
    contract = fill.contract
    if not isinstance(contract, FutureContract):
        raise ValueError(f"{contract.symbol} is not a future")  # noqa: TRY004  a wrong value
    held = position.future or FutureLeg(contract=contract, opened_at=fill.at, funded_at=fill.at)
    if held.contract != contract:
        raise ValueError(f"{position.position_id} holds {held.contract.symbol}")
    style = position.exit_style or "closed"  # how its options ended, if they did before
    return ended(evolve(position, future=_after(held, fill)), fill.at, style)


def funded(future: FutureLeg, mark: FutureMark, entry: Marked) -> FutureLeg:
    """*future* at *mark*, with its part of the funding since it was last funded."""
    future = evolve(future, mark_usd=mark.mark_usd)
    if mark.since is None or not entry.at > max(mark.since, future.funded_at):
        return future
    part = (entry.at - max(mark.since, future.funded_at)) / (entry.at - mark.since)
    paid_coin = part * mark.funding * future.size_usd / entry.index_usd
    return evolve(
        future,
        funding_coin=future.funding_coin - paid_coin,
        funding_usd=future.funding_usd - paid_coin * entry.index_usd,
        funded_at=entry.at,
    )


def healed_future(future: FutureLeg, size_usd: float) -> FutureLeg:
    """*future* in the size that the venue holds."""
    return evolve(
        future, size_usd=size_usd, average_price=future.average_price if size_usd else 0.0
    )


def untold_future(found: FuturePosition, size_usd: float, at: datetime) -> TrackedPosition:
    """*size_usd* of a future that nobody told us of, as a position of its own."""
    future = FutureLeg(
        contract=found.contract,
        opened_at=at,
        funded_at=at,
        size_usd=size_usd,
        average_price=found.average_price or found.mark,
        mark_usd=found.mark,
    )
    return TrackedPosition(
        position_id=f"healed-{found.contract.symbol}-{at:%Y%m%dT%H%M%S%f}",
        strategy_id="healed",
        underlying=found.contract.underlying,
        opened_at=at,
        legs=(),
        origin="HEALED",
        exit_style="healed_from_exchange",
        future=future,
    )


def _after(held: FutureLeg, fill: Fill) -> FutureLeg:
    change_usd = fill.side.sign * fill.amount
    size_usd = tidy(held.size_usd + change_usd)
    realised_coin = _realised(held, fill, change_usd)
    return evolve(
        held,
        size_usd=size_usd,
        average_price=_average(held, fill, change_usd, size_usd),
        realised_coin=held.realised_coin + realised_coin,
        realised_usd=held.realised_usd + realised_coin * fill.index_usd,
        fees_coin=held.fees_coin + fill.fee_coin,
        fees_usd=held.fees_usd + fill.fee_coin * fill.index_usd,
        funded_at=fill.at if held.size_usd == 0.0 else held.funded_at,
        mark_usd=fill.price if held.mark_usd is None else held.mark_usd,
    )


def _realised(held: FutureLeg, fill: Fill, change_usd: float) -> float:
    """Coin that *fill* earns on what it closes, before its fee."""
    if held.size_usd * change_usd >= 0.0:
        return 0.0
    closed_usd = -min(-held.size_usd, change_usd, key=abs)  # with the sign of what was held
    return held.contract.profit_coin(closed_usd, held.average_price, fill.price)


def _average(held: FutureLeg, fill: Fill, change_usd: float, size_usd: float) -> float:
    """The entry of what is held then: a mean of coin; what only shrinks keeps its own."""
    if size_usd == 0.0:
        return 0.0
    if held.size_usd * change_usd < 0.0:
        return fill.price if size_usd * held.size_usd < 0.0 else held.average_price
    coin = held.size_usd / held.average_price if held.size_usd else 0.0
    return (held.size_usd + change_usd) / (coin + change_usd / fill.price)
