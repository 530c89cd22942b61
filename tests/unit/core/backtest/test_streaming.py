"""The fast simulator fed part by part: the same result as in one piece, bit for bit."""

import asyncio
from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from attrs import evolve, fields

from core.backtest.columns import CallColumns
from core.backtest.covered_call import CallAccount, run_calls, style_result
from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.prepared import KnownDelivery, PreparedCoin
from core.backtest.rules import CallRule, Expiries, Schedule
from core.backtest.streaming import CallStream
from ports.backtest_runs import EquityCurve
from tests.support.backtests import prepared_invention, research_limits

BUSY = CallRule(
    schedule=Schedule.ALWAYS,
    expiries=Expiries.ALL,
    target_dte=3.0,
    dte_min=1.0,
    dte_max=12.0,
    exits=ExitRule(style=ExitStyle.TP_AND_ROLL, take_profit_pct=50.0, defend_near_strike=1.0),
)
LIMITS = research_limits("BTC", 1.0)


@pytest.fixture(scope="module")
def invention() -> PreparedCoin:
    return asyncio.run(prepared_invention("BTC", 8, days=28, hours=4))


def cut(prepared: PreparedCoin, *places: int) -> list[CallColumns]:
    """The columns of *prepared* in parts, each with the deliveries that are known by its end."""
    edges = [0, *places, len(prepared.snapshots)]
    return [
        evolve(
            prepared,
            snapshots=prepared.snapshots[first:last],
            deliveries=known_by(prepared, prepared.snapshots[last - 1].taken_at),
        ).columns(LIMITS)
        for first, last in pairwise(edges)
    ]


def known_by(prepared: PreparedCoin, at: datetime) -> dict[datetime, KnownDelivery]:
    return {expiry: known for expiry, known in prepared.deliveries.items() if known.known_at <= at}


@pytest.fixture(scope="module")
def in_one_piece(invention: PreparedCoin) -> CallColumns:
    return invention.columns(LIMITS)


@pytest.fixture(
    scope="module",
    params=[(), (1,), (84,), (2, 3, 4, 40, 41, 90, 150)],
    ids=lambda places: f"cut at {', '.join(map(str, places)) or 'none'}",
)
def in_parts(request: pytest.FixtureRequest, invention: PreparedCoin) -> list[CallColumns]:
    return cut(invention, *request.param)


@pytest.mark.parametrize("style", list(ExitStyle))
@pytest.mark.parametrize("latency", [0, 1])
def test_parts_come_to_the_result_of_one_piece(
    in_one_piece: CallColumns, in_parts: list[CallColumns], style: ExitStyle, latency: int
) -> None:
    """Trades, account, omissions and hash, wherever the past is cut."""
    rule = evolve(BUSY, exits=evolve(BUSY.exits, style=style))
    account = CallAccount(deposit_coin=1.0, order_size=1.0, latency=latency)
    whole = style_result(run_calls(in_one_piece, rule, account, LIMITS), rule)

    stream = CallStream(rule, account, LIMITS)
    for part in in_parts:
        stream.feed(part)
    parts = style_result(stream.run(), rule)

    assert len(whole.trades) > 2
    assert parts.trades == whole.trades
    assert parts.trades_hash == whole.trades_hash
    assert parts.omissions == whole.omissions
    for each in fields(EquityCurve):
        ours, theirs = getattr(parts.equity, each.name), getattr(whole.equity, each.name)
        assert np.array_equal(ours, theirs, equal_nan=True), each.name


def test_of_a_part_only_what_was_traded_or_held_stays(invention: PreparedCoin) -> None:
    """A row or two a snapshot, of a hundred and more."""
    stream = CallStream(BUSY, CallAccount(deposit_coin=1.0, order_size=1.0), LIMITS)
    for part in cut(invention, 50, 100):
        stream.feed(part)

    assert len(stream.run().columns) <= 3 * len(invention.snapshots)


def test_a_part_that_goes_back_is_refused(invention: PreparedCoin) -> None:
    """Instants rise from part to part."""
    stream = CallStream(BUSY, CallAccount(deposit_coin=1.0, order_size=1.0), LIMITS)
    first, second = cut(invention, 50)
    stream.feed(second)

    with pytest.raises(ValueError, match="must rise"):
        stream.feed(first)


def test_nothing_fed_is_nothing_run() -> None:
    """No part, no result."""
    stream = CallStream(BUSY, CallAccount(deposit_coin=1.0, order_size=1.0), LIMITS)
    with pytest.raises(ValueError, match="no part"):
        stream.run()
