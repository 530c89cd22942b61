"""Traps of looking ahead: each planted here, and none of them fallen into."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from adapters.files.vol_index_history import RecordedVolatility
from core.backtest.latency import Latency
from core.backtest.prepared import KnownDelivery, PreparedCoin, PreparedMarket, bars_between
from core.backtest.rules import CallRule, Expiries, Schedule
from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import DataSource, SensorInputs
from core.simulation.replay import ReplayClock
from core.usecases.read_volatility import volatility_now
from ports.history import Candles, DeliveryPrice
from ports.market_data import MarketSnapshot
from tests.support.backtests import (
    Setup,
    by_kernel,
    by_tick,
    facts_of,
    prepared_by_hand,
    prepared_invention,
)
from tests.support.markets import Listed, call, snapshot
from tests.support.sensing import hourly

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 6, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANY = CallRule(
    schedule=Schedule.ALWAYS,
    target_dte=4.0,
    dte_min=0.1,
    dte_max=30.0,
    delta_min=0.0,
    delta_max=1.0,
)


def listed(strike: float, bid: float = 0.01, iv: float = 0.5) -> Listed:
    return Listed(
        contract=call(strike, FRIDAY), bid=bid, ask=bid + 0.0005, mark=bid + 0.0002, mark_iv=iv
    )


def market(*rows: Listed, hour: int, index_usd: float = 100_000.0) -> MarketSnapshot:
    return snapshot(*rows, taken_at=MONDAY + hour * HOUR, index_usd=index_usd)


@pytest.fixture(params=["tick", "kernel"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def trades_by(engine: str, setup: Setup) -> tuple[object, ...]:
    if engine == "tick":
        return (await by_tick(setup)).result.trades
    return by_kernel(setup).trades


async def test_a_listing_of_today_is_not_known_yesterday(engine: str) -> None:
    """A call that is first listed at the fill is not chosen, however well it fits."""
    coin = await prepared_by_hand(
        [market(listed(120_000.0), hour=0), market(listed(104_000.0), listed(120_000.0), hour=1)]
    )
    (trade,) = await trades_by(engine, Setup(coin=coin, rule=ANY))

    assert trade.contract.strike == 120_000.0


async def test_a_smile_of_today_does_not_choose_yesterday(engine: str) -> None:
    """What the smile is at the fill changes the price, and not which call is sold."""
    rows = [listed(104_000.0), listed(110_000.0)]
    moved = [listed(104_000.0, iv=2.0), listed(110_000.0, iv=0.05)]
    chosen = []
    for second in (rows, moved):
        coin = await prepared_by_hand([market(*rows, hour=0), market(*second, hour=1)])
        (trade,) = await trades_by(engine, Setup(coin=coin, rule=ANY))
        chosen.append(trade.contract)

    assert chosen[0] == chosen[1]


async def test_a_decision_sees_the_snapshot_before_the_one_it_trades_at(engine: str) -> None:
    """The premium is the second snapshot's; deciding on it too is optimistic and must be asked."""
    coin = await prepared_by_hand(
        [market(listed(104_000.0, bid=0.02), hour=0), market(listed(104_000.0, bid=0.01), hour=1)]
    )
    (trade,) = await trades_by(engine, Setup(coin=coin, rule=ANY))
    assert (trade.entry_coin, trade.opened_at) == (0.01, MONDAY + HOUR)

    dear = CallRule(**{**_fields(ANY), "premium_min_usd": 1_500.0})
    assert len(await trades_by(engine, Setup(coin=coin, rule=dear))) == 1
    same = Setup(coin=coin, rule=dear, latency=Latency.SAME)
    assert await trades_by(engine, same) == ()


async def test_the_nearest_snapshot_is_never_one_of_the_future() -> None:
    """A minute before a snapshot the one of an hour ago is shown."""
    coin = await prepared_by_hand([market(listed(104_000.0), hour=0), market(listed(1e5), hour=1)])
    clock = ReplayClock(coin.instants, MONDAY + timedelta(minutes=59))
    shown = await PreparedMarket(coin, clock).snapshot("BTC")

    assert shown.taken_at == MONDAY


async def test_a_bar_is_known_when_it_closes() -> None:
    """Bars end at the instant they are labelled with: none that is still open is told."""
    coin = await prepared_by_hand([market(listed(104_000.0), hour=hour) for hour in range(3)])
    closes = [MONDAY + HOUR, MONDAY + 2 * HOUR]
    figures = np.array([1.0, 2.0])
    bars = Candles(
        "BTC", [int(at.timestamp() * 1000) for at in closes], figures, figures, figures, figures
    )
    clock = ReplayClock(coin.instants, MONDAY + HOUR + timedelta(minutes=59))
    told = await PreparedMarket(evolve(coin, candles=bars), clock).candles(
        "BTC", HOUR, MONDAY - HOUR, MONDAY + 5 * HOUR
    )

    assert list(told.close) == [1.0]


