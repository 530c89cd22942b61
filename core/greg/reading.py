"""One look at a coin: its sensors, what the entry engine chooses, and why nothing else."""

from attrs import frozen

from core.context.sensor_values import SensorBundle
from core.greg.entry_variants import selected
from core.greg.evaluations import Evaluation, evaluations
from core.greg.thresholds import EntryRules
from core.greg.waterfall import Selection


@frozen(kw_only=True)
class EntryReading:
    """What is advised for a coin now; *is_executable* says whether an entry could be at all."""

    bundle: SensorBundle
    selection: Selection
    evaluations: tuple[Evaluation, ...]

    @property
    def is_executable(self) -> bool:
        """Whether the market is real and the safety filter could speak."""
        return not (self.bundle.is_synthetic or self.selection.safety_degraded)


def entry_reading(bundle: SensorBundle, rules: EntryRules, before: str = "") -> EntryReading:
    """Return what *rules* say of *bundle*; *before* is the step that chose last, if any did."""
    selection = selected(bundle, rules, before)
    limits = rules.of(bundle.underlying).thresholds
    return EntryReading(
        bundle=bundle, selection=selection, evaluations=evaluations(selection, limits)
    )
