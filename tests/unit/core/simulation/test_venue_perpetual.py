"""Perpetuals at the simulated venue: profit in coin, funding, settlement, margin, restarts."""

from asyncio import Runner
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.simulation.perpetual import future_rules, perpetual_quote
from core.simulation.settling import last_settlement
from ports.errors import Refused
from ports.instruments import FutureContract
from ports.trading import Account, OrderState, Side
from ports.venue_log import VenueStep
from tests.support.markets import Listed, call, snapshot
from tests.support.venues import VenueRig, intent

PERPETUAL = FutureContract("BTC")
OPTION = call(110_000.0)
HOUR = timedelta(hours=1)


async def opened(deposit_coin: float = 10.0) -> VenueRig:
    rig = await VenueRig.opened(deposit_coin=deposit_coin)
    move(rig, 100_000.0)
    return rig


def move(rig: VenueRig, index_usd: float, later: timedelta = timedelta(0)) -> None:
    """Let the index be *index_usd* from *later* on; all hours until then close there."""
    until = rig.clock.now() + later
    hour = rig.clock.now().replace(minute=0, second=0) + HOUR
    while hour <= until:
        rig.history.closes[hour] = index_usd
        hour += HOUR
    rig.clock.instant = until
    row = Listed(contract=OPTION, mark=0.02, mark_iv=0.5, forward=index_usd)
    rig.market.show(snapshot(row, taken_at=until, index_usd=index_usd))


async def trade(rig: VenueRig, side: Side, usd: float) -> None:
    """Take *usd* at the touch."""
    shown = perpetual_quote(await rig.market.snapshot("BTC"))
    price = shown.ask if side is Side.BUY else shown.bid
    await rig.venue.place(intent(PERPETUAL, side, usd, price, at=rig.clock.now()))


def steps(rig: VenueRig) -> list[VenueStep]:
    return rig.log.kept


async def test_a_long_position_earns_the_inverse_profit() -> None:
    """Q (1/entry - 1/mark) in coin, by hand: 50,000 USD from 100,000.5 to 125,000."""
    rig = await opened()
    await trade(rig, Side.BUY, 50_000.0)
    move(rig, 125_000.0, timedelta(minutes=1))
    (held,) = (await rig.venue.account("BTC")).futures

    expected = 50_000 / Decimal("100000.5") - Decimal(50_000) / 125_000
    assert held.size_usd == 50_000.0
    assert held.size_coin == pytest.approx(0.4)
    assert held.profit_coin == pytest.approx(float(expected), abs=1e-12)


async def test_only_the_fee_moves_the_balance_before_settlement() -> None:
    """Premium is for options; a taker pays 0.05 % of the coin, a maker nothing."""
    rig = await opened()
    await trade(rig, Side.SELL, 10_000.0)
    paid = (await rig.venue.account("BTC")).balance_coin
    await rig.venue.place(intent(PERPETUAL, Side.BUY, 10_000.0, 99_000.0, at=rig.clock.now()))
    move(rig, 98_000.0, timedelta(minutes=1))
    account = await rig.venue.account("BTC")

    price = float(perpetual_quote(snapshot(index_usd=100_000.0)).bid)
    assert paid == pytest.approx(10.0 - 0.0005 * 10_000.0 / price, abs=1e-12)
    assert account.balance_coin == paid
    assert [held.size_usd for held in account.futures] == [0.0]


@pytest.mark.parametrize(("side", "sign"), [(Side.BUY, -1), (Side.SELL, 1)])
async def test_funding_is_the_integral_of_its_rate(side: Side, sign: int) -> None:
    """At a steady rate f a long pays f dt/8h of its coin, a short is paid, minute by minute."""
    rig = await opened()
    rig.history.funding_8h = 0.0004
    await trade(rig, side, 100_000.0)
    (before,) = (await rig.venue.account("BTC")).futures
    for minutes in (1, 59, 240):
        move(rig, 100_000.0, timedelta(minutes=minutes))
        (held,) = (await rig.venue.account("BTC")).futures

        hours = (rig.clock.now() - datetime(2026, 3, 2, 10, tzinfo=rig.clock.now().tzinfo)) / HOUR
        expected = sign * 0.0004 * hours / 8 * 1.0
        assert held.profit_coin - before.profit_coin == pytest.approx(expected, abs=1e-12)


