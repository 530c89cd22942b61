"""Health in the loop: what is checked, what pauses, what resumes, and how a start goes."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from attrs import define, evolve

from adapters.memory.decision_log import MemoryDecisionLog
from core.health.checks import CheckStatus
from core.health.guard import HealthParams, StartPolicy
from core.usecases.agent import REFUSED, Agent, Unhealthy
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.check_health import check_health
from core.usecases.desk import account_now, read, risk_state
from ports.decision_log import (
    Alarm,
    Closed,
    Decided,
    Entry,
    Halted,
    HealthChanged,
    HealthState,
    Opened,
    Record,
    Sent,
    Ticked,
)
from ports.errors import Malformed, PortError, Severity, StoreUnwritable, Unauthorised, Unavailable
from ports.trading import Account, Side
from tests.support.markets import NOW
from tests.support.scripts import FIRST, scripted, shown
from tests.support.worlds import FaultyTrading, Rig, Stage

MINUTE = timedelta(minutes=1)
WATCHED = HealthParams()
STRICT = HealthParams(start_policy=StartPolicy.ABORT)


def watched(ticks: int = 9, health: HealthParams = WATCHED) -> Stage:
    """A quiet market, shown and looked at each minute, and an agent that watches its health."""
    stage = scripted()
    stage.ticks = [NOW + number * MINUTE for number in range(ticks)]
    stage.shown = [shown(at, 100_000.0, (FIRST, 104_000.0)) for at in stage.ticks]
    stage.params = evolve(stage.params, health=health)
    return stage


async def failing_between(
    stage: Stage, failures: Mapping[int, PortError | None], last: int | None = None
) -> Rig:
    """A life in which the market fails as *failures* say, by the number of ticks done before."""
    done = 0

    def watch(entry: Entry) -> None:
        nonlocal done
        done += isinstance(entry, Ticked)
        if done in failures:
            rig.market.failure = failures[done]

    rig = await stage.rig(watch=watch)
    await Agent(rig.desk, asyncio.Event()).run(ticks=last)
    return rig


async def changes(stage: Stage) -> list[tuple[HealthState, bool]]:
    """Each change of health in the journal, and whether it pauses new risk."""
    entries = await stage.entries()
    return [(each.state, each.is_pausing) for each in entries if isinstance(each, HealthChanged)]


def no_answer() -> Unavailable:
    """An outage."""
    return Unavailable("no answer")


async def statuses(rig: Rig, keeper: Bookkeeper | None = None) -> dict[str, CheckStatus]:
    """Each check by its name."""
    report = await check_health(evolve(rig.desk, keeper=keeper or rig.desk.keeper), WATCHED)
    return {each.name: each.status for each in report.results}


async def test_all_is_well_and_nothing_is_written() -> None:
    """Every check is named; the journal is that of an agent without them."""
    rig = await watched().rig()

    found = await statuses(rig)
    assert list(found) == [
        "market BTC",
        "account BTC",
        "clock BTC",
        "equity",
        "controls",
        "disk",
        "stores",
        "orders",
        "rejections",
        "halt",
    ]
    assert set(found.values()) == {CheckStatus.OK, CheckStatus.SKIPPED}
    assert await rig.stage.entries() == []


async def test_a_life_in_health_leaves_no_trace() -> None:
    """Watched or not, the journals are equal byte for byte."""
    plain, stage = scripted(), scripted()
    stage.params = evolve(stage.params, health=WATCHED)
    for each in (plain, stage):
        await Agent((await each.rig()).desk, asyncio.Event()).run()

    seals = [
        [record.checksum async for record in each.journal.records()] for each in (plain, stage)
    ]
    assert seals[0] == seals[1]


@define(eq=False)
class Silent(FaultyTrading):
    """Trading whose account never answers."""

    async def account(self, underlying: str) -> Account:
        """See Trading; nobody sets this event."""
        await asyncio.Event().wait()
        return await self.venue.account(underlying)


async def test_a_check_that_hangs_is_a_failing_check() -> None:
    """It ends in its time, as something that may pass; the others are still made."""
    rig = await watched().rig()
    world = evolve(rig.desk.world, trading=Silent(rig.trading.venue))
    desk = evolve(rig.desk, world=world)
    report = await check_health(desk, HealthParams(check_within=timedelta(milliseconds=5)))

    found = {each.name: each for each in report.results}
    assert found["account BTC"].severity is Severity.TRANSIENT
    assert "within 0.005 s" in found["account BTC"].detail
    assert found["equity"].status is CheckStatus.SKIPPED
    assert found["halt"].status is CheckStatus.OK


@define(eq=False)
class Broken(FaultyTrading):
    """Trading with a fault of its own."""

    async def account(self, underlying: str) -> Account:
        """See Trading."""
        raise ValueError(f"{underlying} is not a number")


async def test_a_check_that_raises_is_a_failing_check() -> None:
    """What is no failure of the outside is DEGRADED, with what was raised."""
    rig = await watched().rig()
    world = evolve(rig.desk.world, trading=Broken(rig.trading.venue))
    report = await check_health(evolve(rig.desk, world=world), WATCHED)

    (result,) = [each for each in report.results if each.severity is not None]
    assert (result.name, result.severity) == ("account BTC", Severity.DEGRADED)
    assert "BTC is not a number" in result.detail


class Full(MemoryDecisionLog):
    """A journal that takes nothing."""

    async def append(self, entry: Entry) -> Record:
        """See DecisionLog."""
        raise StoreUnwritable(f"no room for {type(entry).__name__}")


async def test_a_store_that_failed_is_remembered() -> None:
    """The journal's last result is the answer of its check."""
    rig = await watched().rig()
    await rig.desk.keeper.record(Closed(at=NOW, reason="test"))
    assert (await statuses(rig))["stores"] is CheckStatus.OK

    keeper = Bookkeeper(Full(), rig.stage.snapshots, "test")
    with pytest.raises(StoreUnwritable):
        await keeper.record(Closed(at=NOW, reason="test"))
    assert (await statuses(rig, keeper=keeper))["stores"] is CheckStatus.FAIL


