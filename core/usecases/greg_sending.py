"""Greg's orders on their way: every gate before each of them, then the way of every order."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen

from core.execution.intents import Unpriced
from core.greg.advice import Advice
from core.greg.demo import is_demo
from core.greg.executing import (
    ExecutionOutcome,
    ExecutionRequest,
    ExecutionStatus,
    HedgeOff,
    PlannedOrder,
    footprint_coin,
    words_of,
)
from core.greg.hedge_results import acknowledged, failed, simulated
from core.greg.hedging import HedgeOrder
from core.greg.holdings import Holding
from core.greg.intents import hedge_intent, hedge_off_intent, leg_intent
from core.greg.legging import Legging, LeggingParams, LegOrder, begun, taking_back, why_given_up
from core.greg.modes import Environment, Execution, GateClosed, Mode, Passed, may_execute
from core.risk.engine import judge
from core.usecases.desk import Look, Reading, controls_now, risk_state
from core.usecases.greg_desk import GregDesk, Seen
from core.usecases.orders import out_of_doubt, submit, withdraw
from core.usecases.rolls import drafting
from ports.decision_log import Alarm
from ports.errors import Malformed, PortError, Refused, Unavailable
from ports.positions import OrderRecord
from ports.trading import OrderIntent, OrderState, Side

_FRESH = timedelta(seconds=30)  # an index that notional may be measured by
_HEDGE_REACH = 0.005  # of the index: how far a hedge goes for its price


@frozen(kw_only=True)
class Subject:
    """
    The position that orders are for; whether the market it is judged by is invented, and whether
    the safety filter lacks a sensor.
    """

    holding: Holding
    is_synthetic: bool
    is_safety_degraded: bool = True


def subject_of(seen: Seen) -> Subject:
    """The subject of orders for what was *seen*."""
    return Subject(
        holding=seen.holding,
        is_synthetic=seen.reading.bundle.is_synthetic,
        is_safety_degraded=seen.reading.selection.safety_degraded,
    )


def outcome_of(
    greg: GregDesk, request: ExecutionRequest, status: ExecutionStatus, note: str
) -> ExecutionOutcome:
    """What became of *request*, in the mode of this moment."""
    mode = greg.state.mode
    return ExecutionOutcome(
        request=request,
        status=status,
        mode=mode,
        environment=Environment(greg.params.environment),
        dry_run=mode is not Mode.LIVE,
        note=note,
    )


@frozen(eq=False, kw_only=True)
class Sending:
    """The *orders* that *request* is, on their way; without a subject nothing passes."""

    greg: GregDesk
    request: ExecutionRequest
    look: Look
    subject: Subject | None
    orders: tuple[PlannedOrder, ...] = ()

    async def passed(self, *, is_current: bool) -> Passed:
        """
        How far every gate lets the request through; *is_current*: this is what is advised now.

        Raises:
            GateClosed: The first gate that is closed.

            PortError: Something outside did not answer.
        """
        reading = None if self.subject is None else await self.look.reading()
        wanted = await self._wanted(reading, is_current=is_current)
        passed = may_execute(self.greg.state, wanted)
        if self.subject is None:
            raise GateClosed("suggestion", "it is not what is advised for the position now")
        return passed

    async def carried_out(self, passed: Passed) -> ExecutionOutcome:
        """
        What became of the orders: a dry run sends none of them.

        Raises:
            GateClosed: Risk refuses the first of them.

            PortError: Something outside did not answer before anything was sent.
        """
        if self.subject is None or not self.orders:
            raise ValueError(f"nothing to send for {self.request.position_id}")
        await self._approved(self.orders[0], self.subject)
        if passed.dry_run:
            hedges = [each for each in self.orders if isinstance(each, HedgeOrder)]
            self.greg.hedges.add(simulated(each) for each in hedges)
            told = "; ".join(words_of(each) for each in self.orders)
            return self._ended(ExecutionStatus.SIMULATED, f"would {told}")
        return await self._sent(self.orders)

    async def _approved(self, order: PlannedOrder, subject: Subject) -> None:
        """Ask risk about the first order; the sandbox is not in the account that risk knows."""
        if subject.holding.sandbox:
            return
        reading = await self.look.reading()
        intent = self._intent(order, reading)
        if isinstance(intent, str):
            raise GateClosed("risk", intent)
        verdict = judge(intent, await risk_state(self.greg.desk, reading))
        if not verdict.approved:
            raise GateClosed("risk", "; ".join(each.detail for each in verdict.breaches))

    async def _sent(self, orders: Sequence[PlannedOrder]) -> ExecutionOutcome:
        """
        Send *orders* one after the other, each only once the one before is filled whole.

        What was opened before one that is not is taken back: a structure is whole or not there.
        """
        ids: list[str] = []
        opened: list[LegOrder] = []
        legs = [each for each in orders if isinstance(each, LegOrder)]
        legging = begun(legs, (await self.look.market()).chain, self.greg.desk.now)
        for order in orders:
            step = await self._one(order, ids, legging)
            if isinstance(order, LegOrder) and not order.reduces and step.filled > 0.0:
                opened.append(evolve(order, amount=step.filled))
                legging = legging.traded(step.price_coin)
            if step.why:
                told = [step.why, *[await self._back(each, ids) for each in taking_back(opened)]]
                status = ExecutionStatus.PARTIAL if ids else ExecutionStatus.FAILED
                return evolve(self._ended(status, "; ".join(told)), order_ids=tuple(ids))
        told = [words_of(each) for each in orders]
        done = self._ended(ExecutionStatus.EXECUTED, "; ".join(told))
        return evolve(done, order_ids=tuple(ids))

    async def _back(self, order: LegOrder, ids: list[str]) -> str:
        """Take back what was opened; what came of it, in words."""
        step = await self._one(order, ids)
        return f"not taken back: {step.why}" if step.why else f"taken back: {words_of(order)}"

    async def _one(
        self, order: PlannedOrder, ids: list[str], legging: Legging | None = None
    ) -> "_Step":
        """
        Send *order* and add its id to *ids*; what of it was filled, and why the rest was not.

        One that opens is not sent once its *legging* is given up.
        """
        desk = self.greg.desk
        try:
            reading = await self.look.reading()
            may_execute(self.greg.state, await self._wanted(reading, is_current=True))
        except (GateClosed, PortError) as error:
            return _Step(f"stopped before {words_of(order)}: {error}")
        why = _why_given_up(order, legging, reading, desk.now)
        if why:
            return _Step(f"given up before {words_of(order)}: {why}")
        intent = self._intent(order, reading)
        if isinstance(intent, str):
            return _Step(intent)
        record = await submit(desk, intent, reading)
        if record is None:
            self._note_hedge(order, None)
            return _Step(f"{words_of(order)}: stopped by a control")
        record = await self._settled(order, await out_of_doubt(desk, record))
        self._note_hedge(order, record)
        if record.reached_venue and record.state is not OrderState.REJECTED:
            ids.append(record.order_id or record.intent.label)
        is_whole = record.state is OrderState.FILLED
        why = "" if is_whole else f"{words_of(order)}: {record.state} {record.reason}".rstrip()
        return _Step(why, record.filled_amount, intent.price)

    async def _settled(self, order: PlannedOrder, record: OrderRecord) -> OrderRecord:
        """*record* once nothing of an opening works any more; others may rest for their time."""
        opens = isinstance(order, LegOrder) and not order.reduces
        if not opens or not record.state.is_working:
            return record
        try:
            return await withdraw(self.greg.desk, record)
        except (Unavailable, Malformed, Refused) as error:  # the loop withdraws it at its time
            desk, subject = self.greg.desk, f"{record.intent.label} may still work"
            await desk.keeper.record(Alarm(at=desk.now, subject=subject, detail=str(error)))
            return record

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
        if isinstance(order, HedgeOrder | HedgeOff):
            rules = self.greg.desk.params.future_rules.get(order.underlying)
            if rules is None:
                return f"the grid of {order.underlying}-PERPETUAL is not known"
            limit_usd = reading.snapshot.index_usd * (1.0 + order.side.sign * _HEDGE_REACH)
            if isinstance(order, HedgeOrder):
                return hedge_intent(order, limit_usd, rules, drafted) or "below one lot"
            off = evolve(order, reduces=_reduces(order, reading))
            return hedge_off_intent(off, self.request.position_id, limit_usd, rules, drafted)
        found = leg_intent(order, self.request.position_id, drafted)
        return found.reason if isinstance(found, Unpriced) else found

    async def _wanted(self, reading: Reading | None, *, is_current: bool) -> Execution:
        """Everything the gates look at, as it is this moment."""
        greg, request, subject = self.greg, self.request, self.subject
        book, controls = greg.desk.keeper.book, await controls_now(greg.desk)
        is_fresh = reading is not None and greg.desk.now - reading.snapshot.taken_at <= _FRESH
        index = reading.snapshot.index_usd if reading is not None and is_fresh else None
        holding = None if subject is None else subject.holding
        return Execution(
            action=request.action,
            strategy=request.strategy,
            underlying=request.underlying,
            environment=greg.params.environment,
            allowed_underlyings=greg.params.underlyings,
            notional_usd=_notional(holding, self.orders, index),
            exposure_usd=_exposure(greg, holding, index),
            is_core_dry_run=greg.params.is_core_dry_run,
            is_killed=controls.kill_switch,
            is_healthy=not (book.halted or book.is_paused),
            is_current=is_current,
            is_sandbox=is_demo(request.position_id) or (holding is not None and holding.sandbox),
            is_synthetic=subject is not None and subject.is_synthetic,
            is_safety_degraded=subject is not None
            and request.action == Advice.ROLL
            and subject.is_safety_degraded,
        )

    def _ended(self, status: ExecutionStatus, note: str) -> ExecutionOutcome:
        return outcome_of(self.greg, self.request, status, note)


@frozen
class _Step:
    """
    Why what was to follow an order must not, empty if it may; how much of it was filled, and at
    which limit.
    """

    why: str
    filled: float = 0.0
    price_coin: float = 0.0


def _why_given_up(
    order: PlannedOrder, legging: Legging | None, reading: Reading, now: datetime
) -> str:
    if legging is None or not isinstance(order, LegOrder) or order.reduces:
        return ""
    return why_given_up(legging, reading.snapshot.chain, now, LeggingParams())


def _reduces(order: HedgeOff, reading: Reading) -> bool:
    """Whether the account holds enough in the perpetual for *order* to take from it alone."""
    held_usd = sum(
        each.size_usd
        for each in reading.account.futures
        if each.contract.underlying == order.underlying and each.contract.expiry is None
    )
    return order.amount_usd <= (held_usd if order.side is Side.SELL else -held_usd)


def _notional(
    holding: Holding | None, orders: Sequence[PlannedOrder], index_usd: float | None
) -> float | None:
    """The legs and the hedge, now or behind *orders*, USD; None without a fresh index."""
    if holding is None or index_usd is None:
        return None
    return footprint_coin(holding, orders, index_usd) * index_usd


def _exposure(greg: GregDesk, holding: Holding | None, index_usd: float | None) -> float | None:
    """What the coin's other positions add, USD; the sandbox is none."""
    if holding is None or index_usd is None:
        return None
    return sum(
        footprint_coin(each, (), index_usd) * index_usd
        for each in greg.holdings()
        if each.underlying == holding.underlying
        and each.position_id != holding.position_id
        and not each.sandbox
    )
