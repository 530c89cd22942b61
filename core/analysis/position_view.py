"""Positions as a person reads them: what was paid, what it is worth, what it earned."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import isnan, nan

from attrs import frozen

from ports.instruments import OptionContract
from ports.positions import Book, Leg, TrackedPosition


@frozen(kw_only=True)
class OpenView:
    """
    One held leg of a position.

    Units: prices coin per contract; unrealised before fees, in coin, in USD at the last index,
    and in percent of the premium of what is held; pnl_coin of the whole position after fees;
    dte days. NaN is not known.
    """

    position_id: str
    underlying: str
    symbol: str
    option_type: str
    strategy_id: str
    side: str
    size: float
    entry_price: float
    mark: float
    unrealised_coin: float
    unrealised_usd: float
    unrealised_pct: float
    fees_coin: float
    pnl_coin: float
    entered_at: datetime
    expiry: datetime
    dte: float
    rolls: int
    origin: str
    exit_style: str


@frozen(kw_only=True)
class ClosedView:
    """
    One ended position, after fees: realised in coin, in USD at the index of each flow, and in
    percent of the first premium; worst_pct is the lowest it ever stood at. NaN is not known.
    """

    position_id: str
    underlying: str
    symbols: tuple[str, ...]
    strategy_id: str
    opened_at: datetime
    closed_at: datetime
    holding_days: float
    rolls: int
    realised_coin: float
    realised_usd: float
    realised_pct: float
    worst_pct: float
    fees_coin: float
    exit_style: str


@frozen(kw_only=True)
class FutureView:
    """
    The future that one position holds: USD, negative short, prices in USD per coin; coin earned
    before fees, funding included, which is told apart too.
    """

    position_id: str
    underlying: str
    symbol: str
    strategy_id: str
    size_usd: float
    entry_price: float
    mark: float
    gained_coin: float
    funding_coin: float
    fees_coin: float


@frozen(kw_only=True)
class Total:
    """Sums over positions of one coin: coins of different kind are never added."""

    underlying: str
    positions: int
    coin: float  # unrealised where open, realised where closed
    usd: float
    fees_coin: float


def open_views(book: Book, now: datetime) -> tuple[OpenView, ...]:
    """Every held leg of *book* at its last mark, by contract; sandbox positions are left out."""
    views = [
        _open_view(book, position, leg, now)
        for position in book.open_positions()
        for leg in position.open_legs
    ]
    return tuple(sorted(views, key=lambda view: (view.underlying, view.expiry, view.symbol)))


def future_views(book: Book) -> tuple[FutureView, ...]:
    """Every future that a position of *book* holds, at its last mark, oldest position first."""
    return tuple(
        FutureView(
            position_id=position.position_id,
            underlying=position.underlying,
            symbol=future.contract.symbol,
            strategy_id=position.strategy_id,
            size_usd=future.size_usd,
            entry_price=future.average_price,
            mark=nan if future.mark_usd is None else future.mark_usd,
            gained_coin=future.gained_coin,
            funding_coin=future.funding_coin,
            fees_coin=future.fees_coin,
        )
        for position in book.open_positions()
        if (future := position.future) is not None and future.size_usd != 0.0
    )


def closed_views(book: Book) -> tuple[ClosedView, ...]:
    """Every ended position of *book*, newest first; sandbox positions are left out."""
    views = [
        _closed_view(position, position.closed_at)
        for position in book.positions.values()
        if position.closed_at is not None and not position.sandbox
    ]
    return tuple(sorted(views, key=lambda view: view.closed_at, reverse=True))


def open_totals(views: Iterable[OpenView]) -> tuple[Total, ...]:
    """The unrealised sums of *views*, a line a coin."""
    chosen = tuple(views)
    return tuple(
        Total(
            underlying=coin,
            positions=len({view.position_id for view in chosen if view.underlying == coin}),
            coin=sum(view.unrealised_coin for view in chosen if view.underlying == coin),
            usd=sum(view.unrealised_usd for view in chosen if view.underlying == coin),
            fees_coin=sum(view.fees_coin for view in chosen if view.underlying == coin),
        )
        for coin in sorted({view.underlying for view in chosen})
    )


def closed_totals(views: Iterable[ClosedView]) -> tuple[Total, ...]:
    """The realised sums of *views*, a line a coin."""
    chosen = tuple(views)
    return tuple(
        Total(
            underlying=coin,
            positions=sum(view.underlying == coin for view in chosen),
            coin=sum(view.realised_coin for view in chosen if view.underlying == coin),
            usd=sum(view.realised_usd for view in chosen if view.underlying == coin),
            fees_coin=sum(view.fees_coin for view in chosen if view.underlying == coin),
        )
        for coin in sorted({view.underlying for view in chosen})
    )


def entry_price(leg: Leg) -> float:
    """The mean price at which what *leg* holds was sold or bought; NaN if it was neither."""
    if leg.size < 0:
        return leg.sold_coin / leg.contracts_sold if leg.contracts_sold > 0 else nan
    bought = leg.size + leg.contracts_sold
    return leg.bought_coin / bought if bought > 0 else nan


def _open_view(book: Book, position: TrackedPosition, leg: Leg, now: datetime) -> OpenView:
    contract: OptionContract = leg.contract
    entry, mark = entry_price(leg), nan if leg.mark_coin is None else leg.mark_coin
    unrealised = leg.size * (mark - entry)
    premium = abs(leg.size) * entry
    wealth = book.wealth.get(position.underlying)
    return OpenView(
        position_id=position.position_id,
        underlying=position.underlying,
        symbol=contract.symbol,
        option_type=str(contract.kind),
        strategy_id=position.strategy_id,
        side="short" if leg.size < 0 else "long",
        size=abs(leg.size),
        entry_price=entry,
        mark=mark,
        unrealised_coin=unrealised,
        unrealised_usd=unrealised * (wealth.index_usd if wealth else nan),
        unrealised_pct=_percent(unrealised, premium),
        fees_coin=leg.fees_coin,
        pnl_coin=position.pnl_coin,
        entered_at=leg.opened_at,
        expiry=contract.expiry,
        dte=contract.days_left(now),
        rolls=position.num_rolls,
        origin=position.origin,
        exit_style=position.exit_style,
    )


def _closed_view(position: TrackedPosition, closed_at: datetime) -> ClosedView:
    legs, future = position.legs, position.future
    first = (legs[0].sold_coin or legs[0].bought_coin) if legs else 0.0
    symbols = tuple(leg.contract.symbol for leg in legs)
    realised_usd = sum(
        leg.sold_usd - leg.bought_usd + leg.settled_usd - leg.fees_usd for leg in legs
    )
    fees_coin = sum(leg.fees_coin for leg in legs)
    if future is not None:
        symbols += (future.contract.symbol,)
        realised_usd += future.realised_usd + future.funding_usd - future.fees_usd
        fees_coin += future.fees_coin
    return ClosedView(
        position_id=position.position_id,
        underlying=position.underlying,
        symbols=symbols,
        strategy_id=position.strategy_id,
        opened_at=position.opened_at,
        closed_at=closed_at,
        holding_days=(closed_at - position.opened_at) / timedelta(days=1),
        rolls=position.num_rolls,
        realised_coin=position.pnl_coin,
        realised_usd=realised_usd,
        realised_pct=_percent(position.pnl_coin, first),
        worst_pct=_percent(position.worst_pnl_coin, first),
        fees_coin=fees_coin,
        exit_style=position.exit_style,
    )


def _percent(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole > 0 and not isnan(part) else nan