async def test_one_lost_answer_is_transient_and_pauses_nothing() -> None:
    """The tick that lacks its data is lost; the next success ends it."""
    stage = watched()
    await failing_between(stage, {1: no_answer(), 2: None})

    assert await changes(stage) == [(HealthState.TRANSIENT, False), (HealthState.OK, False)]


async def test_three_failures_pause_and_three_clean_checks_resume() -> None:
    """While paused every opening is refused by the kill switch's control; then it goes on."""
    stage = watched()
    await failing_between(stage, {0: no_answer(), 3: None})

    assert await changes(stage) == [
        (HealthState.TRANSIENT, False),
        (HealthState.DEGRADED, True),
        (HealthState.OK, False),
    ]
    entries = await stage.entries()
    over = next(each.at for each in entries if getattr(each, "state", None) is HealthState.OK)
    refused = [
        breach
        for each in entries
        if isinstance(each, Decided) and each.at < over
        for verdict in each.verdicts
        for breach in verdict.breaches
    ]
    assert {breach.control for breach in refused} == {19}
    assert "no answer" in refused[0].detail
    sent = [each.at for each in entries if isinstance(each, Sent)]
    assert sent
    assert min(sent) >= over


async def test_a_pause_lets_closings_go() -> None:
    """A profit is taken while new risk waits."""
    stage = watched()
    far = [shown(at, 90_000.0, (FIRST, 104_000.0)) for at in stage.ticks[3:]]
    stage.shown = [*stage.shown[:3], *far]
    await failing_between(stage, {1: Malformed("half a chain"), 2: None})

    entries = await stage.entries()
    paused, resumed = (each.at for each in entries if isinstance(each, HealthChanged))
    while_paused = [
        each.intent.side
        for each in entries
        if isinstance(each, Sent) and paused <= each.at < resumed
    ]
    assert while_paused == [Side.BUY]


async def test_a_pause_can_be_switched_off() -> None:
    """auto_kill_on_health_fail off: the state is written down, and trading goes on."""
    stage = watched(health=HealthParams(is_pausing=False))
    await failing_between(stage, {0: Malformed("half a chain"), 1: None})

    assert (await changes(stage))[0] == (HealthState.DEGRADED, False)
    assert any(isinstance(each, Decided) and each.approved for each in await stage.entries())


async def test_a_refused_key_halts_until_a_person_releases() -> None:
    """FATAL is latched: the venue answering again is not enough, the release is."""
    stage = watched(ticks=12)
    await failing_between(stage, {0: Unauthorised("key"), 2: None}, last=6)
    assert (await changes(stage))[-1] == (HealthState.FATAL, True)
    assert [each for each in await stage.entries() if isinstance(each, Halted)]
    assert not [each for each in await stage.entries() if isinstance(each, Sent)]

    await stage.controls.change(NOW, "me", "key renewed", {"kill_switch": False})
    await failing_between(stage, {})
    assert (await changes(stage))[-1] == (HealthState.OK, False)
    assert [each for each in await stage.entries() if isinstance(each, Sent)]


async def test_a_pause_outlives_the_process() -> None:
    """The next process is paused until its own checks were clean for long enough."""
    stage = watched()
    await failing_between(stage, {1: Malformed("half a chain")}, last=2)
    rig = await stage.rig()

    assert (rig.desk.keeper.book.health, rig.desk.keeper.book.is_paused) == (
        HealthState.DEGRADED,
        True,
    )
    await Agent(rig.desk, asyncio.Event()).run()
    assert (await changes(stage))[-1] == (HealthState.OK, False)


