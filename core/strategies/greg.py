"""The Greg engines beside other strategies: what they advise, and no order."""

from attrs import field, frozen

from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import DataSource, SensorBundle, SensorInputs, SensorParams
from core.greg.advice import Suggestion
from core.greg.catalogue import StrategyCode
from core.greg.entry_variants import step_held
from core.greg.guard_facts import guard_facts
from core.greg.guards import Guard, with_guards
from core.greg.holdings import holding_of, position_of
from core.greg.management import FundingConvention, PositionRules, PositionVariant
from core.greg.modes import Mode
from core.greg.noting import Figures, figures_of, suggestion_entry, with_sensors
from core.greg.positions import advise
from core.greg.reading import EntryReading, entry_reading
from core.greg.size_facts import Means, sized_by
from core.greg.sizing import SizeCaps
from core.greg.structures import NoStructure, Structure, structure_of
from core.greg.thresholds import EntryRules
from core.greg.variant_facts import with_variant_facts
from core.strategies.base import Proposal
from core.view import TickView
from ports.decision_log import Action, ActionType
from ports.greg_log import GregAction, GregEntry
from ports.positions import TrackedPosition
from ports.volatility import VolatilityReading

REFUSED = "entry_refused"  # nothing listed fits what was chosen, or no cap leaves a lot of it


@frozen(kw_only=True)
class GregParams:
    """Which coins are looked at, by which rules, and the caps of what would be opened."""

    underlyings: tuple[str, ...] = ("BTC", "ETH")
    data_source: DataSource = DataSource.SYNTHETIC
    entry: EntryRules = field(factory=EntryRules)
    position: PositionRules = field(factory=PositionRules)
    sensors: SensorParams = field(factory=SensorParams)
    convention: FundingConvention = FundingConvention.AS_SPECIFIED
    variants: frozenset[PositionVariant] = frozenset()
    guards: tuple[Guard, ...] = ()
    caps: SizeCaps = field(factory=SizeCaps)
    mode: Mode = Mode.ADVICE_ONLY  # as the process begins: it is written beside each advice


@frozen
class Greg:
    """
    What the entry engine would open and the position engine would do, decision by decision.

    It is disabled for orders: every action is DO_NOTHING with its advice. An order can only come
    of a person's execution, through every gate.
    """

    strategy_id: str
    params: GregParams

    @property
    def policy_version(self) -> str:
        """Which rules these are."""
        return f"greg_v{self.params.entry.version}"

    @property
    def underlyings(self) -> tuple[str, ...]:
        """The coins it looks at."""
        return self.params.underlyings

    def propose(self, view: TickView) -> Proposal:
        """The advice for each position held, and what would be opened, with the reasons."""
        held = [each.code for each in map(holding_of, view.positions) if each is not None]
        reading = entry_reading(self._sensors(view), self.params.entry, step_held(held))
        judged = [
            found
            for position in view.positions
            if (found := self._judged(view, position, reading)) is not None
        ]
        entry = self._entry(view, reading)
        advice = [
            suggestion_entry(each.advice, view.now, self.params.mode, each.figures, reading)
            for each in judged
        ]
        if entry.reason == REFUSED:
            advice.append(self._refusal(view, reading, entry))
        return Proposal(
            actions=(*(self._held(view, each.advice) for each in judged), entry),
            candidates=(),
            skipped=(),
            advice=tuple(advice),
        )

    def _judged(
        self, view: TickView, position: TrackedPosition, reading: EntryReading
    ) -> "_Judged | None":
        holding, snapshot = holding_of(position), view.snapshot
        if holding is None:
            return None
        funding = None if view.volatility is None else view.volatility.funding
        facts = position_of(holding, snapshot, snapshot.taken_at, funding)
        facts = with_variant_facts(facts, holding, snapshot, reading.bundle.market)
        advice = advise(
            facts,
            self.params.position,
            convention=self.params.convention,
            selected=reading.selection.strategy,
            variants=self.params.variants,
        )
        if advice is None:
            return None
        told = guard_facts(facts, holding, snapshot, reading.bundle.market, view.account)
        advice = with_guards(advice, facts, told, self.params.guards)
        return _Judged(advice, figures_of(holding, facts, snapshot))

    def _sensors(self, view: TickView) -> SensorBundle:
        told = view.volatility or VolatilityReading()
        return sensor_bundle(
            SensorInputs(
                underlying=view.underlying,
                now=view.snapshot.taken_at,
                data_source=self.params.data_source,
                candles=view.candles,
                snapshot=view.snapshot,
                vol_index=told.daily,
                vol_index_now=told.hourly,
                published_vol=told.published,
                funding=told.funding,
                faults=told.faults,
            ),
            self.params.sensors,
        )

    def _held(self, view: TickView, advice: Suggestion) -> Action:
        return Action(
            type=ActionType.DO_NOTHING,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=f"advises_{advice.action.lower()}",
            detail=f"{advice.summary}: {advice.reason}",
            position_id=advice.position_id,
        )

    def _entry(self, view: TickView, reading: EntryReading) -> Action:
        selection = reading.selection
        reason, detail = "no_setup", f"{selection.strategy} at {selection.step_name}"
        detail += f": {selection.reasoning}"
        if selection.safety_degraded:
            detail += "; the safety filter lacks a sensor"
        if selection.strategy is not StrategyCode.NO_TRADE:
            found = self._opening(view, selection.strategy)
            is_refused = isinstance(found, NoStructure)
            reason = REFUSED if is_refused else "advises_entry"
            detail += f"; {_words(found)}; disabled for orders"
        return Action(
            type=ActionType.DO_NOTHING,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=reason,
            detail=detail,
        )

    def _opening(self, view: TickView, code: StrategyCode) -> Structure | NoStructure:
        """The contracts that would be traded, in the size that every cap allows."""
        params = self.params
        structure = structure_of(code, view.snapshot, params.entry.windows)
        if isinstance(structure, NoStructure):
            return structure
        held = [each for each in map(holding_of, view.positions) if each is not None]
        means = Means(snapshot=view.snapshot, account=view.account, held=held)
        return sized_by(means, structure, params.caps)

    def _refusal(self, view: TickView, reading: EntryReading, entry: Action) -> GregEntry:
        """The line of the log that says why nothing would be opened."""
        code = reading.selection.strategy
        line = GregEntry(
            timestamp=view.now,
            underlying=view.underlying,
            strategy_type=code,
            position_id=f"{self.strategy_id}-{code}-{view.underlying}",
            action_type=GregAction.OPEN,
            mode=self.params.mode,
            reason=entry.detail,
            spot_price=view.snapshot.index_usd,
            extra_info={"refused": True, "gate": "opening"},
        )
        return with_sensors(line, reading.bundle.sensors)


@frozen
class _Judged:
    """The advice for one position, and the figures it is logged with."""

    advice: Suggestion
    figures: Figures


def _words(found: Structure | NoStructure) -> str:
    """The contracts that would be traded, in words, or why none."""
    if isinstance(found, NoStructure):
        return f"not opened: {found.reason}"
    legs = ", ".join(f"{leg.side} {leg.contract.symbol}" for leg in found.legs)
    return f"{found.amount:g} contracts each: {legs}"
