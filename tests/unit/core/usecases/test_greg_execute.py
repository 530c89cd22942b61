"""From a suggestion to orders: by every gate, once, and written down."""

import asyncio
from datetime import timedelta

import pytest
from attrs import evolve

from core.context.sensor_values import DataSource
from core.greg.executing import ExecutionOutcome, ExecutionRequest, ExecutionStatus
from core.greg.modes import Environment, GateClosed, Mode, ModeState
from ports.trading import Side
from tests.support.greg_desks import (
    BEAR_CALL,
    MOST,
    OPEN,
    SANDBOX,
    STRADDLE,
    GregRig,
    add_sandbox,
    greg_rig,
    minutes_later,
    params,
)
from tests.support.markets import NOW
from tests.support.worlds import Fault

CLOSE = ExecutionRequest(
    position_id=BEAR_CALL,
    action="CLOSE",
    strategy="STRATEGY_F_BEAR_CALL_SPREAD",
    underlying="BTC",
)
HEDGE = evolve(CLOSE, position_id=STRADDLE, action="HEDGE", strategy="STRATEGY_A_STRADDLE")
PAPER = evolve(OPEN, mode=Mode.PAPER)
TESTNET = params(Environment.TESTNET)


async def run(rig: GregRig, request: ExecutionRequest = CLOSE) -> ExecutionOutcome:
    return await rig.executor.execute(request)


async def test_what_is_advised() -> None:
    """The touched spread is to be closed, the half-closed straddle to be hedged."""
    rig = await greg_rig()
    standing = rig.greg.store.standing()

    assert {each.position_id: str(each.action) for each in standing.suggestions} == {
        BEAR_CALL: "CLOSE",
        STRADDLE: "HEDGE",
    }


async def test_with_every_gate_open_the_position_is_closed() -> None:
    """A buy that only reduces is filled; it counts as executed once, with its order id."""
    rig = await greg_rig()
    outcome = await run(rig)
    request = rig.rig.trading.requests[-1]
    (row,) = await rig.rows()

    assert (outcome.status, outcome.executed) == (ExecutionStatus.EXECUTED, True)
    assert (request.side, request.reduce_only, request.position_id) == (Side.BUY, True, BEAR_CALL)
    assert BEAR_CALL not in {each.position_id for each in rig.greg.holdings()}
    assert (row.executed, row.order_ids, row.is_dry_run) == (True, outcome.order_ids, False)


@pytest.mark.parametrize("later_s", [0, 59])
async def test_the_same_request_is_the_same_execution(later_s: int) -> None:
    """Within a minute it returns the first outcome: no order, no line."""
    rig = await greg_rig()
    first = await run(rig)
    await rig.rig.later(seconds=later_s)
    second = await run(rig)

    assert second == first
    assert rig.orders == 1
    assert len(await rig.rows()) == 1


async def test_two_clicks_at_once_are_one_order() -> None:
    """The second waits for the first, and has its outcome."""
    rig = await greg_rig()
    first, second = await asyncio.gather(run(rig), run(rig))

    assert first == second
    assert (rig.orders, len(await rig.rows())) == (1, 1)


async def test_paper_simulates() -> None:
    """Nothing is sent; the line is of a dry run, and a hedge is in the history of hedges."""
    rig = await greg_rig(PAPER, TESTNET)
    outcome = await run(rig)
    (row,) = await rig.rows()

    assert (outcome.status, outcome.dry_run) == (ExecutionStatus.SIMULATED, True)
    assert (rig.orders, row.is_dry_run) == (0, True)
    assert "buy 0.5 BTC-6APR26-96000-C" in outcome.note


@pytest.mark.parametrize(
    ("state", "gate"),
    [
        (evolve(OPEN, mode=Mode.ADVICE_ONLY), "mode"),
        (PAPER, "environment"),
        (evolve(OPEN, enable_live=False), "master"),
        (evolve(OPEN, strategies=frozenset()), "strategy"),
        (evolve(OPEN, caps=evolve(MOST, per_position_usd=49_999.0)), "caps"),
        (evolve(OPEN, caps=evolve(MOST, per_underlying_usd=99_999.0)), "caps"),
    ],
)
async def test_each_setting_closes(state: ModeState, gate: str) -> None:
    """Half a contract at 100,000 is 50,000 USD, with the other position 100,000."""
    rig = await greg_rig(state)
    outcome = await run(rig)
    (row,) = await rig.rows()

    assert (outcome.status, outcome.gate) == (ExecutionStatus.REFUSED, gate)
    assert (rig.orders, row.executed, row.reason) == (0, False, outcome.note)
    assert row.extra_info["gate"] == gate


async def test_the_caps_allow_equality() -> None:
    """Exactly the notional passes."""
    caps = evolve(MOST, per_position_usd=50_000.0, per_underlying_usd=100_000.0)

    assert (await run(await greg_rig(evolve(OPEN, caps=caps)))).executed


async def test_a_stale_index_measures_nothing() -> None:
    """31 s old: the notional is unknown, and unknown is above every cap."""
    rig = await greg_rig()
    await rig.rig.later(seconds=31)
    outcome = await run(rig)

    assert (outcome.gate, rig.orders) == ("caps", 0)
    assert "no fresh index" in outcome.note