@pytest.mark.parametrize("error", [Malformed("half"), Unauthorised("key")])
async def test_mainnet_does_not_start_on_what_does_not_pass(error: PortError) -> None:
    """The book is put down, nothing was decided, and the error says why."""
    stage = watched(health=STRICT)
    rig = await stage.rig()
    rig.market.failure = error

    with pytest.raises(Unhealthy, match=str(error)):
        await Agent(rig.desk, asyncio.Event()).run()
    entries = await stage.entries()
    assert isinstance(entries[-1], Closed)
    assert entries[-1].reason == REFUSED
    assert not [each for each in entries if isinstance(each, Decided | Ticked)]


@pytest.mark.parametrize(("failing", "starts"), [(3, True), (99, False)])
async def test_mainnet_waits_a_minute_for_what_passes(failing: int, starts: bool) -> None:
    """Within it the start succeeds, after it the start is refused."""
    stage = watched(health=STRICT)
    rig = await stage.rig()
    rig.trading.failing["account"] = failing
    began = rig.clock.now()
    if starts:
        await Agent(rig.desk, asyncio.Event()).run(ticks=1)
        assert [each for each in await stage.entries() if isinstance(each, Ticked)]
        return
    with pytest.raises(Unhealthy, match="no answer"):
        await Agent(rig.desk, asyncio.Event()).run(ticks=1)
    assert rig.clock.now() - began == MINUTE


async def test_testnet_stays_up_and_says_why() -> None:
    """What refuses a start on mainnet leaves testnet ticking, paused, with its reason."""
    stage = watched()
    with pytest.raises(Unhealthy, match="never taken up"):
        await failing_between(stage, {0: Malformed("half a chain")}, last=3)
    entries = await stage.entries()

    assert [each for each in entries if isinstance(each, Ticked)]
    assert not [each for each in entries if isinstance(each, Decided)]
    (change,) = [each for each in entries if isinstance(each, HealthChanged)]
    assert (change.state, change.is_pausing) == (HealthState.DEGRADED, True)
    assert "half a chain" in change.cause


async def test_a_start_that_waits_can_be_stopped() -> None:
    """The stop ends the waiting, and nothing is refused by it."""
    stage, stop = watched(health=STRICT), asyncio.Event()

    def stop_it(entry: Entry) -> None:
        if isinstance(entry, Alarm):
            stop.set()

    rig = await stage.rig(watch=stop_it)
    rig.trading.failing["activity"] = 99
    began = rig.clock.now()
    await Agent(rig.desk, stop).run()

    assert rig.clock.now() == began
    assert isinstance((await stage.entries())[-1], Closed)


@define(eq=False)
class Elsewhen(FaultyTrading):
    """Trading of a venue whose clock is *ahead* of ours."""

    ahead: timedelta = timedelta(0)

    async def account(self, underlying: str) -> Account:
        """See Trading."""
        account = await self.venue.account(underlying)
        return evolve(account, read_at=account.read_at + self.ahead)


@pytest.mark.parametrize("ahead_s", [-7.0, -1.0, 0.0, 1.0, 7.0])
async def test_risk_sees_the_skew_of_our_clock(ahead_s: float) -> None:
    """As measured by the account just read: positive where ours is ahead."""
    rig = await watched().rig()
    trading = Elsewhen(rig.trading.venue, ahead=timedelta(seconds=ahead_s))
    desk = evolve(rig.desk, world=evolve(rig.desk.world, trading=trading))
    state = await risk_state(desk, await read(desk, "BTC"))

    assert state.clock_skew.total_seconds() == -ahead_s
    assert (await account_now(desk, "BTC")).clock_skew == state.clock_skew


async def test_the_time_an_answer_takes_is_no_skew() -> None:
    """A venue that read the account between our asking and its answer agrees with us."""
    rig = await watched().rig()

    @define(eq=False)
    class Slow(FaultyTrading):
        async def account(self, underlying: str) -> Account:
            account = await self.venue.account(underlying)
            await rig.later(seconds=3)
            return account

    desk = evolve(rig.desk, world=evolve(rig.desk.world, trading=Slow(rig.trading.venue)))
    assert (await account_now(desk, "BTC")).clock_skew == timedelta(0)


async def test_taking_up_the_book_is_tried_again() -> None:
    """A venue that is back within the minute costs an alarm each time, and the life is whole."""
    stage = scripted()
    rig = await stage.rig()
    rig.trading.failing["activity"] = 3
    await Agent(rig.desk, asyncio.Event()).run()

    told = [type(entry) for entry in await stage.entries()]
    assert told[:4] == [Opened, Alarm, Alarm, Alarm]
    assert (told.count(Opened), told.count(Alarm)) == (1, 3)
    assert Decided in told
