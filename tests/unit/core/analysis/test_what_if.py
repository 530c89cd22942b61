"""What ignored suggestions would have earned: by hand, like with like, with its uncertainty."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from attrs import evolve

from adapters.memory.decision_log import MemoryDecisionLog
from adapters.memory.snapshots import MemorySnapshots
from core.analysis.what_if import Marks, StoredMarks, Suggested, WhatIf, what_if
from core.greg.catalogue import StrategyCode
from core.greg.holdings import HeldLeg, Holding
from core.usecases.greg_what_if import told_by, with_archive
from ports.decision_log import Entry, Marked
from ports.greg_journal import GregEvent, GregNoted, SandboxClosed, SandboxLeg, SandboxOpened
from ports.greg_log import GregEntry
from ports.marks import PositionMark
from tests.support.markets import FRIDAY, NOW, Listed, put, snapshot

PUT = put(95_000.0)
DAY = timedelta(days=1)
HOLDING = Holding(
    position_id="sandbox_BTC_STRATEGY_C_SHORT_PUT_1",
    code=StrategyCode.SHORT_PUT,
    underlying="BTC",
    legs=(HeldLeg(PUT, -2.0, 0.030),),
    opened_at=NOW,
)
ENTRY = GregEntry(
    timestamp=NOW,
    underlying="BTC",
    strategy_type="STRATEGY_C_SHORT_PUT",
    position_id=HOLDING.position_id,
    action_type="TAKE_PROFIT",
    mode="advice_only",
    net_delta=0.4,
)


def suggested(
    action: str = "TAKE_PROFIT",
    at: datetime = NOW,
    *,
    followed: bool = False,
    ended_at: datetime = FRIDAY,
) -> Suggested:
    entry = evolve(ENTRY, action_type=action, timestamp=at)
    return Suggested(entry=entry, holding=HOLDING, followed=followed, ended_at=ended_at)


def stored(*rows: tuple[float, float, float]) -> dict[str, StoredMarks]:
    """Marks by days after NOW, index, and the put's mark."""
    return {
        "BTC": StoredMarks(
            tuple(
                Marks(at=NOW + days * DAY, index_usd=index, coin={PUT: mark})
                for days, index, mark in rows
            )
        )
    }


def judged(*ignored: Suggested, marks: dict[str, StoredMarks]) -> WhatIf:
    return what_if(ignored, marks, np.random.default_rng(1))


MARKS = stored((0, 100_000.0, 0.010), (1, 98_000.0, 0.016), (3, 90_000.0, 0.055))


def test_a_profit_not_taken() -> None:
    """Two puts sold at 0.030: 0.040 coin then, 0.028 after a day, -0.050 after three."""
    found = judged(suggested(), marks=MARKS)

    assert [each.horizon for each in found.outcomes] == ["one day", "three days"]
    assert [each.pnl_usd for each in found.outcomes] == [
        pytest.approx(0.028 * 98_000.0),
        pytest.approx(-0.050 * 90_000.0),
    ]
    assert [each.gain_usd for each in found.outcomes] == [
        pytest.approx(0.012 * 98_000.0),
        pytest.approx(0.090 * 90_000.0),
    ]
    assert (found.ignored, found.unknown) == (1, 1)


def test_a_hedge_not_made() -> None:
    """A delta of 0.4 that was left long: 0.4 coin in the perpetual, settled in coin."""
    (one, _) = judged(suggested("HEDGE"), marks=MARKS).outcomes

    assert one.gain_usd == pytest.approx(-0.4 * (1 - 100_000 / 98_000) * 98_000.0)
    assert one.gain_usd == pytest.approx(800.0)


def test_what_was_followed_or_asks_for_nothing_is_left_out() -> None:
    """HOLD, and a suggestion that was executed."""
    found = judged(suggested("HOLD"), suggested(followed=True), marks=MARKS)

    assert (found.ignored, found.outcomes, found.comparisons) == (0, (), ())


@pytest.mark.parametrize(
    "marks",
    [
        stored(),
        stored((0, 1e5, 0.01)),
        stored((0, 1e5, 0.01), (1.3, 1e5, 0.01)),
        stored((0, 1e5, 0.01), (1, 1e5, float("nan"))),
        {},
    ],
)
def test_without_marks_nothing_is_said(marks: dict[str, StoredMarks]) -> None:
    """None, one, too far away, or not a number: unknown, never zero."""
    found = judged(suggested(), marks=marks)

    assert found.outcomes == ()
    assert found.unknown == 3


