"""Trades and the equity curve of a run, made the same way whichever engine ran."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np
from attrs import field, frozen

from core.pricing.black76 import tenor_years
from core.pricing.greeks import greeks
from ports.backtest_runs import BacktestTrade, EquityCurve
from ports.codec import Codec, to_json
from ports.columns import Bools, Floats, Ints, bool_column, float_column, int_column

TRADES = Codec.of([BacktestTrade])


def trades_hash(trades: Iterable[BacktestTrade]) -> str:
    """The SHA-256 of *trades* in order: the same inputs give the same."""
    digest = sha256()
    for trade in trades:
        digest.update(to_json(TRADES.encode(trade)).encode())
        digest.update(b"\n")
    return digest.hexdigest()


@frozen(kw_only=True, eq=False)
class HeldColumns:
    """
    Options held at marks, a row a contract and mark; columns (m,).

    *mark_number* is the mark; size contracts, negative short; forward and iv as the snapshot
    said, NaN where it did not; margin_coin the initial margin of the row.
    """

    mark_number: Ints = field(converter=int_column)
    size: Floats = field(converter=float_column)
    expiry_ms: Ints = field(converter=int_column)
    strike: Floats = field(converter=float_column)
    is_call: Bools = field(converter=bool_column)
    forward: Floats = field(converter=float_column)
    iv: Floats = field(converter=float_column)
    mark: Floats = field(converter=float_column)
    margin_coin: Floats = field(converter=float_column)


@frozen(kw_only=True, eq=False)
class MarkColumns:
    """The account at every mark, (n,); low and high as in EquityCurve."""

    at_ms: Ints = field(converter=int_column)
    index_usd: Floats = field(converter=float_column)
    cash_coin: Floats = field(converter=float_column)
    low_coin: Floats = field(converter=float_column)
    high_coin: Floats = field(converter=float_column)


def equity_curve(marks: MarkColumns, held: HeldColumns) -> EquityCurve:
    """The curve of an account that held *held* at *marks*, with its greeks."""
    at_ms = marks.at_ms[held.mark_number]
    tenor = tenor_years(held.expiry_ms, at_ms)
    each = greeks(held.forward, held.strike, tenor, held.iv, held.is_call)

    def summed(column: Floats) -> Floats:
        sums = np.bincount(held.mark_number, weights=column, minlength=len(marks.at_ms))
        return sums.astype(np.float64)

    vega = summed(np.abs(held.size) * each.vega)
    option_coin = summed(held.size * held.mark)
    with np.errstate(invalid="ignore", divide="ignore"):
        mark_iv = summed(np.abs(held.size) * each.vega * held.iv) / vega
    equity = marks.cash_coin + option_coin
    return EquityCurve(
        at_ms=marks.at_ms,
        index_usd=marks.index_usd,
        cash_coin=marks.cash_coin,
        option_coin=option_coin,
        delta=summed(held.size * each.delta),
        net_delta=summed(held.size * each.net_delta),
        gamma=summed(held.size * each.gamma),
        vega=summed(held.size * each.vega),
        theta=summed(held.size * each.theta),
        mark_iv=mark_iv,
        margin_coin=summed(held.margin_coin),
        low_coin=np.fmin(marks.low_coin, equity),
        high_coin=np.fmax(marks.high_coin, equity),
    )


def identity_error(
    trades: Sequence[BacktestTrade], equity: EquityCurve, deposit_coin: float
) -> float:
    """How far the change of equity is from the sum of the trades, coin: rounding, or a defect."""
    if len(equity.at_ms) == 0:
        return 0.0
    gained = float(equity.equity_coin[-1]) - deposit_coin
    return gained - sum(trade.pnl_coin for trade in trades)
