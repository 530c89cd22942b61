"""The hedge scheduler: looks at each hedged position when its mode wants it, within the loop."""

from datetime import datetime, timedelta

from attrs import define, evolve, field, frozen

from core.greg.advice import Advice
from core.greg.catalogue import HedgeMode
from core.greg.executing import (
    ExecutionOutcome,
    ExecutionRequest,
    ExecutionStatus,
    PlannedOrder,
    hedge_off,
    words_of,
)
from core.greg.hedge_needs import HedgeNeed, hedge_need
from core.greg.hedge_results import simulated
from core.greg.hedging import HEDGEABLE, HedgeOrder, is_check_due, is_due
from core.greg.holdings import Holding
from core.greg.management import HedgeRule
from core.greg.modes import GateClosed
from core.usecases.desk import Look
from core.usecases.greg_desk import GregDesk
from core.usecases.greg_sending import Sending, Subject, outcome_of
from ports.greg_log import REPEAT_AFTER, GregEntry
from ports.instruments import FutureContract
from ports.market_data import MarketSnapshot
from ports.positions import Book

_AGAIN_S = 60.0  # after a look that failed, and of a hedge whose options are gone
_LEFT_OVER = HedgeRule(HedgeMode.DYNAMIC_DELTA, 0.0, every_s=_AGAIN_S)
_SENT = (ExecutionStatus.EXECUTED, ExecutionStatus.PARTIAL)


@frozen
class _Check:
    """When a position was looked at last, on which index, and when it will be again."""

    at: datetime | None
    index_usd: float | None
    next_at: datetime


@frozen
class _Told:
    """What was written down last of a position, and when."""

    said: tuple[str, str]
    at: datetime


