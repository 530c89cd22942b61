"""DryRun: the real account is read, and orders go to a simulated venue instead."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from attrs import evolve, frozen

from core.simulation.exact import exact_sum
from core.simulation.venue import SimulatedVenue
from ports.instruments import FutureContract, OptionContract
from ports.trading import (
    Account,
    Activity,
    FuturePosition,
    Order,
    OrderIntent,
    Placed,
    Position,
)
from ports.venue_log import Deposit


class RealAccount(Protocol):
    """The part of Trading that only reads: whoever has no more can send nothing."""

    async def account(self, underlying: str) -> Account:
        """See Trading."""
        ...

    async def open_orders(self, underlying: str) -> tuple[Order, ...]:
        """See Trading."""
        ...

    async def activity(self, underlying: str, since: datetime) -> Activity:
        """See Trading."""
        ...


@frozen(eq=False, kw_only=True)
class DryRun:
    """
    Trading on the *real* account that never sends: what is placed is placed on *simulated*.

    The simulated venue began with *deposits*, the real balances of then. Accounts are the real
    one with what the simulated orders have made of those added; lists are both, one after the
    other. Only simulated orders can be cancelled or looked up.
    """

    real: RealAccount
    simulated: SimulatedVenue
    deposits: Mapping[str, float]

    async def account(self, underlying: str) -> Account:
        """See Trading; of the older reading of the two."""
        real = await self.real.account(underlying)
        other = await self.simulated.account(underlying)
        deposit_coin = self.deposits.get(underlying, 0.0)
        return Account(
            underlying=underlying,
            read_at=min(real.read_at, other.read_at),
            balance_coin=real.balance_coin + (other.balance_coin - deposit_coin),
            equity_coin=real.equity_coin + (other.equity_coin - deposit_coin),
            initial_margin_coin=real.initial_margin_coin + other.initial_margin_coin,
            maintenance_margin_coin=real.maintenance_margin_coin + other.maintenance_margin_coin,
            positions=_together((*real.positions, *other.positions)),
            futures=_futures_together((*real.futures, *other.futures)),
        )

    async def place(self, intent: OrderIntent) -> Placed:
        """See Trading; on the simulated venue."""
        return await self.simulated.place(intent)

    async def cancel(self, order: Order) -> Order:
        """See Trading; a real order is Refused, as one that is not there."""
        return await self.simulated.cancel(order)

    async def open_orders(self, underlying: str) -> tuple[Order, ...]:
        """See Trading."""
        real = await self.real.open_orders(underlying)
        orders = (*real, *await self.simulated.open_orders(underlying))
        return tuple(sorted(orders, key=lambda order: order.created_at))

    async def orders_by_label(self, underlying: str, label: str) -> tuple[Order, ...]:
        """See Trading; no real order carries a label of a dry run."""
        return await self.simulated.orders_by_label(underlying, label)

    async def activity(self, underlying: str, since: datetime) -> Activity:
        """See Trading."""
        real = await self.real.activity(underlying, since)
        other = await self.simulated.activity(underlying, since)
        return Activity(
            fills=tuple(sorted((*real.fills, *other.fills), key=lambda fill: fill.at)),
            deliveries=tuple(
                sorted((*real.deliveries, *other.deliveries), key=lambda done: done.at)
            ),
        )


async def real_deposits(real: RealAccount, underlyings: Iterable[str]) -> tuple[Deposit, ...]:
    """
    The balances of the *real* account, for the simulated venue to begin with; none is left out.

    Raises:
        PortError: One of them could not be read.
    """
    accounts = [await real.account(underlying) for underlying in underlyings]
    return tuple(
        Deposit(each.underlying, each.balance_coin) for each in accounts if each.balance_coin > 0.0
    )


def _together(positions: Iterable[Position]) -> tuple[Position, ...]:
    """One position a contract, in the order of contracts; what adds up to nothing is none."""
    found: dict[OptionContract, Position] = {}
    for each in positions:
        known = found.get(each.contract)
        found[each.contract] = each if known is None else _sum(known, each)
    return tuple(found[contract] for contract in sorted(found) if found[contract].size != 0.0)


def _sum(one: Position, other: Position) -> Position:
    """Both at their common mark; the average price is that of all contracts together."""
    size = exact_sum(one.size, other.size)
    paid = one.size * one.average_price + other.size * other.average_price
    return evolve(one, size=size, average_price=paid / size if size else 0.0)


def _futures_together(futures: Iterable[FuturePosition]) -> tuple[FuturePosition, ...]:
    """One position a contract; what adds up to nothing keeps the profit of its session."""
    found: dict[FutureContract, FuturePosition] = {}
    for each in futures:
        known = found.get(each.contract)
        found[each.contract] = each if known is None else _future_sum(known, each)
    return tuple(found.values())


def _future_sum(one: FuturePosition, other: FuturePosition) -> FuturePosition:
    """Both at the mark of *one*; the price is the mean of their coin, or that of what is left."""
    size_usd = exact_sum(one.size_usd, other.size_usd)
    average_price = max(one, other, key=lambda each: abs(each.size_usd)).average_price
    if one.size_usd * other.size_usd > 0:
        coin = one.size_usd / one.average_price + other.size_usd / other.average_price
        average_price = size_usd / coin
    return evolve(
        one,
        size_usd=size_usd,
        average_price=average_price if size_usd else 0.0,
        profit_coin=one.profit_coin + other.profit_coin,
    )
