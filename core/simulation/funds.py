"""What an account at the venue is worth, and what its positions and orders need."""

from math import isfinite

from core.pricing.marks import forward_of, mark_of
from core.risk.margin import MarginRates, initial_margin_coin, maintenance_margin_coin
from core.simulation.matching import Moment
from core.simulation.venue_state import exact_sum
from ports.errors import Refused, Unavailable
from ports.instruments import OptionContract
from ports.trading import Account, Order, Position, Side


def account_of(moment: Moment, rates: MarginRates) -> Account:
    """
    Return the account at its marks. Margins are those of the positions, without orders.

    Raises:
        Unavailable: The market cannot value a contract held.
    """
    positions = _positions(moment)
    return Account(
        underlying=moment.snapshot.underlying,
        read_at=moment.at,
        balance_coin=moment.account.balance_coin,
        equity_coin=_equity_coin(moment, positions),
        initial_margin_coin=sum(
            (_initial_coin(held.contract, held.size, moment, rates) for held in positions), 0.0
        ),
        maintenance_margin_coin=sum(
            (
                maintenance_margin_coin(held.contract, held.mark, held.size, rates)
                for held in positions
            ),
            0.0,
        ),
        positions=positions,
    )


def require_funds(order: Order, moment: Moment, rates: MarginRates) -> None:
    """
    Let the new *order* pass only if the account bears it, wholly filled.

    A sell needs the margin that then stands, a buy its premium and fee besides; what it
    closes counts at the mark. Working orders are counted as if filled against us: sells
    short, buys paid. Reduce-only orders need nothing, since they free margin.

    Raises:
        Refused: 10009, the account does not.

        Unavailable: The market cannot value a contract held or ordered.
    """
    if order.reduce_only:
        return
    needed_coin = _margin_coin(order, moment, rates) + _working_buys_coin(moment)
    if order.side is Side.BUY:
        needed_coin += _cost_coin(order, moment)
    if needed_coin > _equity_coin(moment, _positions(moment)):
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


def _equity_coin(moment: Moment, positions: tuple[Position, ...]) -> float:
    return moment.account.balance_coin + sum(held.size * held.mark for held in positions)


def _margin_coin(order: Order, moment: Moment, rates: MarginRates) -> float:
    """The initial margin once *order* and every working sell are filled, reduce-only first:
    what they sell of a long position covers no other sell."""
    working = (each for each in moment.account.working.values() if each.side is Side.SELL)
    sells = sorted(working, key=lambda each: not each.reduce_only)
    sizes = {contract: held.size for contract, held in moment.account.holdings.items()}
    for coming in (*sells, order):
        held = sizes.get(coming.contract, 0.0)
        after = exact_sum(held, coming.side.sign * coming.open_amount)
        sizes[coming.contract] = max(after, min(held, 0.0)) if coming.reduce_only else after
    return sum(
        _initial_coin(contract, size, moment, rates) for contract, size in sorted(sizes.items())
    )


def _working_buys_coin(moment: Moment) -> float:
    return sum(
        working.price * working.open_amount
        + moment.rules.trade_fee(working.price, working.open_amount)
        for working in moment.account.working.values()
        if working.side is Side.BUY and not working.reduce_only
    )


def _cost_coin(buy: Order, moment: Moment) -> float:
    """What *buy* takes out of equity that margin may rest on: options held long are not that."""
    short = max(0.0, -moment.account.size_of(buy.contract))
    closed = min(buy.amount, short)
    freed_coin = closed * _mark(buy.contract, moment) if closed else 0.0
    fee_coin = moment.rules.trade_fee(buy.price, buy.amount)
    return buy.price * buy.amount + fee_coin - freed_coin


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
