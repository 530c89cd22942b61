"""What an account at the venue is worth, and what its positions and orders need."""

from math import isfinite

from core.pricing.marks import forward_of, mark_of
from core.risk.margin import (
    MarginRates,
    future_initial_coin,
    future_maintenance_coin,
    initial_margin_coin,
    maintenance_margin_coin,
)
from core.simulation.exact import exact_sum
from core.simulation.future_holding import FutureHolding
from core.simulation.matching import Moment
from ports.errors import Refused, Unavailable
from ports.instruments import FutureContract, OptionContract
from ports.trading import Account, FuturePosition, Order, Position, Side


def account_of(moment: Moment, rates: MarginRates) -> Account:
    """
    Return the account at its marks. Margins are those of the positions, without orders.

    Raises:
        Unavailable: The market cannot value a contract held.
    """
    positions, futures = _positions(moment), _futures(moment)
    coin = moment.snapshot.underlying
    initial = [_initial_coin(held.contract, held.size, moment, rates) for held in positions]
    maintenance = [
        maintenance_margin_coin(held.contract, held.mark, held.size, rates) for held in positions
    ]
    initial += [future_initial_coin(coin, held.size_coin, rates) for held in futures]
    maintenance += [future_maintenance_coin(coin, held.size_coin, rates) for held in futures]
    return Account(
        underlying=coin,
        read_at=moment.at,
        balance_coin=moment.account.balance_coin,
        equity_coin=_equity_coin(moment, positions, futures),
        initial_margin_coin=sum(initial, 0.0),
        maintenance_margin_coin=sum(maintenance, 0.0),
        positions=positions,
        futures=futures,
    )


def require_funds(order: Order, moment: Moment, rates: MarginRates) -> None:
    """
    Let the new *order* pass only if the account bears it, wholly filled.

    A sell needs the margin that then stands, a buy its premium and fee besides; what it
    closes counts at the mark. Working orders are counted as if filled against us: sells
    short, buys paid, those on futures on the side that needs more. Reduce-only orders need
    nothing, since they free margin.

    Raises:
        Refused: 10009, the account does not.

        Unavailable: The market cannot value a contract held or ordered.
    """
    if order.reduce_only:
        return
    needed_coin = _margin_coin(order, moment, rates) + _futures_margin_coin(order, moment, rates)
    needed_coin += _working_buys_coin(moment) + _cost_coin(order, moment)
    if needed_coin > _equity_coin(moment, _positions(moment), _futures(moment)):
        raise Refused(10009, "not_enough_funds")


def _positions(moment: Moment) -> tuple[Position, ...]:
    return tuple(
        Position(
            contract=contract,
            size=holding.size,
            average_price=holding.average_price,
            mark=_mark(contract, moment),
        )
        for contract, holding in sorted(moment.account.holdings.items())
    )


def _futures(moment: Moment) -> tuple[FuturePosition, ...]:
    held = moment.account.futures.values()
    return tuple(_future(each, moment) for each in sorted(held, key=_symbol))


def _future(held: FutureHolding, moment: Moment) -> FuturePosition:
    mark = moment.mark_of_future(held.contract)
    due = moment.funding_of(held.contract)
    return FuturePosition(
        contract=held.contract,
        size_usd=held.size_usd,
        average_price=held.average_price,
        mark=mark,
        profit_coin=held.profit_coin(mark) + (0.0 if due is None else due.amount_coin),
    )


def _symbol(held: FutureHolding) -> str:
    return held.contract.symbol


def _equity_coin(
    moment: Moment, positions: tuple[Position, ...], futures: tuple[FuturePosition, ...]
) -> float:
    options_coin = sum(held.size * held.mark for held in positions)
    return moment.account.balance_coin + options_coin + sum(held.profit_coin for held in futures)


def _margin_coin(order: Order, moment: Moment, rates: MarginRates) -> float:
    """The initial margin of options once *order* and every working sell are filled, reduce-only
    first: what they sell of a long position covers no other sell."""
    working = (each for each in moment.account.working.values() if each.side is Side.SELL)
    sells = sorted(working, key=lambda each: not each.reduce_only)
    sizes = {contract: held.size for contract, held in moment.account.holdings.items()}
    for coming in (*sells, order):
        if not isinstance(coming.contract, OptionContract):
            continue
        held = sizes.get(coming.contract, 0.0)
        after = exact_sum(held, coming.side.sign * coming.open_amount)
        sizes[coming.contract] = max(after, min(held, 0.0)) if coming.reduce_only else after
    return sum(
        _initial_coin(contract, size, moment, rates) for contract, size in sorted(sizes.items())
    )


def _futures_margin_coin(order: Order, moment: Moment, rates: MarginRates) -> float:
    """The initial margin of futures on the side that needs more, once *order* and all working
    orders of that side are filled."""
    sizes_usd = [held.size_usd for held in moment.account.futures.values()]
    lowest = highest = sum(sizes_usd)  # of the perpetual: no other future is traded here
    for coming in (*moment.account.working.values(), order):
        if isinstance(coming.contract, FutureContract) and not coming.reduce_only:
            lowest -= coming.open_amount if coming.side is Side.SELL else 0.0
            highest += coming.open_amount if coming.side is Side.BUY else 0.0
    worst_usd = max(abs(lowest), abs(highest))
    if worst_usd == 0.0:
        return 0.0
    mark = moment.mark_of_future(FutureContract(moment.snapshot.underlying))
    return future_initial_coin(moment.snapshot.underlying, worst_usd / mark, rates)


def _working_buys_coin(moment: Moment) -> float:
    return sum(
        working.price * working.open_amount
        + moment.rules.trade_fee(working.price, working.open_amount)
        for working in moment.account.working.values()
        if isinstance(working.contract, OptionContract)
        and working.side is Side.BUY
        and not working.reduce_only
    )


def _cost_coin(order: Order, moment: Moment) -> float:
    """What *order* takes out of equity that margin may rest on: options held long are not that."""
    fee_coin = moment.fee_coin(order.contract, order.price, order.amount, is_maker=False)
    if isinstance(order.contract, FutureContract):
        return fee_coin
    if order.side is Side.SELL:
        return 0.0
    short = max(0.0, -moment.account.size_of(order.contract))
    closed = min(order.amount, short)
    freed_coin = closed * _mark(order.contract, moment) if closed else 0.0
    return order.price * order.amount + fee_coin - freed_coin


def _initial_coin(
    contract: OptionContract, size: float, moment: Moment, rates: MarginRates
) -> float:
    if size >= 0:
        return 0.0
    forward = forward_of(moment.snapshot, contract, moment.at)
    if not isfinite(forward):
        raise Unavailable(f"no forward for {contract.symbol}")
    return initial_margin_coin(contract, forward, _mark(contract, moment), size, rates)


def _mark(contract: OptionContract, moment: Moment) -> float:
    mark = mark_of(moment.snapshot, contract, moment.at)
    if not isfinite(mark):
        raise Unavailable(f"no mark for {contract.symbol}")
    return mark
