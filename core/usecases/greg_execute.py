"""A person has a suggestion carried out: every gate, then orders by the way of every order."""

from asyncio import Lock
from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import define, evolve, field, frozen

from core.execution.intents import Unpriced
from core.greg.advice import Advice
from core.greg.demo import is_demo
from core.greg.executing import (
    ExecutionOutcome,
    ExecutionRequest,
    ExecutionStatus,
    PlanFacts,
    PlannedOrder,
    orders_for,
    words_of,
)
from core.greg.hedge_results import acknowledged, failed, simulated
from core.greg.hedging import HedgeOrder
from core.greg.holdings import Holding, hedged_of
from core.greg.intents import hedge_intent, leg_intent
from core.greg.modes import (
    Asked,
    Environment,
    Execution,
    GateClosed,
    Mode,
    check_first_gates,
    may_execute,
)
from core.greg.structures import NoStructure, Structure, structure_of
from core.risk.engine import judge
from core.simulation.perpetual import future_rules
from core.usecases.desk import Look, Reading, controls_now, risk_state
from core.usecases.greg_desk import GregDesk, Seen
from core.usecases.orders import out_of_doubt, submit
from core.usecases.rolls import drafting
from ports.errors import PortError
from ports.greg_log import GregEntry
from ports.positions import OrderRecord
from ports.trading import OrderIntent, OrderState

SAME_FOR = timedelta(seconds=60)  # an execution asked for twice is the same one
_FRESH = timedelta(seconds=30)  # an index that notional may be measured by
_HEDGE_REACH = 0.005  # of the index: how far a hedge goes for its price


@frozen
class _Done:
    """An outcome, and when it was asked for."""

    outcome: ExecutionOutcome
    at: datetime


@define(eq=False)
class GregExecutor:
    """
    Carries out what stands on *greg*, one request after the other; one that is repeated has its
    first outcome.
    """

    greg: GregDesk
    _done: dict[tuple[str, str], _Done] = field(factory=dict, init=False)
    _turn: Lock = field(factory=Lock, init=False)

    async def execute(self, request: ExecutionRequest) -> ExecutionOutcome:
        """
        Carry *request* out as far as every gate lets it, and write down what became of it.

        Gates are asked on fresh data, and again before each order.

        Raises:
            StoreUnwritable: The journal failed; if it failed before sending, nothing was sent.
        """
        async with self._turn:
            return await self._execute(request)

    async def _execute(self, request: ExecutionRequest) -> ExecutionOutcome:
        greg, key = self.greg, (request.position_id, request.action)
        try:
            check_first_gates(greg.state, _asked(greg, request))
        except GateClosed as refusal:
            return await self._refused(request, refusal)
        done = self._done.get(key)
        if done is not None and timedelta(0) <= greg.desk.now - done.at < SAME_FOR:
            return done.outcome
        attempt = _Attempt(greg=greg, request=request, look=Look(greg.desk, request.underlying))
        try:
            outcome = await attempt.carry_out()
        except GateClosed as refusal:
            return await self._refused(request, refusal)
        except PortError as error:
            return await self._noted(_outcome(greg, request, ExecutionStatus.FAILED, f"{error}"))
        self._done[key] = _Done(outcome, greg.desk.now)
        return await self._noted(outcome)

    async def _refused(self, request: ExecutionRequest, refusal: GateClosed) -> ExecutionOutcome:
        outcome = _outcome(self.greg, request, ExecutionStatus.REFUSED, str(refusal))
        return await self._noted(evolve(outcome, gate=refusal.gate))

    async def _noted(self, outcome: ExecutionOutcome) -> ExecutionOutcome:
        """*outcome*, once it is in the log: one line, whatever it is."""
        notes, entry = self.greg.notes, self._entry(outcome)
        if outcome.status in (ExecutionStatus.SIMULATED, ExecutionStatus.EXECUTED):
            await notes.executed(
                entry,
                outcome.order_ids,
                environment=outcome.environment,
                dry_run=outcome.dry_run,
            )
        else:
            await notes.refused(entry, outcome.note)
        return outcome

    def _entry(self, outcome: ExecutionOutcome) -> GregEntry:
        """The line of *outcome*: in the words that were asked for, with the figures known."""
        request = outcome.request
        extra = {
            "environment": str(outcome.environment),
            "status": str(outcome.status),
            **({"gate": outcome.gate} if outcome.gate else {}),
        }
        asked = GregEntry(
            timestamp=self.greg.desk.now,
            underlying=request.underlying[:10],
            strategy_type=request.strategy[:50],
            position_id=request.position_id[:100],
            action_type=request.action[:32],
            mode=outcome.mode,
            reason=outcome.note,
            order_ids=outcome.order_ids,
            extra_info=extra,
        )
        seen = self.greg.seen.get(request.position_id)
        if seen is None:
            return asked
        known = self.greg.entry_of(seen)
        return evolve(
            known,
            underlying=asked.underlying,
            strategy_type=asked.strategy_type,
            action_type=asked.action_type,
            reason=asked.reason,
            order_ids=asked.order_ids,
            extra_info=extra,
        )