@pytest.mark.parametrize(("minutes", "gate"), [(2.0, ""), (2.02, "suggestion")])
async def test_old_advice_is_not_carried_out(minutes: float, gate: str) -> None:
    """Older than two evaluations, of a minute each, it has to be given again."""
    rig = await greg_rig()
    await minutes_later(rig, minutes)

    assert (await run(rig)).gate == gate


@pytest.mark.parametrize(
    ("request_", "gate"),
    [
        (evolve(CLOSE, action="HEDGE"), "suggestion"),
        (evolve(CLOSE, action="OPEN"), "suggestion"),
        (evolve(CLOSE, strategy="STRATEGY_A_STRADDLE"), "suggestion"),
        (evolve(CLOSE, strategy="STRATEGY_E"), "strategy"),
        (evolve(CLOSE, underlying="ETH"), "underlying"),
        (evolve(CLOSE, position_id="demo:BTC-straddle"), "suggestion"),
        (evolve(CLOSE, position_id="x" * 500, action="?" * 90), "suggestion"),
    ],
)
async def test_what_is_asked_must_be_what_stands(request_: ExecutionRequest, gate: str) -> None:
    """Another action, strategy, coin or position is refused, in one line however long it is."""
    rig = await greg_rig()
    outcome = await run(rig, request_)

    assert (outcome.gate, rig.orders, len(await rig.rows())) == (gate, 0, 1)


@pytest.mark.parametrize(
    ("state", "environment", "gate", "status"),
    [
        (OPEN, Environment.MAINNET, "sandbox", ExecutionStatus.REFUSED),
        (PAPER, Environment.TESTNET, "", ExecutionStatus.SIMULATED),
    ],
)
async def test_the_sandbox_is_simulated_and_never_live(
    state: ModeState, environment: Environment, gate: str, status: ExecutionStatus
) -> None:
    """With every other gate open."""
    rig = await greg_rig(state, params(environment))
    await add_sandbox(rig)
    outcome = await run(rig, evolve(CLOSE, position_id=SANDBOX))

    assert (outcome.gate, outcome.status, rig.orders) == (gate, status, 0)


async def test_an_invented_market_executes_nothing() -> None:
    """Nor simulates."""
    rig = await greg_rig(PAPER, TESTNET)
    rig.sensors.data_source = DataSource.SYNTHETIC
    await rig.greg.evaluate()

    assert (await run(rig)).gate == "synthetic"


async def test_the_kill_switch_and_a_dry_core_close() -> None:
    """Whatever else is open."""
    rig = await greg_rig()
    await rig.rig.stage.controls.change(NOW, "a test", "to see", {"kill_switch": True})
    assert (await run(rig)).gate == "kill_switch"
    dry = await greg_rig(OPEN, evolve(params(), is_core_dry_run=True))
    assert (await run(dry)).gate == "core_dry_run"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.REFUSED, ExecutionStatus.FAILED),
        (Fault.NEVER_SENT, ExecutionStatus.EXECUTED),
        (Fault.LOST_BEFORE, ExecutionStatus.FAILED),
        (Fault.LOST_AFTER, ExecutionStatus.EXECUTED),
    ],
)
async def test_a_venue_that_errs(fault: Fault, status: ExecutionStatus) -> None:
    """Executed is only what the venue acknowledged whole; one line whatever became of it."""
    rig = await greg_rig()
    rig.rig.trading.faults.append(fault)
    outcome = await run(rig)

    assert outcome.status is status
    assert len(await rig.rows()) == 1
    held = BEAR_CALL in {each.position_id for each in rig.greg.holdings()}
    assert held == (status is not ExecutionStatus.EXECUTED)


async def test_a_change_of_mode_is_written_down() -> None:
    """What passes and what is refused, each in one line of the system."""
    rig = await greg_rig(ModeState(caps=MOST, most=MOST))
    with pytest.raises(GateClosed) as refused:
        await rig.greg.set_mode("live", confirmation="live")
    await rig.greg.set_mode("live", confirmation="LIVE", reason="by hand")
    await rig.greg.set_master(enable_live=True)
    await rig.greg.set_flags({"STRATEGY_F_BEAR_CALL_SPREAD": True, "STRATEGY_E": True})
    with pytest.raises(GateClosed):
        await rig.greg.set_caps(per_position_usd=float("nan"))
    await rig.greg.set_caps(per_position_usd=60_000.0)
    rows = await rig.rows()

    assert refused.value.requires_confirmation
    assert [(row.action_type, row.executed) for row in rows] == [
        ("MODE_SWITCH", False),
        ("MODE_SWITCH", True),
        ("LIVE_SWITCH_TOGGLE", True),
        ("STRATEGY_FLAGS_UPDATE", True),
        ("NOTIONAL_LIMITS_UPDATE", False),
        ("NOTIONAL_LIMITS_UPDATE", True),
    ]
    assert {row.underlying for row in rows} == {"SYSTEM"}
    assert rig.greg.state.changed_at == NOW
    assert (await run(rig)).executed


async def test_advice_is_logged_when_it_changes() -> None:
    """Once each; an evaluation that says the same adds nothing until six hours are over."""
    rig = await greg_rig()
    before = len(await rig.rig.stage.entries())
    await rig.greg.evaluate()
    await rig.rig.later(hours=5)
    await rig.greg.evaluate()
    assert len(await rig.rig.stage.entries()) == before
    await rig.rig.clock.sleep_until(NOW + timedelta(hours=6))
    await rig.greg.evaluate()

    assert len(await rig.rig.stage.entries()) == before + 2
