"""What the desk does with expired legs, half a position, markets away, and engines that fail."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from attrs import evolve, frozen

from adapters.memory.greg_log import MemoryGregLog
from core.greg.catalogue import StrategyCode
from core.greg.executing import ExecutionRequest
from core.greg.modes import Environment, Mode
from core.greg.sizing import SizeCaps
from core.greg.thresholds import EntryRules, EntryThresholds
from core.strategies.base import Proposal
from core.strategies.covered_call import CoveredCall
from core.strategies.greg import Greg, GregParams
from core.usecases.desk import Look
from core.usecases.greg_log import copy_journal
from core.usecases.tick import run_tick
from core.view import TickView
from ports.decision_log import Alarm, Decided, Entry
from ports.errors import Unavailable
from ports.greg_journal import GregEvent, GregNoted
from tests.support.calls import priced
from tests.support.greg_desks import (
    BEAR_CALL,
    EXPIRY,
    OPEN,
    STRADDLE,
    STRIKES,
    GregRig,
    greg_rig,
    market,
    params,
    sell,
)
from tests.support.markets import NOW, call, snapshot
from tests.support.scripts import scripted
from tests.support.sensing import chain_at
from tests.support.worlds import STRATEGY, Stage

FLY = f"greg-{StrategyCode.IRON_BUTTERFLY}-9"
PAPER = evolve(OPEN, mode=Mode.PAPER)
TESTNET = params(Environment.TESTNET)


async def gate(rig: GregRig, position_id: str, action: str) -> str:
    """The gate that refuses *action*, once advice was given anew."""
    await rig.greg.evaluate()
    seen = rig.greg.seen.get(position_id)
    outcome = await rig.executor.execute(
        ExecutionRequest(
            position_id=position_id,
            action=action,
            strategy="" if seen is None else str(seen.holding.code),
            underlying="BTC",
        )
    )
    return outcome.gate


async def test_half_a_position_is_held_and_says_what_it_lacks() -> None:
    """A fly of one leg has no wings: HOLD with the missing facts, and nothing is carried out."""
    rig = await greg_rig(PAPER, TESTNET, STRADDLE)
    await sell(rig.rig.desk, call(STRIKES[BEAR_CALL], EXPIRY), FLY)
    assert await gate(rig, FLY, "CLOSE") == "suggestion"
    suggestion = rig.greg.seen[FLY].view.suggestion

    assert suggestion.action == "HOLD"
    assert {"lower_wing", "upper_wing"} <= set(suggestion.data_missing)


async def test_an_expired_leg_is_not_traded() -> None:
    """No longer listed and not delivered yet: nobody quotes it, so nothing is sent."""
    rig = await greg_rig()
    after = EXPIRY + timedelta(hours=1)
    other = priced(call(100_000.0, after + timedelta(days=30)), now=after)
    rig.rig.market.shown = [market(), snapshot(other, taken_at=after)]
    await rig.rig.clock.sleep_until(after)
    advised = (await rig.greg.evaluate()).of(BEAR_CALL)
    assert advised is not None
    assert await gate(rig, BEAR_CALL, str(advised.action)) in ("risk", "action")
    assert rig.orders == 0


async def test_a_market_that_is_away_has_no_advice() -> None:
    """The fault is named, nothing stands, nothing is carried out, and the journal is intact."""
    rig = await greg_rig()
    rig.rig.market.failure = Unavailable("no answer")

    assert await gate(rig, BEAR_CALL, "CLOSE") in ("suggestion", "strategy")
    assert rig.greg.store.standing().count == 0
    assert rig.greg.faults == ("BTC: no answer",)
    assert rig.orders == 0


@pytest.mark.parametrize("column", ["mark", "mark_iv", "forward"])
async def test_a_market_without_figures_is_held(column: str) -> None:
    """Marks, volatilities or forwards that are NaN: HOLD, or a refusal, and no order."""
    rig = await greg_rig()
    seen = market()
    gone = np.full(len(seen.chain), np.nan)
    columns: dict[str, Any] = {"mark": gone, "mark_iv": gone, column: gone}
    blind = evolve(seen.chain, **columns)
    rig.rig.market.shown = [evolve(seen, chain=blind)]
    await gate(rig, STRADDLE, "HEDGE")

    assert rig.greg.seen[STRADDLE].view.suggestion.action == "HOLD"
    assert rig.orders == 0


@frozen
class Failing:
    """A strategy with a defect."""

    error: Exception
    strategy_id: str = "failing"
    policy_version: str = "1"
    underlyings: tuple[str, ...] = ("BTC",)

    def propose(self, view: TickView) -> Proposal:
        """See Strategy."""
        raise self.error


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), ZeroDivisionError("x")])
async def test_a_strategy_that_fails_stops_no_other(error: Exception) -> None:
    """It holds, an alarm says why, and covered calls have their turn behind it."""
    stage = scripted()
    stage.strategies = (Failing(error), CoveredCall("covered_call_v1", STRATEGY))
    rig = await stage.rig()
    await run_tick(rig.desk, Look(rig.desk, "BTC"), NOW)
    entries = await stage.entries()
    decided = [each for each in entries if isinstance(each, Decided)]
    alarms = [each for each in entries if isinstance(each, Alarm)]

    assert [each.strategy_id for each in decided] == ["failing", "covered_call_v1"]
    assert decided[0].actions[0].reason == "strategy_failed"
    assert [each.subject for each in alarms] == ["strategy failing failed on BTC"]
    assert len(rig.trading.requests) == 1


async def test_the_loop_logs_advice_once() -> None:
    """Tick after tick the same advice is one line, with figures and mode; a restart knows it."""
    rig = await greg_rig()
    stage = rig.rig.stage
    before = len(suggestions(await stage.entries()))
    stage.strategies = (Greg("greg_vrp_harvester", GregParams(underlyings=("BTC",))),)
    for minutes in (1, 2, 3):
        process = await stage.rig()
        await run_tick(process.desk, Look(process.desk, "BTC"), NOW + timedelta(minutes=minutes))
    said = suggestions(await stage.entries())

    assert before == 2
    assert len(said) == before
    assert {each.entry.position_id for each in said} == {BEAR_CALL, STRADDLE}
    assert all(each.entry.pnl_usd is not None for each in said)
    assert all(each.entry.spot_price == 100_000.0 for each in said)


async def test_an_entry_that_no_cap_allows_is_logged_once() -> None:
    """A line OPEN with the cap, which is no suggestion; the decision of each tick says it too."""
    anything = EntryThresholds(
        safety_chop_high=1e3,
        calendar_term_spread_min=-1e3,
        calendar_front_rv_iv_ratio_max=1e3,
        calendar_vrp_7d_min=-1e3,
    )
    given = GregParams(
        underlyings=("BTC",),
        entry=EntryRules(thresholds=anything),
        caps=SizeCaps(equity_share=1e-6),
    )
    shown = [chain_at(NOW + timedelta(minutes=each), (9.0, 37.0)) for each in (0, 1, 2)]
    stage = Stage(shown=shown, ticks=[], strategies=(Greg("greg_vrp_harvester", given),))
    rig = await stage.rig()
    for each in shown:
        await rig.clock.sleep_until(each.taken_at)
        await run_tick(rig.desk, Look(rig.desk, "BTC"), each.taken_at)
    entries = await stage.entries()
    log = MemoryGregLog()
    await copy_journal(stage.journal, log)
    (line,) = [record.entry for record in await log.history()]
    reasons = [each.actions[0].reason for each in entries if isinstance(each, Decided)]

    assert reasons == ["entry_refused"] * 3
    assert (line.action_type, line.strategy_type) == ("OPEN", "STRATEGY_B_CALENDAR")
    assert (line.executed, line.is_suggestion, line.extra_info["gate"]) == (False, False, "opening")
    assert "0.0001 % of equity tied up leaves" in line.reason
    assert rig.trading.requests == []


def suggestions(entries: list[Entry]) -> list[GregNoted]:
    return [
        each
        for each in entries
        if isinstance(each, GregNoted) and each.event is GregEvent.SUGGESTED
    ]
