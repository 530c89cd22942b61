"""The hedge scheduler: when it looks, what it sends with every gate open, and what it says else."""

import asyncio
from datetime import datetime, timedelta

import pytest
from attrs import evolve

from core.greg.catalogue import StrategyCode
from core.greg.hedging import HedgeScope
from core.greg.modes import Caps, Environment, Mode, ModeState
from core.usecases.agent import Agent
from core.usecases.comparing import compare
from core.usecases.desk import read
from core.usecases.greg_hedger import Hedger, hedged_last
from core.usecases.orders import submit
from ports.decision_log import Ticked
from ports.errors import Unavailable
from ports.greg_log import GregEntry
from ports.instruments import FutureContract
from ports.trading import OrderIntent, Side
from tests.support.greg_desks import (
    BEAR_CALL,
    EXPIRY,
    MOST,
    OPEN,
    SANDBOX,
    STRADDLE,
    GregRig,
    add_sandbox,
    greg_rig,
    market,
    minutes_later,
    params,
    sell,
    trade_perpetual,
)
from tests.support.markets import NOW, call

PERPETUAL = FutureContract("BTC")
FLY = f"greg-{StrategyCode.IRON_BUTTERFLY}-3"
MINUTE = timedelta(minutes=1)


def hedger_of(rig: GregRig, *, is_synthetic: bool = False) -> Hedger:
    return Hedger(greg=rig.greg, is_synthetic=is_synthetic)


def hedges(rig: GregRig) -> list[OrderIntent]:
    """The orders in the perpetual that left."""
    return [each for each in rig.rig.trading.requests if each.contract == PERPETUAL]


async def scheduled(rig: GregRig) -> list[GregEntry]:
    """What the scheduler wrote into the journal."""
    return [row for row in await rig.rows() if row.is_scheduled]


async def test_with_every_gate_open_a_position_is_hedged() -> None:
    """The half-closed straddle leans: the perpetual is bought for it, and one line says so."""
    rig = await greg_rig()
    await hedger_of(rig).look("BTC")
    (order,) = hedges(rig)
    (row,) = await scheduled(rig)
    ours, theirs = await rig.rig.sizes()

    assert (order.side, order.position_id) == (Side.BUY, STRADDLE)
    assert (row.executed, row.is_dry_run, row.action_type) == (True, False, "HEDGE")
    assert ours == theirs
    assert ours[PERPETUAL.symbol] == order.amount


@pytest.mark.parametrize(
    ("state", "environment", "gate"),
    [
        (evolve(OPEN, mode=Mode.ADVICE_ONLY), Environment.MAINNET, "mode"),
        (evolve(OPEN, enable_live=False), Environment.MAINNET, "master"),
        (evolve(OPEN, strategies=frozenset()), Environment.MAINNET, "strategy"),
        (OPEN, Environment.TESTNET, "environment"),
        (evolve(OPEN, caps=evolve(MOST, per_position_usd=60_000.0)), Environment.MAINNET, "caps"),
    ],
)
async def test_a_closed_gate_makes_it_advice(
    state: ModeState, environment: Environment, gate: str
) -> None:
    """Nothing is sent; the journal has what would be sent and why not, once in six hours."""
    rig = await greg_rig(state, params(environment))
    hedger = hedger_of(rig)
    for _ in range(3):
        await hedger.look("BTC")
        await minutes_later(rig, 2)
    (row,) = await scheduled(rig)

    assert hedges(rig) == []
    assert (row.executed, row.extra_info["gate"]) == (False, gate)
    assert row.reason.startswith("would buy 0.2")
    assert row.net_delta is not None
    assert row.net_delta < -0.2
    assert len(rig.greg.hedges.newest()) == 3
    await minutes_later(rig, 360)
    await hedger.look("BTC")
    assert len(await scheduled(rig)) == 2


async def test_kill_switch_dry_core_and_invented_market_send_nothing() -> None:
    """Whatever else is open."""
    killed = await greg_rig()
    await killed.rig.stage.controls.change(NOW, "a test", "to see", {"kill_switch": True})
    dry = await greg_rig(OPEN, evolve(params(), is_core_dry_run=True))
    invented = await greg_rig()
    for rig, is_synthetic in ((killed, False), (dry, False), (invented, True)):
        await hedger_of(rig, is_synthetic=is_synthetic).look("BTC")
        assert hedges(rig) == []

    found = [(await scheduled(rig))[0].extra_info["gate"] for rig in (killed, dry, invented)]
    assert found == ["kill_switch", "core_dry_run", "synthetic"]