async def test_profit_becomes_balance_at_eight() -> None:
    """At 08:00 the session's profit moves: equity does not change, what is settled does not
    come again."""
    rig = await opened()
    rig.history.funding_8h = 0.0001
    await trade(rig, Side.BUY, 200_000.0)
    move(rig, 90_000.0, timedelta(hours=21, minutes=59))
    before = await rig.venue.account("BTC")
    move(rig, 90_000.0, timedelta(minutes=1))
    after = await rig.venue.account("BTC")

    assert before.futures[0].profit_coin < -0.1
    assert after.futures[0].profit_coin == 0.0
    assert after.balance_coin == pytest.approx(
        before.balance_coin + before.futures[0].profit_coin,
        abs=1e-6,  # a minute of funding
    )
    assert after.equity_coin == after.balance_coin
    assert after.futures[0].average_price == before.futures[0].average_price


async def test_every_missed_settlement_is_made_up_for() -> None:
    """Three days without a look are three settlements, each at the price of its own 08:00."""
    rig = await opened()
    await trade(rig, Side.BUY, 10_000.0)
    for price in (101_000.0, 102_000.0, 103_000.0):
        move(rig, price, timedelta(days=1))
    await rig.venue.account("BTC")

    settled = [each for step in steps(rig) for each in step.settlements]
    assert [each.price for each in settled] == [101_000.0, 102_000.0, 103_000.0]
    assert [(each.at.day, each.at.hour) for each in settled] == [(3, 8), (4, 8), (5, 8)]


async def test_looking_changes_nothing() -> None:
    """A venue looked at every hour and one looked at after three days have the same account."""
    watched, left_alone = await opened(), await opened()
    for rig in (watched, left_alone):
        rig.history.funding_8h = 0.0003
        await trade(rig, Side.SELL, 70_000.0)
    for hour in range(72):
        for rig in (watched, left_alone):
            move(rig, 100_000.0 + 37.0 * hour, HOUR)
        await watched.venue.account("BTC")

    assert await watched.venue.account("BTC") == await left_alone.venue.account("BTC")


async def test_a_closed_position_is_forgotten_at_settlement() -> None:
    """Its profit is told until 08:00, is balance after, and nothing is left."""
    rig = await opened()
    await trade(rig, Side.BUY, 10_000.0)
    await trade(rig, Side.SELL, 10_000.0)
    (closed,) = (await rig.venue.account("BTC")).futures
    before = await rig.venue.account("BTC")
    move(rig, 100_000.0, timedelta(days=1))
    after = await rig.venue.account("BTC")

    assert closed.size_usd == 0.0
    assert closed.profit_coin < 0  # the spread
    assert after.futures == ()
    assert after.equity_coin == after.balance_coin == pytest.approx(before.equity_coin, abs=1e-15)


async def test_margin_limits_what_is_opened() -> None:
    """2 % and 0.005 % a coin: one coin carries 40 coin of futures and not 50."""
    rig = await opened(deposit_coin=1.0)
    shown = perpetual_quote(await rig.market.snapshot("BTC"))
    low = future_rules("BTC").price_down(0.99 * shown.mark)

    with pytest.raises(Refused) as refused:
        await rig.venue.place(intent(PERPETUAL, Side.BUY, 5_000_000.0, low, at=rig.clock.now()))
    assert refused.value.code == 10009
    placed = await rig.venue.place(
        intent(PERPETUAL, Side.BUY, 4_000_000.0, low, at=rig.clock.now())
    )
    assert placed.order.state is OrderState.OPEN


async def test_the_account_tells_the_margin_by_the_table() -> None:
    """Of 10 coin: (2 % + 0.05 %) 10 to enter, (1 % + 0.05 %) 10 to keep."""
    rig = await opened()
    await trade(rig, Side.SELL, 1_000_000.0)
    account = await rig.venue.account("BTC")

    assert account.initial_margin_coin == pytest.approx(0.205)
    assert account.maintenance_margin_coin == pytest.approx(0.105)


