"""Our book against the venue's in every tick: one reading stops new risk, two halt or heal."""

import asyncio

import pytest
from attrs import evolve

from core.risk.engine import judge
from core.usecases.agent import Agent
from core.usecases.comparing import compare, heal
from core.usecases.desk import read, risk_state
from ports.controls import ReconcileAction
from ports.decision_log import Alarm, Decided, Halted, Healed, Reconciled
from ports.errors import Unavailable
from ports.trading import Side
from tests.support.markets import NOW, call
from tests.support.scripts import FIRST, MARKETS, scripted
from tests.support.venues import intent
from tests.support.worlds import PARAMS, Rig

CALL = call(104_000.0, FIRST)


async def opened(action: ReconcileAction = ReconcileAction.HALT) -> Rig:
    """A desk on a quiet market, with nothing held; *action* is what two differences lead to."""
    stage = scripted()
    stage.shown, stage.ticks = [MARKETS[0]], []
    stage.params = evolve(PARAMS, reconcile_action=action)
    return await stage.rig()


async def strange_trade(rig: Rig, amount: float = 0.3, label: str = "by hand") -> None:
    """Somebody else sells on our account."""
    order = intent(CALL, Side.SELL, amount, 0.0005, at=rig.clock.now(), label=label)
    await rig.trading.venue.place(order)


async def compared(rig: Rig) -> None:
    """One more reading, compared."""
    await compare(rig.desk, await read(rig.desk, "BTC"))


async def refusals(rig: Rig) -> list[str]:
    """The controls that refuse an opening now."""
    order = intent(call(105_000.0, FIRST), Side.SELL, 0.1, 0.01, at=rig.clock.now())
    verdict = judge(order, await risk_state(rig.desk, await read(rig.desk, "BTC")))
    return [breach.code for breach in verdict.breaches]


async def test_equal_books_are_written_down_as_clean() -> None:
    """Every comparison leaves its trace."""
    rig = await opened()
    await compared(rig)

    (entry,) = await rig.stage.entries()
    assert entry == Reconciled(
        at=rig.clock.now(), underlying="BTC", differences=(), action=ReconcileAction.HALT
    )
    assert "not_reconciled" not in await refusals(rig)


async def test_without_a_comparison_nothing_is_opened() -> None:
    """A desk that never looked does not know."""
    assert "not_reconciled" in await refusals(await opened())


@pytest.mark.parametrize("action", ReconcileAction)
async def test_one_differing_reading_stops_new_risk_only(action: ReconcileAction) -> None:
    """It may have caught a trade between two lists: no halt, no healing."""
    rig = await opened(action)
    await strange_trade(rig)
    await compared(rig)

    book = rig.desk.keeper.book
    assert (book.halted, book.positions) == ("", {})
    assert not book.reconciliations["BTC"].clean
    assert "not_reconciled" in await refusals(rig)


async def test_two_differing_readings_halt() -> None:
    """With the contract and both sizes in the reason; it is said once."""
    rig = await opened()
    await strange_trade(rig)
    for _ in range(3):
        await compared(rig)

    halts = [entry for entry in await rig.stage.entries() if isinstance(entry, Halted)]
    assert len(halts) == 1
    assert CALL.symbol in halts[0].reason
    assert "-0.3" in halts[0].reason
    assert {"not_reconciled", "kill_switch"} <= set(await refusals(rig))


async def test_two_differing_readings_heal_if_so_set() -> None:
    """The venue's positions are taken over, and the next comparison is clean."""
    rig = await opened(ReconcileAction.AUTO_HEAL)
    await strange_trade(rig)
    await compared(rig)
    await compared(rig)
    assert len([each for each in await rig.stage.entries() if isinstance(each, Healed)]) == 1
    ours, theirs = await rig.sizes()
    assert ours == theirs == {CALL.symbol: -0.3}

    await compared(rig)
    book = rig.desk.keeper.book
    assert (book.halted, book.reconciliations["BTC"].clean) == ("", True)
    assert "not_reconciled" not in await refusals(rig)


