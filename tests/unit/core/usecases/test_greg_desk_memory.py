"""What Greg's desk remembers between evaluations, and what a person's dismissal writes."""

from datetime import datetime

import pytest
from attrs import define, evolve

from core.context.sensor_values import DataSource, SensorBundle
from core.context.sensors import Sensors
from core.greg.catalogue import StrategyCode
from core.greg.entry_terms import EntryTerms, EntryVariant
from core.greg.thresholds import EntryRules
from tests.support.greg_desks import OPEN, STRADDLE, greg_rig, params
from tests.support.greg_markets import STRADDLE as CALM


@define
class ToldSensors:
    """Sensors of an exchange that are what they are told to be."""

    sensors: Sensors

    async def read(self, underlying: str, now: datetime) -> SensorBundle:
        """See Sensing."""
        return SensorBundle(
            underlying=underlying, at=now, data_source=DataSource.EXCHANGE, sensors=self.sensors
        )


@pytest.mark.parametrize(
    ("variants", "stays"),
    [(frozenset[EntryVariant](), False), (frozenset({EntryVariant.HYSTERESIS}), True)],
)
async def test_a_choice_holds_on_within_its_band(
    variants: frozenset[EntryVariant], stays: bool
) -> None:
    """By what the desk chose before; without the variant it goes with the limit."""
    terms = evolve(params(), entry=EntryRules(terms=EntryTerms(variants=variants)))
    rig = await greg_rig(OPEN, terms)
    chosen = []
    for vrp in (16.0, 14.5):
        rig.greg.sensors = ToldSensors(evolve(CALM, vrp_30d=vrp))
        await rig.greg.evaluate()
        chosen.append(rig.greg.seen[STRADDLE].reading.selection.strategy)

    assert chosen[0] is StrategyCode.STRADDLE
    assert (chosen[1] is StrategyCode.STRADDLE) == stays


async def test_what_is_held_was_chosen_first() -> None:
    """A desk that starts beside a straddle keeps to it, as if it had chosen it itself."""
    variants = frozenset({EntryVariant.HYSTERESIS})
    terms = evolve(params(), entry=EntryRules(terms=EntryTerms(variants=variants)))
    rig = await greg_rig(OPEN, terms, STRADDLE)
    rig.greg.chosen = {}
    rig.greg.sensors = ToldSensors(evolve(CALM, vrp_30d=14.5))
    await rig.greg.evaluate()

    assert rig.greg.seen[STRADDLE].reading.selection.strategy is StrategyCode.STRADDLE


async def test_a_dismissal_is_written_and_changes_nothing() -> None:
    """IGNORE, unexecuted, with what was dismissed; what nobody advised cannot be dismissed."""
    rig = await greg_rig()
    said = rig.greg.store.standing().of(STRADDLE)
    assert said is not None
    await rig.greg.dismiss(STRADDLE)
    (row,) = await rig.rows()

    assert (row.action_type, row.suggested, row.executed) == ("IGNORE", True, False)
    assert row.extra_info["dismissed"] == said.action
    assert rig.greg.store.standing().of(STRADDLE) == said
    with pytest.raises(LookupError, match="nothing is advised for nobody"):
        await rig.greg.dismiss("nobody")
