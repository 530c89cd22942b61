"""
Random sequences of mode, flag, cap, execute and hedge calls against an independent model of the
gates.

OPTIONS_AGENT_FULL=1 runs all 10,000 sequences, two minutes; without it a slice.
"""

import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from math import log, sqrt
from statistics import NormalDist

import numpy as np
from attrs import define, evolve

from core.context.sensor_values import DataSource
from core.greg.executing import ExecutionRequest, ExecutionStatus
from core.greg.modes import Caps, Environment, GateClosed, Mode, ModeState
from core.rng import rng_at
from core.usecases.greg_hedger import Hedger
from tests.support.gate_model import GateModel
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
    params,
)
from tests.support.markets import NOW

SEQUENCES = 10_000 if os.environ.get("OPTIONS_AGENT_FULL") == "1" else 400
CALLS = 14
BEAR, STRAD = "STRATEGY_F_BEAR_CALL_SPREAD", "STRATEGY_A_STRADDLE"
HEDGE = ExecutionRequest(position_id=STRADDLE, action="HEDGE", strategy=STRAD, underlying="BTC")
IDS = (BEAR_CALL, BEAR_CALL, BEAR_CALL, STRADDLE, SANDBOX, "demo:BTC-straddle", "nobody")


def _hedge_usd() -> float:
    """Half a call of 104,000 at 60 %, short, by N(d1), in lots of 10 USD at 100,000."""
    deviation = 0.6 * sqrt((EXPIRY - NOW) / timedelta(days=365))
    d1 = log(100_000.0 / 104_000.0) / deviation + deviation / 2.0
    return 10.0 * round(0.5 * NormalDist().cdf(d1) * 100_000.0 / 10.0)


HEDGE_USD = _hedge_usd()


@define
class Tally:
    """What a sequence has seen."""

    refusals: int = 0
    passed: int = 0
    orders: int = 0
    hedges: int = 0