async def test_a_clean_reading_between_starts_the_count_again() -> None:
    """Two in a row is what counts."""
    rig = await opened()
    await strange_trade(rig)
    await compared(rig)
    position = (await rig.trading.account("BTC")).positions[0]
    buy = intent(CALL, Side.BUY, -position.size, 0.05, at=rig.clock.now(), label="back")
    await rig.trading.venue.place(buy)
    await compared(rig)
    await strange_trade(rig)
    await compared(rig)

    assert rig.desk.keeper.book.halted == ""


async def test_a_release_resumes_when_the_books_agree() -> None:
    """A person healed and released: what was halted opens again."""
    stage = scripted()
    rig = await stage.rig()
    await strange_trade(rig)
    await compared(rig)
    await compared(rig)
    assert rig.desk.keeper.book.halted
    await heal(rig.desk, await read(rig.desk, "BTC"))
    await stage.controls.change(NOW, "me", "seen and healed", {"kill_switch": False})
    await Agent(rig.desk, asyncio.Event()).run(ticks=1)

    assert rig.desk.keeper.book.halted == ""
    decided = [each for each in await stage.entries() if isinstance(each, Decided)]
    assert decided[-1].approved


async def test_a_release_while_they_differ_halts_again() -> None:
    """After two more readings."""
    rig = await opened()
    await strange_trade(rig)
    await compared(rig)
    await compared(rig)
    await rig.stage.controls.change(NOW, "me", "let us see", {"kill_switch": False})
    await Agent(rig.desk, asyncio.Event()).run(ticks=1)
    assert rig.desk.keeper.book.halted == ""

    await compared(rig)
    await compared(rig)
    assert rig.desk.keeper.book.halted


async def test_an_order_with_our_label_that_we_never_wrote_halts_at_once() -> None:
    """There is another one of us, or our memory is gone."""
    rig = await opened()
    label = "covered_call_v1.20260101T000000000000Z.000001.open"
    order = intent(CALL, Side.SELL, 0.1, 0.5, at=rig.clock.now(), label=label)
    await rig.trading.venue.place(order)
    await compared(rig)

    assert label in rig.desk.keeper.book.halted


async def test_an_order_of_a_person_is_not_ours_to_judge() -> None:
    """It works beside us: neither halted for nor cancelled."""
    rig = await opened()
    order = intent(CALL, Side.SELL, 0.1, 0.5, at=rig.clock.now(), label="by hand")
    await rig.trading.venue.place(order)
    await compared(rig)
    await Agent(rig.desk, asyncio.Event()).run(ticks=1)

    assert rig.desk.keeper.book.halted == ""
    assert [each.label for each in await rig.trading.open_orders("BTC")] == ["by hand"]


async def test_an_incomplete_reading_compares_nothing() -> None:
    """Unknown is not flat: the last comparison stays what it was."""
    rig = await opened()
    await compared(rig)
    rig.trading.failing["account"] = 1

    with pytest.raises(Unavailable):
        await compared(rig)
    assert len([each for each in await rig.stage.entries() if isinstance(each, Reconciled)]) == 1


async def test_the_tolerance_can_be_set_while_running() -> None:
    """A person's overlay goes before the settings."""
    rig = await opened()
    await rig.stage.controls.change(
        NOW, "me", "known", {"position_reconcile_tolerance_usd": 40_000.0}
    )
    await Agent(rig.desk, asyncio.Event()).run(ticks=0)
    await strange_trade(rig)
    await compared(rig)

    assert rig.desk.keeper.book.reconciliations["BTC"].clean


async def test_a_halted_life_goes_on_without_new_risk() -> None:
    """Every tick is lived through; nothing is opened; the reason stays visible."""
    stage = scripted()
    rig = await stage.rig()
    await strange_trade(rig)
    await Agent(rig.desk, asyncio.Event()).run()

    entries = await stage.entries()
    halted_at = next(n for n, entry in enumerate(entries) if isinstance(entry, Halted))
    after = [entry for entry in entries[halted_at:] if isinstance(entry, Decided)]
    assert len(after) == len(MARKETS) - 1
    assert not [action for entry in after for action in entry.approved]
    assert not [entry for entry in entries if isinstance(entry, Alarm)]
