"""The Greg engines beside other strategies: what they advise, and no order."""

from attrs import field, frozen

from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import DataSource, SensorBundle, SensorInputs, SensorParams
from core.greg.advice import Suggestion
from core.greg.catalogue import StrategyCode
from core.greg.entry_variants import step_held
from core.greg.holdings import holding_of, position_of
from core.greg.management import FundingConvention, PositionRules, PositionVariant
from core.greg.modes import Mode
from core.greg.noting import Figures, figures_of, suggestion_entry
from core.greg.positions import advise
from core.greg.reading import EntryReading, entry_reading
from core.greg.structures import NoStructure, Structure, structure_of
from core.greg.thresholds import EntryRules
from core.greg.variant_facts import with_variant_facts
from core.strategies.base import Proposal
from core.view import TickView
from ports.decision_log import Action, ActionType
from ports.positions import TrackedPosition
from ports.volatility import VolatilityReading


@frozen(kw_only=True)
class GregParams:
    """Which coins are looked at, and by which rules."""

    underlyings: tuple[str, ...] = ("BTC", "ETH")
    data_source: DataSource = DataSource.SYNTHETIC
    entry: EntryRules = field(factory=EntryRules)
    position: PositionRules = field(factory=PositionRules)
    sensors: SensorParams = field(factory=SensorParams)
    convention: FundingConvention = FundingConvention.AS_SPECIFIED
    variants: frozenset[PositionVariant] = frozenset()
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
        return Proposal(
            actions=(
                *(self._held(view, each.advice) for each in judged),
                self._entry(view, reading),
            ),
            candidates=(),
            skipped=(),
            advice=tuple(
                suggestion_entry(each.advice, view.now, self.params.mode, each.figures, reading)
                for each in judged
            ),
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
        return None if advice is None else _Judged(advice, figures_of(holding, facts, snapshot))

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
        detail = f"{selection.strategy} at {selection.step_name}: {selection.reasoning}"
        if selection.safety_degraded:
            detail += "; the safety filter lacks a sensor"
        reason = "no_setup"
        if selection.strategy is not StrategyCode.NO_TRADE:
            reason = "advises_entry"
            detail += f"; {_wish(self.params, view, selection.strategy)}; disabled for orders"
        return Action(
            type=ActionType.DO_NOTHING,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason=reason,
            detail=detail,
        )


@frozen
class _Judged:
    """The advice for one position, and the figures it is logged with."""

    advice: Suggestion
    figures: Figures


def _wish(params: GregParams, view: TickView, code: StrategyCode) -> str:
    """The contracts that would be traded, in words."""
    found: Structure | NoStructure = structure_of(code, view.snapshot, params.entry.windows)
    if isinstance(found, NoStructure):
        return found.reason
    return ", ".join(f"{leg.side} {leg.contract.symbol}" for leg in found.legs)
