"""
Time the fast simulator of covered calls against a plain pandas loop over the same year of chains.

Both must come to the same trades. Run by `python -m bench.backtest`.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from attrs import frozen

from bench.pandas_loop import ACCOUNT, COIN, DAY_MS, LIMITS, RULE, Sold, pandas_loop
from core.backtest.columns import CallColumns
from core.backtest.covered_call import run_calls
from core.pricing.black76 import delta, net_delta, premium_coin
from core.simulation.listing import deribit_rules
from core.simulation.synthetic_quotes import round_down, round_up
from ports.checks import from_epoch_ms
from ports.columns import Bools, Floats, Ints
from ports.history import DeliveryPrice

HOURS = 8760
HOUR_MS = 3_600_000
START_MS = 1_767_225_600_000  # 1 January 2026
EXPIRIES, STRIKES = 9, 31  # 279 calls an hour, 2.44 million rows a year


def year(seed: int = 1, hours: int = HOURS) -> CallColumns:
    """Chains of *hours*: nine daily to quarterly expiries of 31 calls on a random walk."""
    rng = np.random.default_rng(seed)
    at_ms = START_MS + HOUR_MS * np.arange(hours, dtype=np.int64)
    index = 90_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.006, hours)))
    ahead = np.array([1, 2, 4, 7, 8, 14, 28, 60, 120]) * DAY_MS
    expiry = ((at_ms[:, None] // DAY_MS) * DAY_MS + 8 * HOUR_MS + ahead[None, :])[:, :, None]
    deviation = 0.5 * np.sqrt(ahead / DAY_MS / 365.0)
    grid = np.linspace(-1.5, 3.0, STRIKES)[None, None, :] * deviation[None, :, None]
    strike = np.round(index[:, None, None] * np.exp(grid) / 500.0) * 500.0
    strike = _distinct(strike)
    shape = (hours, EXPIRIES, STRIKES)
    expiry_ms = np.broadcast_to(expiry, shape).reshape(-1)
    forward = np.broadcast_to(index[:, None, None], shape).reshape(-1).copy()
    flat = strike.reshape(-1)
    taken = np.repeat(at_ms, EXPIRIES * STRIKES)
    tenor = (expiry_ms - taken) / (365.0 * DAY_MS)
    iv = 0.5 + 0.1 * np.abs(np.log(flat / forward))
    priced = (forward, flat, tenor, iv, np.ones(len(flat), dtype=np.bool_))
    return _table(at_ms, index, expiry_ms, priced)


def _distinct(strike: Floats) -> Floats:
    """*strike* with neighbours at least one step apart, along the last axis."""
    steps = np.round(strike / 500.0)
    rank = np.arange(steps.shape[-1])
    apart = (np.maximum.accumulate(steps - rank, axis=-1) + rank) * 500.0
    return np.asarray(apart, dtype=np.float64)


def _table(
    at_ms: Ints,
    index: Floats,
    expiry_ms: Ints,
    priced: tuple[Floats, Floats, Floats, Floats, Bools],
) -> CallColumns:
    """Quotes of two per cent about the Black-76 value, and the rest of what columns hold."""
    rules = deribit_rules(COIN)
    forward, strike, _, iv, _ = priced
    mark = np.asarray(premium_coin(*priced))
    half = np.maximum(0.02 * mark, 0.0001)
    bid = round_down(np.maximum(mark - half, 0.0), rules)
    bid[bid < rules.tick_size] = np.nan
    ask = round_up(mark + half, rules)
    is_sellable = (bid > 0) & (bid >= np.maximum(forward - strike, 0.0) / forward)
    is_sellable &= (0.8 * bid <= mark) & (mark <= 1.2 * ask)
    listed = np.unique(expiry_ms)
    prices = np.interp(listed, at_ms, index)
    known = listed <= at_ms[-1]
    return CallColumns(
        underlying=COIN,
        rules=rules,
        taken_at=tuple(from_epoch_ms(int(ms)) for ms in at_ms),
        at_ms=at_ms,
        index_usd=index,
        rv=np.full(len(at_ms), np.nan),
        first=np.arange(len(at_ms) + 1) * (EXPIRIES * STRIKES),
        expiry_ms=expiry_ms,
        strike=strike,
        forward=forward,
        bid=bid,
        ask=ask,
        mark=mark,
        mark_iv=iv,
        delta=np.asarray(delta(*priced)),
        net_delta=np.asarray(net_delta(*priced)),
        is_sellable=is_sellable,
        is_buyable=ask > 0,
        delivery_ms=listed,
        deliveries=tuple(
            DeliveryPrice(float(price), "interpolated") if is_known else None
            for price, is_known in zip(prices, known, strict=True)
        ),
    )


def frame_of(columns: CallColumns) -> pd.DataFrame:
    """The same chains as one plain frame, a row a call and hour."""
    counts = np.diff(columns.first)
    return pd.DataFrame(
        {
            "at_ms": np.repeat(columns.at_ms, counts),
            "index_usd": np.repeat(columns.index_usd, counts),
            "expiry_ms": columns.expiry_ms,
            "strike": columns.strike,
            "forward": columns.forward,
            "bid": columns.bid,
            "ask": columns.ask,
            "mark": columns.mark,
            "delta": columns.delta,
            "sellable": columns.is_sellable,
        }
    )


def fast_trades(columns: CallColumns) -> list[Sold]:
    """The trades of the fast simulator in the same form."""
    run = run_calls(columns, RULE, ACCOUNT, LIMITS)
    log, pnl = run.log, run.pnl_coin
    found = []
    for number in range(run.trades):
        row, closed_at = int(log.opened_row[number]), int(log.closed_at[number])
        expiry_ms = int(columns.expiry_ms[row])
        is_delivery = closed_at >= 0 and int(log.closed_row[number]) < 0
        closed_ms = expiry_ms if is_delivery else int(columns.at_ms[closed_at])
        found.append(
            Sold(
                opened_ms=int(columns.at_ms[log.opened_at[number]]),
                closed_ms=closed_ms if closed_at >= 0 else -1,
                expiry_ms=expiry_ms,
                strike=float(columns.strike[row]),
                amount=float(log.amount[number]),
                pnl_coin=float(pnl[number]),
                fees_coin=float(log.entry_fee[number])
                + (float(log.exit_fee[number]) if closed_at >= 0 else 0.0),
                margin_coin=float(log.margin[number]),
            )
        )
    return found


def difference(ours: list[Sold], theirs: list[Sold]) -> float:
    """
    The largest difference in P&L, fees or margin, coin, of trades that are otherwise the same.

    Raises:
        AssertionError: The trades are not the same.
    """
    if len(ours) != len(theirs):
        raise AssertionError(f"{len(ours)} trades against {len(theirs)}")
    worst = 0.0
    for one, other in zip(ours, theirs, strict=True):
        same = ("opened_ms", "closed_ms", "expiry_ms", "strike")
        if any(getattr(one, name) != getattr(other, name) for name in same):
            raise AssertionError(f"{one} against {other}")
        for name in ("amount", "pnl_coin", "fees_coin", "margin_coin"):
            worst = max(worst, abs(getattr(one, name) - getattr(other, name)))
    return worst


@frozen(kw_only=True)
class BacktestFigures:
    """Both times over the same year, seconds of processor, and how far the trades are apart."""

    rows: int
    trades: int
    columns_bytes: int
    first_s: float  # compiling, or reading the cache
    fastest_s: float
    median_s: float
    pandas_s: float
    worst_coin: float

    @property
    def ratio(self) -> float:
        """How many times as long the pandas loop takes."""
        return self.pandas_s / self.fastest_s


def measure_backtest(hours: int = HOURS, rounds: int = 7) -> BacktestFigures:
    """
    Run both over *hours* of chains, the fast simulator in so many *rounds*.

    Raises:
        AssertionError: They do not come to the same trades.
    """
    columns = year(hours=hours)
    frame = frame_of(columns)
    delivery = {
        int(ms): float(price)
        for ms, price in zip(columns.delivery_ms, columns.delivered.price_usd, strict=True)
    }
    first_s, *taken = [
        _seconds(lambda: run_calls(columns, RULE, ACCOUNT, LIMITS)) for _ in range(rounds + 1)
    ]
    plain: list[Sold] = []
    pandas_s = _seconds(lambda: plain.extend(pandas_loop(frame, delivery)))
    return BacktestFigures(
        rows=len(columns),
        trades=len(plain),
        columns_bytes=columns.bytes,
        first_s=first_s,
        fastest_s=min(taken),
        median_s=statistics.median(taken),
        pandas_s=pandas_s,
        worst_coin=difference(fast_trades(columns), plain),
    )


def _seconds(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def main() -> None:
    """Print both times, the ratio, and how far the trades are apart."""
    parser = argparse.ArgumentParser(prog="python -m bench.backtest", description=__doc__)
    parser.add_argument("--hours", type=int, default=HOURS)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    found = measure_backtest(given.hours, given.rounds)
    print(
        f"{found.rows:,} rows, {found.trades} trades, {found.columns_bytes / 1e6:.0f} MB of columns"
    )
    print(f"first call {1e3 * found.first_s:.1f} ms, compiling or reading the cache")
    print(f"fast simulator {1e3 * found.fastest_s:.2f} ms (median {1e3 * found.median_s:.2f})")
    print(f"pandas loop {found.pandas_s:.2f} s: {found.ratio:,.0f} times as long")
    print(f"the same trades; P&L, fees and margin within {found.worst_coin:.1e} coin")


if __name__ == "__main__":
    main()
