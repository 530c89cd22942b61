"""The venue's lists of instruments and quotes as rules and a chain; unusable rows are left out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import isfinite, nan

import numpy as np
from attrs import evolve, frozen
from pydantic import TypeAdapter, ValidationError

from adapters.deribit.book_columns import BookColumns
from adapters.deribit.models import Instrument, Ticker
from adapters.deribit.rpc import Answer
from ports.chain import ChainTable
from ports.checks import epoch_ms, from_epoch_ms
from ports.columns import Floats
from ports.errors import Malformed
from ports.instruments import ContractRules, OptionContract, OptionKind, TickStep

_INSTRUMENTS = TypeAdapter(list[Instrument])
_FUTURE_SLACK = timedelta(seconds=5)  # between the venue's own clocks; more is no quote of now


@frozen(eq=False)
class Listing:
    """
    The options of one coin as the venue lists them, by its names.

    *contracts* come by expiry, strike and kind. *rules* are those of nearly all. A contract that
    is halted, or on a grid of its own, is in *contracts* and not in *tradable*: it is shown
    without quotes.
    """

    read_at: datetime
    rules: ContractRules
    names: frozenset[str]  # all that the venue named, usable or not
    contracts: Mapping[str, OptionContract]
    tradable: frozenset[str]


@frozen
class _Listed:
    contract: OptionContract
    rules: ContractRules
    is_open: bool


def listing_of(underlying: str, answer: Answer) -> Listing:
    """
    Return the inverse options on *underlying* that public/get_instruments answers.

    Raises:
        Malformed: There is none in it.
    """
    listed = {row.instrument_name: _listed(underlying, row) for row in _instruments(answer)}
    known = {name: each for name, each in listed.items() if each is not None}
    if not known:
        raise Malformed(f"{answer.method}: no inverse option on {underlying}")
    rules, _ = Counter(each.rules for each in known.values()).most_common(1)[0]
    contracts = ((name, each.contract) for name, each in known.items())
    return Listing(
        read_at=answer.answered_at,
        rules=rules,
        names=frozenset(listed),
        contracts=dict(sorted(contracts, key=lambda named: named[1])),
        tradable=frozenset(
            name for name, each in known.items() if each.is_open and each.rules == rules
        ),
    )


def chain_of(book: BookColumns, listing: Listing, told_at: datetime) -> ChainTable:
    """
    Return the chain that *book*, told at *told_at*, makes of the contracts in *listing*.

    A quote is NaN where the venue has none, off the grid, or crossed; a row without a mark, of
    an unlisted contract, or from the future is left out.

    Raises:
        Malformed: No row can be used.
    """
    told, names, rules = book.chain, book.names, listing.rules
    latest_ms = epoch_ms(told_at + _FUTURE_SLACK)
    is_usable = np.array([name in listing.contracts for name in names])
    is_usable &= (told.mark >= 0) & (told.quoted_at_ms >= 0) & (told.quoted_at_ms <= latest_ms)
    if not is_usable.any():
        raise Malformed(f"none of {len(told)} quotes of {told.underlying} options can be used")
    is_open = np.array([name in listing.tradable for name in names])
    bid = np.where(is_open & rules.are_on_tick(told.bid), told.bid, nan)
    ask = np.where(is_open & rules.are_on_tick(told.ask), told.ask, nan)
    is_crossed = bid >= ask
    cleaned = evolve(
        told,
        bid=np.where(is_crossed, nan, bid),
        ask=np.where(is_crossed, nan, ask),
        open_interest=np.where(told.open_interest >= 0, told.open_interest, nan),
        volume=np.where(told.volume >= 0, told.volume, nan),
    )
    return cleaned if is_usable.all() else cleaned.where(is_usable)


def rules_of(row: Instrument) -> ContractRules:
    """
    Return the grids and the fee that *row* tells.

    Raises:
        ValueError: They contradict themselves.
    """
    return ContractRules(
        tick_size=row.tick_size,
        tick_steps=tuple(
            TickStep(step.above_price, step.tick_size) for step in row.tick_size_steps
        ),
        amount_step=row.min_trade_amount,
        min_amount=row.min_trade_amount,
        trade_fee_coin=row.taker_commission,
    )


def with_ticker(chain: ChainTable, ticker: Ticker, listing: Listing) -> ChainTable:
    """Return *chain* with the row of *ticker* as it says; unchanged if it has no mark."""
    contract = listing.contracts.get(ticker.instrument_name)
    row = None if contract is None else chain.row_of(contract)
    if row is None or not ticker.mark_price >= 0:
        return chain
    is_open = ticker.state == "open" and ticker.instrument_name in listing.tradable
    touch = _clean(ticker.best_bid_price, ticker.best_ask_price, listing.rules, is_open)
    quoted_at_ms = chain.quoted_at_ms.copy()
    quoted_at_ms[row] = ticker.timestamp
    return evolve(
        chain,
        bid=_put(chain.bid, row, touch.bid),
        ask=_put(chain.ask, row, touch.ask),
        bid_amount=_put(chain.bid_amount, row, _amount(ticker.best_bid_amount, touch.bid)),
        ask_amount=_put(chain.ask_amount, row, _amount(ticker.best_ask_amount, touch.ask)),
        mark=_put(chain.mark, row, ticker.mark_price),
        mark_iv=_put(chain.mark_iv, row, _above_zero(ticker.mark_iv) / 100.0),
        forward=_put(chain.forward, row, _above_zero(ticker.underlying_price)),
        open_interest=_put(chain.open_interest, row, _not_below_zero(ticker.open_interest)),
        quoted_at_ms=quoted_at_ms,
    )


@frozen
class _Touch:
    bid: float
    ask: float


def _instruments(answer: Answer) -> list[Instrument]:
    """The rows of *answer* that can be read: one bad row does not hide the others."""
    if not isinstance(answer.result, list):
        raise Malformed(f"{answer.method}: the result is not a list")
    try:
        return _INSTRUMENTS.validate_python(answer.result)
    except ValidationError:  # seldom: all at once takes little more than half as long
        return list(_readable(answer.result))


def _readable(rows: Iterable[object]) -> Iterable[Instrument]:
    for row in rows:
        try:
            yield Instrument.model_validate(row)
        except ValidationError:
            continue


def _listed(underlying: str, row: Instrument) -> _Listed | None:
    """What *row* lists; None if it is no inverse option on *underlying* or contradicts itself."""
    if (row.kind, row.base_currency, row.instrument_type) != ("option", underlying, "reversed"):
        return None
    if row.strike is None or row.option_type is None or row.expiration_timestamp is None:
        return None
    if row.contract_size != 1.0:
        return None
    try:
        contract = OptionContract(
            underlying=underlying,
            expiry=from_epoch_ms(row.expiration_timestamp),
            strike=row.strike,
            kind=OptionKind(row.option_type),
        )
        if OptionContract.from_symbol(row.instrument_name) != contract:
            return None
        return _Listed(contract, rules_of(row), row.is_active and row.state in (None, "open"))
    except ValueError:
        return None


def _clean(bid: float, ask: float, rules: ContractRules, is_open: bool) -> _Touch:
    """The quotes that can be believed: above zero, on the grid, and not crossed."""
    bid, ask = (
        price if is_open and price > 0 and rules.is_on_tick(price) else nan for price in (bid, ask)
    )
    return _Touch(nan, nan) if bid >= ask else _Touch(bid, ask)


def _above_zero(number: float) -> float:
    return number if number > 0 else nan


def _not_below_zero(number: float) -> float:
    return number if number >= 0 else nan


def _amount(amount: float, price: float) -> float:
    return _above_zero(amount) if isfinite(price) else nan


def _put(column: Floats, row: int, number: float) -> Floats:
    changed = column.copy()
    changed[row] = number
    return changed
