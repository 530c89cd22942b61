"""The sensors of past days, one row a day, with what the entry engine chose and why."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta

from attrs import frozen

from core.context.sensor_values import SensorBundle
from core.greg.entry_variants import selected
from core.greg.thresholds import EntryRules
from core.greg.waterfall import Selection
from core.usecases.read_sensors import SensorReader
from ports.clock import Clock


@frozen(kw_only=True)
class SensorDay:
    """One day by what was known when it ended."""

    day: date
    bundle: SensorBundle
    selection: Selection

    @property
    def is_missing(self) -> bool:
        """Whether nothing at all is known of the day."""
        return all(reading.value is None for reading in self.bundle.readings)

    @property
    def why_missing(self) -> str:
        """What could not be had; empty where everything was."""
        return "; ".join(self.bundle.faults)


async def sensor_days(
    reader: SensorReader,
    clock: Clock,
    underlying: str,
    span: tuple[date, date],
    rules: EntryRules,
) -> AsyncIterator[SensorDay]:
    """Yield each day of *span*, both ends included, moving *clock* to the midnight after it."""
    (first, last), before = span, ""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        ended_at = datetime.combine(day + timedelta(days=1), time(), UTC)
        await clock.sleep_until(ended_at)
        bundle = await reader.read(underlying, ended_at)
        selection = selected(bundle, rules, before)
        before = selection.step_name
        yield SensorDay(day=day, bundle=bundle, selection=selection)