async def test_paper_is_a_dry_run() -> None:
    """It counts as simulated, and is said once."""
    rig = await greg_rig(evolve(OPEN, mode=Mode.PAPER), params(Environment.TESTNET))
    hedger = hedger_of(rig)
    await hedger.look("BTC")
    await minutes_later(rig, 2)
    await hedger.look("BTC")
    (row,) = await scheduled(rig)

    assert hedges(rig) == []
    assert row.is_dry_run


async def test_it_looks_as_often_as_the_mode_says() -> None:
    """A straddle each minute, a fly each hour: what leans by 0.22 lies within the fly's band."""
    rig = await greg_rig(evolve(OPEN, mode=Mode.ADVICE_ONLY))
    hedger = hedger_of(rig)
    assert hedger.next_look() == NOW
    await hedger.look("BTC")
    assert hedger.next_look() == NOW + MINUTE
    await minutes_later(rig, 0.5)
    await hedger.look("BTC")
    assert (hedger.next_look(), len(rig.greg.hedges.newest())) == (NOW + MINUTE, 1)
    await minutes_later(rig, 0.5)
    await hedger.look("BTC")
    assert (hedger.next_look(), len(rig.greg.hedges.newest())) == (NOW + 2 * MINUTE, 2)


async def test_a_fly_is_looked_at_each_hour() -> None:
    """And not before, however often somebody looks."""
    rig = await greg_rig(evolve(OPEN, mode=Mode.ADVICE_ONLY), None, BEAR_CALL)
    await minutes_later(rig, 2)
    await sell(rig.rig.desk, call(104_000.0, EXPIRY), FLY)
    begun, hedger = rig.rig.desk.now, hedger_of(rig)
    await hedger.look("BTC")
    await minutes_later(rig, 59)
    await hedger.look("BTC")

    assert hedger.next_look() == begun + 60 * MINUTE


async def test_a_move_of_the_price_makes_it_look_sooner() -> None:
    """By one percent; not by less."""
    rig = await greg_rig(evolve(OPEN, mode=Mode.ADVICE_ONLY))
    hedger = hedger_of(rig)
    await hedger.look("BTC")
    await minutes_later(rig, 0.1, index_usd=100_990.0)
    await hedger.look("BTC")
    assert len(rig.greg.hedges.newest()) == 1
    await minutes_later(rig, 0.1, index_usd=101_000.0)
    await hedger.look("BTC")
    assert len(rig.greg.hedges.newest()) == 2


async def test_a_real_hedge_cools_down_and_a_large_breach_does_not_wait() -> None:
    """
    Within ten minutes of a hedge a lean of 0.22 is left alone, and is not where the band is
    breached often enough. When it was hedged is in the book: another process knows it.
    """
    wide = Caps(per_position_usd=200_000.0, per_underlying_usd=300_000.0)
    rig = await greg_rig(evolve(OPEN, caps=wide, most=wide))
    await hedger_of(rig).look("BTC")
    assert hedged_last(rig.rig.desk.keeper.book, STRADDLE) == NOW
    rules, terms = rig.greg.params.hedge_rule, rig.greg.params.hedge_terms
    rig.greg.params = evolve(
        rig.greg.params, hedge_rule=lambda *of: evolve(rules(*of), every_s=600.0)
    )
    await minutes_later(rig, 2)
    await sell(rig.rig.desk, call(104_000.0, EXPIRY), STRADDLE)
    await hedger_of(rig).look("BTC")
    assert len(hedges(rig)) == 1
    urgent = evolve(terms, figures=evolve(terms.figures, urgent_bands=1.0))
    rig.greg.params = evolve(rig.greg.params, hedge_terms=urgent)
    await hedger_of(rig).look("BTC")
    assert len(hedges(rig)) == 2
    assert hedged_last(rig.rig.desk.keeper.book, STRADDLE) == NOW + 2 * MINUTE


async def _two_against_each_other(scope: HedgeScope) -> GregRig:
    """The straddle leans by -0.22, a fly by +0.28; 0.06 together."""
    wide = Caps(per_position_usd=200_000.0, per_underlying_usd=500_000.0)
    state = evolve(OPEN, caps=wide, most=wide, strategies=frozenset(StrategyCode))
    rig = await greg_rig(state)
    desk, terms = rig.rig.desk, rig.greg.params.hedge_terms
    await minutes_later(rig, 2)
    await sell(desk, call(104_000.0, EXPIRY), FLY)
    await trade_perpetual(desk, FLY, 50_000.0, Side.BUY)
    await minutes_later(rig, 61)  # what was traded for the fly cools it down for an hour
    rig.greg.params = evolve(rig.greg.params, hedge_terms=evolve(terms, scope=scope))
    return rig