@define
class Sequence:
    """One sequence under way: the desk, the model of it, and what has happened."""

    rig: GregRig
    model: GateModel
    rng: np.random.Generator
    tally: Tally
    done: dict[tuple[str, str], float]  # by position and action, the age of the index then

    def pick(self, *choices: object) -> object:
        return choices[int(self.rng.integers(len(choices)))]

    async def mode(self) -> None:
        word = str(self.pick("advice_only", "paper", "live", "live", "LIVE", ""))
        confirmation = str(self.pick("LIVE", "LIVE", "live", ""))
        takes = self.model.takes_mode(word, confirmation)
        await self._changes(takes, self.rig.greg.set_mode(word, confirmation=confirmation))

    async def master(self) -> None:
        self.model.master = bool(self.rng.random() < 0.8)
        await self._changes(True, self.rig.greg.set_master(enable_live=self.model.master))

    async def flags(self) -> None:
        codes = (BEAR, STRAD, "STRATEGY_E", "")
        flags = {code: bool(self.rng.random() < 0.8) for code in codes if self.rng.random() < 0.7}
        self.model.takes_flags(flags)
        await self._changes(True, self.rig.greg.set_flags(flags))

    async def caps(self) -> None:
        choices = (50_000.0, 100_000.0, 49_999.0, 150_000.0, 2e6, -1.0, 0.0, float("nan"))
        position, coin = (float(str(self.pick(*choices))) for _ in range(2))
        takes = self.model.takes_caps(position, coin)
        await self._changes(takes, self.rig.greg.set_caps(position, coin))

    async def kill(self) -> None:
        self.model.is_killed = bool(self.rng.random() < 0.2)
        await self.rig.rig.stage.controls.change(
            NOW, "a test", "to see", {"kill_switch": self.model.is_killed}
        )

    async def wait(self) -> None:
        seconds = float(str(self.pick(1.0, 5.0, 29.0)))
        await self.rig.rig.later(seconds=seconds)
        self.model.index_age_s += seconds

    async def execute(self) -> None:
        request = ExecutionRequest(
            position_id=str(self.pick(*IDS)),
            action=str(self.pick("CLOSE", "CLOSE", "CLOSE", "HEDGE", "HOLD", "OPEN", "")),
            strategy=str(self.pick(BEAR, BEAR, BEAR, STRAD, "STRATEGY_E")),
            underlying=str(self.pick("BTC", "BTC", "BTC", "ETH")),
        )
        if self.rng.random() < 0.3:
            request = HEDGE
        key, model = (request.position_id, request.action), self.model
        is_remembered = key in self.done and model.index_age_s - self.done[key] < 60.0
        is_again = model.passes_first(request.strategy, request.underlying) and is_remembered
        asked = (request.position_id, request.action, request.strategy, request.underlying)
        passes = not is_again and model.lets_through(*asked)
        before = self.rig.orders
        outcome = await self.rig.executor.execute(request)
        sent = self.rig.orders - before
        if is_again:
            assert (sent, outcome.status is ExecutionStatus.REFUSED) == (0, False)
            return
        if passes and request == HEDGE and self.tally.hedges:
            assert (outcome.gate, sent) == ("orders", 0)  # it leans no more
            self.tally.refusals += 1
        elif passes:
            self._passed(request, outcome.status, sent)
        else:
            assert (outcome.status, sent) == (ExecutionStatus.REFUSED, 0), outcome
            self.tally.refusals += 1

    async def schedule(self) -> None:
        """The hedge scheduler looks: what leans is hedged, or written down as advice."""
        asked = (STRADDLE, "HEDGE", STRAD, "BTC")
        is_in_band, passes = self.tally.hedges > 0, self.model.lets_through(*asked)
        before = self.rig.orders
        hedger = Hedger(greg=self.rig.greg, is_synthetic=self.model.is_synthetic)
        await hedger.look("BTC")
        sent = int(passes and self.model.mode == "live" and not is_in_band)
        assert self.rig.orders - before == sent
        if sent:
            self.model.is_done(STRADDLE, "HEDGE")
            self.tally.orders += 1
            self.tally.hedges += 1
        elif not passes and not is_in_band:
            self.tally.refusals += 1

    def _passed(self, request: ExecutionRequest, status: ExecutionStatus, sent: int) -> None:
        is_live = self.model.mode == "live"
        wanted = ExecutionStatus.EXECUTED if is_live else ExecutionStatus.SIMULATED
        assert (status, sent) == (wanted, int(is_live))
        self.done[request.position_id, request.action] = self.model.index_age_s
        self.tally.hedges += is_live and request.action == "HEDGE"
        self.tally.passed += 1
        if is_live:
            self.tally.orders += sent
            self.model.is_done(request.position_id, request.action)

    async def _changes(self, takes: bool, change: Awaitable[ModeState]) -> None:
        try:
            await change
            is_taken = True
        except GateClosed:
            is_taken = False
            self.tally.refusals += 1
        assert is_taken == takes

    @property
    def calls(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        rare = (self.kill, self.wait)
        return (
            (self.mode, self.mode, self.master, self.flags, self.caps)
            + rare
            + ((self.execute,) * 5)
            + ((self.schedule,) * 2)
        )


async def begun(number: int) -> Sequence:
    """A desk of some kind, open or closed, and its model."""
    rng = rng_at(11, f"gates {number}", NOW)
    environment = Environment.MAINNET if rng.random() < 0.7 else Environment.TESTNET
    is_dry, is_synthetic = bool(rng.random() < 0.15), bool(rng.random() < 0.15)
    desk = evolve(params(environment), is_core_dry_run=is_dry)
    most = Caps(per_position_usd=150_000.0, per_underlying_usd=200_000.0)
    state = evolve(OPEN if rng.random() < 0.6 else ModeState(), caps=MOST, most=most)
    if environment is Environment.TESTNET and state.enable_live:
        state = evolve(state, mode=Mode.PAPER)
    rig = await greg_rig(state, desk)
    await add_sandbox(rig)
    if is_synthetic:
        rig.sensors.data_source = DataSource.SYNTHETIC
        await rig.greg.evaluate()
    model = GateModel(
        environment=str(environment),
        is_core_dry_run=is_dry,
        is_synthetic=is_synthetic,
        notional_usd={BEAR_CALL: 50_000.0, STRADDLE: 50_000.0},
        hedge_usd={STRADDLE: HEDGE_USD},
        advised={
            BEAR_CALL: ("CLOSE", BEAR, "BTC"),
            STRADDLE: ("HEDGE", STRAD, "BTC"),
            SANDBOX: ("CLOSE", BEAR, "BTC"),
        },
        sandbox=frozenset({SANDBOX}),
        most_position=150_000.0,
        most_coin=200_000.0,
        mode=str(state.mode),
        master=state.enable_live,
        flags={str(code) for code in state.strategies},
        cap_position=MOST.per_position_usd,
        cap_coin=MOST.per_underlying_usd,
    )
    return Sequence(rig, model, rng, Tally(), {})


async def test_no_sequence_reaches_an_order_with_a_gate_closed() -> None:
    """Orders are sent exactly where the model has every gate open; each refusal is one line."""
    whole = Tally()
    for number in range(SEQUENCES):
        run = await begun(number)
        for _ in range(CALLS):
            await run.calls[int(run.rng.integers(len(run.calls)))]()
        rows = await run.rig.rows()
        refused = [row for row in rows if row.extra_info.get("refused") is True]
        assert len(refused) == run.tally.refusals
        assert sum(bool(row.order_ids) for row in rows) == run.tally.orders
        whole.refusals += run.tally.refusals
        whole.passed += run.tally.passed
        whole.orders += run.tally.orders
        whole.hedges += run.tally.hedges
        in_perpetual = [
            each for each in run.rig.rig.trading.requests if each.contract.symbol == "BTC-PERPETUAL"
        ]
        assert [each.amount for each in in_perpetual] == [HEDGE_USD] * run.tally.hedges

    assert whole.refusals > 4 * SEQUENCES
    assert whole.orders > SEQUENCES // 40
    assert whole.hedges > SEQUENCES // 80
    assert whole.passed > whole.orders
