"""How much of each limit a book uses: what the next order will be judged on top of."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import isnan, nan

from attrs import frozen

from core.execution.flows import tidy
from core.pricing.black76 import net_delta
from core.pricing.implied import implied_vol
from core.risk.limits import RiskLimits
from core.risk.margin import future_initial_coin, initial_margin_coin
from ports.instruments import OptionContract
from ports.positions import Book, Leg
from ports.trading import OrderIntent, OrderState

_TEN_MINUTES = timedelta(minutes=10)


@frozen(kw_only=True)
class Usage:
    """
    One limit: what is used of it, and for which coin; None for *underlying* is all of them.

    *used* is NaN where it is not known; *limit* is None where it is switched off.
    """

    name: str
    underlying: str | None
    used: float
    limit: float | None
    unit: str


def limit_usage(
    book: Book, limits: RiskLimits, underlyings: Iterable[str], now: datetime
) -> tuple[Usage, ...]:
    """
    The use of the limits that add up over positions and orders.

    Margin and net delta are estimates: from the last marks, with the last index for the
    forward. The controls themselves ask the venue and the chain.
    """
    of_coins = (usage for coin in underlyings for usage in _of_coin(book, limits, coin, now))
    return (*of_coins, *_of_all(book, limits, now))


def _of_coin(book: Book, limits: RiskLimits, coin: str, now: datetime) -> tuple[Usage, ...]:
    short = _short_calls(book, coin)
    by_expiry = {
        expiry: sum(size for contract, size in short.items() if contract.expiry == expiry)
        for expiry in {contract.expiry for contract in short}
    }
    fullest = tidy(max(by_expiry.values(), default=0.0))
    wealth = book.wealth.get(coin)
    index_usd, equity_coin = (wealth.index_usd, wealth.equity_coin) if wealth else (nan, nan)
    held = book.open_positions(coin)
    legs = [leg for position in held for leg in position.open_legs]
    future_usd = sum(position.future_usd for position in held)
    margin_coin = sum(_margin_coin(leg, index_usd) for leg in legs)
    delta_coin = sum(leg.size * _net_delta(leg, index_usd, now) for leg in legs)
    if future_usd != 0.0:
        margin_coin += future_initial_coin(coin, future_usd / index_usd)
        delta_coin += future_usd / index_usd
    margin_pct = 100.0 * margin_coin / equity_coin if equity_coin > 0 else nan
    return (
        _usage("calls", coin, len(short), limits.max_calls_per_underlying, ""),
        _usage("fullest expiry", coin, fullest, limits.max_expiry_exposure, "contracts"),
        _usage("margin, estimated", coin, margin_pct, limits.max_margin_used_pct, "%"),
        _usage("net delta, estimated", coin, abs(delta_coin), limits.max_net_delta_abs, "coin"),
    )


def _of_all(book: Book, limits: RiskLimits, now: datetime) -> tuple[Usage, ...]:
    records = book.orders.values()
    chains = {each.position_id for each in book.open_positions()}
    chains |= {record.intent.position_id for record in book.working}
    opens = [
        record.sent_at
        for record in records
        if record.reached_venue and _opens_option(record.intent)
    ]
    rejected = [record.updated_at for record in records if record.state is OrderState.REJECTED]
    today = sum(at.date() == now.date() for at in opens)
    rejections = limits.max_rejections_per_10_min
    fall = book.drawdown
    is_today = fall is not None and fall.day == f"{now:%Y-%m-%d}"
    return (
        _usage("open positions", None, len(chains), limits.max_open_positions, ""),
        _usage("openings today", None, today, limits.max_opens_per_day, ""),
        _usage("openings in 10 min", None, _lately(opens, now), limits.max_opens_per_10_min, ""),
        _usage("rejected in 10 min", None, _lately(rejected, now), rejections, ""),
        Usage(
            name="drawdown today",
            underlying=None,
            used=fall.fall_pct if fall is not None and is_today else 0.0,
            limit=limits.daily_drawdown_limit_pct or None,
            unit="%",
        ),
    )


def _opens_option(intent: OrderIntent) -> bool:
    """Whether it counts among openings; those in futures are counted apart."""
    return isinstance(intent.contract, OptionContract) and not intent.reduce_only


def _usage(name: str, underlying: str | None, used: float, limit: float, unit: str) -> Usage:
    return Usage(name=name, underlying=underlying, used=float(used), limit=float(limit), unit=unit)


def _lately(instants: Iterable[datetime], now: datetime) -> int:
    return sum(now - at < _TEN_MINUTES for at in instants)


def _short_calls(book: Book, coin: str) -> dict[OptionContract, float]:
    """Contracts that are short or may become short by working orders, by contract."""
    short: dict[OptionContract, float] = {}
    for position in book.open_positions(coin):
        for leg in position.open_legs:
            if leg.contract.is_call and leg.size < 0:
                short[leg.contract] = short.get(leg.contract, 0.0) - leg.size
    for record in book.working:
        contract = record.intent.contract
        if not isinstance(contract, OptionContract) or record.intent.reduce_only:
            continue
        if contract.underlying == coin and contract.is_call:
            short[contract] = short.get(contract, 0.0) + record.working_amount
    return short


def _margin_coin(leg: Leg, index_usd: float) -> float:
    mark = nan if leg.mark_coin is None else leg.mark_coin
    return initial_margin_coin(leg.contract, index_usd, mark, leg.size)


def _net_delta(leg: Leg, index_usd: float, now: datetime) -> float:
    """Net delta of one contract at the volatility that its mark implies; NaN if it has none."""
    contract = leg.contract
    tenor = contract.years_left(now)
    if leg.mark_coin is None or isnan(index_usd):
        return nan
    iv, _ = implied_vol(leg.mark_coin, index_usd, contract.strike, tenor, contract.is_call)
    return float(net_delta(index_usd, contract.strike, tenor, iv, contract.is_call))