async def test_by_the_book_what_leans_against_each_other_is_left() -> None:
    """By the position each of the two is hedged; by the book there is nothing to do."""
    for scope, sides in ((HedgeScope.POSITION, [Side.BUY, Side.SELL]), (HedgeScope.BOOK, [])):
        rig = await _two_against_each_other(scope)
        await hedger_of(rig).look("BTC")
        assert [each.side for each in hedges(rig)[1:]] == sides, scope


async def test_by_the_book_each_order_is_its_positions_part() -> None:
    """Once the fly leans with it, by 0.026, the straddle loses its own lean and no more."""
    rig = await _two_against_each_other(HedgeScope.BOOK)
    await trade_perpetual(rig.rig.desk, FLY, 30_000.0, Side.SELL)
    await minutes_later(rig, 2)
    await hedger_of(rig).look("BTC")
    order = hedges(rig)[-1]
    ours, theirs = await rig.rig.sizes()
    await rig.greg.evaluate()
    left = {key: seen.view.net_delta for key, seen in rig.greg.seen.items()}

    assert (order.position_id, order.side) == (STRADDLE, Side.BUY)
    assert left[STRADDLE] == pytest.approx(0.0, abs=0.0001)
    assert left[FLY] == pytest.approx(-0.026, abs=0.001)
    assert ours == theirs


async def test_a_delta_that_is_unknown_is_said() -> None:
    """Nothing is sent, and one line says why, once; what is known again is hedged."""
    rig = await greg_rig()
    hedger = hedger_of(rig)
    for _ in range(2):
        await minutes_later(rig, 1)
        seen = rig.rig.market.shown[0]
        dark = seen.chain.where(seen.chain.strike > 1e9)
        rig.rig.market.shown = [evolve(seen, chain=dark)]
        await hedger.look("BTC")
    (row,) = await scheduled(rig)

    assert (row.executed, row.reason) == (False, "not hedged: a delta is unknown")
    assert (row.extra_info["gate"], row.net_delta, hedges(rig)) == ("delta", None, [])
    await minutes_later(rig, 1)
    await hedger.look("BTC")
    assert len(hedges(rig)) == 1


async def test_what_hedges_nothing_any_more_is_taken_off() -> None:
    """The call is bought back by hand; at the next look its hedge goes, and the position ends."""
    rig = await greg_rig()
    hedger = hedger_of(rig)
    await hedger.look("BTC")
    await buy_back(rig)
    assert rig.rig.desk.keeper.book.positions[STRADDLE].closed_at is None
    await minutes_later(rig, 1)
    await hedger.look("BTC")
    position = rig.rig.desk.keeper.book.positions[STRADDLE]
    last = await scheduled(rig)

    assert [each.side for each in hedges(rig)] == [Side.BUY, Side.SELL]
    assert hedges(rig)[1].amount == hedges(rig)[0].amount
    assert position.closed_at == NOW + MINUTE
    assert (last[-1].action_type, last[-1].executed) == ("CLOSE", True)
    assert hedger.next_look() is None


async def test_a_hedge_left_over_is_named_where_the_gates_are_closed() -> None:
    """And left as it is."""
    rig = await greg_rig()
    await hedger_of(rig).look("BTC")
    await buy_back(rig)
    await rig.greg.set_mode("advice_only")
    await minutes_later(rig, 1)
    await hedger_of(rig).look("BTC")
    row = (await scheduled(rig))[-1]
    standing = await rig.greg.evaluate()

    assert len(hedges(rig)) == 1
    assert (row.action_type, row.extra_info["gate"]) == ("CLOSE", "mode")
    assert {each.position_id: str(each.action) for each in standing.suggestions}[STRADDLE] == (
        "CLOSE"
    )


async def test_a_market_that_is_away_is_asked_again_in_a_minute() -> None:
    """The failure is told; nothing is sent, and no look is lost."""
    rig = await greg_rig()
    hedger = hedger_of(rig)
    rig.rig.market.failure = Unavailable("away")
    with pytest.raises(Unavailable):
        await hedger.look("BTC")
    assert hedger.next_look() == NOW + MINUTE
    rig.rig.market.failure = None
    await minutes_later(rig, 1)
    await hedger.look("BTC")
    assert len(hedges(rig)) == 1