@frozen(eq=False, kw_only=True)
class _Attempt:
    """One request on its way."""

    greg: GregDesk
    request: ExecutionRequest
    look: Look

    async def carry_out(self) -> ExecutionOutcome:
        """
        What became of the request.

        Raises:
            GateClosed: A gate refused it before anything was sent.

            PortError: Something outside did not answer before anything was sent.
        """
        greg = self.greg
        seen = greg.seen.get(self.request.position_id)
        reading = await self.look.reading() if seen else None
        passed = may_execute(greg.state, await self._wanted(seen, reading, None))
        if seen is None or reading is None:
            raise GateClosed("suggestion", "it is not what is advised for the position now")
        orders = orders_for(Advice(self.request.action), self._facts(seen, reading))
        if not orders:
            return self._ended(ExecutionStatus.FAILED, "there is no order that would do it")
        told = "; ".join(words_of(each) for each in orders)
        await self._approved(orders[0], seen, reading)
        if passed.dry_run:
            greg.hedges.add(simulated(each) for each in orders if isinstance(each, HedgeOrder))
            return self._ended(ExecutionStatus.SIMULATED, f"would {told}")
        return await self._sent(orders, seen)

    async def _approved(self, order: PlannedOrder, seen: Seen, reading: Reading) -> None:
        """Ask risk about the first order; the sandbox is not in the account that risk knows."""
        if seen.holding.sandbox:
            return
        intent = self._intent(order, reading)
        if isinstance(intent, str):
            raise GateClosed("risk", intent)
        verdict = judge(intent, await risk_state(self.greg.desk, reading))
        if not verdict.approved:
            raise GateClosed("risk", "; ".join(each.detail for each in verdict.breaches))

    async def _sent(self, orders: Sequence[PlannedOrder], seen: Seen) -> ExecutionOutcome:
        """Send *orders* one after the other, each only once the one before is filled whole."""
        ids: list[str] = []
        for order in orders:
            why = await self._one(order, seen, ids)
            if why:
                status = ExecutionStatus.PARTIAL if ids else ExecutionStatus.FAILED
                return evolve(self._ended(status, why), order_ids=tuple(ids))
        told = "; ".join(words_of(each) for each in orders)
        return evolve(self._ended(ExecutionStatus.EXECUTED, told), order_ids=tuple(ids))

    async def _one(self, order: PlannedOrder, seen: Seen, ids: list[str]) -> str:
        """Send *order* and add its id to *ids*; return why the rest must not follow, or nothing."""
        desk = self.greg.desk
        try:
            reading = await self.look.reading()
            may_execute(self.greg.state, await self._wanted(seen, reading, order))
        except (GateClosed, PortError) as error:
            return f"stopped before {words_of(order)}: {error}"
        intent = self._intent(order, reading)
        if isinstance(intent, str):
            return intent
        record = await submit(desk, intent, reading)
        if record is None:
            self._note_hedge(order, None)
            return f"{words_of(order)}: stopped by a control"
        record = await out_of_doubt(desk, record)
        self._note_hedge(order, record)
        if record.reached_venue and record.state is not OrderState.REJECTED:
            ids.append(record.order_id or record.intent.label)
        is_whole = record.state is OrderState.FILLED
        return "" if is_whole else f"{words_of(order)}: {record.state} {record.reason}".rstrip()

    def _note_hedge(self, order: PlannedOrder, record: OrderRecord | None) -> None:
        if not isinstance(order, HedgeOrder):
            return
        is_done = record is not None and record.state is OrderState.FILLED
        result = (
            acknowledged(order, record.order_id or record.intent.label)
            if record is not None and is_done
            else failed(order, "stopped by a control" if record is None else f"{record.state}")
        )
        self.greg.hedges.add([result])

    def _intent(self, order: PlannedOrder, reading: Reading) -> OrderIntent | str:
        """*order* on the venue's grids, or why there is none."""
        drafted = drafting(self.greg.desk, reading.snapshot)
        if isinstance(order, HedgeOrder):
            index, rules = reading.snapshot.index_usd, future_rules(order.underlying)
            reach = 1.0 + order.side.sign * _HEDGE_REACH
            return hedge_intent(order, index * reach, rules, drafted) or "below one lot"
        found = leg_intent(order, self.request.position_id, drafted)
        return found.reason if isinstance(found, Unpriced) else found

    def _facts(self, seen: Seen, reading: Reading) -> PlanFacts:
        params, holding = self.greg.params, seen.holding
        snapshot = reading.snapshot
        return PlanFacts(
            holding=holding,
            hedged=hedged_of(holding, snapshot, snapshot.taken_at),
            rule=params.hedge_rule(holding, snapshot),
            terms=params.hedge_terms,
            convention=params.advice.convention,
            funding=seen.reading.bundle.sensors.predicted_funding_rate,
            reopened=_reopened(self.greg, holding, reading),
            now=self.greg.desk.now,
        )

    async def _wanted(
        self, seen: Seen | None, reading: Reading | None, order: PlannedOrder | None
    ) -> Execution:
        """Everything the gates look at, as it is this moment; under way once *order* is known."""
        greg, request = self.greg, self.request
        book, controls = greg.desk.keeper.book, await controls_now(greg.desk)
        is_fresh = reading is not None and greg.desk.now - reading.snapshot.taken_at <= _FRESH
        index = reading.snapshot.index_usd if reading is not None and is_fresh else None
        return Execution(
            action=request.action,
            strategy=request.strategy,
            underlying=request.underlying,
            environment=greg.params.environment,
            allowed_underlyings=greg.params.underlyings,
            notional_usd=None if seen is None else _notional(seen.holding, index),
            exposure_usd=None if seen is None else _exposure(greg, seen.holding, index),
            is_core_dry_run=greg.params.is_core_dry_run,
            is_killed=controls.kill_switch,
            is_healthy=not (book.halted or book.is_paused),
            is_current=order is not None or _is_current(greg, request),
            is_sandbox=is_demo(request.position_id) or (seen is not None and seen.holding.sandbox),
            is_synthetic=seen is not None and seen.reading.bundle.is_synthetic,
        )

    def _ended(self, status: ExecutionStatus, note: str) -> ExecutionOutcome:
        return _outcome(self.greg, self.request, status, note)