@pytest.mark.parametrize(
    ("usd", "price", "code"),
    [(5.0, 100_000.0, 10002), (15.0, 100_000.0, 10021), (10.0, 1.3, 10043)],
)
async def test_orders_off_the_grid_are_refused(usd: float, price: float, code: int) -> None:
    """10 USD at a time, half a USD a tick."""
    rig = await opened()
    with pytest.raises(Refused) as refused:
        await rig.venue.place(intent(PERPETUAL, Side.BUY, usd, price, at=rig.clock.now()))
    assert refused.value.code == code


async def test_reduce_only_takes_no_more_than_there_is() -> None:
    """An order for twice the position closes it and stops."""
    rig = await opened()
    await trade(rig, Side.BUY, 1_000.0)
    bid = perpetual_quote(await rig.market.snapshot("BTC")).bid
    placed = await rig.venue.place(
        intent(PERPETUAL, Side.SELL, 2_000.0, bid, at=rig.clock.now(), reduce_only=True)
    )

    assert (placed.order.amount, placed.order.state) == (1_000.0, OrderState.FILLED)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.integers(1, 40).map(lambda lots: 1_000.0 * lots),
        st.integers(-300, 300).map(lambda moved: 100_000.0 + 10.0 * moved),
        st.integers(0, 40).map(lambda hours: timedelta(hours=hours, minutes=7)),
    ),
    min_size=1,
    max_size=8,
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(ACTIONS, st.floats(-0.001, 0.001))
def test_coin_is_neither_made_nor_lost(
    actions: list[tuple[Side, float, float, timedelta]], funding_8h: float
) -> None:
    """
    equity = deposits - fees + funding + Σ ±Q/p - size/mark, whatever was traded and settled;
    and a venue on the same log has the same account to the last bit.
    """
    with Runner() as runner:
        rig = runner.run(opened())
        rig.history.funding_8h = funding_8h
        for side, usd, index_usd, later in actions:
            runner.run(trade(rig, side, usd))
            move(rig, index_usd, later)
            runner.run(rig.venue.account("BTC"))
        account = runner.run(rig.venue.account("BTC"))
        again = runner.run(runner.run(rig.reopened()).account("BTC"))

        assert again == account
        assert account.equity_coin == pytest.approx(float(_owned(rig, account)), abs=1e-12)


def _owned(rig: VenueRig, account: Account) -> Decimal:
    """The equity by the law, from the log alone."""
    fills = [fill for step in steps(rig) for fill in step.fills]
    fundings = [each for step in steps(rig) for each in step.fundings]
    size = sum(fill.side.sign * Decimal(fill.amount) for fill in fills)
    coin = Decimal(10) - sum(Decimal(fill.fee_coin) for fill in fills)
    coin += sum(fill.side.sign * Decimal(fill.amount) / Decimal(fill.price) for fill in fills)
    coin += sum(Decimal(each.amount_coin) for each in fundings)
    (held,) = account.futures or (None,)
    if held is None:
        return coin
    index = Decimal(rig.market.shown["BTC"].index_usd)
    booked = max([each.until for each in fundings] + [fill.at for fill in fills])
    booked = max(booked, last_settlement(rig.clock.now()))
    due = Decimal(rig.history.funding_8h) * Decimal((rig.clock.now() - booked) / (8 * HOUR))
    return coin - size / Decimal(held.mark) - due * size / index


async def test_somebody_may_hit_a_working_order() -> None:
    """What is left trades at its own price, in USD, as a maker: nothing is charged."""
    rig = await opened()
    working = await rig.venue.place(
        intent(PERPETUAL, Side.BUY, 10_000.0, 99_000.0, at=rig.clock.now())
    )
    await rig.venue.hit(working.order)
    (fill,) = (await rig.venue.activity("BTC", rig.clock.now())).fills

    assert (fill.amount, fill.price, fill.fee_coin) == (10_000.0, 99_000.0, 0.0)
    assert await rig.venue.open_orders("BTC") == ()