async def test_an_account_that_is_away_costs_a_fly_a_minute_and_no_hour() -> None:
    """It fails when the hedge is already worked out: that was no look."""
    rig = await greg_rig(evolve(OPEN, strategies=frozenset(StrategyCode)), None, BEAR_CALL)
    await minutes_later(rig, 2)
    await sell(rig.rig.desk, call(104_000.0, EXPIRY), FLY)
    await trade_perpetual(rig.rig.desk, FLY, 10_000.0)
    await minutes_later(rig, 61)
    hedger, at = hedger_of(rig), rig.rig.desk.now
    rig.rig.trading.failing["account"] = 1
    with pytest.raises(Unavailable):
        await hedger.look("BTC")
    assert (hedger.next_look(), len(hedges(rig))) == (at + MINUTE, 1)
    await minutes_later(rig, 1)
    await hedger.look("BTC")
    assert (hedger.next_look(), len(hedges(rig))) == (at + 61 * MINUTE, 2)


async def test_the_sandbox_and_other_strategies_are_left_alone() -> None:
    """A spread is never hedged, and what is made up is nobody's to hedge."""
    rig = await greg_rig(OPEN, None, BEAR_CALL)
    await add_sandbox(rig)
    hedger = hedger_of(rig)
    await hedger.look("BTC")

    assert hedger.next_look() is None
    assert (hedges(rig), rig.rig.desk.keeper.book.positions[SANDBOX].future) == ([], None)


@pytest.mark.parametrize(("mode", "sent"), [(Mode.LIVE, 1), (Mode.ADVICE_ONLY, 0)])
async def test_the_loop_hedges_after_ticks_and_between(mode: Mode, sent: int) -> None:
    """
    Ten minutes apart two ticks, a look a minute between them: with the gates open one order and
    no more, else one line; the book agrees with the venue and is there after a restart.
    """
    rig = await greg_rig(evolve(OPEN, mode=mode))
    ticks = [NOW + 5 * MINUTE, NOW + 15 * MINUTE]
    instants = [NOW + timedelta(seconds=20 * n) for n in range(60)]
    rig.rig.stage.shown = [market(at) for at in instants]
    rig.rig.stage.ticks = ticks
    again = await rig.rig.stage.rig()
    rig.greg.desk, rig.rig = evolve(again.desk, strategies=()), again
    looks = _Looks(hedger_of(rig))
    await Agent(rig.greg.desk, asyncio.Event(), hedger=looks).run()
    entries = await again.stage.entries()
    restarted = await again.stage.rig()

    assert sum(isinstance(entry, Ticked) for entry in entries) == 2
    assert looks.at == [NOW + n * MINUTE for n in range(16)]
    assert len(hedges(rig)) == sent
    assert len(await scheduled(rig)) == 1
    assert restarted.desk.keeper.book == again.desk.keeper.book
    ours, theirs = await restarted.sizes()
    assert ours == theirs
    assert (PERPETUAL.symbol in ours) is bool(sent)
    future = again.desk.keeper.book.positions[STRADDLE].future
    assert (future is not None and future.funded_at == ticks[-1]) is bool(sent)


class _Looks:
    """A hedger that notes when it looked."""

    def __init__(self, hedger: Hedger) -> None:
        self.hedger = hedger
        self.at: list[datetime] = []

    def next_look(self) -> datetime | None:
        return self.hedger.next_look()

    async def look(self, underlying: str) -> None:
        self.at.append(self.hedger.greg.desk.now)
        await self.hedger.look(underlying)


async def buy_back(rig: GregRig) -> None:
    """The option of the straddle is bought back, the hedge is left."""
    desk = rig.rig.desk
    reading = await read(desk, "BTC")
    contract = call(104_000.0, EXPIRY)
    row = reading.snapshot.chain.row_of(contract)
    assert row is not None
    bought = evolve(
        rig.rig.trading.requests[-1],
        label="manual.buy_back",
        contract=contract,
        side=Side.BUY,
        amount=0.5,
        price=float(reading.snapshot.chain.ask[row]),
        reduce_only=True,
        valid_until=desk.now + timedelta(seconds=5),
        expires_at=desk.now + 2 * MINUTE,
    )
    record = await submit(desk, bought, reading)
    assert record is not None
    await compare(desk, await read(desk, "BTC"))
