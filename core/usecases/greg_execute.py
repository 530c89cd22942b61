"""A person has a suggestion carried out: every gate, then orders by the way of every order."""

from asyncio import Lock
from datetime import datetime, timedelta

from attrs import define, evolve, field, frozen

from core.greg.advice import Advice
from core.greg.executing import (
    ExecutionOutcome,
    ExecutionRequest,
    ExecutionStatus,
    PlanFacts,
    orders_for,
    why_none,
)
from core.greg.hedge_needs import hedge_need
from core.greg.holdings import Holding
from core.greg.modes import Asked, GateClosed, check_first_gates
from core.greg.size_facts import Means, sized_by
from core.greg.structures import NoStructure, Structure, structure_of
from core.usecases.desk import Look, Reading
from core.usecases.greg_desk import GregDesk, Seen
from core.usecases.greg_sending import Sending, outcome_of, subject_of
from ports.errors import PortError
from ports.greg_log import GregEntry

SAME_FOR = timedelta(seconds=60)  # an execution asked for twice is the same one


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
            return await self._noted(outcome_of(greg, request, ExecutionStatus.FAILED, f"{error}"))
        self._done[key] = _Done(outcome, greg.desk.now)
        return await self._noted(outcome)

    async def _refused(self, request: ExecutionRequest, refusal: GateClosed) -> ExecutionOutcome:
        outcome = outcome_of(self.greg, request, ExecutionStatus.REFUSED, str(refusal))
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
        greg, request = self.greg, self.request
        seen = _as_held_now(greg, greg.seen.get(request.position_id))
        is_current = seen is not None and _is_current(greg, request)
        facts = None
        if seen is not None and is_current:
            facts = self._facts(seen, await self.look.reading())
        sending = Sending(
            greg=greg,
            request=request,
            look=self.look,
            subject=None if seen is None else subject_of(seen),
            orders=() if facts is None else orders_for(Advice(request.action), facts),
        )
        passed = await sending.passed(is_current=is_current)
        if facts is not None and not sending.orders:
            raise GateClosed("orders", why_none(Advice(request.action), facts))
        return await sending.carried_out(passed)

    def _facts(self, seen: Seen, reading: Reading) -> PlanFacts:
        holding = seen.holding
        return PlanFacts(
            holding=holding,
            hedge=hedge_need(holding, self.greg.hedge_sight(reading.snapshot)).order,
            convention=self.greg.params.advice.convention,
            funding=seen.reading.bundle.sensors.predicted_funding_rate,
            reopened=_reopened(self.greg, holding, reading),
            now=self.greg.desk.now,
        )


def _asked(greg: GregDesk, request: ExecutionRequest) -> Asked:
    return Asked(
        strategy=request.strategy,
        underlying=request.underlying,
        environment=greg.params.environment,
        allowed_underlyings=greg.params.underlyings,
    )


def _as_held_now(greg: GregDesk, seen: Seen | None) -> Seen | None:
    """What was *seen* with the position as the book has it now; None if it is gone."""
    if seen is None:
        return None
    held = (each for each in greg.holdings() if each.position_id == seen.holding.position_id)
    holding = next(held, None)
    return None if holding is None else evolve(seen, holding=holding)


def _is_current(greg: GregDesk, request: ExecutionRequest) -> bool:
    """Whether this stands for the position, and was said within two evaluations."""
    standing = greg.store.standing()
    found, said_at = standing.of(request.position_id), standing.updated_at
    if found is None or said_at is None or greg.desk.now - said_at > 2 * greg.params.period:
        return False
    asked = (request.action, request.strategy, request.underlying)
    return asked == (found.action, found.code, found.underlying)


def _reopened(greg: GregDesk, holding: Holding, reading: Reading) -> Structure | NoStructure:
    """
    What a roll opens again: the same strategy, in at most the same size and within every cap of
    size. The sandbox is in no account, and no cap binds it.
    """
    found = structure_of(holding.code, reading.snapshot, greg.params.entry.windows)
    if isinstance(found, NoStructure):
        return found
    if holding.sandbox:
        return evolve(found, amount=holding.contracts)
    means = Means(
        snapshot=reading.snapshot,
        account=reading.account,
        held=greg.holdings(),
        but=holding.position_id,
    )
    return sized_by(means, found, greg.params.size_caps, holding.contracts)
