"""What Greg's desk remembers between evaluations, looks at, and writes of a dismissal."""

from datetime import datetime

import pytest
from attrs import define, evolve, field

from core.context.sensor_values import DataSource, MarketFacts, SensorBundle
from core.context.sensors import Sensors
from core.greg.catalogue import StrategyCode
from core.greg.entry_terms import EntryTerms, EntryVariant
from core.greg.guards import Guard
from core.greg.thresholds import EntryRules
from ports.greg_journal import GregEvent, GregNoted
from tests.support.greg_desks import OPEN, STRADDLE, GregRig, greg_rig, params
from tests.support.greg_markets import STRADDLE as CALM


@define
class ToldSensors:
    """Sensors of an exchange that are what they are told to be."""

    sensors: Sensors
    market: MarketFacts = field(factory=MarketFacts)

    async def read(self, underlying: str, now: datetime) -> SensorBundle:
        """See Sensing."""
        return SensorBundle(
            underlying=underlying,
            at=now,
            data_source=DataSource.EXCHANGE,
            sensors=self.sensors,
            market=self.market,
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


async def guarded(*guards: Guard) -> GregRig:
    """A straddle's call on a day its coin fell by twelve percent, with *guards* in use."""
    terms = params()
    terms = evolve(terms, advice=evolve(terms.advice, guards=guards))
    rig = await greg_rig(OPEN, terms, STRADDLE)
    rig.greg.sensors = ToldSensors(CALM, MarketFacts(index_day_pct=-12.0))
    rig.rig.trading.reads.clear()
    return rig


async def test_a_guard_reads_the_account_and_is_logged() -> None:
    """What fires stands in the metrics of the advice and beside its line in the log."""
    rig = await guarded(Guard.OWN_CRASH)
    await rig.rig.later(hours=7)
    await rig.greg.evaluate()
    said = rig.greg.store.standing().of(STRADDLE)
    told = [
        each.entry.extra_info
        for each in await rig.rig.stage.entries()
        if isinstance(each, GregNoted) and each.event is GregEvent.SUGGESTED
    ]

    assert said is not None
    assert "-12.0 % in a day" in str(said.metrics["guard_own_crash"])
    assert rig.rig.trading.reads == ["account"]
    assert told[-1]["guard_own_crash"] == said.metrics["guard_own_crash"]


async def test_an_account_that_is_away_stops_no_advice() -> None:
    """It is named; without a guard that looks at it nobody asks."""
    rig = await guarded(Guard.OWN_CRASH)
    rig.rig.trading.failing["account"] = 1
    standing = await rig.greg.evaluate()
    assert standing.of(STRADDLE) is not None
    assert rig.greg.faults == ("account in BTC: account: no answer",)

    plain = await guarded(Guard.TIGHT_DELTA)
    await plain.greg.evaluate()
    assert plain.rig.trading.reads == []