async def test_a_delivery_price_is_unknown_until_it_was_recorded() -> None:
    """Not at expiry, but with the first snapshot after it."""
    after = FRIDAY + timedelta(minutes=90)
    coin = await prepared_by_hand([market(listed(104_000.0), hour=0)])
    known = {FRIDAY: KnownDelivery(DeliveryPrice(99_000.0, "told"), after)}
    for now, price in ((FRIDAY, None), (after, 99_000.0)):
        clock = ReplayClock([now], now)
        told = await PreparedMarket(evolve(coin, deliveries=known), clock).delivery_price(
            "BTC", FRIDAY
        )
        assert (told and told.price_usd) == price


async def test_a_later_price_settles_nothing(engine: str) -> None:
    """The payoff is that of the delivery price, whatever the index is when it becomes known."""
    hours = int((FRIDAY - MONDAY) / HOUR)
    last = snapshot(
        Listed(contract=call(104_000.0, FRIDAY + timedelta(days=7)), mark=0.1, mark_iv=0.5),
        taken_at=FRIDAY + HOUR,
        index_usd=150_000.0,
    )
    coin = await prepared_by_hand(
        [market(listed(104_000.0), hour=hour) for hour in range(0, hours, 24)] + [last],
        {FRIDAY: 105_000.0},
    )
    (trade, *_) = await trades_by(engine, Setup(coin=coin, rule=ANY))

    assert trade.exit_coin == pytest.approx(1_000.0 / 105_000.0, abs=1e-15)
    assert trade.closed_at == FRIDAY


async def test_a_call_that_is_delisted_later_can_be_sold(engine: str) -> None:
    """Strikes that did not survive are sold, held and left open like any other."""
    coin = await prepared_by_hand(
        [
            market(listed(104_000.0), hour=0),
            market(listed(104_000.0), hour=1),
            market(listed(90_000.0), hour=2),
        ]
    )
    (trade,) = await trades_by(engine, Setup(coin=coin, rule=ANY))

    assert trade.contract.strike == 104_000.0


@pytest.mark.parametrize("ivrv_min", [0.0, 0.9])
def test_what_comes_later_changes_nothing_before(ivrv_min: float, engine: str) -> None:
    """
    A past cut short gives the same trades up to the cut: no scaling, quantile, volatility or
    parameter is taken from the whole sample.
    """
    rule = CallRule(
        schedule=Schedule.ALWAYS,
        expiries=Expiries.ALL,
        target_dte=3.0,
        dte_min=1.0,
        dte_max=10.0,
        ivrv_min=ivrv_min,
    )
    whole = asyncio.run(prepared_invention("BTC", 31, days=24, hours=6))
    cut = _cut(whole, 60)
    long = asyncio.run(trades_by(engine, Setup(coin=whole, rule=rule)))
    short = asyncio.run(trades_by(engine, Setup(coin=cut, rule=rule)))
    end = cut.instants[-1]
    before = [facts_of(trade) for trade in long if trade.closed_at <= end]

    assert len(before) >= 3
    assert [facts_of(trade) for trade in short][: len(before)] == before


def _cut(coin: PreparedCoin, snapshots: int) -> PreparedCoin:
    return evolve(coin, snapshots=coin.snapshots[:snapshots])


def _fields(rule: CallRule) -> dict[str, object]:
    return {name: getattr(rule, name) for name in CallRule.__slots__ if not name.startswith("__")}


async def test_a_close_of_the_volatility_index_is_unknown_before_midnight(tmp_path: Path) -> None:
    """The close dated today is that of today's end: no sensor moves by it a minute before 00:00."""
    days = [MONDAY.date() - timedelta(days=number) for number in range(200, -1, -1)]
    midnight = datetime.combine(MONDAY.date() + timedelta(days=1), time(), UTC)
    bars = hourly(midnight, 60)
    noon, late = midnight - timedelta(hours=12), midnight - timedelta(minutes=1)
    read = {}
    for close in (50.0, 250.0):  # the planted value of the last day
        values = [*(60.0 + 0.05 * number for number in range(200)), close]
        lines = [f"{day},{value}" for day, value in zip(days, values, strict=True)]
        file = tmp_path / "btc_dvol_daily_close_test.csv"
        file.write_text("\n".join(["date,close", *lines]))
        volatility = RecordedVolatility(tmp_path)
        for at in (noon, late, midnight):
            told = await volatility_now(volatility, "BTC", at)
            assert told is not None
            bundle = sensor_bundle(
                SensorInputs(
                    underlying="BTC",
                    now=at,
                    data_source=DataSource.RECORDED,
                    candles=bars_between(bars, midnight - timedelta(days=60), at),
                    vol_index=told.daily,
                    vol_index_now=told.hourly,
                )
            )
            read[close, at] = bundle.sensors

    assert read[50.0, noon] == read[250.0, noon]
    assert read[50.0, late] == read[250.0, late]
    assert read[50.0, noon].iv_rank_6m is not None
    assert read[50.0, midnight] != read[250.0, midnight]
