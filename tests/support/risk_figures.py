"""Figures that the controls compare, in decimals: exposure, margin and net delta, from values."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

import mpmath
from attrs import frozen

from ports.checks import EPOCH
from ports.instruments import ContractRules, OptionContract
from ports.positions import OrderRecord
from ports.trading import Order, OrderIntent, OrderState, Side

if TYPE_CHECKING:
    from core.risk.exposure import RiskState

_DUST = Decimal("1e-12")  # of a size: 0.30000000000000004 is 0.3
_TERMINAL = frozenset(
    {
        OrderState.FILLED,
        OrderState.REJECTED,
        OrderState.CANCELLED,
        OrderState.EXPIRED,
        OrderState.NOT_PLACED,
        OrderState.DENIED,
    }
)
_NOT_KNOWN = Decimal("nan")

mp = mpmath.mp.clone()
mp.dps = 25


@frozen(kw_only=True)
class Quote:
    """A row of the chain; NaN is not known, and *at* None is not listed."""

    bid: Decimal = _NOT_KNOWN
    ask: Decimal = _NOT_KNOWN
    mark: Decimal = _NOT_KNOWN
    iv: Decimal = _NOT_KNOWN
    forward: Decimal = _NOT_KNOWN
    open_interest: Decimal = _NOT_KNOWN
    at: datetime | None = None


@frozen
class MarginUse:
    """Initial margin and equity after the trade, coin."""

    margin: Decimal
    equity: Decimal


@frozen
class SpreadUse:
    """A spread and the widest that is allowed, on one scale."""

    wide: Decimal
    allowed: Decimal


@frozen
class DeltaRange:
    """The net delta after the trade, coin: at worst and at best for pending orders."""

    lowest: Decimal
    highest: Decimal


def number(figure: float) -> Decimal:
    """The decimal that *figure* is printed as."""
    return Decimal(repr(float(figure)))


def lots(amount: float, state: "RiskState") -> int:
    """The lots that cover *amount*."""
    return _whole(number(amount) / number(state.snapshot.rules.amount_step), ROUND_CEILING)


def coin_lots(state: "RiskState") -> int:
    """The coin held, in whole lots."""
    balance = max(number(state.account.balance_coin), Decimal(0))
    return _whole(balance / number(state.snapshot.rules.amount_step), ROUND_FLOOR)


def outstanding(record: OrderRecord) -> Decimal:
    """Contracts of *record* that may still trade, or have and are not booked."""
    reached = record.filled_amount if record.state in _TERMINAL else record.intent.amount
    return max(number(reached) - number(record.booked_amount), Decimal(0))


def quote_of(contract: OptionContract, state: "RiskState") -> Quote:
    """The row of *contract*, found by looking at every one."""
    chain = state.snapshot.chain
    expiry_ms = (contract.expiry - EPOCH) // timedelta(milliseconds=1)
    if (contract.underlying, contract.settlement) != (chain.underlying, chain.settlement):
        return Quote()
    for row, strike in enumerate(chain.strike.tolist()):
        if strike != contract.strike or bool(chain.is_call[row]) != contract.is_call:
            continue
        if int(chain.expiry_ms[row]) == expiry_ms:
            return Quote(
                bid=number(chain.bid[row]),
                ask=number(chain.ask[row]),
                mark=number(chain.mark[row]),
                iv=number(chain.mark_iv[row]),
                forward=number(chain.forward[row]),
                open_interest=number(chain.open_interest[row]),
                at=EPOCH + timedelta(milliseconds=int(chain.quoted_at_ms[row])),
            )
    return Quote()


@frozen
class Stock:
    """Lots by contract: positions by either source, and what pending orders may change."""

    venue: Counter[OptionContract]
    booked: Counter[OptionContract]
    opening_sells: Counter[OptionContract]
    reducing_sells: Counter[OptionContract]
    opening_buys: Counter[OptionContract]
    reducing_buys: Counter[OptionContract]

    @property
    def contracts(self) -> set[OptionContract]:
        """All that are held or have an order."""
        return {contract for lots_by_contract in self._all for contract in lots_by_contract}

    def short(self, contract: OptionContract) -> int:
        """Lots that are short or may become short."""
        held = min(self.venue[contract], self.booked[contract], 0)
        return self.opening_sells[contract] - held

    @property
    def short_calls(self) -> dict[OptionContract, int]:
        """The calls of which there is such a lot."""
        calls = [contract for contract in self.contracts if contract.is_call]
        return {contract: self.short(contract) for contract in calls if self.short(contract) > 0}

    def closable(self, intent: OrderIntent) -> int:
        """Lots the venue holds against *intent*, less what other reducing orders will take."""
        held = self.venue[intent.contract]
        if intent.side is Side.BUY:
            return -held - self.reducing_buys[intent.contract]
        return held - self.reducing_sells[intent.contract]

    @property
    def _all(self) -> tuple[Counter[OptionContract], ...]:
        orders = self.opening_sells, self.reducing_sells, self.opening_buys, self.reducing_buys
        return (self.venue, self.booked, *orders)


def stock_of(state: "RiskState") -> Stock:
    """The stock of the coin of *state*."""
    stock = Stock(*(Counter[OptionContract]() for _ in range(6)))
    for position in state.account.positions:
        stock.venue[position.contract] += _signed(position.size, state)
    for tracked in state.book.positions.values():
        for leg in tracked.legs:
            if tracked.closed_at is None and leg.size != 0:
                stock.booked[leg.contract] += _signed(leg.size, state)
    for intent in state.closed:
        change = _sign(intent) * lots(intent.amount, state)
        stock.venue[intent.contract] += change
        stock.booked[intent.contract] += change
    for pending in pending_orders(state):
        order = pending.order
        if order.side is Side.SELL:
            orders = stock.reducing_sells if order.reduce_only else stock.opening_sells
        else:
            orders = stock.reducing_buys if order.reduce_only else stock.opening_buys
        orders[order.contract] += lots(float(pending.amount), state)
    for count in stock._all:
        for contract in [each for each in count if each.underlying != state.snapshot.underlying]:
            del count[contract]
    return stock


@frozen
class Outstanding:
    """An order and the contracts of it that are still to come."""

    order: OrderIntent | Order
    amount: Decimal


def pending_orders(state: "RiskState") -> list[Outstanding]:
    """
    Orders of ours, of others and of the batch. What opens counts until it is booked; what only
    reduces counts while it works, since the venue's position tells what it has reduced.
    """
    found = [Outstanding(intent, number(intent.amount)) for intent in state.planned]
    for order in state.external:
        if order.state not in _TERMINAL:
            left = number(order.amount) - number(order.filled_amount)
            found.append(Outstanding(order, left))
    for record in state.book.orders.values():
        intent = record.intent
        if not intent.reduce_only:
            found.append(Outstanding(intent, outstanding(record)))
        elif record.state not in _TERMINAL:
            left = number(intent.amount) - number(record.filled_amount)
            found.append(Outstanding(intent, left))
    return [each for each in found if each.amount > 0]


def tick_at(price: Decimal, rules: ContractRules) -> Decimal:
    """The tick at *price*."""
    tick = number(rules.tick_size)
    for step in rules.tick_steps:
        if price >= number(step.above_price):
            tick = number(step.tick_size)
    return tick


def spread_use(quote: Quote, most_pct: float) -> SpreadUse:
    """(ask - bid) / mid against *most_pct* percent, both times mid."""
    return SpreadUse(200 * (quote.ask - quote.bid), number(most_pct) * (quote.ask + quote.bid))


def margin_use(intent: OrderIntent, state: "RiskState", stock: Stock) -> MarginUse | None:
    """The account after the trade; None where a contract has no mark or forward."""
    step = number(state.snapshot.rules.amount_step)
    trades = [
        each
        for each in pending_orders(state)
        if each.order.side is Side.SELL and not each.order.reduce_only
    ]
    trades += [Outstanding(each, number(each.amount)) for each in (intent, *state.closed)]
    added = {intent.contract: number(intent.amount)}  # short contracts the venue does not margin
    for contract in stock.contracts:
        more = stock.short(contract) + min(stock.venue[contract], 0)
        added[contract] = added.get(contract, Decimal(0)) + more * step
    for closed in state.closed:
        added[closed.contract] -= number(closed.amount)
    margin, equity = number(state.account.initial_margin_coin), number(state.account.equity_coin)
    for contract, amount in added.items():
        if amount != 0:
            quote = quote_of(contract, state)
            if not (quote.mark.is_finite() and quote.forward.is_finite() and quote.forward > 0):
                return None
            margin += amount * _margin_of_one(contract, quote)
    for trade in trades:
        if trade.order.contract.underlying == state.snapshot.underlying:
            mark, price = quote_of(trade.order.contract, state).mark, number(trade.order.price)
            if not mark.is_finite():
                return None
            equity += _sign(trade.order) * (mark - price) * trade.amount
            equity -= _fee(price, state.snapshot.rules) * trade.amount
    return MarginUse(margin, equity)


def delta_range(intent: OrderIntent, state: "RiskState", stock: Stock) -> DeltaRange | None:
    """The reach of the net delta; None where a contract has no forward or volatility."""
    step = number(state.snapshot.rules.amount_step)
    lowest = highest = Decimal(0)
    for contract in stock.contracts | {intent.contract}:
        sold = stock.opening_sells[contract] + stock.reducing_sells[contract]
        bought = stock.opening_buys[contract] + stock.reducing_buys[contract]
        fewest = step * (min(stock.venue[contract], stock.booked[contract]) - sold)
        most = step * (max(stock.venue[contract], stock.booked[contract]) + bought)
        if contract == intent.contract:
            fewest += _sign(intent) * number(intent.amount)
            most += _sign(intent) * number(intent.amount)
        if fewest or most:
            delta = _net_delta(contract, state)
            if delta is None:
                return None
            lowest += min(fewest * delta, most * delta)
            highest += max(fewest * delta, most * delta)
    return DeltaRange(lowest, highest)


def _net_delta(contract: OptionContract, state: "RiskState") -> Decimal | None:
    """c K/F N(c d2) in 25 digits."""
    quote = quote_of(contract, state)
    left_us = (contract.expiry - state.now) // timedelta(microseconds=1)
    if left_us <= 0:
        return Decimal(0)
    known = quote.forward.is_finite() and quote.iv.is_finite()
    if not known or quote.forward <= 0 or quote.iv <= 0:
        return None
    forward, strike = mp.mpf(str(quote.forward)), mp.mpf(repr(contract.strike))
    deviation = mp.mpf(str(quote.iv)) * mp.sqrt(mp.mpf(left_us) / (365 * 86_400 * 10**6))
    d2 = mp.log(forward / strike) / deviation - deviation / 2
    sign = 1 if contract.is_call else -1
    return Decimal(str(sign * strike / forward * mp.erfc(-sign * d2 / mp.sqrt(2)) / 2))


def _margin_of_one(contract: OptionContract, quote: Quote) -> Decimal:
    gap = number(contract.strike) - quote.forward
    out_of_money = max(gap if contract.is_call else -gap, Decimal(0)) / quote.forward
    initial = max(Decimal("0.15") - out_of_money, Decimal("0.1")) + quote.mark
    if contract.is_call:
        return initial
    return max(initial, max(Decimal("0.075"), Decimal("0.075") * quote.mark) + quote.mark)


def _fee(price: Decimal, rules: ContractRules) -> Decimal:
    return min(number(rules.trade_fee_coin), number(rules.fee_cap) * price)


def _sign(order: OrderIntent | Order) -> int:
    return 1 if order.side is Side.BUY else -1


def _signed(size: float, state: "RiskState") -> int:
    return lots(size, state) if size > 0 else -lots(-size, state)


def _whole(ratio: Decimal, rounding: str) -> int:
    nearest = ratio.to_integral_value()
    if abs(ratio - nearest) <= _DUST * max(Decimal(1), nearest):
        return int(nearest)
    return int(ratio.to_integral_value(rounding))