def test_a_position_that_ended_before_has_no_later_outcome() -> None:
    """Closed after two days: one day is told, its exit too, three days are not."""
    marks = stored((0, 1e5, 0.010), (1, 1e5, 0.011), (2, 1e5, 0.012), (3, 1e5, 0.013))
    found = judged(suggested(ended_at=NOW + 2 * DAY), marks=marks)

    assert [each.horizon for each in found.outcomes] == ["one day", "exit or expiry"]
    assert found.outcomes[1].pnl_usd == pytest.approx((0.060 - 0.024) * 1e5)


def test_like_is_compared_with_like() -> None:
    """A line for each action, strategy and horizon; the interval holds the mean from eight on."""
    days = [(float(day), 1e5, 0.010 + 0.001 * (day % 5)) for day in range(21)]
    many = [suggested(at=NOW + day * DAY) for day in range(12)]
    few = [suggested("CLOSE", at=NOW + day * DAY) for day in range(3)]
    found = judged(*many, *few, marks=stored(*days))
    lines = {(each.action, each.horizon): each for each in found.comparisons}

    taken, closed = lines["TAKE_PROFIT", "one day"], lines["CLOSE", "one day"]
    assert (taken.count, closed.count) == (12, 3)
    assert closed.bounds is None
    assert taken.bounds is not None
    assert taken.bounds.low <= taken.mean_usd <= taken.bounds.high
    assert taken.total_usd == pytest.approx(12 * taken.mean_usd)


async def journal(*entries: Entry) -> MemoryDecisionLog:
    log = MemoryDecisionLog()
    for entry in entries:
        await log.append(entry)
    return log


OPENED = SandboxOpened(
    at=NOW,
    position_id=HOLDING.position_id,
    strategy_id="greg_vrp_harvester",
    underlying="BTC",
    origin="GREG_SANDBOX",
    run_id="r",
    index_usd=1e5,
    legs=(SandboxLeg(PUT, -2.0, 0.030),),
)
SAID = GregNoted(at=NOW, event=GregEvent.SUGGESTED, entry=ENTRY)


async def test_a_journal_tells_the_position_as_it_was() -> None:
    """Put away a day later: the suggestion still has its legs, and the position its end."""
    away = SandboxClosed(at=NOW + DAY, position_ids=(HOLDING.position_id,), reason="")
    marked = Marked(
        at=NOW,
        underlying="BTC",
        index_usd=1e5,
        equity_coin=1.0,
        marks=(PositionMark(PUT, 0.010),),
    )
    told = await told_by(await journal(OPENED, marked, SAID, away))
    (one,) = told.suggested

    assert [(leg.size, leg.entry_coin) for leg in one.holding.legs] == [(-2.0, 0.030)]
    assert (one.followed, one.ended_at) == (False, NOW + DAY)
    assert told.marks["BTC"][0].coin == {PUT: 0.010}


@pytest.mark.parametrize(("dry_run", "followed"), [(True, False), (False, True)])
async def test_a_dry_run_follows_nothing(dry_run: bool, followed: bool) -> None:
    """Only orders do."""
    entry = evolve(ENTRY, executed=True, extra_info={"dry_run": dry_run})
    done = GregNoted(at=NOW, event=GregEvent.EXECUTED, entry=entry)
    (one,) = (await told_by(await journal(OPENED, SAID, done))).suggested

    assert one.followed is followed


async def test_recorded_chains_lend_their_marks() -> None:
    """The snapshots nearest to what is asked for, and no others."""
    archive = MemorySnapshots()
    for hours, mark in ((0, 0.010), (12, 0.5), (25, 0.016)):
        at = NOW + timedelta(hours=hours)
        row = Listed(contract=PUT, mark=mark, mark_iv=0.5)
        await archive.save(snapshot(row, taken_at=at, index_usd=1e5))
    told = await with_archive(await told_by(await journal(OPENED, SAID)), archive)

    assert [each.coin[PUT] for each in told.marks["BTC"]] == [0.010, 0.016]
