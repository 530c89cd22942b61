"""Chains of many snapshots as one table: what the fast simulator and sweeps run on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from core.backtest.kernel_types import Calls, Deliveries, Instants
from core.backtest.rules import deltas_of
from core.pricing.black76 import net_delta
from core.risk.limits import RiskLimits
from ports.chain import ChainTable
from ports.checks import epoch_ms, from_epoch_ms
from ports.columns import Bools, Floats, Ints
from ports.history import DeliveryPrice
from ports.instruments import ContractRules, OptionContract, OptionKind
from ports.market_data import MarketSnapshot

_Cell = TypeVar("_Cell", bound=np.generic)
_ROUNDED = 1e-12  # as core.risk.limits


def _kept(column: NDArray[_Cell]) -> NDArray[_Cell]:
    """*column* itself, read-only from here on: a copy of a year would be half a gigabyte."""
    column.flags.writeable = False
    return column


def _floats(column: Floats) -> Floats:
    return _kept(column)


def _ints(column: Ints) -> Ints:
    return _kept(column)


def _bools(column: Bools) -> Bools:
    return _kept(column)


@frozen(kw_only=True, eq=False, repr=False)
class CallColumns:
    """
    The calls of one coin at many instants, oldest first; columns (n,) and of instants (s,).

    *first* is (s + 1,): the rows of instant i are first[i] to first[i + 1], by expiry and strike.
    Units as in ChainTable. *is_sellable* and *is_buyable* say where risk believes the quote;
    `deliveries` are those of every expiry listed, by expiry, None where it is not known.
    """

    underlying: str
    rules: ContractRules
    taken_at: tuple[datetime, ...]  # of which at_ms are the milliseconds
    at_ms: Ints = field(converter=_ints)
    index_usd: Floats = field(converter=_floats)
    rv: Floats = field(converter=_floats)
    first: Ints = field(converter=_ints)
    expiry_ms: Ints = field(converter=_ints)
    strike: Floats = field(converter=_floats)
    forward: Floats = field(converter=_floats)
    bid: Floats = field(converter=_floats)
    ask: Floats = field(converter=_floats)
    mark: Floats = field(converter=_floats)
    mark_iv: Floats = field(converter=_floats)
    delta: Floats = field(converter=_floats)
    net_delta: Floats = field(converter=_floats)
    is_sellable: Bools = field(converter=_bools)
    is_buyable: Bools = field(converter=_bools)
    delivery_ms: Ints = field(converter=_ints)  # (e,): the expiries of *deliveries*
    deliveries: tuple[DeliveryPrice | None, ...] = ()

    def __attrs_post_init__(self) -> None:
        if (np.diff(self.at_ms) <= 0).any():
            back = int(np.argmax(np.diff(self.at_ms) <= 0)) + 1
            raise ValueError(f"instants must rise, {self.taken_at[back]} does not")

    def __len__(self) -> int:
        return len(self.strike)

    @property
    def bytes(self) -> int:
        """Memory of the columns."""
        arrays = (getattr(self, name) for name in (*_ROWS, "at_ms", "index_usd", "first"))
        return sum(array.nbytes for array in arrays)

    @property
    def instants(self) -> Instants:
        """The snapshots as compiled code takes them."""
        return Instants(self.at_ms, self.index_usd, self.rv, self.first)

    @property
    def calls(self) -> Calls:
        """The rows as compiled code takes them."""
        return Calls(
            self.expiry_ms,
            self.strike,
            self.forward,
            self.bid,
            self.ask,
            self.mark,
            self.mark_iv,
            self.delta,
            self.net_delta,
            self.is_sellable,
            self.is_buyable,
        )

    @property
    def delivered(self) -> Deliveries:
        """The delivery prices as compiled code takes them."""
        known = [np.nan if each is None else each.price_usd for each in self.deliveries]
        return Deliveries(self.delivery_ms, np.array(known, dtype=np.float64))

    def only(self, rows: Ints, instants: slice) -> "CallColumns":
        """Of *instants* nothing but *rows*, which rise and are theirs; deliveries stay whole."""
        counted = self.first[: len(self.at_ms)][instants]
        end = self.first[1:][instants][-1:]
        cells = {name: getattr(self, name)[rows] for name in _ROWS}
        return evolve(
            self,
            taken_at=self.taken_at[instants],
            at_ms=self.at_ms[instants].copy(),
            index_usd=self.index_usd[instants].copy(),
            rv=self.rv[instants].copy(),
            first=np.searchsorted(rows, np.concatenate([counted, end])),
            **cells,
        )

    def contract(self, row: int) -> OptionContract:
        """The call in *row*."""
        expiry = from_epoch_ms(int(self.expiry_ms[row]))
        return OptionContract(self.underlying, expiry, float(self.strike[row]), OptionKind.CALL)

    def delivery(self, expiry_ms: int) -> DeliveryPrice | None:
        """What the expiry at *expiry_ms* was delivered at; None if that is not known."""
        place = int(np.searchsorted(self.delivery_ms, expiry_ms))
        return self.deliveries[place]


_ROWS: "Mapping[str, type[np.generic]]" = {
    "expiry_ms": np.int64,
    "strike": np.float64,
    "forward": np.float64,
    "bid": np.float64,
    "ask": np.float64,
    "mark": np.float64,
    "mark_iv": np.float64,
    "delta": np.float64,
    "net_delta": np.float64,
    "is_sellable": np.bool_,
    "is_buyable": np.bool_,
}


def columns_of(
    snapshots: Sequence[MarketSnapshot],
    deliveries: Mapping[datetime, DeliveryPrice | None],
    limits: RiskLimits,
    rv: Floats | None = None,
) -> CallColumns:
    """
    The calls of *snapshots*, one coin's, oldest first, with what *limits* let be traded.

    *rv* (s,) is the realised volatility known at each; without it none is.

    Raises:
        ValueError: There are none, or their instants do not rise.
    """
    if not snapshots:
        raise ValueError("no snapshots")
    sizes = [int(snapshot.chain.is_call.sum()) for snapshot in snapshots]
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    rows = {name: np.empty(first[-1], dtype=kind) for name, kind in _ROWS.items()}
    for number, snapshot in enumerate(snapshots):
        for name, column in _part(snapshot, limits).items():
            rows[name][first[number] : first[number + 1]] = column
    told = [epoch_ms(expiry) for expiry, price in deliveries.items() if price is not None]
    listed = np.union1d(rows["expiry_ms"], np.array(told, dtype=np.int64))
    return CallColumns(
        underlying=snapshots[0].underlying,
        rules=snapshots[0].rules,
        taken_at=tuple(snapshot.taken_at for snapshot in snapshots),
        at_ms=np.array([epoch_ms(snapshot.taken_at) for snapshot in snapshots], dtype=np.int64),
        index_usd=np.array([snapshot.index_usd for snapshot in snapshots], dtype=np.float64),
        rv=np.full(len(snapshots), np.nan) if rv is None else rv,
        first=first,
        delivery_ms=listed,
        deliveries=tuple(deliveries.get(from_epoch_ms(int(ms))) for ms in listed),
        **rows,
    )


def joined(parts: Sequence[CallColumns]) -> CallColumns:
    """
    *parts* of one coin, one after another; a delivery that any of them knows is known.

    Raises:
        ValueError: Their instants do not rise.
    """
    prices: dict[int, DeliveryPrice | None] = {}
    for part in parts:
        for ms, price in zip(part.delivery_ms.tolist(), part.deliveries, strict=True):
            prices[ms] = price or prices.get(ms)
    before = np.cumsum([0, *(len(part) for part in parts)])
    firsts = [part.first[:-1] + start for part, start in zip(parts, before[:-1], strict=True)]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (*_ROWS, "at_ms", "index_usd", "rv")
    }
    return evolve(
        parts[0],
        taken_at=tuple(at for part in parts for at in part.taken_at),
        first=np.concatenate([*firsts, before[-1:]]),
        delivery_ms=np.array(sorted(prices), dtype=np.int64),
        deliveries=tuple(prices[ms] for ms in sorted(prices)),
        **columns,
    )


def _part(snapshot: MarketSnapshot, limits: RiskLimits) -> "dict[str, Floats | Ints | Bools]":
    chain = snapshot.chain
    calls = chain.where(chain.is_call)
    tenor = calls.years_left(snapshot.taken_at)
    priced = (calls.forward, calls.strike, tenor, calls.mark_iv, calls.is_call)
    return {
        "expiry_ms": calls.expiry_ms,
        "strike": calls.strike,
        "forward": calls.forward,
        "bid": calls.bid,
        "ask": calls.ask,
        "mark": calls.mark,
        "mark_iv": calls.mark_iv,
        "delta": deltas_of(calls, snapshot),
        "net_delta": net_delta(*priced),
        "is_sellable": _sellable(calls, snapshot.rules, limits),
        "is_buyable": _buyable(calls, snapshot.rules, limits),
    }


def _sellable(calls: ChainTable, rules: ContractRules, limits: RiskLimits) -> Bools:
    """Where risk controls 8 and 10 let a call be sold at its bid, (n,)."""
    bid, ask, mark = calls.bid, calls.ask, calls.mark
    intrinsic = np.maximum(calls.forward - calls.strike, 0.0) / calls.forward
    spread_pct = 200.0 * (ask - bid) / (ask + bid)
    is_open = np.isnan(calls.open_interest) & (not limits.unknown_liquidity_blocks)
    return (
        _collared(bid, mark, rules, limits)
        & (bid > 0)
        & (bid < ask)
        & (calls.forward > 0)
        & _within(intrinsic, bid)
        & _within(0.8 * bid, mark)
        & _within(mark, 1.2 * ask)
        & _within(limits.iv_min, calls.mark_iv)
        & _within(calls.mark_iv, limits.iv_max)
        & _within(spread_pct, limits.max_spread_pct)
        & (is_open | _within(limits.min_open_interest, calls.open_interest))
    )


def _buyable(calls: ChainTable, rules: ContractRules, limits: RiskLimits) -> Bools:
    """Where risk control 8 lets a short call be bought back at its ask, (n,)."""
    return _collared(calls.ask, calls.mark, rules, limits)


def _collared(price: Floats, mark: Floats, rules: ContractRules, limits: RiskLimits) -> Bools:
    """Whether *price* is on its tick and near enough to a mark there is, (n,)."""
    width = np.maximum(
        limits.price_collar_pct / 100.0 * mark, limits.price_collar_ticks * rules.ticks_at(mark)
    )
    is_near = (mark > 0) & (price > 0) & _within(np.abs(price - mark), width)
    return is_near & rules.are_on_tick(price)


def _within(figure: "Floats | float", limit: "Floats | float") -> Bools:
    """core.risk.limits.within, for columns."""
    known = np.isfinite(figure) & np.isfinite(limit)
    return np.asarray(known & (figure <= limit + _ROUNDED * np.abs(limit)))