@define(eq=False, kw_only=True)
class Hedger:
    """
    Hedges Greg's positions as far as the gates let it, and writes down what it would do where
    they do not.

    Checks are counted by this process; when a position was really hedged last is in the book. The
    sandbox is left alone. *is_synthetic* says that the market is invented.
    """

    greg: GregDesk
    is_synthetic: bool
    _checks: dict[str, _Check] = field(factory=dict, init=False)
    _told: dict[str, _Told] = field(factory=dict, init=False)

    def next_look(self) -> datetime | None:
        """When the next position is to be looked at; None where there is none."""
        now = self.greg.desk.now
        checks = [self._checks.get(each.position_id) for each in self._hedged()]
        return min((now if check is None else check.next_at for check in checks), default=None)

    async def look(self, underlying: str) -> None:
        """
        Look at the positions on *underlying* that are due, and hedge those that lean too far.

        Raises:
            PortError: Something outside did not answer; the next look is a minute later.
        """
        held = [each for each in self._hedged() if each.underlying == underlying]
        if not held:
            return
        now = self.greg.desk.now
        for holding in held:
            known = self._checks.get(holding.position_id, _Check(None, None, now))
            if known.next_at <= now:  # should this look fail
                known = evolve(known, next_at=now + timedelta(seconds=_AGAIN_S))
            self._checks[holding.position_id] = known
        look = Look(self.greg.desk, underlying)
        snapshot = await look.market()
        for holding in held:
            await self._look_at(holding, snapshot, look)

    async def _look_at(self, holding: Holding, snapshot: MarketSnapshot, look: Look) -> None:
        now, known = self.greg.desk.now, self._checks[holding.position_id]
        need = hedge_need(holding, self.greg.hedge_sight(snapshot)) if holding.legs else None
        rule = _LEFT_OVER if need is None else need.rule
        moved = snapshot.index_usd / known.index_usd - 1.0 if known.index_usd else 0.0
        if not is_check_due(rule, now, known.at, moved):
            return
        orders = hedge_off(holding) if need is None else self._orders(holding, need)
        if orders:
            await self._note(holding, orders, await self._carried_out(holding, orders, look))
        elif need is not None and need.leaning is None:
            await self._note(holding, (), self._unknown(holding))
        else:
            self._told.pop(holding.position_id, None)
        next_at = now + timedelta(seconds=rule.every_s or _AGAIN_S)
        self._checks[holding.position_id] = _Check(now, snapshot.index_usd, next_at)

    def _hedged(self) -> tuple[Holding, ...]:
        """The positions whose delta is Greg's to hedge."""
        coins = self.greg.desk.params.underlyings
        return tuple(
            each
            for each in self.greg.holdings()
            if each.code in HEDGEABLE and each.underlying in coins and not each.sandbox
        )

    def _orders(self, holding: Holding, need: HedgeNeed) -> tuple[PlannedOrder, ...]:
        """The hedge that *holding* needs; none within its band, cooling down, or without deltas."""
        if need.order is None or need.leaning is None:
            return ()
        desk, terms = self.greg.desk, self.greg.params.hedge_terms
        hedged_at = hedged_last(desk.keeper.book, holding.position_id)
        may = is_due(
            need.leaning,
            need.rule,
            desk.now,
            hedged_at,
            basis=terms.basis,
            figures=terms.figures,
        )
        return (need.order,) if may else ()

    def _unknown(self, holding: Holding) -> ExecutionOutcome:
        """What is written down where nothing can be said of the hedge of *holding*."""
        request = _request(holding, Advice.HEDGE)
        note = "not hedged: a delta is unknown"
        return evolve(outcome_of(self.greg, request, ExecutionStatus.REFUSED, note), gate="delta")

    async def _carried_out(
        self, holding: Holding, orders: tuple[PlannedOrder, ...], look: Look
    ) -> ExecutionOutcome:
        """What became of *orders*; a gate that is closed makes them advice."""
        request = _request(holding, Advice.HEDGE if holding.legs else Advice.CLOSE)
        sending = Sending(
            greg=self.greg,
            request=request,
            look=look,
            subject=Subject(holding=holding, is_synthetic=self.is_synthetic),
            orders=orders,
        )
        try:
            return await sending.carried_out(await sending.passed(is_current=True))
        except GateClosed as refusal:
            hedges = [each for each in orders if isinstance(each, HedgeOrder)]
            self.greg.hedges.add(simulated(each) for each in hedges)
            told = "; ".join(words_of(each) for each in orders)
            note = f"would {told}; not sent: {refusal}"
            refused = outcome_of(self.greg, request, ExecutionStatus.REFUSED, note)
            return evolve(refused, gate=refusal.gate)

    async def _note(
        self, holding: Holding, orders: tuple[PlannedOrder, ...], outcome: ExecutionOutcome
    ) -> None:
        """Write *outcome* down: always if something was sent, otherwise where it is news."""
        now, notes = self.greg.desk.now, self.greg.notes
        said = (str(outcome.status), outcome.gate or words_of(orders[0]).split(" ")[0])
        told = self._told.get(holding.position_id)
        is_old = told is not None and told.said == said and now - told.at < REPEAT_AFTER
        if is_old and outcome.status not in _SENT:
            return
        self._told[holding.position_id] = _Told(said, now)
        entry = _entry(holding, orders, outcome, now)
        if outcome.status in (ExecutionStatus.EXECUTED, ExecutionStatus.SIMULATED):
            await notes.executed(
                entry,
                outcome.order_ids,
                environment=outcome.environment,
                dry_run=outcome.dry_run,
            )
        else:
            await notes.refused(entry, outcome.note)


def hedged_last(book: Book, position_id: str) -> datetime | None:
    """When a trade in the perpetual was last made for *position_id*; None if none is remembered."""
    instants = [
        record.updated_at
        for record in book.orders.values()
        if record.intent.position_id == position_id
        and isinstance(record.intent.contract, FutureContract)
        and record.filled_amount > 0.0
    ]
    return max(instants, default=None)


def _request(holding: Holding, action: Advice) -> ExecutionRequest:
    return ExecutionRequest(
        position_id=holding.position_id,
        action=action,
        strategy=holding.code,
        underlying=holding.underlying,
    )


def _entry(
    holding: Holding,
    orders: tuple[PlannedOrder, ...],
    outcome: ExecutionOutcome,
    now: datetime,
) -> GregEntry:
    hedges = [each for each in orders if isinstance(each, HedgeOrder)]
    extra = {
        "environment": str(outcome.environment),
        "status": str(outcome.status),
        "scheduled": True,
        **({"gate": outcome.gate} if outcome.gate else {}),
    }
    return GregEntry(
        timestamp=now,
        underlying=holding.underlying,
        strategy_type=holding.code,
        position_id=holding.position_id,
        action_type=outcome.request.action,
        mode=outcome.mode,
        reason=outcome.note,
        net_delta=hedges[0].net_delta_before if hedges else None,
        order_ids=outcome.order_ids,
        extra_info=extra,
    )
