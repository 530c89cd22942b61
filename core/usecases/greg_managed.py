"""Greg in a backtest, without a person: what he advises at one snapshot is done at the next."""

from collections.abc import Sequence
from datetime import timedelta
from math import isfinite

from attrs import define, evolve, field, frozen

from core.backtest.latency import Latency
from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import SensorBundle, SensorInputs
from core.execution.intents import Unpriced
from core.greg.advice import Advice
from core.greg.catalogue import STRATEGY_ID, StrategyCode
from core.greg.entry_variants import step_held
from core.greg.executing import closing_orders, opening_orders, words_of
from core.greg.holdings import HeldLeg, Holding, holding_of, position_of
from core.greg.intents import leg_intent
from core.greg.legging import LegOrder
from core.greg.positions import advise
from core.greg.reading import EntryReading, entry_reading
from core.greg.size_facts import Means, sized_by
from core.greg.structures import NoStructure, Structure, structure_of
from core.greg.variant_facts import with_variant_facts
from core.risk.engine import judge
from core.risk.exposure import RiskState, coin_lots
from core.strategies.greg import GregParams
from core.usecases.backtest_ledger import Ledger
from core.usecases.desk import Desk, Reading, read, risk_state
from core.usecases.orders import out_of_doubt, submit
from core.usecases.rolls import drafting
from ports.backtest_runs import ExitReason
from ports.instruments import ContractRules
from ports.market_data import MarketSnapshot
from ports.trading import Account, OrderIntent, OrderState, Side

_BAR = timedelta(hours=1)


@frozen(kw_only=True)
class ManagedParams:
    """By which rules and caps Greg opens and manages, and the *most* contracts of a structure."""

    greg: GregParams
    most: float
    latency: Latency = Latency.PREVIOUS


@frozen(kw_only=True)
class Plan:
    """
    Orders for one position in the order they are sent.

    *reason* is written beside what they open, or end.
    """

    position_id: str
    orders: tuple[LegOrder, ...]
    reason: str

    @property
    def opens(self) -> bool:
        """Whether anything is opened by it."""
        return any(not order.reduces for order in self.orders)


