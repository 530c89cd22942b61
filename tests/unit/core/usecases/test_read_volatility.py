"""What a venue tells of volatility in the loop: kept for a while, and never a reason to stop."""

import asyncio
from datetime import timedelta

import pytest
from attrs import define, evolve, field, frozen

from core.strategies.base import Proposal
from core.usecases.desk import Look
from core.usecases.read_volatility import KeptVolatility, volatility_now
from core.usecases.tick import run_tick
from core.view import TickView
from ports.decision_log import Action, ActionType
from ports.errors import Unavailable
from tests.support.markets import NOW, StillClock
from tests.support.scripts import scripted
from tests.support.sensing import ToldVolatility, daily_index


def told() -> ToldVolatility:
    """A venue that publishes all there is."""
    return ToldVolatility(closes=daily_index(NOW, [44.0, 46.0]), published=50.0, funding=-0.0001)


async def test_everything_that_is_published_is_read() -> None:
    """Index, realised volatility and funding; nobody to ask is no reading."""
    found = await volatility_now(told(), "BTC", NOW)

    assert found is not None
    assert found.daily is found.hourly is not None
    assert (found.published, found.funding, found.faults) == (50.0, -0.0001, ())
    assert await volatility_now(None, "BTC", NOW) is None


async def test_a_venue_that_is_away_leaves_it_unknown() -> None:
    """With its words once for each question, and no exception."""
    source = told()
    source.failure = Unavailable("closed")
    found = await volatility_now(source, "BTC", NOW)

    assert found is not None
    assert (found.daily, found.hourly, found.published, found.funding) == (None, None, None, None)
    assert len(found.faults) == 4
    assert all("closed" in each for each in found.faults)


@define(eq=False)
class Silent(ToldVolatility):
    """A venue that never says how volatile it was."""

    async def published_vol(self, underlying: str) -> float | None:
        """See Volatility."""
        never: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
        return await never


async def test_nobody_waits_for_long() -> None:
    """What was answered by then is known, and the rest is not."""
    source = Silent(closes=daily_index(NOW, [44.0]), funding=-0.0001)
    found = await volatility_now(source, "BTC", NOW, patience_s=0.01)

    assert found is not None
    assert found.hourly is not None
    assert (found.funding, found.published, found.daily) == (-0.0001, None, None)
    assert found.faults == ("volatility: no answer within 0.01 s",)


async def test_answers_are_kept_ten_minutes_and_failures_never() -> None:
    """Four questions, then none until ten minutes later; each coin has its own."""
    source, clock = told(), StillClock()
    kept = KeptVolatility(source=source, clock=clock)

    source.failure = Unavailable("closed")
    with pytest.raises(Unavailable):
        await kept.published_vol("BTC")
    source.failure, source.asked = None, 0
    for minutes, asked in ((0, 4), (1, 4), (9, 4), (10, 8)):
        clock.instant = NOW + timedelta(minutes=minutes)
        found = await volatility_now(kept, "BTC", clock.instant)
        assert found is not None
        assert (found.funding, source.asked) == (-0.0001, asked)
    await volatility_now(kept, "ETH", clock.instant)
    assert source.asked == 12


@frozen(eq=False)
class Watching:
    """A strategy that notes what it is shown."""

    views: list[TickView] = field(factory=list)
    strategy_id: str = "watching"
    policy_version: str = "1"
    underlyings: tuple[str, ...] = ("BTC",)

    def propose(self, view: TickView) -> Proposal:
        """See Strategy."""
        self.views.append(view)
        hold = Action(
            type=ActionType.DO_NOTHING,
            strategy_id=self.strategy_id,
            underlying=view.underlying,
            reason="watches",
            detail="",
        )
        return Proposal(actions=(hold,), candidates=(), skipped=())


@pytest.mark.parametrize("failure", [None, Unavailable("closed")])
async def test_a_tick_shows_it_to_every_strategy(failure: Unavailable | None) -> None:
    """What the venue publishes reaches the view; where it is away the tick goes on without."""
    stage, watching, source = scripted(), Watching(), told()
    stage.strategies = (watching,)
    source.failure = failure
    rig = await stage.rig()
    for volatility in (source, None):
        desk = evolve(rig.desk, world=evolve(rig.desk.world, volatility=volatility))
        await run_tick(desk, Look(desk, "BTC"), NOW + timedelta(hours=len(watching.views)))
    first, second = watching.views

    assert first.volatility is not None
    assert first.volatility.published == (50.0 if failure is None else None)
    assert second.volatility is None
