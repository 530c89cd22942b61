"""The weekly rule worked out a second time, from the recorded files, with no code of ours."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from math import erf, exp, log, sqrt
from pathlib import Path
from statistics import median

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from attrs import frozen

from core.backtest.covered_call import CallAccount, run_calls, style_result
from core.backtest.rules import CallRule
from ports.backtest_runs import BacktestTrade, ExitReason
from tests.support.backtests import prepared_recording, research_limits
from tests.support.recorded import recorded_data

SIZES = {"BTC": 1.0, "ETH": 10.0}
COLUMNS = (
    "timestamp",
    "expiry_datetime",
    "strike",
    "bid_price",
    "underlying",
    "implied_volatility",
)


@frozen(kw_only=True)
class Row:
    """One call as it was recorded."""

    expiry: datetime
    strike: float
    bid: float | None
    forward: float
    iv: float


def chains_in(folder: Path, coin: str) -> dict[datetime, list[Row]]:
    """The calls of each snapshot, oldest first."""
    found: dict[datetime, list[Row]] = {}
    instant = lru_cache(datetime.fromisoformat)
    for path in sorted(folder.glob(f"{coin.lower()}_chain_*.parquet")):
        table = pq.read_table(path, columns=[*COLUMNS, "option_type"])
        table = table.filter(pc.equal(table["option_type"], "call"))
        for at, expiry, *figures in zip(
            *(table[name].to_pylist() for name in COLUMNS), strict=True
        ):
            strike, bid, forward, iv = figures
            row = Row(expiry=instant(expiry), strike=strike, bid=bid, forward=forward, iv=iv)
            found.setdefault(instant(at), []).append(row)
    return dict(sorted(found.items()))


def index_in(folder: Path, coin: str) -> list[tuple[datetime, float]]:
    """The median of the index prices in all rows of each snapshot, oldest first."""
    prices: dict[str, list[float]] = {}
    for path in folder.glob(f"{coin.lower()}_chain_*.parquet"):
        table = pq.read_table(path, columns=["timestamp", "index_price"])
        for at, price in zip(*(column.to_pylist() for column in table.columns), strict=True):
            prices.setdefault(at, []).append(price)
    return sorted((datetime.fromisoformat(at), median(each)) for at, each in prices.items())


def delta(row: Row, seen: datetime) -> float:
    """N(d1) of Black-76 on the recorded forward and mark volatility, a year of 365 days."""
    deviation = row.iv * sqrt((row.expiry - seen) / timedelta(days=365))
    d1 = log(row.forward / row.strike) / deviation + deviation / 2.0
    return 0.5 * (1.0 + erf(d1 / sqrt(2.0)))


def settlement(index: list[tuple[datetime, float]], expiry: datetime) -> float:
    """The index at 07:45 on the line between the logarithms of its recorded neighbours."""
    middle = expiry - timedelta(minutes=15)
    for (start, low), (end, high) in pairwise(index):
        if start < expiry <= end:
            share = (middle - start) / (end - start)
            return exp(log(low) + share * (log(high) - log(low)))
    raise AssertionError(f"nothing recorded about {expiry}")


def weekly(
    chains: dict[datetime, list[Row]],
    index: list[tuple[datetime, float]],
    coins: float,
    lot: float,
) -> list[tuple[datetime, float, float]]:
    """Each sale that was delivered: when, at which strike, and what it earned in coin."""
    instants, balance, done = list(chains), coins, []
    friday = datetime(2026, 1, 2, 8, 5, tzinfo=UTC)
    while friday < instants[-1]:
        now = next((at for at in instants if friday <= at < friday + timedelta(days=1)), None)
        friday += timedelta(days=7)
        if now is None:
            continue
        seen = instants[instants.index(now) - 1]
        away = {
            row.expiry: abs((row.expiry - seen) / timedelta(days=1) - 7.0) for row in chains[seen]
        }
        expiry = min((each for each in away if each.weekday() == 4), key=away.__getitem__)
        calls = [row for row in chains[seen] if row.expiry == expiry and row.bid]
        strike = min(calls, key=lambda row: abs(delta(row, seen) - 0.25)).strike
        if expiry > instants[-1]:
            break
        (sold,) = (row for row in chains[now] if (row.expiry, row.strike) == (expiry, strike))
        assert sold.bid is not None
        amount = min(int(balance / lot + 1e-9) * lot, coins)
        price = settlement(index, expiry)
        payoff = max(price - strike, 0.0) / price
        fees = min(0.0003, 0.125 * sold.bid) + min(0.00015, 0.125 * payoff)
        profit = amount * (sold.bid - payoff - fees)
        balance += profit
        done.append((now, strike, profit))
    return done


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_the_weekly_rule_earns_what_a_second_calculation_says(coin: str) -> None:
    """All weeks of both coins are sold alike, and each earns the same to 1e-12 of the coins."""
    folder = recorded_data() / "chains" / "timeseries"
    coins = SIZES[coin]
    chains, index = chains_in(folder, coin), index_in(folder, coin)
    theirs = weekly(chains, index, coins, 0.1 if coin == "BTC" else 1.0)

    limits = research_limits(coin, coins)
    columns = asyncio.run(prepared_recording(coin)).columns(limits)
    account = CallAccount(deposit_coin=coins, order_size=coins)
    trades: tuple[BacktestTrade, ...] = style_result(
        run_calls(columns, CallRule(), account, limits), CallRule()
    ).trades
    ours = [
        (trade.opened_at, trade.contract.strike, trade.pnl_coin)
        for trade in trades
        if trade.exit_reason is not ExitReason.LEFT_OPEN
    ]

    assert [each[0] for each in ours] == [each[0] for each in theirs]
    assert len(ours) >= 20
    assert [each[1] for each in ours] == [each[1] for each in theirs]
    assert max(abs(a[2] - b[2]) for a, b in zip(ours, theirs, strict=True)) < 1e-12 * coins