@define(eq=False, kw_only=True)
class GregManager:
    """
    Opens and ends Greg's structures on *underlying*, one at a time, behind each tick of *desk*.

    Contracts are chosen on the snapshot that is decided on, as many as every cap of size allows and
    the coin held would cover, and traded at the quotes of the one after. A structure of which risk
    refuses a leg then, or nobody quotes one, is not opened; where a leg fails on the way, what was
    traded is taken back.

    Nothing is hedged, which the loop does and a backtest does not yet: delta is left out of what
    the position engine judges by, and its other rules decide. A put that would be taken up is
    bought back.
    """

    desk: Desk
    ledger: Ledger
    underlying: str
    params: ManagedParams
    _plan: Plan | None = field(default=None, init=False)
    _step: str = field(default="", init=False)  # of the entry rules, that chose last
    _before: str = field(default="", init=False)  # the one before that

    @property
    def memory(self) -> str:
        """What a run that is taken up again must know besides its book."""
        return self._before

    async def manage(self) -> None:
        """
        Do what was decided before, then decide on the market of now.

        Raises:
            PortError: Market, account or history cannot be read.

            StoreUnwritable: The journal failed.
        """
        is_delayed = self.params.latency is Latency.PREVIOUS
        plan = self._plan if is_delayed else await self._decided()
        if plan is not None:
            await self._carry_out(plan)
        self._plan = await self._decided() if is_delayed else None

    async def look_back(self, memory: str) -> None:
        """Decide once more what had been decided where a run was stopped; raises as manage."""
        told = list(self.ledger.omissions)
        self._step = memory
        if self.params.latency is Latency.PREVIOUS:
            self._plan = await self._decided()
        self.ledger.omissions[:] = told

    async def _decided(self) -> Plan | None:
        """What is to be done by the market of now; None for nothing."""
        reading = await read(self.desk, self.underlying)
        snapshot, holding = reading.snapshot, self._holding()
        bundle = await self._sensors(snapshot)
        self._before = self._step
        before = self._step or step_held([holding.code] if holding else [])
        found = entry_reading(bundle, self.params.greg.entry, before)
        self._step = found.selection.step_name
        means = Means(snapshot=snapshot, account=reading.account, held=self._holdings())
        if holding is None:
            return self._entry(means, found)
        return self._kept(holding, evolve(means, but=holding.position_id), found)

    def _kept(self, holding: Holding, means: Means, found: EntryReading) -> Plan | None:
        """What the position engine advises for *holding*."""
        greg, snapshot, now = self.params.greg, means.snapshot, means.snapshot.taken_at
        facts = position_of(holding, snapshot, now, found.bundle.sensors.predicted_funding_rate)
        facts = evolve(facts, net_delta=0.0)
        advice = advise(
            with_variant_facts(facts, holding, snapshot, found.bundle.market),
            greg.position,
            convention=greg.convention,
            selected=found.selection.strategy,
            variants=greg.variants,
        )
        if advice is None or advice.action in (Advice.HOLD, Advice.HEDGE):
            return None
        orders = closing_orders(holding.legs)
        if advice.action is Advice.ROLL:
            again = self._sized(holding.code, means, holding.contracts)
            if isinstance(again, NoStructure):
                self.ledger.omit(now, holding.position_id, f"no roll: {again.reason}")
                return None
            orders += opening_orders(again)
        return Plan(position_id=holding.position_id, orders=orders, reason=ExitReason.GREG)

    def _entry(self, means: Means, found: EntryReading) -> Plan | None:
        """What the entry engine would open, where its safety filter could speak."""
        code, at = found.selection.strategy, means.snapshot.taken_at
        if code is StrategyCode.NO_TRADE or found.selection.safety_degraded:
            return None
        structure = self._sized(code, means, self.params.most)
        if isinstance(structure, NoStructure):
            self.ledger.omit(at, code, structure.reason)
            return None
        return Plan(
            position_id=f"{STRATEGY_ID}-{code}-{self.underlying}-{at:%Y%m%dT%H%M%S}",
            orders=opening_orders(structure),
            reason=code,
        )

    def _sized(self, code: StrategyCode, means: Means, most: float) -> Structure | NoStructure:
        """The contracts of *code* in the size of every cap, the coin held included."""
        greg = self.params.greg
        structure = structure_of(code, means.snapshot, greg.entry.windows)
        if isinstance(structure, NoStructure):
            return structure
        covered = _covered_amount(structure, means.account, means.snapshot.rules)
        if covered < means.snapshot.rules.min_amount:
            return NoStructure("the coin held covers none, or what is bought is not quoted")
        return sized_by(means, structure, greg.caps, min(most, covered))

    async def _carry_out(self, plan: Plan) -> None:
        position_id, held = plan.position_id, self._legs_of(plan.position_id)
        contracts = {leg.contract for leg in held}
        orders = [each for each in plan.orders if not each.reduces or each.contract in contracts]
        self.ledger.reasons[position_id] = plan.reason
        problem = await self._sent(position_id, orders)
        if not problem:
            return
        self.ledger.omit(self.desk.now, position_id, problem)
        if plan.opens:
            self.ledger.reasons[position_id] = ExitReason.GREG
            await self._sent(position_id, closing_orders(self._legs_of(position_id)))

    async def _sent(self, position_id: str, orders: Sequence[LegOrder]) -> str:
        """
        Send *orders*, each only once the one before is filled whole; why the rest was not sent.

        Nothing is sent if one of them has no price, nor of a structure that is opened if risk
        refuses one as things stand. Of a roll it is asked once what was held is gone.
        """
        reading = await read(self.desk, self.underlying)
        state = await risk_state(self.desk, reading)
        is_opening = not any(order.reduces for order in orders)
        for order in orders:
            intent = self._intent(order, position_id, reading)
            why = _refusal(intent, state) if is_opening else _unpriced(intent)
            if why:
                return f"{words_of(order)}: {why}"
        for order in orders:
            reading = await read(self.desk, self.underlying)
            why = await self._placed(self._intent(order, position_id, reading), reading)
            if why:
                return f"{words_of(order)}: {why}"
        return ""

    def _intent(
        self, order: LegOrder, position_id: str, reading: Reading
    ) -> OrderIntent | Unpriced:
        return leg_intent(order, position_id, drafting(self.desk, reading.snapshot))

    async def _placed(self, intent: OrderIntent | Unpriced, reading: Reading) -> str:
        """Send *intent*; why it was not filled whole, or nothing."""
        if isinstance(intent, Unpriced):
            return _unpriced(intent)
        record = await submit(self.desk, intent, reading)
        if record is None:
            why = _refusal(intent, await risk_state(self.desk, reading))
            return why or "stopped by a control"
        record = await out_of_doubt(self.desk, record)
        is_whole = record.state is OrderState.FILLED
        return "" if is_whole else f"{record.state} {record.reason}".strip()

    def _holding(self) -> Holding | None:
        """The structure that is held."""
        return next(iter(self._holdings()), None)

    def _holdings(self) -> tuple[Holding, ...]:
        positions = self.desk.keeper.book.open_positions(self.underlying)
        return tuple(each for each in map(holding_of, positions) if each is not None)

    def _legs_of(self, position_id: str) -> tuple[HeldLeg, ...]:
        position = self.desk.keeper.book.positions.get(position_id)
        holding = None if position is None else holding_of(position)
        return () if holding is None else holding.legs

    async def _sensors(self, snapshot: MarketSnapshot) -> SensorBundle:
        """Sensors by what was known at *snapshot*: no index of volatility is published here."""
        greg, at = self.params.greg, snapshot.taken_at
        since = at - greg.sensors.history
        history = self.desk.world.history
        return sensor_bundle(
            SensorInputs(
                underlying=self.underlying,
                now=at,
                data_source=greg.data_source,
                candles=await history.candles(self.underlying, _BAR, since, at),
                snapshot=snapshot,
            ),
            greg.sensors,
        )


def _refusal(intent: OrderIntent | Unpriced, state: RiskState) -> str:
    """Why *intent* cannot be sent; empty if it can."""
    if isinstance(intent, Unpriced):
        return _unpriced(intent)
    verdict = judge(intent, state)
    breaches = "; ".join(each.detail for each in verdict.breaches)
    return "" if verdict.approved else f"refused: {breaches}"


def _unpriced(intent: OrderIntent | Unpriced) -> str:
    return intent.reason if isinstance(intent, Unpriced) else ""


def _covered_amount(structure: Structure, account: Account, rules: ContractRules) -> float:
    """The contracts that a coin each would cover once what is bought has been paid."""
    bought = [leg.ask for leg in structure.legs if leg.side is Side.BUY]
    left = evolve(account, balance_coin=account.balance_coin / (1.0 + sum(bought)))
    if not isfinite(left.balance_coin):
        return 0.0
    return rules.amount(coin_lots(left, rules))