def _outcome(
    greg: GregDesk, request: ExecutionRequest, status: ExecutionStatus, note: str
) -> ExecutionOutcome:
    mode = greg.state.mode
    return ExecutionOutcome(
        request=request,
        status=status,
        mode=mode,
        environment=Environment(greg.params.environment),
        dry_run=mode is not Mode.LIVE,
        note=note,
    )


def _asked(greg: GregDesk, request: ExecutionRequest) -> Asked:
    return Asked(
        strategy=request.strategy,
        underlying=request.underlying,
        environment=greg.params.environment,
        allowed_underlyings=greg.params.underlyings,
    )


def _is_current(greg: GregDesk, request: ExecutionRequest) -> bool:
    """Whether this stands for the position, and was said within two evaluations."""
    standing = greg.store.standing()
    found, said_at = standing.of(request.position_id), standing.updated_at
    if found is None or said_at is None or greg.desk.now - said_at > 2 * greg.params.period:
        return False
    asked = (request.action, request.strategy, request.underlying)
    return asked == (found.action, found.code, found.underlying)


def _notional(holding: Holding, index_usd: float | None) -> float | None:
    """The legs and the hedge, USD; None without a fresh index."""
    if index_usd is None:
        return None
    coin = sum(abs(leg.size) for leg in holding.legs) + abs(holding.perp_coin)
    return coin * index_usd


def _exposure(greg: GregDesk, holding: Holding, index_usd: float | None) -> float | None:
    """What the coin's other positions add, USD; the sandbox is none."""
    others = (
        _notional(each, index_usd)
        for each in greg.holdings()
        if each.underlying == holding.underlying
        and each.position_id != holding.position_id
        and not each.sandbox
    )
    return None if index_usd is None else sum(each for each in others if each is not None)


def _reopened(greg: GregDesk, holding: Holding, reading: Reading) -> Structure | None:
    """What a roll opens again: the same strategy in the same size."""
    found = structure_of(holding.code, reading.snapshot, greg.params.entry.windows)
    if isinstance(found, NoStructure):
        return None
    return evolve(found, amount=holding.contracts)
