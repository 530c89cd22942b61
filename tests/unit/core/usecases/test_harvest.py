"""The harvest: passes, retries, failures that are written down, and what is derived."""

from datetime import timedelta

import numpy as np
import pytest
from attrs import evolve

from adapters.memory.clock import SteppedClock
from adapters.memory.snapshots import MemorySnapshots
from core.pricing.black76 import premium_coin
from core.usecases.harvest import Harvester, HarvestParams, HarvestPass, derive
from ports.errors import Malformed, PortError, StoreUnwritable, Unavailable
from ports.instruments import Settlement
from ports.snapshots import DerivedColumns, Harvest, Kept
from tests.support.harvests import ToldSource, sound_chain, sound_harvest, with_chain
from tests.support.markets import NOW

INTERVAL = timedelta(minutes=15)
AWAY = Unavailable("no answer")


def harvester(
    *, archive: MemorySnapshots | None = None, **script: list[PortError | tuple[Harvest, ...]]
) -> Harvester:
    """Of the currencies in *script*, from NOW on."""
    params = HarvestParams(currencies=tuple(script), interval=INTERVAL)
    return Harvester(
        source=ToldSource(dict(script)),
        archive=archive or MemorySnapshots(),
        clock=SteppedClock(NOW, ()),
        params=params,
    )


def at(minutes: float) -> tuple[Harvest, ...]:
    return (sound_harvest(NOW + timedelta(minutes=minutes)),)


async def test_a_pass_keeps_every_family() -> None:
    """Of every currency, with rows and file told."""
    linear = sound_harvest(settlement=Settlement.LINEAR)
    sol = sound_harvest(underlying="SOL", settlement=Settlement.LINEAR)
    made = harvester(BTC=[at(0)], USDC=[(linear, sol)])
    done = await made.once()

    assert [each.family for each in done.kept] == ["BTC", "BTC_USDC", "SOL_USDC"]
    assert [each.kept.rows for each in done.kept] == [20, 20, 20]
    assert (done.failed, done.empty, done.is_whole) == ((), (), True)
    assert await made.archive.families() == ("BTC", "BTC_USDC", "SOL_USDC")


async def test_a_failure_that_may_pass_is_tried_again() -> None:
    """After waits of two and four seconds, and nothing is lost."""
    made = harvester(BTC=[AWAY, AWAY, at(0)])
    done = await made.once()

    assert done.is_whole
    assert made.clock.now() == NOW + timedelta(seconds=6)


async def test_a_failure_that_lasts_is_written_down() -> None:
    """After four tries the next currency has its turn, and the pass tells why."""
    made = harvester(BTC=[AWAY], ETH=[at(0)])
    done = await made.once()

    assert [(each.what, each.tries, each.reason) for each in done.failed] == [
        ("BTC", 4, "no answer")
    ]
    assert len(done.kept) == 1
    assert not done.is_whole


async def test_a_failure_that_will_not_pass_is_not_tried_again() -> None:
    """An answer that makes no sense is written down at once."""
    made = harvester(BTC=[Malformed("no list")])
    done = await made.once()

    assert done.failed[0].tries == 1
    assert made.clock.now() == NOW


async def test_nothing_listed_is_told_apart_from_a_failure() -> None:
    """A currency without options is named, and an empty pass is not whole."""
    done = await harvester(BTC=[at(0)], USDC=[()]).once()
    nothing = await harvester(USDC=[()]).once()

    assert (done.empty, done.is_whole) == (("USDC",), True)
    assert not nothing.is_whole


async def test_passes_come_an_interval_apart() -> None:
    """From the beginning of one to that of the next, as often as was asked."""
    told: list[HarvestPass] = []
    made = harvester(BTC=[at(0), at(15), at(30)])

    assert await made.on(told.append, 3) == 3
    assert [each.started_at - NOW for each in told] == [number * INTERVAL for number in range(3)]
    assert len(await made.archive.instants("BTC")) == 3


async def test_a_failed_pass_does_not_end_the_loop() -> None:
    """The next one is on time."""
    told: list[HarvestPass] = []
    made = harvester(BTC=[Malformed("no list"), at(15)])
    await made.on(told.append, 2)

    assert [each.is_whole for each in told] == [False, True]
    assert told[1].started_at == NOW + INTERVAL


async def test_an_overrun_is_followed_by_the_next_pass_at_once() -> None:
    """And the time that was missed is not made up for."""
    told: list[HarvestPass] = []
    made = harvester(BTC=[AWAY, AWAY, AWAY, AWAY, at(20)])
    made.params = evolve(made.params, first_wait=timedelta(minutes=6), longest_wait=INTERVAL)
    await made.on(told.append, 3)

    assert told[0].took == timedelta(minutes=6 + 12 + 15)
    assert told[1].started_at == told[0].ended_at
    assert told[2].started_at == told[1].started_at + INTERVAL


async def test_a_clock_that_goes_back_is_noted() -> None:
    """The snapshot is kept in its place, and the pass says so."""
    made = harvester(BTC=[at(15), at(0)])
    await made.once()
    done = await made.once()

    assert "clock went back" in done.kept[0].notes[0]
    assert len(await made.archive.instants("BTC")) == 2


async def test_a_full_disk_is_a_failure_and_no_end() -> None:
    """The pass names the family and the reason; the next finds room."""

    class FullOnce(MemorySnapshots):
        tries = 0

        async def keep(self, harvest: Harvest, derived: DerivedColumns) -> Kept:
            self.tries += 1
            if self.tries == 1:
                raise StoreUnwritable("no space left")
            return await super().keep(harvest, derived)

    made = harvester(archive=FullOnce(), BTC=[at(0)])
    first, second = await made.once(), await made.once()

    assert [(each.what, each.reason) for each in first.failed] == [("BTC", "no space left")]
    assert second.is_whole


@pytest.mark.parametrize("settlement", Settlement)
def test_derived_volatilities_lead_back_to_the_quotes(settlement: Settlement) -> None:
    """Black-76 at the volatility of a quote is the quote, in coin as in USDC."""
    harvest = sound_harvest(settlement=settlement)
    chain, derived = harvest.market.chain, derive(harvest.market)
    tenor = chain.years_left(NOW)
    per_coin = chain.forward if settlement is Settlement.LINEAR else np.ones(len(chain))
    for quote, iv in ((chain.bid, derived.bid_iv), (chain.ask, derived.ask_iv)):
        known = np.isfinite(iv)
        prices = premium_coin(chain.forward, chain.strike, tenor, iv, chain.is_call) * per_coin
        assert known.sum() >= 18
        assert np.allclose(prices[known], quote[known], rtol=1e-9)


def test_derived_greeks_obey_the_law_of_calls_and_puts() -> None:
    """Deltas of a pair differ by one; gamma, vega and theta are the same."""
    derived = derive(sound_harvest().market)

    assert np.allclose(derived.delta[::2] - derived.delta[1::2], 1.0, atol=1e-12)
    for column in (derived.gamma, derived.vega, derived.theta):
        assert np.allclose(column[::2], column[1::2], rtol=1e-9)
    assert (derived.theta < 0).all()


def test_a_quote_without_time_value_has_no_volatility() -> None:
    """At intrinsic value or below, or where nothing is quoted, it is not known."""
    chain = sound_chain()
    bid = np.where(np.arange(20) % 2 == 0, np.maximum(1 - chain.strike / chain.forward, 0), np.nan)
    harvest = with_chain(sound_harvest(), evolve(chain, bid=bid))

    assert np.isnan(derive(harvest.market).bid_iv).all()
